#include "agent/app/calendar_time.h"

#include <gtest/gtest.h>

#include "tests/agent/app/fake_app.h"

namespace app {
namespace {

constexpr EpochSeconds kBuilt = 1'800'000'000;
constexpr std::uint32_t kDayMs = 86'400'000;

/// Its clock wraps in every test.
struct FreshWorld {
  FreshWorld() {
    test::reset_world();
    test::world().now_ms = UINT32_MAX - 500;
  }
};

class CalendarTimeTest : public testing::Test, FreshWorld {
 protected:
  static void pass(std::uint32_t ms) { test::world().now_ms += ms; }

  CalendarTime time{kBuilt};
};

TEST_F(CalendarTimeTest, BeginsAtTheBuildAndGoesOn) {
  EXPECT_EQ(time.now(), kBuilt);
  EXPECT_FALSE(time.is_known());
}

TEST_F(CalendarTimeTest, FollowsTheBoardsClockAcrossItsWrap) {
  pass(999);
  EXPECT_EQ(time.now(), kBuilt);
  pass(1);
  EXPECT_EQ(time.now(), kBuilt + 1);
  time.tick();
  pass(60'000);
  EXPECT_EQ(time.now(), kBuilt + 61);
}

TEST_F(CalendarTimeTest, LosesNothingOverManyWrapsIfItIsTicked) {
  for (int day = 0; day < 200; ++day) {
    pass(kDayMs);
    time.tick();
  }
  EXPECT_EQ(time.now(), kBuilt + 200 * 86'400);
}

TEST_F(CalendarTimeTest, AStoredFloorIsAnEarliestTimeAndNotTheTime) {
  time.raise_floor(kBuilt + 1000);
  EXPECT_EQ(time.now(), kBuilt + 1000);
  EXPECT_FALSE(time.is_known());
  time.raise_floor(kBuilt - 1000);
  EXPECT_EQ(time.now(), kBuilt + 1000);
}

TEST_F(CalendarTimeTest, AFloorThatIsOverChangesNothing) {
  ASSERT_TRUE(time.set(kBuilt + 5000));
  time.raise_floor(kBuilt + 1000);
  EXPECT_EQ(time.now(), kBuilt + 5000);
  EXPECT_FALSE(time.set(kBuilt + 999)) << "it holds all the same";
}

TEST_F(CalendarTimeTest, TheLatestAnswerCounts) {
  ASSERT_TRUE(time.set(kBuilt + 1'000'000));
  EXPECT_TRUE(time.is_known());
  pass(2000);
  EXPECT_EQ(time.now(), kBuilt + 1'000'002);
  ASSERT_TRUE(time.set(kBuilt + 10)) << "back, but not below the floor";
  pass(1000);
  EXPECT_EQ(time.now(), kBuilt + 11);
}

TEST_F(CalendarTimeTest, AnAnswerBelowTheFloorIsRefused) {
  EXPECT_FALSE(time.set(kBuilt - 1));
  EXPECT_FALSE(time.is_known());
  EXPECT_EQ(time.now(), kBuilt);
  EXPECT_TRUE(time.set(kBuilt));
}

}  // namespace
}  // namespace app
