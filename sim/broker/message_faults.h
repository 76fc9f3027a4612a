// What may go wrong on purpose with messages between the cloud and its devices.
//
//   MessageFaults faults(io, log, halt);
//   const FaultId id = faults.arm({.match = {.device = "thing-1", .direction = Direction::kToDevice,
//                                            .topic = "streams/+/data/#"},
//                                  .what = DropMessage{}, .strike = {.after = 3, .times = 1}});
//   if (faults.empty()) forward(...); else faults.pass(message, forward);     // each message, in order
//   faults.clear(id);
//
// A message meets the armed faults in the order they were armed; what one of them has changed, held back or
// doubled goes on to those after it. Each counts the messages it matches and could strike. Nothing is counted
// or copied while none is armed.
//
//   broker.drop       the message is gone
//   broker.duplicate  it comes again, `copies` times
//   broker.delay      it comes `delay_ms` later; others overtake it meanwhile
//   broker.reorder    it comes after the next `by` matching messages, or after `limit_ms` if they do not
//                     come. One message at a time is held: those that pass meanwhile are not counted
//   broker.corrupt    one byte is inverted, or `truncate_bytes` are cut off the end, or both. Counts only
//                     messages that are long enough
//
// Each strike is an event of the log: source `broker`, event `fault` {fault, device, direction, topic,
// bytes}, with what the fault did. Everything runs on the io_context's thread; not to be called from a
// listener of the log. Times stand still with the target (sim/base/halt.h).
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <variant>

#include "sim/base/armed_faults.h"
#include "sim/base/halt.h"
#include "sim/base/strike.h"
#include "sim/report/event_log.h"

namespace otasim::broker {

enum class Direction { kToDevice, kFromDevice };
/// `to_device` or `from_device`.
[[nodiscard]] std::string_view to_string(Direction direction);

struct Message {
  Direction direction = Direction::kToDevice;
  std::string device;  ///< the client id, which is the thing's name
  std::string topic;
  std::string payload;
};

/// Which messages a fault may strike.
struct MessageMatch {
  std::string device = {};                  ///< empty: any
  std::optional<Direction> direction = {};  ///< none: both
  /// MQTT filter. One that begins with `$` is taken as it is, another one below `$aws/things/<device>/`.
  std::string topic = "#";
};

struct DropMessage {};
struct DuplicateMessage {
  std::uint32_t copies = 1;  ///< beside the message itself
};
struct DelayMessage {
  std::int64_t delay_ms = 0;
};
struct ReorderMessage {
  std::uint32_t by = 1;
  std::int64_t limit_ms = 1000;
};
struct CorruptMessage {
  std::optional<std::int64_t> at_bytes = {};  ///< offset; none: by the strike's seed, unless it truncates
  std::int64_t truncate_bytes = 0;            ///< cut off the end
};

struct MessageFault {
  MessageMatch match = {};
  std::variant<DropMessage, DuplicateMessage, DelayMessage, ReorderMessage, CorruptMessage> what = {};
  StrikePlan strike = {};
};

/// Whether a filter can be a match's.
[[nodiscard]] bool is_topic_filter(const std::string& filter);

class MessageFaults {
 public:
  /// Takes the message on to where it was going.
  using Forward = std::function<void(std::string_view payload)>;

  /// @param halt  may be null
  MessageFaults(boost::asio::io_context& io, report::EventLog& log, const Halt* halt)
      : log_(log), halt_(halt), timer_(io, halt) {}
  MessageFaults(const MessageFaults&) = delete;
  MessageFaults& operator=(const MessageFaults&) = delete;

  FaultId arm(MessageFault fault);
  /// What the fault holds back goes on at once. @returns whether there was one
  bool clear(FaultId id);
  [[nodiscard]] bool empty() const { return armed_.empty(); }

  /// @param forward  called now, later, several times or never
  void pass(Message message, Forward forward);
  /// Forgets what is held back: the broker it would go through has ended.
  void lose_held();

 private:
  struct Armed {
    explicit Armed(MessageFault to_arm)
        : fault(std::move(to_arm)), strike(fault.strike), random(fault.strike.seed) {}
    MessageFault fault;
    Strike strike;
    std::mt19937_64 random;       ///< where to corrupt
    bool holds = false;           ///< reorder: a message
    std::uint32_t overtaken = 0;  ///< reorder: by so many
  };
  struct Passing {
    Message message;
    Forward forward;
  };
  struct Held {
    FaultId by;
    Passing passing;
  };

  /// Takes a message past the faults after `from`.
  void advance(Passing passing, FaultId from);
  /// One fault's turn. @returns whether the message goes on
  bool meet(FaultId id, Armed& armed, Passing& passing);
  bool strike(const DropMessage& drop, FaultId id, Armed& armed, Passing& passing);
  bool strike(const DuplicateMessage& duplicate, FaultId id, Armed& armed, Passing& passing);
  bool strike(const DelayMessage& delay, FaultId id, Armed& armed, Passing& passing);
  bool strike(const ReorderMessage& reorder, FaultId id, Armed& armed, Passing& passing);
  bool strike(const CorruptMessage& corrupt, FaultId id, Armed& armed, Passing& passing);
  void hold(FaultId id, Passing passing, std::int64_t for_ms);
  /// Lets go of what one fault holds.
  void release(FaultId id);
  void release_due();
  void set_timer();
  void report(const char* name, const Message& message, nlohmann::json more = nlohmann::json::object());

  report::EventLog& log_;
  const Halt* halt_;
  HaltTimer timer_;
  ArmedFaults<Armed> armed_;
  std::multimap<Halt::Clock::time_point, Held> held_;  ///< by when it is let go, without halts
};

}  // namespace otasim::broker
