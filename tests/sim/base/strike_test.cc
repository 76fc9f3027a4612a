#include "sim/base/strike.h"

#include <gtest/gtest.h>

#include <string>

namespace otasim {
namespace {

/// One letter an operation: 'x' struck, '.' passed.
std::string pattern(const StrikePlan& plan, int operations) {
  Strike strike(plan);
  std::string text;
  for (int i = 0; i < operations; ++i) text += strike.next() ? 'x' : '.';
  return text;
}

TEST(Strike, StrikesEveryOperationUnlessToldOtherwise) {
  EXPECT_EQ(pattern({}, 5), "xxxxx");
}

TEST(Strike, PassesTheFirstOnesAndStopsAfterSoMany) {
  EXPECT_EQ(pattern({.after = 2, .times = 1}, 6), "..x...");
  EXPECT_EQ(pattern({.after = 1, .times = 3}, 6), ".xxx..");
  EXPECT_EQ(pattern({.times = 0}, 3), "...");
}

TEST(Strike, ChanceCountsOnlyWhatItStruck) {
  Strike strike({.times = 10, .probability = 0.25, .seed = 3});
  int struck = 0;
  for (int i = 0; i < 1000; ++i) struck += strike.next() ? 1 : 0;
  EXPECT_EQ(struck, 10);
  EXPECT_EQ(strike.struck(), 10U);
  EXPECT_TRUE(strike.is_spent());
}

TEST(Strike, ChanceIsAsOftenAsAskedFor) {
  Strike strike({.probability = 0.03, .seed = 1});
  for (int i = 0; i < 100'000; ++i) static_cast<void>(strike.next());
  EXPECT_GT(strike.struck(), 2700U);
  EXPECT_LT(strike.struck(), 3300U);
}

TEST(Strike, ProbabilityNoughtNeverStrikes) {
  EXPECT_EQ(pattern({.probability = 0.0}, 64), std::string(64, '.'));
}

TEST(Strike, EqualPlansGiveEqualAnswersAndOtherSeedsOthers) {
  const StrikePlan plan{.probability = 0.5, .seed = 11};
  EXPECT_EQ(pattern(plan, 64), pattern(plan, 64));
  EXPECT_NE(pattern(plan, 64), pattern({.probability = 0.5, .seed = 12}, 64));
}

}  // namespace
}  // namespace otasim
