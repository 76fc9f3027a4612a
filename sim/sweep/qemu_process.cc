#include "sim/sweep/qemu_process.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "sim/base/unix_socket.h"
#include "sim/device/gdb_packet.h"
#include "sim/device/qemu_command.h"
#include "sim/device/qemu_messages.h"

namespace otasim::sweep {
namespace {

constexpr const char* kMonitorSocket = "qmp.sock";
constexpr const char* kDebuggerSocket = "gdb.sock";
constexpr const char* kConsoleSocket = "uart.sock";
constexpr const char* kMessages = "qemu.log";
/// Half as many as QEMU takes in a packet, in hexadecimal.
constexpr std::size_t kBytesInAPacket = 1024;
/// Far more than any boot takes on a busy host: whatever takes this long never comes.
constexpr std::chrono::seconds kLimit{60};

}  // namespace

Result<std::unique_ptr<QemuProcess>> QemuProcess::start(const Spec& spec) {
  std::unique_ptr<QemuProcess> process(new QemuProcess(spec.folder));
  QemuProcess* const self = process.get();
  auto started =
      self->accept(kMonitorSocket, [self](Socket socket) { self->open_monitor(std::move(socket)); });
  if (started)
    started =
        self->accept(kDebuggerSocket, [self](Socket socket) { self->open_debugger(std::move(socket)); });
  if (started)
    started = self->accept(kConsoleSocket, [self](Socket socket) { self->open_console(std::move(socket)); });
  if (started) started = self->spawn(spec);
  if (started) {
    started =
        self->wait_until([self] { return self->is_monitor_ready_ && self->debugger_ && self->console_; },
                         "QEMU's connections");
  }
  if (started) return process;
  Error error = started.error();
  error.code = ExitCode::kEnvironment;
  return tl::unexpected(std::move(error));
}

QemuProcess::QemuProcess(const std::string& folder) : folder_(folder) {}

QemuProcess::~QemuProcess() {
  if (child_) child_->kill();
  if (monitor_) monitor_->close();
  if (debugger_) debugger_->close();
  for (const char* name : {kMonitorSocket, kDebuggerSocket, kConsoleSocket}) ::unlink(path(name).c_str());
}

Result<void> QemuProcess::spawn(const Spec& spec) {
  const auto socket = [this](const char* id, const char* name) {
    return fmt::format("socket,id={},path={},server=off", id, device::option_value(path(name)));
  };
  std::vector<std::string> arguments = {"-display",
                                        "none",
                                        "-nodefaults",
                                        "-no-user-config",
                                        "-S",
                                        "-chardev",
                                        socket("monitor", kMonitorSocket),
                                        "-mon",
                                        "chardev=monitor,mode=control",
                                        "-chardev",
                                        socket("uart", kConsoleSocket),
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
    take_problem({ExitCode::kFailed, device::describe_qemu_exit(status), ""});
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
  monitor_ = device::QmpClient::create(std::move(socket),
                                       {.on_ready = [this] { is_monitor_ready_ = true; },
                                        .on_event =
                                            [this](const std::string& event, const nlohmann::json& data) {
                                              // Resets of the guest's own are carried out, and nobody's
                                              // business.
                                              if (event == "RESET" && !data.value("guest", true))
                                                is_reset_ = true;
                                            },
                                        .on_failure = [this](const Error& error) { take_problem(error); }});
  monitor_->start();
}

void QemuProcess::open_debugger(Socket socket) {
  debugger_ = device::GdbClient::create(
      std::move(socket),
      {.on_stop = [](int) {}, .on_failure = [this](const Error& error) { take_problem(error); }});
  debugger_->start();
}

void QemuProcess::open_console(Socket socket) {
  console_ = device::SerialLine::create(std::move(socket), [this](std::string_view bytes) {
    if (lines_) lines_->feed(bytes);
  });
  console_->start();
}

void QemuProcess::take_problem(Error error) {
  if (problem_) return;
  error.code = ExitCode::kFailed;
  error.hint = device::last_messages(path(kMessages));
  problem_ = std::move(error);
}

Result<void> QemuProcess::wait_until(const std::function<bool()>& holds, std::string_view what) {
  const auto end = std::chrono::steady_clock::now() + kLimit;
  while (!holds()) {
    if (problem_) return tl::unexpected(*problem_);
    if (std::chrono::steady_clock::now() >= end) {
      take_problem({ExitCode::kFailed, fmt::format("{} did not come in {} s", what, kLimit.count()), ""});
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
  (void)console_->catch_up();
  lines_.reset();
  return {};
}

}  // namespace otasim::sweep
