// The device under test: a board in QEMU with its power switch, its reset line and its console.
//
//   auto device = Device::create(io, config);
//   (*device)->on_console_line(...); (*device)->on_reset(...); (*device)->on_exit(...);
//   (*device)->power_on();     // a new process: RAM empty, flash as the file holds it
//   (*device)->power_off();    // a power cut: the process is gone when the call returns
//   (*device)->shut_down(done);  // orderly: QEMU ends between two operations on the flash, then done()
//
// A reset by the guest (SYSRESETREQ, watchdog) does not happen behind the simulator's back. QEMU stops the
// machine instead; the simulator sees it, calls `on_machine_reset`, which clears what the flash controller
// loses at a reset (its locks), resets the machine and lets it run on. Thus nothing the new boot locks can be
// cleared by mistake, and RAM is kept, as in a real reset: the board's reset-reason word survives.
//
// A device with a recorder (Config::recorder) leaves its processes to end by themselves, so that their logs
// are whole, and starts a new one at each reset; see boot_recorder.h. Faults that need QEMU's debugger cannot
// be had then.
//
// All functions and handlers belong to the io_context's thread, which must be the main thread, unless
// Config::dies_with_thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sim/base/child_process.h"
#include "sim/base/halt.h"
#include "sim/base/result.h"
#include "sim/device/boot_recorder.h"
#include "sim/device/cmsdk_watchdog.h"
#include "sim/device/debug_port.h"
#include "sim/device/debugger.h"
#include "sim/report/event_log.h"

namespace otasim::device {

/// The mps2 boards' flash window: QEMU takes a backing file of this size only.
inline constexpr std::uint64_t kFlashWindowBytes = 16 * 1024 * 1024;

/// Flash that is a window of the board's memory, with a controller that is a plugin of QEMU (the mps2
/// boards).
struct FlashWindow {
  std::string path = {};          ///< kFlashWindowBytes long
  std::uint32_t address = 0;      ///< where the board maps it; needed by faults that watch stores or loads
  std::string plugin_path = {};   ///< the flash controller; none: the window is plain RAM
  std::string op_log_path = {};   ///< where the controller logs operations; none: no log
  std::string fault_path = {};    ///< a prepared fault file for the controller; none: no faults
  std::string wake_path = {};     ///< the pipe through which the controller tells of strikes
  std::uint64_t seed = 0;         ///< for the controller's entropy
  std::string more_options = {};  ///< for the controller, each with a comma before it
};

/// Flash that is a SPI chip, whose content is a drive that somebody serves over NBD from before power_on()
/// until the device is off (emcraft-sf2).
struct SpiDrive {
  std::string socket_path = {};
};

/// A supervisor on the board's second UART (external_watchdog.h).
struct SerialWatchdog {};

struct Config {
  std::string name = {};             ///< in its events, if a lab has several
  std::string board = "mps2-an385";  ///< QEMU's machine name
  std::string bootloader_path;       ///< ELF or raw image for address 0
  std::variant<FlashWindow, SpiDrive> flash = {};
  std::variant<CmsdkWatchdog, SerialWatchdog> watchdog = {};
  std::vector<std::string> more_arguments;  ///< for QEMU, at the end: link::Link::qemu_arguments()
  std::string uart_log_path;                ///< appended to, raw bytes
  std::string run_folder;                   ///< this device's own: sockets, QEMU's messages
  /// Called while the machine stands still, before each power-on and at each reset: puts the flash
  /// controller's volatile state back to what it is after a reset. An error ends the device (on_exit).
  std::function<Result<void>()> on_machine_reset = [] { return Result<void>{}; };
  /// QEMU is about to stop the machine for a reset; the processor may still have to come to a stop.
  std::function<void()> on_machine_stops = [] {};
  report::EventLog* events = nullptr;  ///< must be given and outlive the device
  const Halt* halt = nullptr;          ///< its external watchdog stands still with it; outlives the device
  DebugPort* debug_port = nullptr;     ///< holds its processor; outlives the device
  bool dies_with_thread = false;       ///< ChildProcess::Spec::dies_with_thread
  BootRecorder* recorder = nullptr;    ///< keeps a recording; outlives the device
};

enum class ResetCause {
  kSoftware,  ///< the guest asked for it (SYSRESETREQ)
  kWatchdog,  ///< the watchdog expired
  kExternal,  ///< Device::reset()
};

/// "software", "watchdog", "external"
[[nodiscard]] std::string_view to_string(ResetCause cause);

/// Why a device that was on is off without power_off().
struct Exit {
  ChildProcess::ExitStatus status;  ///< SIGKILL if the simulator ended it because of `error`
  Error error;                      ///< what happened; the hint holds QEMU's last messages
};

class Machine;

class Device {
 public:
  /// @returns kEnvironment if a file is missing or has the wrong size
  [[nodiscard]] static Result<std::unique_ptr<Device>> create(boost::asio::io_context& io, Config config);

  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  // Handlers may call all functions below; they must not destroy the device. Each is optional.

