#include "sim/link/delay_line.h"

#include <gtest/gtest.h>

namespace otasim::link::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using Frame = DelayLine::Frame;

constexpr milliseconds kDelay{25};
constexpr DelayLine::Clock::time_point kStart{seconds(1'000)};

TEST(DelayLine, AFrameComesOutAfterTheDelayAndNotBefore) {
  DelayLine line(kDelay, 10);
  ASSERT_TRUE(line.push(Frame{1, 2, 3}, kStart));
  EXPECT_EQ(line.wait(kStart), nanoseconds(kDelay));
  EXPECT_EQ(line.pop(kStart + kDelay - nanoseconds(1)), std::nullopt);
  EXPECT_EQ(line.wait(kStart + kDelay - nanoseconds(1)), nanoseconds(1));
  EXPECT_EQ(line.wait(kStart + kDelay), nanoseconds(0));
  EXPECT_EQ(line.pop(kStart + kDelay), (Frame{1, 2, 3}));
  EXPECT_EQ(line.pop(kStart + kDelay), std::nullopt);
  EXPECT_EQ(line.wait(kStart + kDelay), std::nullopt);
}

TEST(DelayLine, FramesKeepTheirOrderAndTheirSpacing) {
  DelayLine line(kDelay, 10);
  for (std::uint8_t i = 0; i < 5; ++i) ASSERT_TRUE(line.push(Frame{i}, kStart + i * milliseconds(2)));
  for (std::uint8_t i = 0; i < 5; ++i) {
    const auto due = kStart + kDelay + i * milliseconds(2);
    EXPECT_EQ(line.pop(due - nanoseconds(1)), std::nullopt);
    EXPECT_EQ(line.pop(due), Frame{i});
  }
}

TEST(DelayLine, ADelayTakesNoCapacity) {
  DelayLine line(kDelay, 1'000);
  for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(line.push(Frame(1'514), kStart));
  for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(line.pop(kStart + kDelay)) << "all of them are due at once";
}

TEST(DelayLine, IsBoundedAndTakesMoreOnceThereIsRoom) {
  DelayLine line(kDelay, 2);
  ASSERT_TRUE(line.push(Frame{1}, kStart));
  ASSERT_TRUE(line.push(Frame{2}, kStart));
  EXPECT_FALSE(line.push(Frame{3}, kStart));
  EXPECT_EQ(line.pop(kStart + kDelay), Frame{1});
  EXPECT_TRUE(line.push(Frame{4}, kStart + kDelay));
  EXPECT_EQ(line.pop(kStart + kDelay), Frame{2});
  EXPECT_EQ(line.pop(kStart + 2 * kDelay), Frame{4}) << "the third is lost";
}

TEST(DelayLine, WithoutADelayAFrameIsThereAtOnce) {
  DelayLine line(nanoseconds(0), 2);
  EXPECT_FALSE(line.has_delay());
  EXPECT_TRUE(DelayLine(nanoseconds(1), 2).has_delay());
  ASSERT_TRUE(line.push(Frame{1}, kStart));
  EXPECT_EQ(line.pop(kStart), Frame{1});
}

}  // namespace
}  // namespace otasim::link::test
