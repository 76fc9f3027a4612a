#include "sim/link/fifo_guard.h"

#include <gtest/gtest.h>

namespace otasim::link::test {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t kFifo = 10'560;
constexpr std::size_t kFullFrame = 1'514;
constexpr FifoGuard::Clock::time_point kStart{std::chrono::seconds(1'000)};
constexpr nanoseconds kNow{0};

/// How many full frames go at once.
int send_all(FifoGuard& guard, FifoGuard::Clock::time_point now) {
  int count = 0;
  for (; guard.wait_for(kFullFrame, now) == kNow && count < 100; ++count) guard.sent(kFullFrame, now);
  return count;
}

TEST(FifoGuard, HalfTheFifoGoesAtOnceAndTheRestWaitsForTheDevice) {
  FifoGuard guard(kFifo);
  EXPECT_EQ(send_all(guard, kStart), 3);
  guard.device_spoke(0);
  EXPECT_EQ(send_all(guard, kStart), 3);
  EXPECT_EQ(guard.wait_for(kFullFrame, kStart), nanoseconds(FifoGuard::kPatience));
}

TEST(FifoGuard, WhatQemuHasNotReadStillCounts) {
  FifoGuard guard(kFifo);
  send_all(guard, kStart);
  guard.device_spoke(2 * (kFullFrame + 8));
  EXPECT_EQ(send_all(guard, kStart), 1);
  guard.device_spoke(kFifo * 10);  // the kernel counts its own overhead, too
  EXPECT_NE(guard.wait_for(kFullFrame, kStart), kNow);
}

TEST(FifoGuard, TheFifoNeverGetsMoreThanItHoldsFromOneSignOfLifeToTheNextButOne) {
  // The worst case: the device spoke before it took anything of the first half.
  FifoGuard guard(kFifo);
  std::size_t bytes = 0;
  for (int half = 0; half < 2; ++half) {
    bytes += static_cast<std::size_t>(send_all(guard, kStart)) * (kFullFrame + 8);
    guard.device_spoke(0);
  }
  EXPECT_LE(bytes, kFifo);
}

TEST(FifoGuard, ASilentDeviceIsWaitedForOnce) {
  FifoGuard guard(kFifo);
  send_all(guard, kStart);
  const auto later = kStart + FifoGuard::kPatience;
  EXPECT_EQ(guard.wait_for(kFullFrame, later - nanoseconds(1)), nanoseconds(1));
  EXPECT_EQ(send_all(guard, later), 3);
}

TEST(FifoGuard, AFrameLargerThanTheLimitGoesAlone) {
  FifoGuard guard(kFullFrame);
  EXPECT_EQ(send_all(guard, kStart), 1);
}

}  // namespace
}  // namespace otasim::link::test
