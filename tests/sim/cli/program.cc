#include "tests/sim/cli/program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace otasim::test {
namespace {

/// No step of a test takes as long; one that does has hung.
constexpr int kLimitMs = 120'000;

std::vector<char*> c_strings(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (const std::string& s : strings) out.push_back(const_cast<char*>(s.c_str()));
  out.push_back(nullptr);
  return out;
}

[[noreturn]] void become_program(const std::vector<std::string>& arguments,
                                 const std::vector<std::string>& environment, const std::string& folder,
                                 int out, int err) {
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  if (chdir(folder.c_str()) != 0) _exit(126);
  for (const std::string& setting : environment) {
    const std::size_t at = setting.find('=');
    setenv(setting.substr(0, at).c_str(), setting.substr(at + 1).c_str(), 1);
  }
  std::vector<std::string> all{OTASIM_PROGRAM};
  all.insert(all.end(), arguments.begin(), arguments.end());
  execv(OTASIM_PROGRAM, c_strings(all).data());
  _exit(127);
}

}  // namespace

Program::Program(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
                 const std::string& folder) {
  std::array<int, 2> out{};
  std::array<int, 2> err{};
  if (pipe2(out.data(), O_CLOEXEC) != 0 || pipe2(err.data(), O_CLOEXEC) != 0) std::abort();
  pid_ = fork();
  if (pid_ == 0) become_program(arguments, environment, folder, out[1], err[1]);
  close(out[1]);
  close(err[1]);
  out_ = out[0];
  err_ = err[0];
}

Program::~Program() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  if (out_ >= 0) close(out_);
  if (err_ >= 0) close(err_);
}

bool Program::read_some() {
  std::array<pollfd, 2> files{{{out_, POLLIN, 0}, {err_, POLLIN, 0}}};
  if (poll(files.data(), files.size(), kLimitMs) <= 0) return false;
  bool any = false;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (files[i].revents == 0) continue;
    std::array<char, 4096> buffer{};
    const ssize_t count = read(files[i].fd, buffer.data(), buffer.size());
    int& fd = i == 0 ? out_ : err_;
    if (count <= 0) {
      close(fd);
      fd = -1;
      continue;
    }
    (i == 0 ? outcome_.out : outcome_.err).append(buffer.data(), static_cast<std::size_t>(count));
    any = true;
  }
  return any || out_ >= 0 || err_ >= 0;
}

bool Program::wait_for(const std::string& text) {
  while (outcome_.err.find(text) == std::string::npos) {
    if (!read_some()) return false;
  }
  return true;
}

bool Program::wait_for_output(const std::string& text, int times) {
  const auto count = [&] {
    int found = 0;
    for (std::size_t at = 0; (at = outcome_.out.find(text, at)) != std::string::npos; at += text.size())
      ++found;
    return found;
  };
  while (count() < times) {
    if (!read_some()) return false;
  }
  return true;
}

std::vector<pid_t> Program::children() const {
  std::vector<pid_t> pids;
  std::error_code error;
  const std::string tasks = "/proc/" + std::to_string(pid_) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, error)) {
    std::ifstream in(task.path() / "children");
    for (pid_t pid = 0; in >> pid;) pids.push_back(pid);
  }
  return pids;
}

pid_t Program::child(const std::string& name) const {
  for (const pid_t pid : children()) {
    std::error_code error;
    const auto target = std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe", error);
    if (target.filename() == name) return pid;
  }
  return 0;
}

void Program::send(int signal) const {
  // To kill(), -1 means every process there is.
  if (pid_ <= 0) throw std::logic_error("a signal for a program that has ended");
  kill(pid_, signal);
}

void Program::kill_child(const std::string& name) const {
  const pid_t pid = child(name);
  // To kill(), 0 means the tests themselves.
  if (pid <= 0) throw std::runtime_error("the program has no child " + name);
  kill(pid, SIGKILL);
}

Outcome Program::finish() {
  while ((out_ >= 0 || err_ >= 0) && read_some()) {
  }
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  outcome_.code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return outcome_;
}

Outcome run(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
            const std::string& folder) {
  Program program(arguments, environment, folder);
  return program.finish();
}

}  // namespace otasim::test
