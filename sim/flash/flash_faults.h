// The host's hand on a device's flash: arms faults while the device is on or off, and hears of each strike.
//
//   auto faults = FlashFaults::open(io, {.fault_path = ..., .wake_path = ...});
//   (*faults)->on_strike(...);
//   const auto id = (*faults)->arm(flash_file::PowerCut{...});   // counts from the next operation on
//   (*faults)->clear(*id);
//
// QEMU's plugin carries them out (fault_injector.h); its command line takes fault_path() and wake_path().
// Faults stay armed over power cycles, with what they have counted, and end with this object.
//
// A power cut stops QEMU at the instant of the struck operation; whoever owns the device kills it then.
//
// All functions and handlers belong to the io_context's thread.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "sim/base/json.h"
#include "sim/base/result.h"
#include "sim/flash/fault_file.h"
#include "sim/flash/flash_fault.h"
#include "sim/flash/flash_file.h"

namespace otasim::flash_file {

/// Names an armed fault; never used twice for one device.
enum class FaultId : std::uint32_t {};

struct FlashStrike {
  FaultId id;
  std::string_view fault;  ///< its name; empty if it was cleared meanwhile
  StrikeReport what;

  [[nodiscard]] bool is_power_cut() const {
    return what.cause == StrikeCause::kOperation && what.operation != 0 &&
           what.status == static_cast<std::uint32_t>(flash::Status::kNoDevice);
  }
  [[nodiscard]] bool is_reset() const { return what.cause == StrikeCause::kInstruction; }
  /// A store that flash.strict took back: nothing was struck by a fault.
  [[nodiscard]] bool is_direct_store() const { return what.cause == StrikeCause::kStore; }
  /// As the event log has it: the struck operation, the instruction, the store, or the sector that was read.
  [[nodiscard]] nlohmann::json to_json() const;
};

class FlashFaults {
 public:
  struct Paths {
    std::string fault_path;  ///< kept with the flash file: it holds the cells' wear
    std::string wake_path;   ///< a pipe; made here, removed at the end
  };

  /// @param flash  outlives the object
  /// @returns kEnvironment if a file cannot be made or used
  [[nodiscard]] static Result<std::unique_ptr<FlashFaults>> open(boost::asio::io_context& io, Paths paths,
                                                                 FlashFile& flash);
  ~FlashFaults();
  FlashFaults(const FlashFaults&) = delete;
  FlashFaults& operator=(const FlashFaults&) = delete;

  /// Arms a fault. Stuck bits read their values at once.
  /// @returns kUsage if a range, a kind or a probability is not one, or kMaxFaults are armed
  [[nodiscard]] Result<FaultId> arm(const FlashFault& fault);
  /// An id for a fault that somebody else carries out.
  [[nodiscard]] FaultId new_id(std::string_view name);
  /// Plans a reset before the nth instruction since power-on (from 1), at the next power-on; replaces an
  /// earlier plan. Once it has struck it is over. @returns kUsage for instruction 0
  [[nodiscard]] Result<FaultId> arm_reset(std::string_view name, std::uint64_t instruction);
  /// Does nothing for a fault that is not armed.
  void clear(FaultId id);

  /// Called for each strike, in order.
  void on_strike(std::function<void(const FlashStrike& strike)> handler) { on_strike_ = std::move(handler); }
  /// Called when strikes were lost, because more came than a fault file holds (kMaxReports), before those
  /// that came after them are handed on.
  void on_loss(std::function<void(std::uint64_t count)> handler) { on_loss_ = std::move(handler); }
  /// Hands on what has struck by now; call when QEMU has gone.
  void collect();

  /// The machine is about to stop for a reset: a processor that was held at an instruction may go on.
  void machine_stops() { file_.release(); }
  /// The machine has stopped and is being reset: flash takes commands again.
  void machine_resets() { file_.thaw(); }

  [[nodiscard]] FaultFile& file() { return file_; }
  [[nodiscard]] const Paths& paths() const { return paths_; }

 private:
  FlashFaults(boost::asio::io_context& io, Paths paths, FlashFile& flash, FaultFile file, int pipe);
  void wait();
  void empty_pipe();

  Paths paths_;
  FlashFile& flash_;
  FaultFile file_;
  boost::asio::posix::stream_descriptor pipe_;
  std::shared_ptr<const int> alive_ = std::make_shared<int>(0);
  std::function<void(const FlashStrike&)> on_strike_;
  std::function<void(std::uint64_t)> on_loss_;
  std::map<std::uint32_t, std::string> names_;
  std::uint32_t last_id_ = 0;
};

}  // namespace otasim::flash_file
