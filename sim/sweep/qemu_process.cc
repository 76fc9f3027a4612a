#include "sim/sweep/qemu_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <utility>

#include "sim/base/unix_socket.h"
#include "sim/device/gdb_packet.h"
#include "sim/device/qemu_command.h"
#include "sim/device/qemu_messages.h"

namespace otasim::sweep {
namespace {

constexpr const char* kMonitorSocket = "qmp.sock";
constexpr const char* kDebuggerSocket = "gdb.sock";
constexpr const char* kConsolePipe = "uart";
constexpr const char* kWakePipe = "wake";
constexpr const char* kMessages = "qemu.log";
/// Half as many as QEMU takes in a packet, in hexadecimal.
constexpr std::size_t kBytesInAPacket = 1024;
/// Far more than any boot takes on a busy host: whatever takes this long never comes.
constexpr std::chrono::seconds kLimit{60};
/// From the end of a connection to that of QEMU itself, which dumps core before it is gone.
constexpr std::chrono::seconds kEndLimit{10};

/// @returns false if the answer does not hold as many bytes
bool take_hexadecimal(std::string_view answer, std::span<std::uint8_t> bytes) {
  if (answer.size() != 2 * bytes.size()) return false;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::string_view digits = answer.substr(2 * i, 2);
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), bytes[i], 16);
    if (error != std::errc{} || end != digits.end()) return false;
  }
  return true;
}

void drain(int pipe) {
  std::array<char, 64> bytes;
  while (::read(pipe, bytes.data(), bytes.size()) > 0) {
  }
}

}  // namespace

Result<std::unique_ptr<QemuProcess>> QemuProcess::start(const Spec& spec) {
  std::unique_ptr<QemuProcess> process(new QemuProcess(spec.folder));
  QemuProcess* const self = process.get();
  auto started =
      self->accept(kMonitorSocket, [self](Socket socket) { self->open_monitor(std::move(socket)); });
  if (started)
    started =
        self->accept(kDebuggerSocket, [self](Socket socket) { self->open_debugger(std::move(socket)); });
  if (started) started = self->make_pipes();
  if (started) started = self->spawn(spec);
  if (started) {
    started =
        self->wait_until([self] { return self->is_monitor_ready_ && self->debugger_; }, "QEMU's connections");
  }
  if (started) return process;
  Error error = started.error();
  error.code = ExitCode::kEnvironment;
  return tl::unexpected(std::move(error));
}

QemuProcess::QemuProcess(const std::string& folder) : folder_(folder), wakes_(io_), watched_console_(io_) {}

QemuProcess::~QemuProcess() {
  if (child_) child_->kill();
  if (monitor_) monitor_->close();
  if (debugger_) debugger_->close();
  for (const char* name : {kMonitorSocket, kDebuggerSocket, kConsolePipe, kWakePipe})
    ::unlink(path(name).c_str());
}

Result<void> QemuProcess::spawn(const Spec& spec) {
  const auto socket = [this](const char* id, const char* name) {
    return fmt::format("socket,id={},path={},server=off", id, device::option_value(path(name)));
  };
  std::vector<std::string> arguments = {
      "-display",
      "none",
      "-nodefaults",
      "-no-user-config",
      "-S",
      "-chardev",
      socket("monitor", kMonitorSocket),
      "-mon",
      "chardev=monitor,mode=control",
      "-chardev",
      fmt::format("file,id=uart,path={}", device::option_value(path(kConsolePipe))),
      "-serial",
      "chardev:uart",
      "-chardev",
      socket("gdb", kDebuggerSocket),
      "-gdb",
      "chardev:gdb"};
  arguments.insert(arguments.end(), spec.arguments.begin(), spec.arguments.end());
  auto child = ChildProcess::spawn(io_, {.program = device::kQemuProgram,
                                         .arguments = std::move(arguments),
                                         .stdout_path = path(kMessages),
                                         .stderr_path = path(kMessages),
                                         .dies_with_thread = true});
  if (!child) return tl::unexpected(child.error());
  child_ = std::move(*child);
  child_->on_exit([this](ChildProcess::ExitStatus status) {
    const ExitCode code = device::has_crashed(status) ? ExitCode::kFailed : ExitCode::kEnvironment;
    take_problem({code, device::describe_qemu_exit(status), ""});
  });
  return {};
}

