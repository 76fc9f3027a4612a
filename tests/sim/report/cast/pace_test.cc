#include "sim/report/cast/pace.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace otasim::test {
namespace {

using report::cast::Beat;
using report::cast::kLongestDwelling;
using report::cast::Pace;

TEST(Pace, ReadingStretchesWhatIsTooFast) {
  const Pace pace({{1000, 0.5}, {2000, 0.25}, {3000, 1}}, {});
  EXPECT_DOUBLE_EQ(pace.shown_at(1000), 0);
  EXPECT_DOUBLE_EQ(pace.shown_at(1500), 0.25);
  EXPECT_DOUBLE_EQ(pace.shown_at(2000), 0.5);
  EXPECT_DOUBLE_EQ(pace.length_s(), 0.75);
  EXPECT_EQ(pace.time_at(0.25), 1500);
}

TEST(Pace, SlowThingsTakeTheirTimeUpToTheIdleLimit) {
  const Pace pace({{0, 0.1}, {2'000'000, 0.1}, {90'000'000, 0.1}}, {.idle_limit_s = 3});
  EXPECT_DOUBLE_EQ(pace.shown_at(2'000'000), 2);
  EXPECT_DOUBLE_EQ(pace.length_s(), 5);
}

TEST(Pace, RealTimeDoesNotStretch) {
  const Pace pace({{0, 5}, {250'000, 5}, {500'000, 5}}, {.is_real_time = true});
  EXPECT_DOUBLE_EQ(pace.length_s(), 0.5);
}

TEST(Pace, SpeedDividesAllTimes) {
  const std::vector<Beat> beats{{0, 0.5}, {100, 0.25}, {5'000'000, 0}};
  const Pace normal(beats, {});
  const Pace fast(beats, {.speed = 2});
  for (const Beat& beat : beats) EXPECT_DOUBLE_EQ(fast.shown_at(beat.t_us), normal.shown_at(beat.t_us) / 2);
}

TEST(Pace, DwellingIsLimited) {
  std::vector<Beat> beats;
  for (int i = 0; i < 1000; ++i) beats.push_back({i, 1});
  EXPECT_LE(Pace(beats, {}).length_s(), kLongestDwelling);
}

TEST(Pace, OfNothingIsNothing) {
  const Pace pace({}, {});
  EXPECT_DOUBLE_EQ(pace.length_s(), 0);
  EXPECT_DOUBLE_EQ(pace.shown_at(7), 0);
  EXPECT_EQ(pace.time_at(7), 0);
}

RC_GTEST_PROP(Pace, NeverRunsBack, ()) {
  const auto gaps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 3'000'000));
  std::vector<Beat> beats;
  std::int64_t t_us = 0;
  for (const int gap : gaps) beats.push_back({t_us += gap, *rc::gen::inRange(0, 3) * 0.3});
  const Pace pace(beats, {.speed = 1.5, .is_real_time = *rc::gen::arbitrary<bool>()});
  double last = 0;
  for (const Beat& beat : beats) {
    RC_ASSERT(pace.shown_at(beat.t_us) >= last);
    last = pace.shown_at(beat.t_us);
  }
  RC_ASSERT(last <= pace.length_s());
}

}  // namespace
}  // namespace otasim::test
