#include "sim/device/machine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "sim/base/unix_socket.h"
#include "sim/device/qemu_command.h"
#include "sim/device/qemu_messages.h"

namespace otasim::device {

Result<std::shared_ptr<Machine>> Machine::start(boost::asio::io_context& io, const Config& config,
                                                const RecordingArguments& recording, Handlers handlers) {
  std::shared_ptr<Machine> machine(new Machine(io, config, std::move(handlers)));
  if (auto ok = machine->listen(machine->monitor_acceptor_, machine->monitor_path_); !ok) {
    return tl::unexpected(ok.error());
  }
  if (auto ok = machine->listen(machine->uart_acceptor_, machine->uart_path_); !ok) {
    return tl::unexpected(ok.error());
  }
  if (machine->watchdog_) {
    if (auto ok = machine->listen(machine->watchdog_acceptor_, machine->watchdog_path_); !ok) {
      return tl::unexpected(ok.error());
    }
  }
  if (auto ok = machine->spawn(recording); !ok) return tl::unexpected(ok.error());
  machine->accept_monitor();
  machine->accept_console();
  if (machine->watchdog_) machine->accept_watchdog();
  return machine;
}

Machine::Machine(boost::asio::io_context& io, const Config& config, Handlers handlers)
    : io_(io),
      config_(config),
      handlers_(std::move(handlers)),
      monitor_path_(config.run_folder + "/qmp.sock"),
      uart_path_(config.run_folder + "/uart.sock"),
      watchdog_path_(config.run_folder + "/watchdog.sock"),
      messages_path_(config.run_folder + "/qemu.log"),
      monitor_acceptor_(io),
      uart_acceptor_(io),
      watchdog_acceptor_(io),
      watchdog_timer_(io, config.halt),
      debugger_path_(config.run_folder + "/gdb.sock"),
      debugger_acceptor_(io),
      watchdog_period_(io) {
  if (!std::holds_alternative<SerialWatchdog>(config.watchdog)) return;
  watchdog_.emplace(watchdog_timer_,
                    ExternalWatchdog::Handlers{.before_expiry = [this] { catch_up_watchdog(); },
                                               .on_expiry = [this] { handle_watchdog_expiry(); },
                                               .on_ignored =
                                                   [this](std::string_view line, std::uint64_t count) {
                                                     handlers_.on_watchdog_ignored(line, count);
                                                   }});
}

Machine::~Machine() {
  // What has been stopped may have a successor, whose sockets have the same names.
  if (state_ != State::kStopped) remove_sockets();
}

void Machine::remove_sockets() const {
  ::unlink(monitor_path_.c_str());
  ::unlink(uart_path_.c_str());
  ::unlink(watchdog_path_.c_str());
  ::unlink(debugger_path_.c_str());
}

Result<void> Machine::listen(Acceptor& acceptor, const std::string& path) {
  if (auto address = unix_socket_address(path); !address) return tl::unexpected(address.error());
  ::unlink(path.c_str());  // left by a simulator that was killed
  boost::system::error_code error;
  acceptor.open({}, error);
  if (!error) acceptor.bind(path, error);
  if (!error) acceptor.listen(1, error);
  if (!error) return {};
  return fail(ExitCode::kEnvironment,
              fmt::format("cannot listen on the socket {}: {}", path, error.message()));
}

Result<void> Machine::spawn(const RecordingArguments& recording) {
  uart_log_ =
      UniqueFd(::open(config_.uart_log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!uart_log_) {
    return fail(ExitCode::kEnvironment, fmt::format("cannot write the console's log {}: {}",
                                                    config_.uart_log_path, std::strerror(errno)));
  }
  Config config = config_;
  auto& more = config.more_arguments;
  more.insert(more.end(), recording.arguments.begin(), recording.arguments.end());
  if (auto* const window = std::get_if<FlashWindow>(&config.flash))
    window->more_options += recording.plugin_options;
  auto child = ChildProcess::spawn(
      io_, {.program = kQemuProgram,
            .arguments = qemu_arguments(config, {monitor_path_, uart_path_, watchdog_path_}),
            .stdout_path = messages_path_,
            .stderr_path = messages_path_,
            .dies_with_thread = config_.dies_with_thread});
  if (!child) return tl::unexpected(child.error());
  child_ = std::move(*child);
  child_->on_exit([weak = weak_from_this()](ChildProcess::ExitStatus status) {
    if (const auto self = weak.lock()) self->handle_child_exit(status);
  });
  return {};
}

void Machine::accept_monitor() {
  monitor_acceptor_.async_accept(
      [weak = weak_from_this()](const boost::system::error_code& error, Socket socket) {
        const auto self = weak.lock();
        if (!self || error || self->state_ == State::kStopped) return;
        self->qmp_ = QmpClient::create(std::move(socket),
                                       {.on_ready =
                                            [weak] {
                                              if (const auto me = weak.lock()) me->handle_ready();
                                            },
                                        .on_event =
                                            [weak](const std::string& event, const nlohmann::json& data) {
                                              if (const auto me = weak.lock()) me->handle_event(event, data);
                                            },
                                        .on_failure =
                                            [weak](const Error& failure) {
                                              if (const auto me = weak.lock()) me->give_up(failure);
                                            }});
        self->qmp_->start();
      });
}

void Machine::accept_console() {
  uart_acceptor_.async_accept(
      [weak = weak_from_this()](const boost::system::error_code& error, Socket socket) {
        const auto self = weak.lock();
        if (!self || error || self->state_ == State::kStopped) return;
        self->open_console(std::move(socket));
      });
}

void Machine::open_console(Socket socket) {
  console_ =
      Console::create(std::move(socket), uart_log_.get(), [weak = weak_from_this()](std::string_view line) {
        if (const auto self = weak.lock()) self->handlers_.on_line(line);
      });
  console_->start();
}

void Machine::accept_watchdog() {
  watchdog_acceptor_.async_accept(
      [weak = weak_from_this()](const boost::system::error_code& error, Socket socket) {
        const auto self = weak.lock();
        if (!self || error || self->state_ == State::kStopped) return;
        self->open_watchdog(std::move(socket));
      });
}

void Machine::open_watchdog(Socket socket) {
  watchdog_line_ = SerialLine::create(std::move(socket), [weak = weak_from_this()](std::string_view bytes) {
    const auto self = weak.lock();
    if (self && self->state_ != State::kStopped) self->watchdog_->take(bytes);
  });
  watchdog_line_->start();
}

// QEMU may have connected and sent without the accept having been noticed yet.
std::optional<Machine::Socket> Machine::connected(Acceptor& acceptor) {
  boost::system::error_code error;
  acceptor.non_blocking(true, error);
  Socket socket(io_);
  acceptor.accept(socket, error);
  if (error) return std::nullopt;
  return socket;
}

bool Machine::find_console() {
  if (console_) return true;
  auto socket = connected(uart_acceptor_);
  if (socket) open_console(std::move(*socket));
  return socket.has_value();
}

bool Machine::find_watchdog() {
  if (watchdog_line_ || !watchdog_) return watchdog_line_ != nullptr;
  auto socket = connected(watchdog_acceptor_);
  if (socket) open_watchdog(std::move(*socket));
  return socket.has_value();
}

void Machine::catch_up_watchdog() {
  if (state_ != State::kStopped && find_watchdog()) (void)watchdog_line_->catch_up();
}

template <typename Step>
std::function<void()> Machine::then(Step step) {
  return [weak = weak_from_this(), step = std::move(step)] {
    if (const auto self = weak.lock()) step(*self);
  };
}

void Machine::handle_ready() {
  monitor_ready_ = true;
  if (quitting_) return qmp_->execute("quit", {}, [] {});
  if (config_.debug_port != nullptr) return attach_debug_port();
  if (debugger_work_.empty()) return run();
  resume_after_attaching_ = [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->run();
  };
  attach_debugger();
}

void Machine::run() {
  qmp_->execute("cont", {}, then([](Machine& machine) {
                  // A fast guest may have reset itself before this reply.
                  if (machine.state_ != State::kStarting) return;
                  machine.state_ = State::kRunning;
                  machine.do_what_is_wanted();
                }));
}

void Machine::do_what_is_wanted() {
  if (const auto cause = std::exchange(reset_wanted_, std::nullopt)) reset(*cause);
  if (std::exchange(hang_wanted_, false)) hang();
}

void Machine::handle_event(const std::string& event, const nlohmann::json& data) {
  if (event == "WATCHDOG") {
    watchdog_expired_ = true;
  } else if (event == "SHUTDOWN") {
    handle_shutdown(data.value("reason", std::string()));
  } else if (event == "RESET") {
    reset_reported_ = true;
    finish_reset_if_done();
  }
}

void Machine::handle_shutdown(const std::string& reason) {
  if (reason == "guest-reset") {
    begin_reset(std::exchange(watchdog_expired_, false) ? ResetCause::kWatchdog : ResetCause::kSoftware);
  } else if (reason == "host-qmp-system-reset") {
    begin_reset(std::exchange(host_reset_cause_, ResetCause::kExternal));
  } else if (!quitting_) {
    give_up({ExitCode::kEnvironment,
             fmt::format("{} stopped the machine: {}", kQemuProgram, escape_text(reason)), ""});
  }
}

void Machine::begin_reset(ResetCause cause) {
  if (state_ == State::kResetting || quitting_) return;
  state_ = State::kResetting;
  hangs_ = false;
  watchdog_period_.cancel();
  if (debugger_) debugger_->machine_stops();
  if (config_.debug_port != nullptr) config_.debug_port->machine_stops();
  config_.on_machine_stops();
  reset_replied_ = false;
  reset_reported_ = false;
  // From SHUTDOWN until the machine stands still QEMU answers no command, so this reply says that it does.
  qmp_->execute("set-action", {{"reboot", "reset"}},
                then([cause](Machine& machine) { machine.clear_and_reset(cause); }));
}

void Machine::clear_and_reset(ResetCause cause) {
  // What the old boot printed comes before the reset, also in the event log; what it told its watchdog ends
  // with it.
  if (find_console()) console_->catch_up();
  catch_up_watchdog();
  if (watchdog_) watchdog_->disarm();
  if (state_ == State::kStopped || quitting_) return;
  if (config_.recorder != nullptr) return end_boot(cause);
  if (auto cleared = config_.on_machine_reset(); !cleared) return give_up(cleared.error());
  handlers_.on_reset(cause);
  if (state_ == State::kStopped) return;
  const auto reset = then([](Machine& machine) {
    machine.qmp_->execute("system_reset", {}, machine.then([](Machine& reset_machine) {
      reset_machine.reset_replied_ = true;
      reset_machine.finish_reset_if_done();
    }));
  });
  debugger_ ? debugger_->before_reset(reset) : reset();
}

/// The machine stands still: its memory is taken, and its process ends. Replies come in order, so the process
/// has written all when it hears that it is to end.
void Machine::end_boot(ResetCause cause) {
  for (const MemoryDump& dump : config_.recorder->memory_dumps()) {
    qmp_->execute("pmemsave", {{"val", dump.address}, {"size", dump.size}, {"filename", dump.path}}, [] {});
  }
  reboot_cause_ = cause;
  quit();
}

void Machine::finish_reset_if_done() {
  if (state_ != State::kResetting || !reset_replied_ || !reset_reported_) return;
  qmp_->execute("set-action", {{"reboot", "shutdown"}}, [] {});
  state_ = State::kRunning;
  let_run();
  do_what_is_wanted();
}

void Machine::let_run() {
  const auto go_on = [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->qmp_->execute("cont", {}, [] {});
  };
  if (config_.debug_port != nullptr) return config_.debug_port->run_machine(go_on);
  if (debugger_) return debugger_->run_machine(go_on);
  if (debugger_work_.empty()) return go_on();
  // A debugger that is being attached has stopped the processor, or will.
  resume_after_attaching_ = go_on;
}

void Machine::reset(ResetCause cause) {
  if (quitting_) return;
  if (state_ == State::kStarting) reset_wanted_ = cause;
  if (state_ != State::kRunning) return;
  if (watchdog_) watchdog_->disarm();  // or its expiry on the way would be taken for this reset's cause
  const auto pull = then([cause](Machine& machine) {
    if (machine.state_ != State::kRunning || machine.quitting_) return;
    machine.host_reset_cause_ = cause;
    machine.qmp_->execute("system_reset", {}, [] {});
  });
  if (debugger_) return debugger_->before_reset(pull);
  if (debugger_work_.empty()) return pull();
  debugger_work_.emplace_back([pull](Debugger& debugger) { debugger.before_reset(pull); });
}

void Machine::hang() {
  if (quitting_ || hangs_) return;
  if (state_ == State::kStarting) hang_wanted_ = true;
  if (state_ != State::kRunning) return;
  hangs_ = true;
  if (debugger_) debugger_->machine_stops();
  if (config_.debug_port != nullptr) config_.debug_port->machine_stops();
  qmp_->execute("stop", {}, [] {});
}

void Machine::resume() {
  hang_wanted_ = false;
  if (std::exchange(hangs_, false) && !quitting_) let_run();
}

void Machine::debug(std::function<void(Debugger&)> work) {
  if (quitting_ || state_ == State::kStopped || config_.debug_port != nullptr) return;
  if (debugger_) return work(*debugger_);
  debugger_work_.push_back(std::move(work));
  // Before its monitor is ready the machine stands still, and handle_ready() will attach it.
  if (monitor_ready_ && debugger_work_.size() == 1) attach_debugger();
}

void Machine::attach_debugger() {
  listen_for_debugger([this](Socket socket) { handle_debugger(std::move(socket)); });
}

void Machine::attach_debug_port() {
  listen_for_debugger([this](Socket socket) {
    config_.debug_port->attach(std::move(socket), then([](Machine& machine) { machine.run(); }));
  });
}

/// Lets QEMU's stub connect. @param on_socket  called while the machine exists
void Machine::listen_for_debugger(std::function<void(Socket)> on_socket) {
  if (auto listening = listen(debugger_acceptor_, debugger_path_); !listening)
    return give_up(listening.error());
  debugger_acceptor_.async_accept([weak = weak_from_this(), on_socket = std::move(on_socket)](
                                      const boost::system::error_code& error, Socket socket) {
    const auto self = weak.lock();
    if (self && !error && self->state_ != State::kStopped) on_socket(std::move(socket));
  });
  qmp_->execute("human-monitor-command",
                {{"command-line", fmt::format("gdbserver \"unix:{}\"", option_value(debugger_path_))}},
                [] {});
}

void Machine::handle_debugger(Socket socket) {
  debugger_ =
      Debugger::create(std::move(socket), {.on_failure = [weak = weak_from_this()](const Error& error) {
                         if (const auto self = weak.lock()) self->give_up(error);
                       }});
  if (state_ == State::kResetting || hangs_) debugger_->machine_stops();
  for (const auto& work : std::exchange(debugger_work_, {})) work(*debugger_);
  debugger_->start(std::exchange(resume_after_attaching_, nullptr));
}

void Machine::expire_watchdog() {
  if (const auto* board = std::get_if<CmsdkWatchdog>(&config_.watchdog)) return expire_board_watchdog(*board);
  handle_watchdog_expiry();
}

void Machine::expire_board_watchdog(const CmsdkWatchdog& watchdog) {
  debug([watchdog](Debugger& debugger) { debugger.expire_watchdog(watchdog); });
  watchdog_period_.expires_after(Device::kWatchdogPeriod);
  watchdog_period_.async_wait([weak = weak_from_this(), watchdog](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (self && !error) self->expire_board_watchdog_again(watchdog);
  });
}

void Machine::expire_board_watchdog_again(const CmsdkWatchdog& watchdog) {
  debug([watchdog](Debugger& debugger) { debugger.expire_watchdog_again(watchdog); });
}

/// The external watchdog pulls the reset line. During a reset, that is what it would have done.
void Machine::handle_watchdog_expiry() {
  reset(ResetCause::kWatchdog);
}

void Machine::catch_up() {
  if (state_ != State::kStopped && find_console()) console_->catch_up();
  catch_up_watchdog();
}

void Machine::quit() {
  if (quitting_ || state_ == State::kStopped) return;
  quitting_ = true;
  if (config_.recorder != nullptr && monitor_ready_) qmp_->execute("stop", {}, [] {});
  // Before its monitor is ready the machine stands still, and handle_ready() will ask.
  if (monitor_ready_) qmp_->execute("quit", {}, [] {});
}

/// A process that was killed leaves a log that cannot be replayed; and one that is told to end while its
/// processor runs leaves out the instructions that it had not counted yet, so it is stopped first.
void Machine::end_recording(Device::Cut where) {
  constexpr std::chrono::seconds kLimit{5};
  if (!child_->running()) return;
  if (!monitor_ready_) return child_->kill();  // nothing has run
  const bool is_held = where == Device::Cut::kInFlash;
  if (is_held) {
    await_stopped_process();
    // What it says from here on is not the device's.
    if (find_console()) console_->drain();
  }
  if (is_held) run_past_cut();
  if (!quitting_ || is_held) qmp_->execute_last({"stop", "quit"});
  const auto meanwhile = [this, is_held] {
    if (!is_held && find_console()) console_->catch_up();
  };
  if (!child_->wait_for_end(kLimit, meanwhile)) child_->kill();
}

/// QEMU logs instructions when something comes after them, and a replay has to come as far as the cut. So the
/// process runs on for some of the board's ticks, seen by nobody; if there are none, for a while.
void Machine::run_past_cut() {
  constexpr std::uint64_t kInstructions = 200'000;
  constexpr std::chrono::seconds kLimit{1};
  ::kill(child_->pid(), SIGCONT);
  const auto end = std::chrono::steady_clock::now() + kLimit;
  std::optional<std::uint64_t> first;
  while (std::chrono::steady_clock::now() < end) {
    const auto answer = qmp_->ask_last("query-replay", kLimit);
    if (!answer) return;
    const auto count = answer->value("icount", std::uint64_t{0});
    if (!first) first = count;
    if (count - *first >= kInstructions) return;
  }
}

/// The flash controller tells of the cut a moment before it stops its process.
void Machine::await_stopped_process() const {
  constexpr std::chrono::seconds kLimit{1};
  const auto end = std::chrono::steady_clock::now() + kLimit;
  siginfo_t info{};
  while (std::chrono::steady_clock::now() < end) {
    info.si_pid = 0;
    const int waited = ::waitid(P_PID, static_cast<id_t>(child_->pid()), &info, WSTOPPED | WNOHANG | WNOWAIT);
    if (waited != 0 || info.si_pid != 0) return;
    ::sched_yield();
  }
}

void Machine::stop(Device::Cut where) {
  if (state_ == State::kStopped) return;
  const auto self = shared_from_this();  // a line's handler may drop the last other reference
  if (config_.recorder != nullptr) end_recording(where);
  state_ = State::kStopped;
  child_->kill();
  if (find_console()) console_->drain();
  if (watchdog_) watchdog_->disarm();
  if (find_watchdog()) (void)watchdog_line_->drain();
  if (qmp_) qmp_->close();
  if (debugger_) debugger_->close();
  if (config_.debug_port != nullptr) config_.debug_port->detach();
  watchdog_period_.cancel();
  boost::system::error_code ignored;
  monitor_acceptor_.close(ignored);
  uart_acceptor_.close(ignored);
  watchdog_acceptor_.close(ignored);
  debugger_acceptor_.close(ignored);
  remove_sockets();
}

void Machine::handle_child_exit(ChildProcess::ExitStatus status) {
  if (state_ == State::kStopped) return;
  stop();
  if (reboot_cause_ && !status.signaled && status.code == 0) return handlers_.on_reboot(*reboot_cause_);
  handlers_.on_exit(
      {status, {ExitCode::kEnvironment, describe_qemu_exit(status), last_messages(messages_path_)}});
}

void Machine::give_up(const Error& error) {
  if (state_ == State::kStopped) return;
  stop();
  Error described = error;
  const std::string messages = last_messages(messages_path_);
  if (!messages.empty()) described.hint += (described.hint.empty() ? "" : "\n") + messages;
  handlers_.on_exit({{true, SIGKILL}, described});
}

}  // namespace otasim::device
