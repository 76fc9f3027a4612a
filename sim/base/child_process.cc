#include "sim/base/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "sim/base/file_lock.h"
#include "sim/base/unique_fd.h"

namespace otasim {
namespace {

struct ToolPackage {
  std::string_view tool;
  std::string_view package;
};

constexpr std::array<ToolPackage, 3> kToolPackages{{
    {"qemu-system-arm", "qemu-system-arm"},
    {"mosquitto", "mosquitto"},
    {"gdb-multiarch", "gdb-multiarch"},
}};

std::string package_hint(std::string_view program) {
  for (const ToolPackage& entry : kToolPackages) {
    if (entry.tool == program) {
      return fmt::format("On Debian it is in the package {0}: sudo apt-get install {0}", entry.package);
    }
  }
  return "Install it, or put the folder it is in into PATH.";
}

bool is_executable_file(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error) && ::access(path.c_str(), X_OK) == 0;
}

// Which step failed in the child, sent to the parent through a pipe that exec() closes.
enum class Step : int { kSession, kWorkingDirectory, kDescriptors, kExec };

struct Failure {
  Step step;
  int error;
};

// All the child needs, made before fork(): between fork() and exec() of a threaded process only
// async-signal-safe calls are allowed.
struct Launch {
  std::string program;
  std::vector<char*> argv;
  std::vector<char*> environment;
  const char* working_directory;  // or null
  int stdin_fd;
  int stdout_fd;
  int stderr_fd;
  int failure_pipe;
  int inherited_fd;  // or -1
  pid_t parent;
  bool gets_terminal;
};

[[noreturn]] void give_up(const Launch& launch, Step step) {
  const Failure failure{step, errno};
  // If this fails the parent sees an exit with code 127, which is the best there is left.
  [[maybe_unused]] const ssize_t written = ::write(launch.failure_pipe, &failure, sizeof failure);
  ::_exit(127);
}

/// Also from a process group in the background: no signal for trying.
void give_terminal(pid_t group) {
  const auto before = ::signal(SIGTTOU, SIG_IGN);
  ::tcsetpgrp(STDIN_FILENO, group);
  ::signal(SIGTTOU, before);
}

/// Whether this process's group has the terminal; not if stdin is none.
bool has_terminal() {
  return ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
}

[[noreturn]] void run_child(const Launch& launch) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) give_up(launch, Step::kSession);
  // The parent may have ended before the line above took effect; then nobody would ever kill this process.
  if (::getppid() != launch.parent) ::_exit(127);
  if (::setpgid(0, 0) != 0) give_up(launch, Step::kSession);

  if (launch.gets_terminal) give_terminal(::getpgrp());
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);

  if (launch.working_directory != nullptr && ::chdir(launch.working_directory) != 0) {
    give_up(launch, Step::kWorkingDirectory);
  }
  if (::dup2(launch.stdin_fd, STDIN_FILENO) < 0 || ::dup2(launch.stdout_fd, STDOUT_FILENO) < 0 ||
      ::dup2(launch.stderr_fd, STDERR_FILENO) < 0) {
    give_up(launch, Step::kDescriptors);
  }
  // Libraries open sockets without close-on-exec; a child holding one would keep a peer waiting for its end.
  // A kernel without this call (before 5.11) leaves those descriptors open, which is no reason to fail.
  ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  if (launch.inherited_fd >= 0) ::fcntl(launch.inherited_fd, F_SETFD, 0);
  ::execve(launch.program.c_str(), launch.argv.data(), launch.environment.data());
  give_up(launch, Step::kExec);
}

