#include "sim/replay/replay_machine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "sim/base/unix_socket.h"
#include "sim/device/qemu_messages.h"
#include "sim/flash/replay_exit.h"

namespace otasim::replay {
namespace {

constexpr std::chrono::milliseconds kLookEvery{500};

}  // namespace

Result<std::unique_ptr<ReplayMachine>> ReplayMachine::start(boost::asio::io_context& io,
                                                            const UnpackedBoot& boot,
                                                            const std::string& console_path,
                                                            Handlers handlers) {
  std::unique_ptr<ReplayMachine> machine(new ReplayMachine(io, boot, std::move(handlers)));
  if (auto opened = machine->open(boot, console_path); !opened) return tl::unexpected(opened.error());
  return machine;
}

ReplayMachine::ReplayMachine(boost::asio::io_context& io, const UnpackedBoot& boot, Handlers handlers)
    : io_(io),
      handlers_(std::move(handlers)),
      sockets_(boot.sockets),
      messages_path_(boot.sockets.monitor + ".log"),
      monitor_acceptor_(io),
      console_acceptor_(io),
      progress_timer_(io) {}

ReplayMachine::~ReplayMachine() {
  handlers_ = {};
  has_ended_ = true;
  if (child_) child_->kill();
  if (console_) console_->drain();
  if (qmp_) qmp_->close();
}

Result<void> ReplayMachine::open(const UnpackedBoot& boot, const std::string& console_path) {
  if (auto listening = listen(monitor_acceptor_, sockets_.monitor); !listening) return listening;
  if (auto listening = listen(console_acceptor_, sockets_.console); !listening) return listening;
  console_file_.reset(::open(console_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!console_file_) {
    return fail(ExitCode::kEnvironment,
                fmt::format("cannot write {}: {}", console_path, std::strerror(errno)));
  }
  auto child = ChildProcess::spawn(io_, {.program = device::kQemuProgram,
                                         .arguments = boot.arguments,
                                         .stdout_path = messages_path_,
                                         .stderr_path = messages_path_});
  if (!child) return tl::unexpected(child.error());
  child_ = std::move(*child);
  child_->on_exit([this](ChildProcess::ExitStatus status) { handle_exit(status); });
  accept_monitor();
  accept_console();
  progressed_ = std::chrono::steady_clock::now();
  watch_progress();
  return {};
}

Result<void> ReplayMachine::listen(Acceptor& acceptor, const std::string& path) {
  if (auto address = unix_socket_address(path); !address) return tl::unexpected(address.error());
  boost::system::error_code error;
  acceptor.open({}, error);
  if (!error) acceptor.bind(path, error);
  if (!error) acceptor.listen(1, error);
  if (!error) return {};
  return fail(ExitCode::kEnvironment, fmt::format("cannot listen on {}: {}", path, error.message()));
}

void ReplayMachine::accept_monitor() {
  monitor_acceptor_.async_accept([this](const boost::system::error_code& error, Socket socket) {
    if (error || has_ended_) return;
    qmp_ = device::QmpClient::create(
        std::move(socket),
        {.on_ready =
             [this] {
               is_ready_ = true;
               if (when_ready_) std::exchange(when_ready_, nullptr)();
             },
         .on_event = [this](const std::string& event,
                            const nlohmann::json& data) { handle_event(event, data); },
         .on_failure = [this](const Error& failure) { end({.message = failure.message}); }});
    qmp_->start();
  });
}

void ReplayMachine::accept_console() {
  console_acceptor_.async_accept([this](const boost::system::error_code& error, Socket socket) {
    if (error || has_ended_) return;
    console_ = device::Console::create(std::move(socket), console_file_.get(), [this](std::string_view line) {
      ++lines_;
      if (handlers_.on_line) handlers_.on_line(line);
    });
    console_->start();
  });
}

void ReplayMachine::when_ready(std::function<void()> work) {
  if (is_ready_) return work();
  when_ready_ = std::move(work);
}

void ReplayMachine::run() {
  when_ready([this] {
    qmp_->execute("cont", {}, [] {});
    runs_ = true;
    progressed_ = std::chrono::steady_clock::now();
  });
}

void ReplayMachine::listen_for_debugger(const std::string& socket_path, std::function<void()> done) {
  when_ready([this, socket_path, done = std::move(done)] {
    // What gdb goes back to. (QEMU's rrsnapshot makes it when recording, which would cost each boot
    // megabytes.)
    qmp_->execute("human-monitor-command", {{"command-line", "savevm start"}}, [] {});
    qmp_->execute("human-monitor-command",
                  {{"command-line", fmt::format("gdbserver \"unix:{},server=on,wait=off\"",
                                                device::option_value(socket_path))}},
                  done);
  });
}

void ReplayMachine::handle_event(const std::string& event, const nlohmann::json& data) {
  if (event != "SHUTDOWN" || shut_down_) return;
  shut_down_ = data.value("reason", "") == "guest-reset" ? Ending::kReset : Ending::kLogEnd;
  progress_timer_.cancel();
  if (handlers_.stays_at_end) return;
  qmp_->query("query-replay", [this](const nlohmann::json& value) {
    instructions_ = value.value("icount", instructions_);
    qmp_->execute("quit", {}, [] {});
  });
}

void ReplayMachine::watch_progress() {
  progress_timer_.expires_after(kLookEvery);
  progress_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && !has_ended_ && !shut_down_) check_progress();
  });
}

/// A QEMU that hangs does not answer, either; so it is the timer that counts.
void ReplayMachine::check_progress() {
  if (!is_ready_) {
    if (std::chrono::steady_clock::now() - progressed_ < kStandstillLimit) return watch_progress();
    return end({.message = fmt::format("QEMU has not come up in {} s", kStandstillLimit.count())});
  }
  if (!runs_) return;  // a debugger has it
  qmp_->query("query-replay",
              [this](const nlohmann::json& value) { instructions_ = value.value("icount", instructions_); });
  const auto now = std::chrono::steady_clock::now();
  if (const std::uint64_t progress = instructions_ + lines_; progress != progress_) {
    progress_ = progress;
    progressed_ = now;
  }
  if (now - progressed_ < kStandstillLimit) return watch_progress();
  end({.ending = Ending::kStandstill,
       .message = fmt::format("it stood still for {} s after {} instructions: the device waits for something "
                              "that the recording does not hold",
                              kStandstillLimit.count(), instructions_)});
}

void ReplayMachine::take_console() {
  if (console_) return console_->drain();
  boost::system::error_code error;
  console_acceptor_.non_blocking(true, error);
  Socket socket(io_);
  console_acceptor_.accept(socket, error);
  if (error) return;
  const auto console = device::Console::create(std::move(socket), console_file_.get(), handlers_.on_line);
  console->drain();
}

void ReplayMachine::handle_exit(ChildProcess::ExitStatus status) {
  take_console();
  Outcome outcome{.instructions = instructions_, .signaled = status.signaled};
  if (shut_down_) {
    outcome.ending = *shut_down_;
  } else if (!status.signaled && status.code == flash_file::kReplayCutExit) {
    outcome.ending = Ending::kCutInFlash;
  } else {
    outcome.message = device::describe_qemu_exit(status);
    const std::string messages = device::last_messages(messages_path_);
    if (!messages.empty()) outcome.message += ":\n" + messages;
  }
  end(std::move(outcome));
}

void ReplayMachine::end(Outcome outcome) {
  if (std::exchange(has_ended_, true)) return;
  progress_timer_.cancel();
  child_->kill();
  take_console();
  if (const auto handler = std::exchange(handlers_.on_end, nullptr)) handler(outcome);
}

}  // namespace otasim::replay
