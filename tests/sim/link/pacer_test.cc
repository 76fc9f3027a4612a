#include "sim/link/pacer.h"

#include <gtest/gtest.h>

namespace otasim::link::test {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::uint64_t kRate = 100'000'000;  // 80 ns a byte
constexpr std::size_t kBurst = 8 * 1024;
constexpr std::size_t kFullFrame = 1'514;
constexpr Pacer::Clock::time_point kStart{seconds(1'000)};

TEST(Pacer, AFrameOccupiesTheWireWithItsOverhead) {
  const Pacer pacer(kRate, kBurst);
  EXPECT_EQ(pacer.time_on_wire(kFullFrame), nanoseconds((1'514 + 24) * 80));
  EXPECT_EQ(pacer.time_on_wire(42), nanoseconds((60 + 24) * 80)) << "short frames are padded";
}

TEST(Pacer, ABurstGoesAtOnceAndTheNextFrameWaits) {
  Pacer pacer(kRate, kBurst);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(pacer.wait_for(kFullFrame, kStart), nanoseconds(0)) << i;
    pacer.sent(kFullFrame, kStart);
  }
  // Six frames are 9228 bytes on the wire: 1036 more than the burst.
  EXPECT_EQ(pacer.wait_for(kFullFrame, kStart), nanoseconds(1'036 * 80));
}

TEST(Pacer, AfterTheWaitTheFrameMayGo) {
  Pacer pacer(kRate, kBurst);
  for (int i = 0; i < 5; ++i) pacer.sent(kFullFrame, kStart);
  const auto wait = pacer.wait_for(kFullFrame, kStart);
  EXPECT_EQ(pacer.wait_for(kFullFrame, kStart + wait - nanoseconds(1)), nanoseconds(1));
  EXPECT_EQ(pacer.wait_for(kFullFrame, kStart + wait), nanoseconds(0));
}

TEST(Pacer, TheRateHoldsOverManyFrames) {
  Pacer pacer(kRate, kBurst);
  auto now = kStart;
  constexpr int kFrames = 10'000;
  for (int i = 0; i < kFrames; ++i) {
    now += pacer.wait_for(kFullFrame, now);
    pacer.sent(kFullFrame, now);
  }
  const nanoseconds expected = kFrames * pacer.time_on_wire(kFullFrame) - nanoseconds(kBurst * 80);
  EXPECT_EQ(now - kStart, expected);
}

TEST(Pacer, IdleTimeIsNotSavedUpBeyondOneBurst) {
  Pacer pacer(kRate, kBurst);
  const auto later = kStart + seconds(60);
  pacer.sent(kFullFrame, kStart);
  std::size_t sent_bytes = 0;
  while (pacer.wait_for(kFullFrame, later) == nanoseconds(0)) {
    pacer.sent(kFullFrame, later);
    sent_bytes += kFullFrame;
  }
  EXPECT_LE(sent_bytes, kBurst);
  EXPECT_EQ(sent_bytes, 5 * kFullFrame);
}

TEST(Pacer, SlowWiresDoNotOverflow) {
  Pacer pacer(1, kBurst);
  for (int i = 0; i < 5; ++i) pacer.sent(kFullFrame, kStart);
  EXPECT_EQ(pacer.wait_for(kFullFrame, kStart), seconds(1'036 * 8));
}

}  // namespace
}  // namespace otasim::link::test
