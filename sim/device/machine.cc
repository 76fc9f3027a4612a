#include "sim/device/machine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "sim/base/file_io.h"
#include "sim/base/unix_socket.h"
#include "sim/device/qemu_command.h"

namespace otasim::device {
namespace {

// How much of QEMU's messages goes into an error.
constexpr std::size_t kMessageTailBytes = 2048;

std::string describe(ChildProcess::ExitStatus status) {
  if (!status.signaled) return fmt::format("{} ended with exit code {}", kQemuProgram, status.code);
  return fmt::format("{} was killed by signal {} ({})", kQemuProgram, status.code, ::strsignal(status.code));
}

}  // namespace

Result<std::shared_ptr<Machine>> Machine::start(boost::asio::io_context& io, const Config& config,
                                                Handlers handlers) {
  std::shared_ptr<Machine> machine(new Machine(io, config, std::move(handlers)));
  if (auto ok = machine->listen(machine->monitor_acceptor_, machine->monitor_path_); !ok) {
    return tl::unexpected(ok.error());
  }
  if (auto ok = machine->listen(machine->uart_acceptor_, machine->uart_path_); !ok) {
    return tl::unexpected(ok.error());
  }
  if (auto ok = machine->spawn(); !ok) return tl::unexpected(ok.error());
  machine->accept_monitor();
  machine->accept_console();
  return machine;
}

Machine::Machine(boost::asio::io_context& io, const Config& config, Handlers handlers)
    : io_(io),
      config_(config),
      handlers_(std::move(handlers)),
      monitor_path_(config.run_folder + "/qmp.sock"),
      uart_path_(config.run_folder + "/uart.sock"),
      messages_path_(config.run_folder + "/qemu.log"),
      monitor_acceptor_(io),
      uart_acceptor_(io) {}

Machine::~Machine() {
  ::unlink(monitor_path_.c_str());
  ::unlink(uart_path_.c_str());
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

Result<void> Machine::spawn() {
  uart_log_ =
      UniqueFd(::open(config_.uart_log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!uart_log_) {
    return fail(ExitCode::kEnvironment, fmt::format("cannot write the console's log {}: {}",
                                                    config_.uart_log_path, std::strerror(errno)));
  }
  auto child = ChildProcess::spawn(io_, {.program = kQemuProgram,
                                         .arguments = qemu_arguments(config_, monitor_path_, uart_path_),
                                         .stdout_path = messages_path_,
                                         .stderr_path = messages_path_});
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

// QEMU may have connected and sent without the accept having been noticed yet.
bool Machine::find_console() {
  if (console_) return true;
  boost::system::error_code error;
  uart_acceptor_.non_blocking(true, error);
  Socket socket(io_);
  uart_acceptor_.accept(socket, error);
  if (!error) open_console(std::move(socket));
  return !error;
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
  qmp_->execute("cont", {}, then([](Machine& machine) {
                  // A fast guest may have reset itself before this reply.
                  if (machine.state_ == State::kStarting) machine.state_ = State::kRunning;
                }));
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
    begin_reset(ResetCause::kExternal);
  } else if (!quitting_) {
    give_up({ExitCode::kEnvironment,
             fmt::format("{} stopped the machine: {}", kQemuProgram, escape_text(reason)), ""});
  }
}

void Machine::begin_reset(ResetCause cause) {
  if (state_ == State::kResetting || quitting_) return;
  state_ = State::kResetting;
  reset_replied_ = false;
  reset_reported_ = false;
  // From SHUTDOWN until the machine stands still QEMU answers no command, so this reply says that it does.
  qmp_->execute("set-action", {{"reboot", "reset"}},
                then([cause](Machine& machine) { machine.clear_and_reset(cause); }));
}

void Machine::clear_and_reset(ResetCause cause) {
  // What the old boot printed comes before the reset, also in the event log.
  if (find_console()) console_->catch_up();
  if (state_ == State::kStopped || quitting_) return;
  if (auto cleared = config_.on_machine_reset(); !cleared) return give_up(cleared.error());
  handlers_.on_reset(cause);
  if (state_ == State::kStopped) return;
  qmp_->execute("system_reset", {}, then([](Machine& machine) {
                  machine.reset_replied_ = true;
                  machine.finish_reset_if_done();
                }));
}

void Machine::finish_reset_if_done() {
  if (state_ != State::kResetting || !reset_replied_ || !reset_reported_) return;
  qmp_->execute("set-action", {{"reboot", "shutdown"}}, [] {});
  state_ = State::kRunning;
  qmp_->execute("cont", {}, [] {});
}

void Machine::reset() {
  if (state_ != State::kRunning || quitting_) return;
  qmp_->execute("system_reset", {}, [] {});
}

void Machine::quit() {
  if (quitting_ || state_ == State::kStopped) return;
  quitting_ = true;
  // Before its monitor is ready the machine stands still, and handle_ready() will ask.
  if (monitor_ready_) qmp_->execute("quit", {}, [] {});
}

void Machine::stop() {
  if (state_ == State::kStopped) return;
  const auto self = shared_from_this();  // a line's handler may drop the last other reference
  state_ = State::kStopped;
  child_->kill();
  if (find_console()) console_->drain();
  if (qmp_) qmp_->close();
  boost::system::error_code ignored;
  monitor_acceptor_.close(ignored);
  uart_acceptor_.close(ignored);
}

void Machine::handle_child_exit(ChildProcess::ExitStatus status) {
  if (state_ == State::kStopped) return;
  stop();
  handlers_.on_exit({status, {ExitCode::kEnvironment, describe(status), last_messages()}});
}

void Machine::give_up(const Error& error) {
  if (state_ == State::kStopped) return;
  stop();
  Error described = error;
  const std::string messages = last_messages();
  if (!messages.empty()) described.hint += (described.hint.empty() ? "" : "\n") + messages;
  handlers_.on_exit({{true, SIGKILL}, described});
}

std::string Machine::last_messages() const {
  const auto content = read_file(messages_path_);
  if (!content || content->empty()) return "";
  const std::size_t skip = content->size() - std::min(content->size(), kMessageTailBytes);
  std::string lines;
  LineSplitter splitter(
      [&](std::string_view line) { lines += fmt::format("{}{}", lines.empty() ? "" : "\n", line); });
  splitter.feed(
      std::string_view(reinterpret_cast<const char*>(content->data()), content->size()).substr(skip));
  splitter.finish();
  return lines;
}

}  // namespace otasim::device
