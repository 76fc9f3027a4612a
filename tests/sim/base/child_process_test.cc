#include "sim/base/child_process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <chrono>
#include <optional>
#include <thread>

#include "sim/base/file_io.h"
#include "sim/base/temp_dir.h"
#include "sim/base/unique_fd.h"

namespace otasim {
namespace {

using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

constexpr auto kLimit = 10s;

// glibc 2.36 declares pidfd_open() without C linkage, so C++ cannot call it.
int open_pidfd(pid_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

class ChildProcessTest : public testing::Test {
 protected:
  std::unique_ptr<ChildProcess> start_shell(const std::string& script) {
    auto child = ChildProcess::spawn(
        io_, {.program = "sh", .arguments = {"-c", script}, .stdout_path = out_, .stderr_path = out_});
    EXPECT_TRUE(child.has_value()) << child.error().message;
    return child ? std::move(*child) : nullptr;
  }

  std::optional<ChildProcess::ExitStatus> wait_for_exit(ChildProcess& child) {
    std::optional<ChildProcess::ExitStatus> status;
    child.on_exit([&](ChildProcess::ExitStatus seen) { status = seen; });
    io_.restart();
    const auto limit = std::chrono::steady_clock::now() + kLimit;
    while (!status && std::chrono::steady_clock::now() < limit) io_.run_one_until(limit);
    return status;
  }

  std::string output() {
    const auto content = read_file(out_);
    return content ? std::string(content->begin(), content->end()) : "";
  }

  boost::asio::io_context io_;
  TempDir dir_ = TempDir::create().value();
  std::string out_ = dir_.file("out");
};

TEST_F(ChildProcessTest, ReportsTheExitCode) {
  const auto child = start_shell("exit 7");
  const auto status = wait_for_exit(*child);
  ASSERT_TRUE(status);
  EXPECT_FALSE(status->signaled);
  EXPECT_EQ(status->code, 7);
  EXPECT_FALSE(child->running());
}

TEST_F(ChildProcessTest, ReportsTheSignalThatEndedIt) {
  const auto child = start_shell("kill -SEGV $$");
  const auto status = wait_for_exit(*child);
  ASSERT_TRUE(status);
  EXPECT_TRUE(status->signaled);
  EXPECT_EQ(status->code, SIGSEGV);
}

TEST_F(ChildProcessTest, ReportsAnExitThatHappenedBeforeTheHandlerWasSet) {
  const auto child = start_shell("exit 3");
  while (child->running()) io_.run_one_for(kLimit);
  const auto status = wait_for_exit(*child);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 3);
}

// Asio keeps what it knows of a closed descriptor for the next one to be opened. If an event of the old one
// is still in its queue then, the new one is reported readable although it is not.
TEST_F(ChildProcessTest, AnEventOfAnEarlierChildDoesNotHideALaterOnesExit) {
  const auto busy = boost::asio::make_work_guard(io_);
  auto first = start_shell("exit 0");
  auto second = start_shell("exit 0");
  for (const auto* child : {first.get(), second.get()}) {
    siginfo_t ended;
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child->pid()), &ended, WEXITED | WNOWAIT), 0);
  }
  while (first->running() || second->running()) ASSERT_GT(io_.run_one_for(kLimit), 0U);
  io_.poll_one();  // both are reaped, which is an event each: one is handled, the other stays queued
  first.reset();
  second.reset();

  const auto third = start_shell("exec sleep 1000");
  const auto fourth = start_shell("exec sleep 1000");
  io_.poll();
  third->terminate();
  fourth->terminate();
  EXPECT_TRUE(wait_for_exit(*third));
  EXPECT_TRUE(wait_for_exit(*fourth));
}

TEST_F(ChildProcessTest, WritesItsOutputToTheGivenFiles) {
  const auto child = start_shell("echo to stdout; echo to stderr >&2");
  ASSERT_TRUE(wait_for_exit(*child));
  EXPECT_EQ(output(), "to stdout\nto stderr\n");
}

