// Progress at the foot of a terminal, in a terminal that is played: what is to be seen, how often it is
// drawn, and that nothing is left of it.
#include "sim/report/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/sim/report/screen.h"

namespace otasim::report {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class ProgressTest : public testing::Test {
 protected:
  Console console(bool is_terminal = true, bool has_color = false) {
    return {.write =
                [this](std::string_view text) {
                  ++writes;
                  raw += text;
                  screen.write(text);
                },
            .columns = [this] { return columns; },
            .now = [this] { return now; },
            .moves_cursor = is_terminal,
            .has_color = has_color};
  }
  void resize(unsigned to) {
    columns = to;
    screen.resize(to);
  }
  /// The clock goes on, and the ticker with it.
  void pass(Progress& progress, milliseconds time) {
    now += time;
    progress.tick();
  }
  [[nodiscard]] std::string bottom() const {
    const auto rows = screen.rows();
    return rows.empty() ? "" : rows.back();
  }

  unsigned columns = 80;
  test::Screen screen{80};
  Console::Clock::time_point now{};
  int writes = 0;
  std::string raw;
};

TEST_F(ProgressTest, TheBarShowsShareRateAndTimeLeft) {
  Progress progress(console());
  progress.show({.done = 0, .total = 40, .unit = "cells"});
  EXPECT_EQ(bottom(), "[........................]   0 % 0/40 cells");
  now += seconds(5);
  progress.show({.done = 10, .total = 40, .unit = "cells", .text = "1 failed"});
  EXPECT_EQ(bottom(), "[######..................]  25 % 10/40 cells, 2.0/s, 15 s left, 1 failed");
}

TEST_F(ProgressTest, LinesStayAboveTheBarAndTheBarIsGoneAtTheEnd) {
  Progress progress(console());
  progress.show({.done = 1, .total = 4, .unit = "blocks"});
  progress.line("one");
  pass(progress, milliseconds(100));
  progress.line("two");
  pass(progress, milliseconds(100));
  EXPECT_THAT(screen.rows(), ElementsAre("one", "two", StartsWith("[######....")));
  progress.finish();
  EXPECT_THAT(screen.rows(), ElementsAre("one", "two"));
  EXPECT_EQ(screen.cursor_row(), 2U) << "below all";
  EXPECT_EQ(screen.cursor_column(), 0U);
  EXPECT_TRUE(screen.cursor_is_visible());
}

TEST_F(ProgressTest, NothingIsDrawnMoreThanTenTimesASecond) {
  Progress progress(console());
  for (std::uint64_t ms = 0; ms < 1000; ++ms) {
    progress.show({.done = ms, .total = 1000});
    progress.line("line");
    now += milliseconds(1);
  }
  EXPECT_LE(writes, 10);
  EXPECT_GE(writes, 9) << "and it is drawn all the time";
  progress.finish();
  EXPECT_EQ(screen.rows().size(), 1000U) << "no line is lost";
}

TEST_F(ProgressTest, WhatWasNotDrawnComesWithTheNextTick) {
  Progress progress(console());
  progress.show({.done = 1, .total = 4});
  progress.show({.done = 2, .total = 4});
  EXPECT_THAT(bottom(), HasSubstr(" 1/4"));
  pass(progress, milliseconds(99));
  EXPECT_THAT(bottom(), HasSubstr(" 1/4"));
  pass(progress, milliseconds(1));
  EXPECT_THAT(bottom(), HasSubstr(" 2/4"));
}

TEST_F(ProgressTest, TheFirstFailureStaysRightAboveTheBar) {
  Progress progress(console());
  progress.show({.done = 1, .total = 9});
  progress.pin("first failure: A");
  progress.pin("first failure: B");
  for (int i = 0; i < 3; ++i) {
    progress.line("line");
    pass(progress, milliseconds(100));
  }
  EXPECT_THAT(screen.rows(), ElementsAre("line", "line", "line", "first failure: A", StartsWith("[##")));
  progress.finish();
  EXPECT_THAT(screen.rows(), ElementsAre("line", "line", "line"));
}

TEST_F(ProgressTest, NothingWrapsHoweverNarrowTheTerminalIs) {
  for (const unsigned width : {200U, 80U, 40U, 20U, 10U, 3U, 2U, 1U}) {
    resize(width);
    screen = test::Screen(width);
    Progress progress(console());
    progress.pin("the first failure is told at some length, so that it does not fit here: " +
                 std::string(99, 'x'));
    progress.show({.done = 1, .total = 3, .unit = "cells", .text = std::string(300, 'y')});
    pass(progress, milliseconds(100));
    ASSERT_LE(screen.rows().size(), 2U) << width;
    for (const std::string& row : screen.rows()) EXPECT_LE(row.size(), std::max(1U, width - 1)) << width;
    progress.finish();
    EXPECT_THAT(screen.rows(), IsEmpty()) << width;
  }
}

TEST_F(ProgressTest, AResizeIsFollowedAndLeavesNothing) {
  Progress progress(console());
  progress.line("kept");
  progress.pin("first failure: " + std::string(60, 'f'));
  progress.show({.done = 1, .total = 3, .unit = "cells", .text = std::string(60, 'y')});
  pass(progress, milliseconds(100));
  for (const unsigned width : {30U, 17U, 120U, 55U}) {
    resize(width);
    pass(progress, milliseconds(100));
    EXPECT_THAT(screen.rows(), ElementsAre("kept", StartsWith("first failure"), StartsWith("["))) << width;
  }
  resize(25);
  progress.finish();
  EXPECT_THAT(screen.rows(), ElementsAre("kept"));
}

TEST_F(ProgressTest, WhatIsTypedMeanwhileIsOverdrawn) {
  Progress progress(console());
  progress.line("kept");
  progress.show({.done = 1, .total = 3, .text = std::string(200, 'y')});
  pass(progress, milliseconds(100));
  screen.write("^C^C");  // the terminal's echo
  progress.finish();
  EXPECT_THAT(screen.rows(), ElementsAre("kept"));
}

TEST_F(ProgressTest, WithoutATerminalLinesComeAtOnceAndTheBarNowAndThen) {
  Progress progress(console(/*is_terminal=*/false));
  progress.line("line");
  progress.pin("first failure");
  for (int second = 1; second <= 25; ++second) {
    now += seconds(1);
    progress.show(
        {.done = static_cast<std::uint64_t>(second), .total = 100, .unit = "cells", .text = "0 failed"});
  }
  progress.finish();
  EXPECT_EQ(raw,
            "line\n 10 % 10/100 cells, 1.0/s, 1 min 30 s left, 0 failed\n"
            " 20 % 20/100 cells, 1.0/s, 1 min 20 s left, 0 failed\n");
}

TEST_F(ProgressTest, WhatOthersSayDoesNotActOnTheTerminal) {
  Progress progress(console());
  progress.pin("\x1b[2Jgone");
  progress.show({.done = 1, .total = 2, .text = "\x1b[?25lhidden\n"});
  pass(progress, milliseconds(100));
  EXPECT_THAT(screen.rows(), ElementsAre("\\x1b[2Jgone", HasSubstr("\\x1b[?25lhidden\\x0a")));
  EXPECT_TRUE(screen.cursor_is_visible());
}

TEST_F(ProgressTest, ColoursAreUsedIfTheyMay) {
  {
    Progress progress(console(true, true));
    progress.show({.done = 1, .total = 2});
    now += seconds(1);
    progress.show({.done = 1, .total = 2, .has_failed = true});
  }
  EXPECT_THAT(raw, testing::AllOf(HasSubstr("\x1b[32m["), HasSubstr("\x1b[31m["), HasSubstr("\x1b[0m")));
  raw.clear();
  {
    Progress progress(console(true, false));
    progress.show({.done = 1, .total = 2});
  }
  EXPECT_THAT(raw, Not(HasSubstr("\x1b[3")));
}

TEST_F(ProgressTest, WorkThatBeginsAnewHasARateOfItsOwn) {
  Progress progress(console());
  progress.show({.done = 0, .total = 1000});
  now += seconds(1);
  progress.show({.done = 1000, .total = 1000});
  progress.show({.done = 0, .total = 10});
  now += seconds(2);
  progress.show({.done = 2, .total = 10});
  EXPECT_THAT(bottom(), HasSubstr("2/10, 1.0/s, 8 s left"));
}

TEST(RateTest, OfASteadyWorkIsItsRate) {
  Console::Clock::time_point now{};
  Rate rate(now);
  EXPECT_FALSE(rate.per_second(now));
  for (std::uint64_t i = 1; i <= 100; ++i) rate.note(i * 3, now += seconds(1));
  EXPECT_NEAR(*rate.per_second(now), 3, 0.2);
}

TEST(RateTest, FollowsAChangeAndFallsWhileNothingHappens) {
  Console::Clock::time_point now{};
  Rate rate(now);
  std::uint64_t done = 0;
  for (int i = 0; i < 60; ++i) rate.note(done += 10, now += seconds(1));
  for (int i = 0; i < 60; ++i) rate.note(done += 1, now += seconds(1));
  EXPECT_LT(*rate.per_second(now), 1.5) << "the mean of all is 5.5";
  EXPECT_LT(*rate.per_second(now + seconds(30)), 0.5);
}

TEST(DurationText, IsInTheUnitsThatMatter) {
  EXPECT_EQ(duration_text(0.2), "1 s");
  EXPECT_EQ(duration_text(59), "59 s");
  EXPECT_EQ(duration_text(125), "2 min 5 s");
  EXPECT_EQ(duration_text(3900), "1 h 5 min");
  EXPECT_EQ(duration_text(1e300), "100 h 0 min");
}

TEST(Fit, CutsAtCharactersAndSaysSo) {
  EXPECT_EQ(fit("abcdef", 6), "abcdef");
  EXPECT_EQ(fit("abcdefg", 6), "abc...");
  EXPECT_EQ(fit("abc", 2), "..");
  EXPECT_EQ(fit("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f!", 4), "\xc3\xa4...") << "two bytes a character";
  EXPECT_EQ(columns_of("\xe6\xbc\xa2"), 2U) << "wide";
}

class ConsoleTest : public testing::Test {
 protected:
  ~ConsoleTest() override {
    unsetenv("NO_COLOR");
    unsetenv("CLICOLOR_FORCE");
  }
};

TEST_F(ConsoleTest, APipeIsPlainUnlessColoursAreForced) {
  testing::internal::CaptureStderr();
  EXPECT_FALSE(Console::standard_error().moves_cursor);
  EXPECT_FALSE(Console::standard_error().has_color);
  setenv("CLICOLOR_FORCE", "1", 1);
  EXPECT_TRUE(Console::standard_error().has_color);
  EXPECT_FALSE(Console::standard_error().moves_cursor);
  setenv("NO_COLOR", "1", 1);
  EXPECT_FALSE(Console::standard_error().has_color);
  setenv("NO_COLOR", "", 1);
  EXPECT_TRUE(Console::standard_error().has_color) << "an empty one is none";
  setenv("CLICOLOR_FORCE", "0", 1);
  EXPECT_FALSE(Console::standard_error().has_color);
  testing::internal::GetCapturedStderr();
}

}  // namespace
}  // namespace otasim::report
