// One power cycle of a device: a QEMU process, its monitor, its console and, if it has one, its watchdog's
// UART.
//
// Order of a power cycle: the sockets listen, QEMU starts stopped and connects to all, the monitor is ready,
// `cont`. Order of a reset: QEMU reports SHUTDOWN and stops the machine; set-action (whose reply proves that
// the machine stands still); on_machine_reset; system_reset; set-action back; `cont`.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/child_process.h"
#include "sim/base/unique_fd.h"
#include "sim/device/console.h"
#include "sim/device/debugger.h"
#include "sim/device/device.h"
#include "sim/device/external_watchdog.h"
#include "sim/device/qmp.h"
#include "sim/device/serial_line.h"

namespace otasim::device {

class Machine : public std::enable_shared_from_this<Machine> {
 public:
  struct Handlers {
    std::function<void(std::string_view line)> on_line;
    std::function<void(ResetCause cause)> on_reset;
    std::function<void(const Exit& exit)> on_exit;
    /// Recorded: a reset has ended the process, and another one is to go on.
    std::function<void(ResetCause cause)> on_reboot;
    /// A line on the watchdog's UART that is none of its own; how many there were.
    std::function<void(std::string_view line, std::uint64_t count)> on_watchdog_ignored;
  };

  /// @param config  must outlive the machine's last handler
  [[nodiscard]] static Result<std::shared_ptr<Machine>> start(boost::asio::io_context& io,
                                                              const Config& config,
                                                              const RecordingArguments& recording,
                                                              Handlers handlers);
  ~Machine();

  /// Kills QEMU; one that is recorded is told to end, and killed if it does not in time. Lines it had sent
  /// are handed on before this returns; no other handler is called any more.
  void stop(Device::Cut where = Device::Cut::kAnywhere);
  /// Asks QEMU to end; on_exit tells when it has.
  void quit();
  void reset(ResetCause cause = ResetCause::kExternal);
  void catch_up();
  void expire_watchdog();
  void hang();
  void resume();
  /// Attaches the debugger if it is not, and gives it something to do.
  void debug(std::function<void(Debugger& debugger)> work);
  [[nodiscard]] pid_t pid() const { return child_->pid(); }

 private:
  using Acceptor = boost::asio::local::stream_protocol::acceptor;
  using Socket = boost::asio::local::stream_protocol::socket;

  enum class State { kStarting, kRunning, kResetting, kStopped };

  Machine(boost::asio::io_context& io, const Config& config, Handlers handlers);

  [[nodiscard]] Result<void> listen(Acceptor& acceptor, const std::string& path);
  [[nodiscard]] Result<void> spawn(const RecordingArguments& recording);
  void end_recording(Device::Cut where);
  void await_stopped_process() const;
  void run_past_cut();
  void end_boot(ResetCause cause);
  void remove_sockets() const;
  void accept_monitor();
  void accept_console();
  void accept_watchdog();
  void open_console(Socket socket);
  void open_watchdog(Socket socket);
  [[nodiscard]] bool find_console();
  [[nodiscard]] bool find_watchdog();
  [[nodiscard]] std::optional<Socket> connected(Acceptor& acceptor);
  void catch_up_watchdog();

  /// A reply handler that calls `step` if the machine still exists, and keeps it in existence meanwhile.
  template <typename Step>
  [[nodiscard]] std::function<void()> then(Step step);

  void handle_ready();
  void run();
  void do_what_is_wanted();
  void let_run();
  void listen_for_debugger(std::function<void(Socket)> on_socket);
  void attach_debugger();
  void attach_debug_port();
  void handle_debugger(Socket socket);
  void expire_board_watchdog(const CmsdkWatchdog& watchdog);
  void expire_board_watchdog_again(const CmsdkWatchdog& watchdog);
  void handle_watchdog_expiry();
  void handle_event(const std::string& event, const nlohmann::json& data);
  void handle_shutdown(const std::string& reason);
  void begin_reset(ResetCause cause);
  void clear_and_reset(ResetCause cause);
  void finish_reset_if_done();
  void handle_child_exit(ChildProcess::ExitStatus status);
  void give_up(const Error& error);

  boost::asio::io_context& io_;
  const Config& config_;
  Handlers handlers_;
  std::string monitor_path_;
  std::string uart_path_;
  std::string watchdog_path_;
  std::string messages_path_;
  UniqueFd uart_log_;
  Acceptor monitor_acceptor_;
  Acceptor uart_acceptor_;
  Acceptor watchdog_acceptor_;
  std::unique_ptr<ChildProcess> child_;
  std::shared_ptr<QmpClient> qmp_;
  std::shared_ptr<Console> console_;
  SteadyWatchdogTimer watchdog_timer_;
  std::optional<ExternalWatchdog> watchdog_;  // none: the board has its own
  std::shared_ptr<SerialLine> watchdog_line_;

  std::string debugger_path_;
  Acceptor debugger_acceptor_;
  std::shared_ptr<Debugger> debugger_;
  std::vector<std::function<void(Debugger&)>> debugger_work_;  // before it is attached
  std::function<void()> resume_after_attaching_;
  boost::asio::steady_timer watchdog_period_;  // of the board's own

  State state_ = State::kStarting;
  bool monitor_ready_ = false;
  bool quitting_ = false;
  std::optional<ResetCause> reboot_cause_;  // of a reset that ends a recorded process
  // Before the machine ran.
  std::optional<ResetCause> reset_wanted_;
  bool hang_wanted_ = false;
  bool hangs_ = false;
  bool watchdog_expired_ = false;
  ResetCause host_reset_cause_ = ResetCause::kExternal;  // of the reset that was asked of QEMU
  // A reset is complete when both have come, in whichever order.
  bool reset_replied_ = false;
  bool reset_reported_ = false;
};

}  // namespace otasim::device