Result<void> QemuProcess::accept(const char* name, std::function<void(Socket)> on_connected) {
  const std::string socket_path = path(name);
  if (auto address = unix_socket_address(socket_path); !address) return tl::unexpected(address.error());
  ::unlink(socket_path.c_str());  // left by a process that was killed
  auto& acceptor = *acceptors_.emplace_back(std::make_unique<Acceptor>(io_));
  boost::system::error_code error;
  acceptor.open({}, error);
  if (!error) acceptor.bind(socket_path, error);
  if (!error) acceptor.listen(1, error);
  if (error) {
    return fail(ExitCode::kEnvironment,
                fmt::format("cannot listen on the socket {}: {}", socket_path, error.message()));
  }
  acceptor.async_accept(
      [on_connected = std::move(on_connected)](const boost::system::error_code& failure, Socket socket) {
        if (!failure) on_connected(std::move(socket));
      });
  return {};
}

void QemuProcess::open_monitor(Socket socket) {
  monitor_ = device::QmpClient::create(
      std::move(socket), {.on_ready = [this] { is_monitor_ready_ = true; },
                          .on_event =
                              [this](const std::string& event, const nlohmann::json& data) {
                                // Resets of the guest's own are carried out, and nobody's
                                // business.
                                if (event == "RESET" && !data.value("guest", true)) is_reset_ = true;
                              },
                          .on_failure = [this](const Error& error) { lost_connection_ = error; }});
  monitor_->start();
}

void QemuProcess::open_debugger(Socket socket) {
  debugger_ = device::GdbClient::create(
      std::move(socket),
      {.on_stop = [](int) {}, .on_failure = [this](const Error& error) { lost_connection_ = error; }});
  debugger_->start();
}