  /// One line of console output without its end, printable (see line_splitter.h). Lines that the device sent
  /// before a power_off() may be handed on during that call.
  void on_console_line(std::function<void(std::string_view line)> handler);
  /// A reset has happened: `on_machine_reset` is done, the machine is about to run again.
  void on_reset(std::function<void(ResetCause cause)> handler);
  /// The device went off by itself. It may be powered on again.
  void on_exit(std::function<void(const Exit& exit)> handler);

  /// Starts the board. The machine runs from some milliseconds later.
  ///
  /// @returns kEnvironment if QEMU is missing or its sockets cannot be made
  ///          kInternal if the device is on already
  ///          the error of `on_machine_reset`
  [[nodiscard]] Result<void> power_on();

  /// Where a power cut finds the processor.
  enum class Cut : std::uint8_t {
    kAnywhere,
    kInFlash,  ///< in an operation on flash, whose controller stops the processor (flash_plugin.cc)
  };

  /// Cuts the power. Does nothing if the device is off.
  void power_off(Cut where = Cut::kAnywhere);

  /// Takes the device down between two operations on its flash: none is torn. `done` is called once, when
  /// QEMU is gone (at once if the device is off); a QEMU that does not end in time is killed. The device may
  /// be cut meanwhile.
  void shut_down(std::function<void()> done);

  /// Pulls the reset line. Does nothing while the device is off or resetting; before the machine runs, it is
  /// reset as soon as it does.
  void reset();

  /// Hands on the console's lines that have come by now.
  void catch_up();

  // Faults of the processor, and what takes them back. All but skip() do nothing while the device is off.

  /// The board's watchdog expires now, whatever it was set to before, and also if it was off.
  /// CmsdkWatchdog: it interrupts the processor, and if no reset has come of that after kWatchdogPeriod, its
  /// second expiry resets the board; while the processor hangs, as soon as it no longer does.
  /// SerialWatchdog: it resets the board.
  void expire_watchdog();
  static constexpr std::chrono::seconds kWatchdogPeriod{1};

  /// The processor stands still, and the board's clocks with it, until resume(), a reset or the power's end.
  /// The board's own watchdog does not end it; one with a clock of its own (SerialWatchdog) does.
  void hang();
  void resume();

  /// Skips an instruction some of the times, in this power cycle and those to come.
  /// @param id  the caller's, for stop_skipping(); one that is in use replaces its instruction
  void skip(std::uint32_t id, SkipPoint point);
  void stop_skipping(std::uint32_t id);

  [[nodiscard]] bool powered() const { return machine_ != nullptr; }
  /// QEMU's process, or -1 while the device is off.
  [[nodiscard]] pid_t pid() const;

 private:
  Device(boost::asio::io_context& io, Config config);

  void handle_line(std::string_view line);
  void handle_reset(ResetCause cause);
  void handle_exit(const Exit& exit);
  void report_exit(const Exit& exit);
  void handle_reboot(ResetCause cause);
  [[nodiscard]] Result<void> start_machine(std::string_view began_by);
  void handle_watchdog_ignored(std::string_view line, std::uint64_t count);
  void handle_off();
  void give_skip(std::uint32_t id, const SkipPoint& point);
  void emit(std::string_view source, std::string_view event,
            nlohmann::json fields = nlohmann::json::object());

  boost::asio::io_context& io_;
  Config config_;
  boost::asio::steady_timer shut_down_limit_;
  std::vector<std::function<void()>> on_shut_down_;  ///< who waits for a shut_down()
  std::map<std::uint32_t, SkipPoint> skips_;
  std::shared_ptr<Machine> machine_;
  std::function<void(std::string_view)> on_console_line_;
  std::function<void(ResetCause)> on_reset_;
  std::function<void(const Exit&)> on_exit_;
};

}  // namespace otasim::device