TEST_F(ChildProcessTest, RunsInTheGivenFolder) {
  auto child = ChildProcess::spawn(
      io_, {.program = "pwd", .stdout_path = out_, .working_directory = dir_.path().string()});
  ASSERT_TRUE(child);
  ASSERT_TRUE(wait_for_exit(**child));
  EXPECT_EQ(output(), dir_.path().string() + "\n");
}

TEST_F(ChildProcessTest, PassesArgumentsUntouched) {
  auto child = ChildProcess::spawn(
      io_, {.program = "printf", .arguments = {"[%s]", "a b", "", "$HOME;*"}, .stdout_path = out_});
  ASSERT_TRUE(child);
  ASSERT_TRUE(wait_for_exit(**child));
  EXPECT_EQ(output(), "[a b][][$HOME;*]");
}

TEST_F(ChildProcessTest, InheritsNoDescriptorOfTheParent) {
  const UniqueFd leak(::open(dir_.file("leaked").c_str(), O_RDWR | O_CREAT, 0600));  // without close-on-exec
  ASSERT_TRUE(leak);
  const auto child = start_shell("ls -l /proc/$$/fd");
  ASSERT_TRUE(wait_for_exit(*child));
  EXPECT_THAT(output(), HasSubstr("/dev/null"));
  EXPECT_THAT(output(), Not(HasSubstr("leaked")));
}

TEST_F(ChildProcessTest, LeadsItsOwnProcessGroup) {
  const auto child = start_shell("read line");  // stdin is /dev/null
  EXPECT_EQ(::getpgid(child->pid()), child->pid());
  EXPECT_TRUE(wait_for_exit(*child));
}

TEST_F(ChildProcessTest, TerminateSendsSigterm) {
  const auto child = start_shell("exec tail -f /dev/null");
  child->terminate();
  const auto status = wait_for_exit(*child);
  ASSERT_TRUE(status);
  EXPECT_TRUE(status->signaled);
  EXPECT_EQ(status->code, SIGTERM);
}

TEST_F(ChildProcessTest, TerminateNowEndsWhatDoesNotHearSigterm) {
  const auto child = start_shell("exec tail -f /dev/null");
  ASSERT_EQ(::kill(child->pid(), SIGSTOP), 0);
  child->terminate();
  child->terminate_now();
  const auto status = wait_for_exit(*child);
  ASSERT_TRUE(status) << "the handler is called";
  EXPECT_TRUE(status->signaled);
  EXPECT_EQ(status->code, SIGKILL);
}

TEST_F(ChildProcessTest, KillReapsAndDoesNotCallTheHandler) {
  const auto child = start_shell("exec tail -f /dev/null");
  bool called = false;
  child->on_exit([&](ChildProcess::ExitStatus) { called = true; });
  child->kill();
  EXPECT_FALSE(child->running());
  EXPECT_EQ(::waitpid(child->pid(), nullptr, WNOHANG), -1) << "it was not reaped";
  io_.run();
  EXPECT_FALSE(called);
}

TEST_F(ChildProcessTest, DestructorKillsTheChild) {
  auto child = start_shell("exec tail -f /dev/null");
  const UniqueFd pidfd(open_pidfd(child->pid()));
  child.reset();
  pollfd ended{pidfd.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&ended, 1, 0), 1) << "it still runs";
}

TEST_F(ChildProcessTest, HandlerMayDestroyTheObject) {
  auto child = start_shell("exit 0");
  child->on_exit([&](ChildProcess::ExitStatus) { child.reset(); });
  const auto limit = std::chrono::steady_clock::now() + kLimit;
  while (child && std::chrono::steady_clock::now() < limit) io_.run_one_until(limit);
  EXPECT_EQ(child, nullptr);
}

TEST_F(ChildProcessTest, MissingToolNamesItsDebianPackage) {
  const auto path = find_program("mosquitto-that-does-not-exist");
  ASSERT_FALSE(path);
  EXPECT_EQ(path.error().code, ExitCode::kEnvironment);
  EXPECT_THAT(path.error().message, HasSubstr("mosquitto-that-does-not-exist"));

  const std::string saved = ::getenv("PATH");
  ::setenv("PATH", dir_.path().c_str(), 1);
  const auto child = ChildProcess::spawn(io_, {.program = "qemu-system-arm"});
  ::setenv("PATH", saved.c_str(), 1);
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().code, ExitCode::kEnvironment);
  EXPECT_THAT(child.error().message, HasSubstr("qemu-system-arm"));
  EXPECT_THAT(child.error().hint, HasSubstr("sudo apt-get install qemu-system-arm"));
}