Result<UniqueFd> QemuProcess::make_pipe(const char* name) {
  const std::string pipe_path = path(name);
  ::unlink(pipe_path.c_str());  // left by a process that was killed
  // For writing, too: no end is ever closed, and nobody waits for the other one to be opened.
  if (::mkfifo(pipe_path.c_str(), 0600) == 0) {
    UniqueFd pipe(::open(pipe_path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (pipe) return pipe;
  }
  return fail(ExitCode::kEnvironment,
              fmt::format("cannot make the pipe {}: {}", pipe_path, std::strerror(errno)));
}

Result<void> QemuProcess::make_pipes() {
  auto console = make_pipe(kConsolePipe);
  if (!console) return tl::unexpected(console.error());
  console_ = std::move(*console);
  auto wakes = make_pipe(kWakePipe);
  if (!wakes) return tl::unexpected(wakes.error());
  wakes_.assign(wakes->release());
  watch_wakes();
  return {};
}

void QemuProcess::watch_wakes() {
  wakes_.async_wait(Pipe::wait_read, [this](const boost::system::error_code& error) {
    if (error) return;
    drain(wakes_.native_handle());
    read_console();
    if (lines_ && !watched_console_.is_open()) {
      watched_console_.assign(::fcntl(console_.get(), F_DUPFD_CLOEXEC, 0));
      watch_console();
    }
    watch_wakes();
  });
}

void QemuProcess::watch_console() {
  watched_console_.async_wait(Pipe::wait_read, [this](const boost::system::error_code& error) {
    if (error) return;
    read_console();
    watch_console();
  });
}

void QemuProcess::read_console() {
  for (;;) {
    const ssize_t count = ::read(console_.get(), buffer_.data(), buffer_.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    if (lines_) lines_->feed(std::string_view(buffer_.data(), static_cast<std::size_t>(count)));
  }
}

void QemuProcess::take_problem(Error error) {
  if (problem_) return;
  error.hint = device::last_messages(path(kMessages));
  problem_ = std::move(error);
}

/// A QEMU that ends closes its connections first. How it ended says more than that it did.
Result<void> QemuProcess::wait_until(const std::function<bool()>& holds, std::string_view what,
                                     ExitCode if_late) {
  auto end = std::chrono::steady_clock::now() + kLimit;
  bool is_ending = false;
  while (!holds()) {
    if (problem_) return tl::unexpected(*problem_);
    if (lost_connection_ && !is_ending) {
      is_ending = true;
      end = std::min(end, std::chrono::steady_clock::now() + kEndLimit);
    }
    if (std::chrono::steady_clock::now() >= end) {
      take_problem(is_ending
                       ? Error{ExitCode::kEnvironment, lost_connection_->message, ""}
                       : Error{if_late, fmt::format("{} did not come in {} s", what, kLimit.count()), ""});
      return tl::unexpected(*problem_);
    }
    io_.restart();
    io_.run_one_until(end);
  }
  return {};
}

Result<void> QemuProcess::ask_monitor(const char* command) {
  bool is_answered = false;
  monitor_->execute(command, {}, [&is_answered] { is_answered = true; });
  // The handler refers to this frame; after a failure none is called any more.
  auto waited =
      wait_until([&is_answered] { return is_answered; }, fmt::format("QEMU's answer to {}", command));
  if (!waited) monitor_->close();
  return waited;
}

Result<void> QemuProcess::write(std::uint32_t address, std::span<const std::uint8_t> bytes) {
  std::size_t waiting = 0;
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min(bytes.size(), kBytesInAPacket));
    const std::string_view text(reinterpret_cast<const char*>(part.data()), part.size());
    ++waiting;
    debugger_->ask(fmt::format("M{:x},{:x}:{}", address, part.size(), device::gdb_bytes(text)),
                   [&waiting](std::string_view) { --waiting; });
    address += static_cast<std::uint32_t>(part.size());
    bytes = bytes.subspan(part.size());
  }
  auto waited = wait_until([&waiting] { return waiting == 0; }, "QEMU's debugger");
  if (!waited) debugger_->close();  // its handlers refer to this frame
  return waited;
}

Result<std::vector<std::uint8_t>> QemuProcess::read(std::uint32_t address, std::size_t size) {
  std::size_t waiting = 0;
  bool is_refused = false;
  std::vector<std::uint8_t> bytes(size);
  for (std::size_t at = 0; at < size; at += kBytesInAPacket) {
    const auto part = std::span(bytes).subspan(at, std::min(size - at, kBytesInAPacket));
    ++waiting;
    debugger_->ask(fmt::format("m{:x},{:x}", address + at, part.size()),
                   [&waiting, &is_refused, part](std::string_view answer) {
                     --waiting;
                     if (!take_hexadecimal(answer, part)) is_refused = true;
                   });
  }
  if (auto waited = wait_until([&waiting] { return waiting == 0; }, "QEMU's debugger"); !waited) {
    debugger_->close();  // its handlers refer to this frame
    return tl::unexpected(waited.error());
  }
  if (is_refused) {
    return fail(ExitCode::kEnvironment,
                fmt::format("QEMU's debugger does not read {} bytes at {:#x}.", size, address));
  }
  return bytes;
}

Result<bool> QemuProcess::holds(std::uint32_t address, std::span<const std::uint8_t> bytes) {
  const auto held = read(address, bytes.size());
  if (!held) return tl::unexpected(held.error());
  return std::ranges::equal(*held, bytes);
}

Result<void> QemuProcess::reset() {
  is_reset_ = false;
  if (auto asked = ask_monitor("system_reset"); !asked) return asked;
  return wait_until([this] { return is_reset_; }, "the board's reset");
}

void QemuProcess::run(OnLine on_line) {
  lines_.emplace(std::move(on_line));
  monitor_->execute("cont", {}, [] {});
}

Result<void> QemuProcess::stop() {
  if (auto stopped = ask_monitor("stop"); !stopped) return stopped;
  read_console();
  drain(wakes_.native_handle());
  boost::system::error_code ignored;
  watched_console_.close(ignored);
  lines_.reset();
  return {};
}

}  // namespace otasim::sweep
