#include "sim/replay/gdb_session.h"

#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "sim/base/child_process.h"
#include "sim/base/signals.h"
#include "sim/base/temp_dir.h"
#include "sim/replay/boot_files.h"
#include "sim/replay/replay_machine.h"
#include "sim/replay/replayer.h"

namespace otasim::replay {
namespace {

constexpr const char* kGdb = "gdb-multiarch";

std::vector<std::string> gdb_arguments(const Recording& recording, const GdbOptions& options,
                                       const std::string& socket) {
  std::vector<std::string> arguments = {kGdb, "-q"};
  if (!options.commands.empty()) arguments.emplace_back("-batch");
  const auto command = [&arguments](std::string text) {
    arguments.insert(arguments.end(), {"-ex", std::move(text)});
  };
  command("set pagination off");
  command("set confirm off");
  command(fmt::format("file {}", recording.bootloader_copy()));
  std::vector<std::string> symbols = {recording.application.path};
  symbols.insert(symbols.end(), options.symbols.begin(), options.symbols.end());
  for (const std::string& elf : symbols) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(elf, ignored)) command(fmt::format("add-symbol-file {}", elf));
  }
  if (!options.script.empty() && std::filesystem::exists(options.script))
    command(fmt::format("source {}", options.script));
  command(fmt::format("target remote {}", socket));
  for (const std::string& text : options.commands) command(text);
  return arguments;
}

/// gdb has this terminal; its end is seen through a pidfd.
class Gdb {
 public:
  explicit Gdb(boost::asio::io_context& io) : end_(io) {}
  Gdb(const Gdb&) = delete;
  Gdb& operator=(const Gdb&) = delete;
  ~Gdb() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  Result<void> start(std::vector<std::string> arguments, std::function<void(int status)> on_end) {
    auto program = find_program(kGdb);
    if (!program) {
      return fail(ExitCode::kEnvironment, program.error().message,
                  "On Debian it is in the package gdb-multiarch: sudo apt-get install gdb-multiarch");
    }
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const int error = ::posix_spawn(&pid_, program->c_str(), nullptr, nullptr, argv.data(), environ);
    if (error != 0)
      return fail(ExitCode::kEnvironment, fmt::format("cannot start {}: {}", *program, std::strerror(error)));
    const auto pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    if (pidfd < 0)
      return fail(ExitCode::kEnvironment, fmt::format("cannot watch gdb: {}", std::strerror(errno)));
    end_.assign(pidfd);
    end_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                    [this, on_end = std::move(on_end)](const boost::system::error_code& failed) {
                      if (failed) return;
                      int status = 0;
                      ::waitpid(std::exchange(pid_, -1), &status, 0);
                      on_end(status);
                    });
    return {};
  }

 private:
  pid_t pid_ = -1;
  boost::asio::posix::stream_descriptor end_;
};

}  // namespace

Result<void> debug_boot(const Recording& recording, const RecordedBoot& boot, const GdbOptions& options) {
  if (auto whole = check_whole(boot); !whole) return whole;
  const auto temp = TempDir::create();
  if (!temp) return tl::unexpected(temp.error());
  const auto unpacked = unpack(recording, boot, Mode::kDebug, temp->path().string());
  if (!unpacked) return tl::unexpected(unpacked.error());
  boost::asio::io_context io;
  std::optional<Error> error;
  // Ctrl-C is gdb's: it stops the device.
  const TerminationSignals signals(io, [&](int signal) {
    if (signal == SIGINT) return;
    error = Error{ExitCode::kInterrupted, "interrupted", {}};
    io.stop();
  });
  bool gdb_runs = false;
  auto machine = ReplayMachine::start(
      io, *unpacked, temp->file("console"),
      {.on_line = [](std::string_view line) { fmt::print(stderr, "uart| {}\n", line); },
       .on_end =
           [&](const ReplayMachine::Outcome& outcome) {
             if (gdb_runs) return;  // it has seen that its target is gone, and says so
             error = Error{ExitCode::kEnvironment, "QEMU cannot replay this boot: " + outcome.message, {}};
             io.stop();
           },
       .stays_at_end = true});
  if (!machine) return tl::unexpected(machine.error());
  Gdb gdb(io);
  const std::string socket = temp->file("gdb.sock");
  (*machine)->listen_for_debugger(socket, [&] {
    auto started = gdb.start(gdb_arguments(recording, options, socket), [&](int status) {
      if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        error = Error{ExitCode::kFailed, "gdb ended with an error", {}};
      io.stop();
    });
    gdb_runs = started.has_value();
    if (started) return;
    error = started.error();
    io.stop();
  });
  io.run();
  if (error) return tl::unexpected(*error);
  return {};
}

}  // namespace otasim::replay
