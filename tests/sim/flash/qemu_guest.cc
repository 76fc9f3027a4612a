#include "tests/sim/flash/qemu_guest.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>

namespace qemu_guest {
namespace {

using Clock = std::chrono::steady_clock;

int left_ms(Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return left > 0 ? static_cast<int>(left) : 0;
}

[[noreturn]] void become_qemu(const std::vector<std::string>& arguments, int output, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(126);
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, 0);
  ::dup2(output, 1);
  ::dup2(output, 2);
  std::vector<char*> argv;
  std::string name = "qemu-system-arm";
  argv.push_back(name.data());
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  ::_exit(127);
}

}  // namespace

Guest::Guest(const std::vector<std::string>& arguments) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    ADD_FAILURE() << "cannot make a pipe for QEMU's output";
    return;
  }
  const pid_t parent = ::getpid();
  child_ = ::fork();
  if (child_ == 0) become_qemu(arguments, ends[1], parent);
  ::close(ends[1]);
  pipe_ = ends[0];
}

Guest::~Guest() {
  if (child_ > 0) {
    ::kill(child_, SIGKILL);
    reap();
  }
  if (pipe_ >= 0) ::close(pipe_);
}

bool Guest::wait_for(const std::string& text, int timeout_ms) {
  const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
  while (output_.find(text) == std::string::npos) {
    if (!read_some(left_ms(deadline))) return false;
  }
  return true;
}

int Guest::wait_for_exit(int timeout_ms) {
  // The end of the output is the end of the child: nobody else holds the pipe.
  const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
  while (read_some(left_ms(deadline))) {
  }
  if (left_ms(deadline) == 0) return -1;
  reap();
  return WIFEXITED(status_) ? WEXITSTATUS(status_) : -1;
}

bool Guest::read_some(int timeout_ms) {
  pollfd waiting{.fd = pipe_, .events = POLLIN, .revents = 0};
  if (::poll(&waiting, 1, timeout_ms) <= 0) return false;
  std::array<char, 4096> bytes{};
  const ssize_t got = ::read(pipe_, bytes.data(), bytes.size());
  if (got <= 0) return false;
  output_.append(bytes.data(), static_cast<std::size_t>(got));
  return true;
}

void Guest::reap() {
  ::waitpid(child_, &status_, 0);
  child_ = -1;
}

}  // namespace qemu_guest
