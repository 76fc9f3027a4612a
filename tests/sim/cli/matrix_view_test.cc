// What a person sees of a matrix: lines outside a terminal, a bar inside, nothing if it is to be quiet.
#include "sim/cli/matrix_view.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <functional>

#include "sim/base/unique_fd.h"

namespace otasim::cli {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

CellResult cell(const char* data, const char* result) {
  CellResult one{
      .scenario = "Case", .kind = "own", .board = "b", .data = data, .result = result, .wall_ms = 1500};
  one.repeat = "otasim run Case";
  if (!one.passed()) one.failures = {"this did not hold", "nor this"};
  return one;
}

void play(MatrixView& view) {
  view.start("Case/b/mqtt");
  view.start("Case/b/http");
  view.finish_cell(cell("mqtt", "passed"));
  view.finish_cell(cell("http", "failed"));
  view.finish();
}

std::string shown_in_a_pipe(bool is_quiet) {
  testing::internal::CaptureStderr();
  MatrixView view(2, is_quiet);
  play(view);
  return testing::internal::GetCapturedStderr();
}

/// Stands in for stderr while it lives.
class Terminal {
 public:
  Terminal() : master_(posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK)), stderr_(dup(STDERR_FILENO)) {
    EXPECT_EQ(grantpt(master_.get()), 0);
    EXPECT_EQ(unlockpt(master_.get()), 0);
    const UniqueFd slave(open(ptsname(master_.get()), O_RDWR | O_NOCTTY));
    EXPECT_GE(dup2(slave.get(), STDERR_FILENO), 0);
  }
  ~Terminal() { dup2(stderr_.get(), STDERR_FILENO); }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  [[nodiscard]] std::string text() const {
    std::fflush(stderr);
    std::string all;
    std::array<char, 4096> buffer{};
    for (ssize_t count; (count = read(master_.get(), buffer.data(), buffer.size())) > 0;)
      all.append(buffer.data(), static_cast<std::size_t>(count));
    return all;
  }

 private:
  UniqueFd master_;
  UniqueFd stderr_;
};

std::string shown_in_a_terminal(const std::function<void(MatrixView&)>& what) {
  const Terminal terminal;
  MatrixView view(2, /*is_quiet=*/false);
  what(view);
  return terminal.text();
}

TEST(MatrixView, OutsideATerminalEachCellIsALine) {
  EXPECT_EQ(shown_in_a_pipe(false),
            "passed      Case/b/mqtt (1500 ms)\n"
            "failed      Case/b/http (1500 ms)\n"
            "            this did not hold\n"
            "            nor this\n"
            "            repeat: otasim run Case\n");
}

TEST(MatrixView, NothingIsShownIfItIsToBeQuiet) {
  EXPECT_EQ(shown_in_a_pipe(true), "");
}

TEST(MatrixView, ATerminalHasABarThatIsGoneAtTheEnd) {
  unsetenv("NO_COLOR");
  const std::string text = shown_in_a_terminal(play);
  EXPECT_THAT(text, HasSubstr("[........................] 0/2 done, 0 failed, 1 running"));
  EXPECT_THAT(text, HasSubstr("[########################] 2/2 done, 1 failed, 0 running"));
  EXPECT_THAT(text, EndsWith("\r\x1b[K"));
}

TEST(MatrixView, ATerminalShowsFailuresAsLinesOnly) {
  unsetenv("NO_COLOR");
  const std::string text = shown_in_a_terminal(play);
  EXPECT_THAT(text, AllOf(HasSubstr("\x1b[31mfailed     \x1b[0m Case/b/http (1500 ms)"),
                          HasSubstr("repeat: otasim run Case"), Not(HasSubstr("Case/b/mqtt"))));
}

TEST(MatrixView, ColorCanBeTurnedOff) {
  setenv("NO_COLOR", "1", 1);
  const std::string text = shown_in_a_terminal(play);
  unsetenv("NO_COLOR");
  EXPECT_THAT(text, AllOf(HasSubstr("failed      Case/b/http"), Not(HasSubstr("\x1b[31m"))));
}

TEST(MatrixView, OfTwoCellsOfOneNameEachCounts) {
  // A repetition has cells of one name that run at the same time.
  const std::string text = shown_in_a_terminal([](MatrixView& view) {
    view.start("Case/b/mqtt");
    view.start("Case/b/mqtt");
    view.finish_cell(cell("mqtt", "passed"));
    view.finish_cell(cell("mqtt", "passed"));
  });
  EXPECT_THAT(text, HasSubstr("2/2 done, 0 failed, 0 running"));
}

}  // namespace
}  // namespace otasim::cli
