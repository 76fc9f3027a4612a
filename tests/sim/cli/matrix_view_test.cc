// What a person sees of a matrix: lines outside a terminal, a bar inside, nothing if it is to be quiet.
#include "sim/cli/matrix_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/sim/report/screen.h"

namespace otasim::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

CellResult cell(const char* data, const char* result) {
  CellResult one{
      .scenario = "Case", .kind = "own", .board = "b", .data = data, .result = result, .wall_ms = 1500};
  one.repeat = "otasim run Case";
  if (!one.passed()) one.failures = {"this did not hold", "nor this"};
  return one;
}

class MatrixViewTest : public testing::Test {
 protected:
  /// Each thing that happens comes a second after the one before, in a clock of the test's own.
  report::Console console(bool is_terminal, bool has_color = false) {
    return {.write =
                [this](std::string_view text) {
                  raw += text;
                  screen.write(text);
                },
            .columns = [] { return kColumns; },
            .now = [this] { return now += std::chrono::seconds(1); },
            .moves_cursor = is_terminal,
            .has_color = has_color};
  }
  static void play(MatrixView& view) {
    view.start("Case/b/mqtt");
    view.start("Case/b/http");
    view.finish_cell(cell("mqtt", "passed"));
    view.finish_cell(cell("http", "failed"));
  }

  static constexpr unsigned kColumns = 100;
  test::Screen screen{kColumns};
  std::string raw;

 private:
  report::Console::Clock::time_point now{};
};

TEST_F(MatrixViewTest, OutsideATerminalEachCellIsALine) {
  MatrixView view(2, /*is_quiet=*/false, console(false));
  play(view);
  view.finish();
  EXPECT_EQ(raw,
            "passed      Case/b/mqtt (1500 ms)\n"
            "failed      Case/b/http (1500 ms)\n"
            "            this did not hold\n"
            "            nor this\n"
            "            repeat: otasim run Case\n");
}

TEST_F(MatrixViewTest, NothingIsShownIfItIsToBeQuiet) {
  for (const bool is_terminal : {false, true}) {
    MatrixView view(2, /*is_quiet=*/true, console(is_terminal));
    play(view);
    view.finish();
  }
  EXPECT_EQ(raw, "");
}

TEST_F(MatrixViewTest, ATerminalHasABarWithTheFirstFailureAboveItThatIsGoneAtTheEnd) {
  MatrixView view(3, /*is_quiet=*/false, console(true));
  play(view);
  view.finish();
  EXPECT_THAT(raw, AllOf(HasSubstr("0/3 cells, 0 failed, 1 running"), HasSubstr("66 % 2/3 cells"),
                         HasSubstr("1 failed, 0 running"),
                         HasSubstr("first failure: Case/b/http: this did not hold\r\n[")));
  EXPECT_THAT(screen.rows(), ElementsAre("failed      Case/b/http (1500 ms)", "            this did not hold",
                                         "            nor this", "            repeat: otasim run Case"))
      << "failures only, and no bar";
}

TEST_F(MatrixViewTest, ColorIsUsedIfItMay) {
  {
    MatrixView view(2, /*is_quiet=*/false, console(true, true));
    play(view);
  }
  EXPECT_THAT(raw, HasSubstr("\x1b[31mfailed     \x1b[0m Case/b/http (1500 ms)"));
  raw.clear();
  {
    MatrixView view(2, /*is_quiet=*/false, console(true, false));
    play(view);
  }
  EXPECT_THAT(raw, AllOf(HasSubstr("failed      Case/b/http"), Not(HasSubstr("\x1b[31m"))));
}

TEST_F(MatrixViewTest, OfTwoCellsOfOneNameEachCounts) {
  // A repetition has cells of one name that run at the same time.
  MatrixView view(2, /*is_quiet=*/false, console(true));
  view.start("Case/b/mqtt");
  view.start("Case/b/mqtt");
  view.finish_cell(cell("mqtt", "passed"));
  view.finish_cell(cell("mqtt", "passed"));
  view.finish();  // from here on its ticker draws nothing
  EXPECT_THAT(raw, AllOf(HasSubstr("1/2 cells"), HasSubstr("0 failed, 1 running"),
                         HasSubstr("2/2 cells, 0 failed, 0 running")));
}

}  // namespace
}  // namespace otasim::cli