TEST_F(ChildProcessTest, FindsDaemonsOutsideAUsersPath) {
  const std::string saved = ::getenv("PATH");
  ::setenv("PATH", "/nonexistent", 1);
  const auto path = find_program("ldconfig");
  ::setenv("PATH", saved.c_str(), 1);
  ASSERT_TRUE(path) << path.error().message;
  EXPECT_THAT(*path, HasSubstr("sbin/ldconfig"));
}

TEST_F(ChildProcessTest, AFileThatCannotBeExecutedIsAnError) {
  const std::string program = dir_.file("garbage");
  ASSERT_TRUE(write_file_atomic(program, "\x7f neither a script nor a program", 0755));
  const auto child = ChildProcess::spawn(io_, {.program = program});
  ASSERT_FALSE(child);
  EXPECT_THAT(child.error().message, HasSubstr("cannot execute " + program + ": Exec format error"));
}

TEST_F(ChildProcessTest, AMissingWorkingFolderIsAnError) {
  const auto child = ChildProcess::spawn(io_, {.program = "true", .working_directory = dir_.file("none")});
  ASSERT_FALSE(child);
  EXPECT_THAT(child.error().message, HasSubstr("No such file or directory"));
}

TEST_F(ChildProcessTest, RefusesToStartFromAnotherThread) {
  std::optional<Error> error;
  std::thread([&] {
    const auto child = ChildProcess::spawn(io_, {.program = "true"});
    if (!child) error = child.error();
  }).join();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ExitCode::kInternal);
  EXPECT_THAT(error->message, HasSubstr("main thread"));
}

TEST_F(ChildProcessTest, MayBeMeantToDieWithItsThread) {
  std::unique_ptr<ChildProcess> child;
  std::thread([&] {
    auto spawned =
        ChildProcess::spawn(io_, {.program = "sleep", .arguments = {"1000"}, .dies_with_thread = true});
    ASSERT_TRUE(spawned) << spawned.error().message;
    child = std::move(*spawned);
  }).join();
  ASSERT_TRUE(child);
  const auto status = wait_for_exit(*child);
  ASSERT_TRUE(status) << "it outlives the thread";
  EXPECT_TRUE(status->signaled);
  EXPECT_EQ(status->code, SIGKILL);
}

// Starts a child in a process of its own, which then ends without any clean-up, as by `kill -9`.
TEST_F(ChildProcessTest, DiesWithTheSimulator) {
  std::array<int, 2> pipe_ends;
  ASSERT_EQ(::pipe(pipe_ends.data()), 0);
  const UniqueFd read_end(pipe_ends[0]);
  UniqueFd write_end(pipe_ends[1]);
  const pid_t simulator = ::fork();
  if (simulator == 0) {
    boost::asio::io_context io;
    auto child = ChildProcess::spawn(io, {.program = "tail", .arguments = {"-f", "/dev/null"}});
    const pid_t pid = child ? (*child)->pid() : -1;
    [[maybe_unused]] const ssize_t written = ::write(write_end.get(), &pid, sizeof pid);
    ::pause();  // keeps the child alive until the test has a pidfd of it
    ::_exit(0);
  }
  pid_t grandchild = -1;
  ASSERT_EQ(::read(read_end.get(), &grandchild, sizeof grandchild), static_cast<ssize_t>(sizeof grandchild));
  const UniqueFd pidfd(open_pidfd(grandchild));
  ASSERT_TRUE(pidfd);
  ::kill(simulator, SIGKILL);
  ::waitpid(simulator, nullptr, 0);
  pollfd ended{pidfd.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&ended, 1, 10'000), 1) << "it outlived the process that started it";
}

}  // namespace
}  // namespace otasim
