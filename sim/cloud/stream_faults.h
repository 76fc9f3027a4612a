// What may go wrong on purpose with the blocks of file streams.
//
//   const FaultId id = faults.arm({.what = WrongData{}, .device = "thing-1", .strike = {.after = 5, .times =
//   1}}); for (const StreamReply& reply : faults.strike(std::move(reply))) send(reply);    // each data reply
//   faults.clear(id);
//
// An operation is one data reply, which is one block on its way to the device that asked. A reply meets the
// armed faults in the order they were armed; what one of them has changed or doubled goes on to those after
// it.
//
//   stream.wrong_block  the reply claims to be another block, or of another file
//   stream.wrong_data   bytes of the block are inverted; counts only blocks that have the byte
//   stream.short_block  the block lacks its last `by_bytes`, and `l` says so; counts only longer blocks
//   stream.wrong_size   `l` is `by_bytes` more than there are
//   stream.missing      no reply
//   stream.duplicate    the reply comes again, `copies` times
//   stream.reorder      the reply comes after the next `by` replies that the fault could strike, however long
//                       that takes. One at a time is held: those that pass meanwhile are not counted
//
// Each strike is an event of the log: source `cloud`, event `fault` {fault, device, stream, block}, with what
// the fault did.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "sim/base/armed_faults.h"
#include "sim/base/strike.h"
#include "sim/cloud/stream_codec.h"
#include "sim/report/event_log.h"

namespace otasim::cloud {

struct WrongBlock {
  std::int64_t shift_blocks = 1;             ///< added to the block's number
  std::optional<std::int64_t> file_id = {};  ///< instead of the file's
};
struct WrongData {
  std::optional<std::int64_t> at_bytes = {};  ///< offset in the block; none: by the strike's seed
  std::int64_t length_bytes = 1;              ///< as far as the block reaches
};
struct ShortBlock {
  std::int64_t by_bytes = 1;
};
struct WrongSize {
  std::int64_t by_bytes = 1;  ///< may be negative
};
struct MissingReply {};
struct DuplicateReply {
  std::uint32_t copies = 1;  ///< beside the reply itself
};
struct ReorderReply {
  std::uint32_t by = 1;
};

struct StreamFault {
  std::variant<WrongBlock, WrongData, ShortBlock, WrongSize, MissingReply, DuplicateReply, ReorderReply>
      what = {};
  std::string device = {};  ///< the thing; empty: any
  StrikePlan strike = {};
};

class StreamFaults {
 public:
  explicit StreamFaults(report::EventLog& log) : log_(log) {}
  StreamFaults(const StreamFaults&) = delete;
  StreamFaults& operator=(const StreamFaults&) = delete;

  FaultId arm(StreamFault fault);
  /// A reply that the fault holds goes with the next one. @returns whether there was a fault
  bool clear(FaultId id);
  /// Whether replies need not come by.
  [[nodiscard]] bool empty() const { return armed_.empty() && let_go_.empty(); }

  /// @returns what is to be sent now, in this order
  [[nodiscard]] std::vector<StreamReply> strike(StreamReply reply);

 private:
  using Replies = std::vector<StreamReply>;

  struct Armed {
    explicit Armed(StreamFault to_arm)
        : fault(std::move(to_arm)), strike(fault.strike), random(fault.strike.seed) {}
    StreamFault fault;
    Strike strike;
    std::mt19937_64 random;  ///< which byte is wrong
    std::optional<StreamReply> held = {};
    std::uint32_t overtaken = 0;  ///< the held one, by so many
  };

  /// Takes a reply past the faults after `from`, and adds what is left of it to `out`.
  void advance(StreamReply reply, FaultId from, Replies& out);
  /// One fault's turn. @returns whether the reply goes on
  bool strike(const WrongBlock& what, FaultId id, Armed& armed, StreamReply& reply, Replies& out);
  bool strike(const WrongData& what, FaultId id, Armed& armed, StreamReply& reply, Replies& out);
  bool strike(const ShortBlock& what, FaultId id, Armed& armed, StreamReply& reply, Replies& out);
  bool strike(const WrongSize& what, FaultId id, Armed& armed, StreamReply& reply, Replies& out);
  bool strike(const MissingReply& what, FaultId id, Armed& armed, StreamReply& reply, Replies& out);
  bool strike(const DuplicateReply& what, FaultId id, Armed& armed, StreamReply& reply, Replies& out);
  bool strike(const ReorderReply& what, FaultId id, Armed& armed, StreamReply& reply, Replies& out);
  void report(const char* name, const StreamReply& reply, nlohmann::json more = nlohmann::json::object());

  report::EventLog& log_;
  ArmedFaults<Armed> armed_;
  Replies let_go_;  ///< held by faults that have been cleared
};

}  // namespace otasim::cloud
