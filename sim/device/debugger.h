// What is done to a running processor from outside, by QEMU's debugger: one power cycle's connection to it.
//
// The machine attaches it when it is first needed; until then it costs nothing. Each thing is done while the
// processor stands still for a moment. Breakpoints outlive resets of the machine, and are seen in ROM and RAM
// alike, whether the code is loaded yet or not.
//
//   debugger.expire_watchdog(watchdog)   the watchdog's output to the processor is raised
//   debugger.skip(id, point)                  the instruction at an address is passed over, some of the times
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/base/strike.h"
#include "sim/device/cmsdk_watchdog.h"
#include "sim/device/gdb_client.h"
#include "sim/device/secure_stores.h"

namespace otasim::device {

/// An instruction that is skipped, some of the times that it is about to run.
struct SkipPoint {
  std::uint32_t address = 0;
  std::shared_ptr<Strike> strike;  ///< asked each time; shared, so that it goes on in the next power cycle
  std::function<void()> on_skip;   ///< told each time it was skipped
};

class Debugger : public std::enable_shared_from_this<Debugger> {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;

  struct Handlers {
    std::function<void(const Error& error)> on_failure;
  };

  [[nodiscard]] static std::shared_ptr<Debugger> create(Socket socket, Handlers handlers);

  /// Takes the connection over, which has stopped the processor, does what is queued, and lets it run.
  /// @param resume  how, if the machine has never run yet; none: it goes on
  void start(std::function<void()> resume);

  // The machine is stopped and set going by its monitor, too: for resets, and to hang.

  /// It stands still, or will at once. The debugger does not let it run from here on.
  void machine_stops();
  /// Calls `reset` when nothing is half done with the processor's registers; from there on it is as after
  /// machine_stops().
  void before_reset(std::function<void()> reset);
  /// It is to run again: `resume` is called when nothing is left to do.
  void run_machine(std::function<void()> resume);

  /// Raises the watchdog's interrupt output. QEMU models the part's integration test registers, which put
  /// that line into software's hand.
  void expire_watchdog(const CmsdkWatchdog& watchdog);
  /// Raises its reset output, as its second expiry does.
  void expire_watchdog_again(const CmsdkWatchdog& watchdog);
  /// @param id  from the caller, for stop_skipping()
  void skip(std::uint32_t id, SkipPoint point);
  void stop_skipping(std::uint32_t id);

  void close();

 private:
  /// Ends by calling work_next().
  using Work = std::function<void()>;
  explicit Debugger(Handlers handlers) : handlers_(std::move(handlers)) {}

  void queue(Work work);
  void work_next();
  void handle_stop(int signal);
  void handle_trap(std::uint32_t address);
  void pass_breakpoint(std::uint32_t address);
  void skip_instruction(std::uint32_t address, std::function<void()> tell);
  void drive_watchdog(const CmsdkWatchdog& watchdog, std::uint32_t outputs);
  void write_devices(std::vector<SecureStores::Word> words, std::function<void()> then);
  void write_secure_devices(const SecureWorld& owner, std::vector<SecureStores::Word> words);
  void set_breakpoint(std::uint32_t address, std::function<void()> then);
  void clear_breakpoint(std::uint32_t address, std::function<void()> then);
  [[nodiscard]] bool is_watched(std::uint32_t address) const;
  void fail_with(std::string what);

  Handlers handlers_;
  std::shared_ptr<GdbClient> gdb_;
  std::deque<Work> work_;
  std::map<std::uint32_t, SkipPoint> skips_;
  bool is_stopped_ = true;  // and the debugger's to let run
  bool is_interrupting_ = false;
  bool is_held_ = false;  // by the machine
  std::function<void()> resume_;
  std::optional<std::uint32_t> stepping_over_;  // a breakpoint's address
  std::function<void()> after_step_;            // of SecureStores
};

}  // namespace otasim::device