// Moves a descriptor off 0, 1 and 2, which it gets when this program was started without them: dup2() onto
// themselves would leave those closed in the child.
UniqueFd above_standard(UniqueFd fd) {
  if (!fd || fd.get() > STDERR_FILENO) return fd;
  return UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

Result<UniqueFd> open_output(const std::string& path) {
  const char* name = path.empty() ? "/dev/null" : path.c_str();
  // Appending, so that stdout and stderr may share a file.
  UniqueFd fd =
      above_standard(UniqueFd(::open(name, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644)));
  if (!fd) {
    return fail(ExitCode::kEnvironment, fmt::format("cannot create {}: {}", name, std::strerror(errno)));
  }
  return fd;
}

Error launch_error(const Launch& launch, const Failure& failure) {
  const char* reason = std::strerror(failure.error);
  switch (failure.step) {
    case Step::kWorkingDirectory:
      return {ExitCode::kEnvironment,
              fmt::format("cannot start {} in {}: {}", launch.program, launch.working_directory, reason), ""};
    case Step::kExec:
      return {ExitCode::kEnvironment, fmt::format("cannot execute {}: {}", launch.program, reason), ""};
    case Step::kSession:
    case Step::kDescriptors:
      break;
  }
  return {ExitCode::kInternal, fmt::format("cannot set up the process for {}: {}", launch.program, reason),
          ""};
}

// This process's environment with the settings on top; they must live as long as what is returned.
std::vector<char*> environment_with(std::vector<std::string>& settings) {
  const auto name_of = [](std::string_view setting) { return setting.substr(0, setting.find('=')); };
  std::vector<char*> environment;
  for (char** own = ::environ; own != nullptr && *own != nullptr; ++own) {
    const bool is_replaced = std::any_of(settings.begin(), settings.end(), [&](const std::string& setting) {
      return name_of(setting) == name_of(*own);
    });
    if (!is_replaced) environment.push_back(*own);
  }
  for (std::string& setting : settings) environment.push_back(setting.data());
  environment.push_back(nullptr);
  return environment;
}

// Waits for the exec() to succeed (end of file) or for the report why it did not happen.
std::optional<Failure> read_failure(int pipe) {
  Failure failure{};
  ssize_t count;
  do {
    count = ::read(pipe, &failure, sizeof failure);
  } while (count < 0 && errno == EINTR);
  if (count != static_cast<ssize_t>(sizeof failure)) return std::nullopt;
  return failure;
}

// glibc 2.36 declares pidfd_open() without C linkage, so C++ cannot call it.
int open_pidfd(pid_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

void reap(pid_t pid) {
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace

struct ChildProcess::State : std::enable_shared_from_this<State> {
  State(boost::asio::io_context& io, pid_t child, int pidfd) : pid(child), descriptor(io, pidfd) {}

  // A pidfd becomes readable when the child ends, but Asio may say so too early: it recycles what it knows of
  // a closed descriptor, events that are still queued included.
  void watch() {
    descriptor.async_wait(boost::asio::posix::descriptor_base::wait_read,
                          [self = shared_from_this()](const boost::system::error_code& error) {
                            if (!error && self->running) self->collect();
                          });
  }

  void collect() {
    siginfo_t info{};
    if (::waitid(P_PIDFD, static_cast<id_t>(descriptor.native_handle()), &info, WEXITED | WNOHANG) != 0)
      return;
    if (info.si_pid == 0) return watch();
    note_end();
    status = ExitStatus{info.si_code != CLD_EXITED, info.si_status};
    report();
  }

  void report() {
    if (status && handler) std::exchange(handler, nullptr)(*status);
  }

  void kill_and_reap() {
    handler = nullptr;
    if (!running) return;
    ::kill(pid, SIGKILL);
    reap(pid);
    note_end();
    descriptor.cancel();
  }

  void note_end() {
    running = false;
    if (gave_terminal) give_terminal(::getpgrp());
    gave_terminal = false;
    stops.reset();
  }

  /// Ctrl-Z in a child that has the terminal reaches it alone, and the shell waits for this process.
  void watch_stops() {
    if (!stops) stops.emplace(descriptor.get_executor(), SIGCHLD);
    stops->async_wait([self = shared_from_this()](const boost::system::error_code& error, int) {
      if (error || !self->running) return;
      self->watch_stops();
      siginfo_t info{};
      const auto pidfd = static_cast<id_t>(self->descriptor.native_handle());
      if (::waitid(P_PIDFD, pidfd, &info, WSTOPPED | WNOHANG) == 0 && info.si_pid != 0)
        self->stop_with_child();
    });
  }

  /// As one job: this process stops too, and when the shell lets it go on, so does the child.
  void stop_with_child() {
    const pid_t foreground = ::tcgetpgrp(STDIN_FILENO);
    if (foreground < 0) return;  // no terminal, and so no job
    if (foreground == pid) give_terminal(::getpgrp());
    // Without effect where there is no shell that could let it go on.
    if (foreground != ::getpgrp()) ::kill(0, SIGTSTP);
    gave_terminal = has_terminal();
    if (gave_terminal) give_terminal(pid);
    ::kill(-pid, SIGCONT);
  }

  bool wait_for_end(std::chrono::milliseconds limit, const std::function<void()>& meanwhile) {
    constexpr int kSliceMs = 2;
    const auto end = std::chrono::steady_clock::now() + limit;
    pollfd ended{descriptor.native_handle(), POLLIN, 0};
    while (running && std::chrono::steady_clock::now() < end) {
      meanwhile();
      if (::poll(&ended, 1, kSliceMs) <= 0) continue;
      meanwhile();
      handler = nullptr;
      reap(pid);
      note_end();
      descriptor.cancel();
    }
    return !running;
  }

  pid_t pid;
  boost::asio::posix::stream_descriptor descriptor;
  bool running = true;
  bool gave_terminal = false;
  std::optional<boost::asio::signal_set> stops;
  std::optional<ExitStatus> status;
  ExitHandler handler;
};

Result<std::string> find_program(const std::string& program) {
  if (program.find('/') != std::string::npos) {
    if (is_executable_file(program)) return program;
    return fail(ExitCode::kEnvironment, fmt::format("{} is missing or cannot be executed", program));
  }
  const char* path = std::getenv("PATH");
  std::string folders = path != nullptr ? path : "/usr/bin:/bin";
  folders += ":/usr/sbin:/sbin";
  std::string_view rest = folders;
  while (!rest.empty()) {
    const std::size_t end = rest.find(':');
    const std::string_view folder = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    if (folder.empty()) continue;
    std::string candidate = fmt::format("{}/{}", folder, program);
    if (is_executable_file(candidate)) return candidate;
  }
  return fail(ExitCode::kEnvironment, fmt::format("cannot find the program {}", program),
              package_hint(program));
}

Result<std::unique_ptr<ChildProcess>> ChildProcess::spawn(boost::asio::io_context& io, Spec spec) {
  if (!spec.dies_with_thread && ::syscall(SYS_gettid) != ::getpid()) {
    return fail(
        ExitCode::kInternal,
        fmt::format("{} must be started from the main thread: it would die with this one", spec.program));
  }
  auto program = find_program(spec.program);
  if (!program) return tl::unexpected(program.error());
  auto output = open_output(spec.stdout_path);
  if (!output) return tl::unexpected(output.error());
  auto errors = open_output(spec.stderr_path);
  if (!errors) return tl::unexpected(errors.error());
  const UniqueFd input = above_standard(UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)));
  std::array<int, 2> ends{-1, -1};
  if (!input || ::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(ExitCode::kEnvironment, fmt::format("cannot start {}: {}", *program, std::strerror(errno)));
  }
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end = above_standard(UniqueFd(ends[1]));

  Launch launch{*program,
                {},
                {},
                nullptr,
                input.get(),
                output->get(),
                errors->get(),
                write_end.get(),
                descriptor_for_children(io),
                ::getpid(),
                spec.has_terminal && has_terminal()};
  launch.environment = environment_with(spec.environment);
  if (spec.has_terminal) {
    launch.stdin_fd = STDIN_FILENO;
    launch.stdout_fd = STDOUT_FILENO;
    launch.stderr_fd = STDERR_FILENO;
  }
  if (!spec.working_directory.empty()) launch.working_directory = spec.working_directory.c_str();
  launch.argv.push_back(spec.program.data());
  for (std::string& argument : spec.arguments) launch.argv.push_back(argument.data());
  launch.argv.push_back(nullptr);

  const pid_t pid = ::fork();
  if (pid < 0) {
    return fail(ExitCode::kEnvironment,
                fmt::format("cannot start {}: fork failed: {}", *program, std::strerror(errno)));
  }
  if (pid == 0) run_child(launch);

  write_end.reset();
  if (const auto failure = read_failure(read_end.get())) {
    reap(pid);
    return tl::unexpected(launch_error(launch, *failure));
  }
  UniqueFd pidfd(open_pidfd(pid));
  if (!pidfd) {
    const int error = errno;
    ::kill(pid, SIGKILL);
    reap(pid);
    return fail(ExitCode::kEnvironment,
                fmt::format("cannot watch {}: pidfd_open failed: {}", *program, std::strerror(error)),
                "otasim needs Linux 5.4 or later.");
  }
  auto state = std::make_shared<State>(io, pid, pidfd.release());
  state->gave_terminal = launch.gets_terminal;
  state->watch();
  if (spec.has_terminal) state->watch_stops();
  return std::unique_ptr<ChildProcess>(new ChildProcess(std::move(state)));
}

ChildProcess::ChildProcess(std::shared_ptr<State> state) : state_(std::move(state)) {}

ChildProcess::~ChildProcess() {
  state_->kill_and_reap();
}

void ChildProcess::on_exit(ExitHandler handler) {
  state_->handler = std::move(handler);
  if (!state_->status) return;
  boost::asio::post(state_->descriptor.get_executor(), [state = state_] { state->report(); });
}

pid_t ChildProcess::pid() const {
  return state_->pid;
}

bool ChildProcess::running() const {
  return state_->running;
}

void ChildProcess::terminate() {
  if (state_->running) ::kill(state_->pid, SIGTERM);
}

bool ChildProcess::wait_for_end(std::chrono::milliseconds limit, const std::function<void()>& meanwhile) {
  return state_->wait_for_end(limit, meanwhile);
}

void ChildProcess::terminate_now() {
  if (state_->running) ::kill(state_->pid, SIGKILL);
}

void ChildProcess::kill() {
  state_->kill_and_reap();
}

}  // namespace otasim
