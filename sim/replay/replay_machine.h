// QEMU replaying one boot: its process, its monitor and its console.
//
//   auto machine = ReplayMachine::start(io, unpacked, {.on_line = ..., .on_end = ...});
//   (*machine)->run();        // unless a debugger is to run it
//   io.run();                 // until on_end
//
// It ends at the end of its log, at the reset or the power cut that ended the boot, or when QEMU refuses the
// log. A replay whose device asks for something that the log does not hold waits for it for good; one that
// makes no progress for kStandstillLimit is such a one, and is ended, as a QEMU is that does not come up.
// Destroying the object ends QEMU.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sim/base/child_process.h"
#include "sim/base/result.h"
#include "sim/base/unique_fd.h"
#include "sim/device/console.h"
#include "sim/device/qmp.h"
#include "sim/replay/boot_files.h"

namespace otasim::replay {

/// Of instructions and console. A replay runs hundreds of thousands of instructions a second even on a
/// machine that does much else.
inline constexpr std::chrono::seconds kStandstillLimit{15};

class ReplayMachine {
 public:
  enum class Ending : std::uint8_t {
    kLogEnd,      ///< the log was replayed to its end
    kReset,       ///< the device reset itself
    kCutInFlash,  ///< the power was cut in an operation
    kExit,        ///< QEMU ended by itself: see Outcome::message
    kStandstill,
  };
  struct Outcome {
    Ending ending = Ending::kExit;
    std::uint64_t instructions = 0;  ///< of the device, as far as was seen
    bool signaled = false;           ///< kExit: by a signal, as after a lockup of the processor
    std::string message = {};        ///< for people, if it did not end as a boot does
  };
  struct Handlers {
    std::function<void(std::string_view line)> on_line;
    std::function<void(const Outcome& outcome)> on_end;  ///< once
    bool stays_at_end = false;  ///< the machine stands still at the log's end, for a debugger to look at
  };

  /// @param console_path  takes the console's raw bytes
  /// @returns kEnvironment if QEMU or its sockets cannot be had
  [[nodiscard]] static Result<std::unique_ptr<ReplayMachine>> start(boost::asio::io_context& io,
                                                                    const UnpackedBoot& boot,
                                                                    const std::string& console_path,
                                                                    Handlers handlers);
  ~ReplayMachine();
  ReplayMachine(const ReplayMachine&) = delete;
  ReplayMachine& operator=(const ReplayMachine&) = delete;

  /// Lets it run as soon as it can.
  void run();
  /// Makes QEMU's debugger listen on a socket, then calls `done`.
  void listen_for_debugger(const std::string& socket_path, std::function<void()> done);

 private:
  using Acceptor = boost::asio::local::stream_protocol::acceptor;
  using Socket = boost::asio::local::stream_protocol::socket;

  ReplayMachine(boost::asio::io_context& io, const UnpackedBoot& boot, Handlers handlers);

  [[nodiscard]] Result<void> open(const UnpackedBoot& boot, const std::string& console_path);
  [[nodiscard]] Result<void> listen(Acceptor& acceptor, const std::string& path);
  void accept_monitor();
  void accept_console();
  void when_ready(std::function<void()> work);
  void handle_event(const std::string& event, const nlohmann::json& data);
  void watch_progress();
  void check_progress();
  void take_console();
  void handle_exit(ChildProcess::ExitStatus status);
  void end(Outcome outcome);

  boost::asio::io_context& io_;
  Handlers handlers_;
  device::QemuSockets sockets_;
  std::string messages_path_;
  Acceptor monitor_acceptor_;
  Acceptor console_acceptor_;
  UniqueFd console_file_;
  boost::asio::steady_timer progress_timer_;
  std::shared_ptr<device::QmpClient> qmp_;
  std::shared_ptr<device::Console> console_;
  std::unique_ptr<ChildProcess> child_;
  std::function<void()> when_ready_;
  bool is_ready_ = false;  ///< QEMU has come up
  bool runs_ = false;      ///< run() has let it
  bool has_ended_ = false;
  std::optional<Ending> shut_down_;
  std::uint64_t instructions_ = 0;
  std::uint64_t progress_ = 0;  ///< instructions and lines when last looked at
  std::uint64_t lines_ = 0;
  std::chrono::steady_clock::time_point progressed_;
};

}  // namespace otasim::replay
