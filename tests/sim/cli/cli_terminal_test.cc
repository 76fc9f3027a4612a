// What a command shows in a terminal: a bar at its foot while it works, and nothing of it in the end, also
// after Ctrl-C; and through a pipe, plain lines.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "sim/base/temp_dir.h"
#include "tests/sim/cli/program.h"
#include "tests/sim/report/screen.h"

namespace {

using otasim::TempDir;
using otasim::test::Outcome;
using otasim::test::Screen;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr unsigned short kColumns = 70;
/// No step of a test takes as long; one that does has hung.
constexpr int kLimitMs = 120'000;

/// A program whose stdin, stdout and stderr are a terminal of 24 rows.
class TerminalProgram {
 public:
  TerminalProgram(std::vector<std::string> arguments, const std::string& term, const std::string& tmp) {
    winsize size{.ws_row = 24, .ws_col = kColumns, .ws_xpixel = 0, .ws_ypixel = 0};
    pid_ = forkpty(&terminal_, nullptr, nullptr, &size);
    if (pid_ != 0) return;
    setenv("TERM", term.c_str(), 1);
    setenv("TMPDIR", tmp.c_str(), 1);
    unsetenv("NO_COLOR");
    arguments.insert(arguments.begin(), OTASIM_PROGRAM);
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    execv(OTASIM_PROGRAM, pointers.data());
    _exit(127);
  }
  ~TerminalProgram() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(terminal_);
  }
  TerminalProgram(const TerminalProgram&) = delete;
  TerminalProgram& operator=(const TerminalProgram&) = delete;

  [[nodiscard]] bool wait_for(const std::string& text) {
    while (raw.find(text) == std::string::npos) {
      if (!read_some()) return false;
    }
    return true;
  }
  void type(const std::string& keys) const {
    EXPECT_EQ(write(terminal_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  [[nodiscard]] std::vector<pid_t> children() const {
    std::vector<pid_t> pids;
    std::error_code error;
    const std::string tasks = "/proc/" + std::to_string(pid_) + "/task";
    for (const auto& task : std::filesystem::directory_iterator(tasks, error)) {
      std::ifstream in(task.path() / "children");
      for (pid_t pid = 0; in >> pid;) pids.push_back(pid);
    }
    return pids;
  }
  /// @returns its exit code, or 128 + the signal's number
  [[nodiscard]] int finish() {
    while (read_some()) {
    }
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

  std::string raw;
  Screen screen{kColumns};

 private:
  bool read_some() {
    pollfd file{terminal_, POLLIN, 0};
    if (poll(&file, 1, kLimitMs) <= 0) return false;
    std::array<char, 4096> buffer{};
    const ssize_t count = read(terminal_, buffer.data(), buffer.size());
    if (count <= 0) return false;  // the program has ended
    raw.append(buffer.data(), static_cast<std::size_t>(count));
    return true;
  }

  pid_t pid_ = -1;
  int terminal_ = -1;
};

class InATerminal : public testing::Test {
 protected:
  InATerminal() { std::filesystem::create_directory(folder.file("tmp")); }
  [[nodiscard]] std::vector<std::string> demo() const {
    return {"demo", "--out", folder.file("run"), "--block-size", "256", "--blocks-in-flight", "2"};
  }
  /// All that was drawn is gone, and whoever writes next begins on a line of his own.
  static void expect_clean(TerminalProgram& program) {
    program.screen.write(program.raw);
    EXPECT_THAT(program.screen.rows(), Each(Not(StartsWith("["))));
    EXPECT_EQ(program.screen.cursor_column(), 0U);
    EXPECT_EQ(program.screen.cursor_row(), program.screen.rows().size());
    EXPECT_TRUE(program.screen.cursor_is_visible());
  }
  TempDir folder = TempDir::create().value();
};

TEST_F(InATerminal, ABarIsShownAndNothingOfItIsLeft) {
  TerminalProgram program(demo(), "xterm-256color", folder.file("tmp"));
  ASSERT_EQ(program.finish(), 0) << program.raw;
  EXPECT_THAT(program.raw, AllOf(HasSubstr(" blocks"), HasSubstr("\x1b[32m[#")));
  expect_clean(program);
  EXPECT_THAT(program.screen.rows(), Contains(StartsWith("SUCCEEDED: 1.0.0 -> 1.1.0")));
}

TEST_F(InATerminal, ADumbOneIsWrittenToLineByLine) {
  TerminalProgram program(demo(), "dumb", folder.file("tmp"));
  ASSERT_EQ(program.finish(), 0) << program.raw;
  EXPECT_THAT(program.raw, AllOf(HasSubstr("app: receiving"), Not(HasSubstr("\x1b"))));
}

TEST_F(InATerminal, CtrlCLeavesTheCursorBelowAllAndNoProcess) {
  TerminalProgram program(demo(), "xterm-256color", folder.file("tmp"));
  ASSERT_TRUE(program.wait_for("app: otasim demo")) << program.raw;
  const std::vector<pid_t> children = program.children();
  EXPECT_EQ(children.size(), 2U) << "the broker and the emulator";
  program.type("\x03");
  EXPECT_EQ(program.finish(), 130) << program.raw;
  expect_clean(program);
  EXPECT_THAT(program.screen.rows(), Contains(StartsWith("otasim: interrupted")));
  for (const pid_t child : children) EXPECT_NE(kill(child, 0), 0) << child << " outlived the program";
  EXPECT_TRUE(std::filesystem::is_empty(folder.file("tmp"))) << "no lab is left";
}

TEST_F(InATerminal, ThroughAPipeThereIsNoEscapeSequence) {
  const Outcome outcome = otasim::test::run({"run", "Demo", "--data", "mqtt", "--out", folder.file("run")},
                                            {"TMPDIR=" + folder.file("tmp"), "TERM=xterm-256color"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("app: receiving"), Not(HasSubstr("\x1b")), Not(HasSubstr("\r"))));
  EXPECT_THAT(outcome.out, Not(HasSubstr("\x1b")));
}

}  // namespace
