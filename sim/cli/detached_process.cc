#include "sim/cli/detached_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>

#include "sim/base/signals.h"
#include "sim/base/unique_fd.h"

namespace otasim::cli {

namespace {

constexpr int kLogMode = 0600;

tl::unexpected<Error> system_failure(const char* what, int error) {
  return fail(ExitCode::kEnvironment, fmt::format("{}: {}", what, std::strerror(error)));
}

struct SpawnSettings {
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

Result<pid_t> spawn(const std::vector<std::string>& arguments, int ready_fd) {
  SpawnSettings settings;
  posix_spawn_file_actions_addopen(&settings.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&settings.actions, ready_fd, STDOUT_FILENO);
  posix_spawnattr_setflags(&settings.attributes, POSIX_SPAWN_SETSID);
  std::string program = "/proc/self/exe";
  std::vector<std::string> texts = arguments;
  std::vector<char*> argv{program.data()};
  for (std::string& text : texts) argv.push_back(text.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  const int error =
      ::posix_spawn(&pid, program.c_str(), &settings.actions, &settings.attributes, argv.data(), environ);
  if (error != 0) return system_failure("cannot start the lab in the background", error);
  return pid;
}

/// The copy's exit code as the command's own error; what there was to say, it has said.
Error end_of(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
    return {static_cast<ExitCode>(WEXITSTATUS(status)), "", ""};
  return {ExitCode::kEnvironment, "the lab in the background ended before it was ready", ""};
}

}  // namespace

Result<std::string> start_detached(const std::vector<std::string>& arguments) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_failure("cannot make a pipe", errno);
  UniqueFd writing(ends[1]);
  boost::asio::io_context io;
  boost::asio::posix::stream_descriptor reading(io, ends[0]);
  const auto pid = spawn(arguments, writing.get());
  if (!pid) return tl::unexpected(pid.error());
  writing = UniqueFd();
  TerminationSignals signals(io, [pid = *pid](int) { ::kill(pid, SIGTERM); });
  std::string text;
  bool is_ready = false;
  boost::asio::async_read_until(reading, boost::asio::dynamic_buffer(text), '\n',
                                [&](const boost::system::error_code& error, std::size_t size) {
                                  is_ready = !error;
                                  if (is_ready) text.resize(size - 1);
                                  signals.stop();
                                });
  io.run();
  if (is_ready) return text;
  return tl::unexpected(end_of(*pid));
}

Result<void> tell_ready(const std::string& line, const std::string& log_path) {
  const UniqueFd log(::open(log_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kLogMode));
  const UniqueFd nothing(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (!log || !nothing) return system_failure(log_path.c_str(), errno);
  fmt::print("{}\n", line);
  std::fflush(stdout);
  std::fflush(stderr);
  if (::dup2(log.get(), STDERR_FILENO) < 0 || ::dup2(nothing.get(), STDOUT_FILENO) < 0) {
    return system_failure("cannot let go of the terminal", errno);
  }
  return {};
}

}  // namespace otasim::cli
