// The window: what it asks for, how it grows and shrinks, and that every block comes in the end.
#include "agent/src/block_window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <deque>
#include <set>
#include <vector>

namespace ota {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Shape = BlockWindow::Shape;
using Blocks = std::vector<std::uint32_t>;

class Window : public testing::Test {
 protected:
  void begin(std::uint32_t per_request, std::uint32_t in_flight, std::uint32_t blocks) {
    window_.set_limits(per_request, in_flight);
    ASSERT_TRUE(window_.begin(memory_, blocks));
  }
  /// All requests the window makes now, each as its first and last block.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> requests(Shape shape = Shape::kContiguous) {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> made;
    BlockWindow::Request request;
    while (window_.next(shape, request)) made.emplace_back(request.first, request.last);
    return made;
  }
  void receive(std::uint32_t first, std::uint32_t last) {
    for (std::uint32_t block = first; block <= last; ++block) EXPECT_TRUE(window_.receive(block)) << block;
  }

  std::array<std::uint8_t, OTA_MAX_BLOCK_BITMAP_SIZE> memory_{};
  BlockWindow window_;
};

TEST_F(Window, RefusesAFileThatItsBitmapsCannotHold) {
  window_.set_limits(1, 1);
  EXPECT_TRUE(window_.begin(memory_, OTA_MAX_BLOCK_BITMAP_SIZE * 8));
  EXPECT_FALSE(window_.begin(memory_, OTA_MAX_BLOCK_BITMAP_SIZE * 8 + 1));
  EXPECT_FALSE(window_.begin(std::span(memory_).first(1), 9));
  EXPECT_FALSE(window_.begin(memory_, UINT32_MAX));
  std::array<std::uint8_t, 2 * OTA_MAX_BLOCK_BITMAP_SIZE> large{};
  EXPECT_FALSE(window_.begin(large, OTA_MAX_BLOCK_BITMAP_SIZE * 8 + 1));
}

TEST_F(Window, NothingIsWantedOfAnEmptyFile) {
  begin(1, 1, 0);
  EXPECT_FALSE(window_.has_room());
  EXPECT_THAT(requests(), IsEmpty());
}

TEST_F(Window, LimitsOfZeroMeanOne) {
  begin(0, 0, 3);
  EXPECT_THAT(requests(), ElementsAre(std::pair(0U, 0U)));
}

TEST_F(Window, OneRequestAtATimeWaitsForAsManyBlocksAsItAskedFor) {
  begin(2, 2, 5);
  EXPECT_TRUE(window_.is_one_request_at_a_time());
  EXPECT_THAT(requests(Shape::kScattered), ElementsAre(std::pair(0U, 4U)));
  EXPECT_TRUE(window_.receive(4)) << "any wanted block counts";
  EXPECT_FALSE(window_.receive(4)) << "but only once";
  EXPECT_FALSE(window_.has_room());
  EXPECT_TRUE(window_.receive(0));
  EXPECT_TRUE(window_.has_room());
  BlockWindow::Request request;
  EXPECT_TRUE(window_.next(Shape::kScattered, request));
  EXPECT_EQ(request.count, 2U);
}

TEST_F(Window, OneRunAtATimeStartsAtTheFirstWantedBlock) {
  begin(2, 2, 5);
  EXPECT_TRUE(window_.receive(1));
  EXPECT_THAT(requests(), ElementsAre(std::pair(0U, 0U)));
  receive(0, 0);
  EXPECT_THAT(requests(), ElementsAre(std::pair(2U, 3U)));
}

TEST_F(Window, StartsWithOneRequestAndGrowsWithEveryBlock) {
  begin(2, 8, 100);
  EXPECT_THAT(requests(), ElementsAre(std::pair(0U, 1U)));
  receive(0, 0);
  EXPECT_EQ(window_.size(), 3U);
  EXPECT_THAT(requests(), ElementsAre(std::pair(2U, 3U)));
  receive(1, 3);
  EXPECT_EQ(window_.size(), 6U);
  EXPECT_THAT(requests(), ElementsAre(std::pair(4U, 5U), std::pair(6U, 7U), std::pair(8U, 9U)));
  EXPECT_EQ(window_.in_flight_count(), 6U);
  receive(4, 20 - 11);
  EXPECT_EQ(window_.size(), 8U) << "its limit";
}

TEST_F(Window, DoesNotAskForEverySingleBlockThatBecomesFree) {
  begin(4, 8, 100);
  requests();
  receive(0, 3);
  EXPECT_EQ(window_.size(), 8U);
  requests();
  receive(4, 6);
  EXPECT_FALSE(window_.has_room());
  receive(7, 7);
  EXPECT_TRUE(window_.has_room());
}

TEST_F(Window, BlockFarBehindIsLostAndAskedForInTheNextPass) {
  begin(16, 32, 40);
  requests();
  receive(0, 2);
  receive(4, 3 + BlockWindow::kReorderBlocks);
  EXPECT_EQ(window_.in_flight_count(), 16U - 3 - 8) << "3 may still come";
  receive(12, 12);
  EXPECT_EQ(window_.in_flight_count(), 16U - 13) << "3 is lost, and all but 13 to 15 have come";
  EXPECT_EQ(window_.size(), 14U) << "half of 28";
  EXPECT_THAT(requests(), ElementsAre(std::pair(16U, 26U)));
  receive(13, 26);
  EXPECT_THAT(requests(), ElementsAre(std::pair(27U, 39U)));
  receive(27, 39);
  EXPECT_THAT(requests(), ElementsAre(std::pair(3U, 3U)));
  receive(3, 3);
  EXPECT_EQ(window_.wanted_count(), 0U);
}

TEST_F(Window, BlockThatWasOnlyLateIsWantedWhenItComes) {
  begin(16, 32, 16);
  requests();
  receive(1, 15);
  EXPECT_EQ(window_.in_flight_count(), 0U) << "after the last one nothing else comes: 0 is lost";
  EXPECT_TRUE(window_.receive(0));
  EXPECT_FALSE(window_.has_room());
}

TEST_F(Window, SeveralLossesOfOneWindowHalveItOnce) {
  begin(32, 64, 200);
  requests();
  receive(2, 20);
  EXPECT_EQ(window_.size(), 20U) << "half of the 40 at block 9, when 0 was found lost; then 1, too";
  EXPECT_TRUE(window_.receive(31)) << "21 to 30 of the same window are lost too";
  EXPECT_EQ(window_.size(), 20U);
}

TEST_F(Window, AfterALossItGrowsByOneForEachWindow) {
  begin(8, 64, 300);
  requests();
  receive(1, 7);
  const std::uint32_t size = window_.size();
  ASSERT_EQ(size, 7U) << "half of 15";
  requests();
  receive(8, 8 + size - 2);
  EXPECT_EQ(window_.size(), size);
  requests();
  receive(8 + size - 1, 8 + size - 1);
  EXPECT_EQ(window_.size(), size + 1);
}

TEST_F(Window, TimeoutForgetsWhatIsOnItsWayAndHalves) {
  begin(8, 32, 20);
  requests();
  window_.on_timeout();
  EXPECT_EQ(window_.in_flight_count(), 0U);
  EXPECT_EQ(window_.size(), 4U);
  EXPECT_THAT(requests(), ElementsAre(std::pair(0U, 3U)));
  for (int i = 0; i < 10; ++i) window_.on_timeout();
  EXPECT_EQ(window_.size(), 1U);
}

TEST_F(Window, RestartKeepsTheSize) {
  begin(8, 32, 20);
  requests();
  receive(0, 3);
  window_.restart();
  EXPECT_EQ(window_.size(), 12U);
  EXPECT_THAT(requests(), ElementsAre(std::pair(4U, 11U))) << "four more are not worth a request";
}

TEST_F(Window, RunEndsWhereABlockIsNotWanted) {
  begin(8, 32, 20);
  EXPECT_TRUE(window_.receive(3));
  EXPECT_THAT(requests(Shape::kContiguous), ElementsAre(std::pair(0U, 2U), std::pair(4U, 8U)));
  window_.restart();
  EXPECT_THAT(requests(Shape::kScattered), ElementsAre(std::pair(0U, 8U)));
}

TEST_F(Window, BlockBeyondTheFileIsNotWanted) {
  begin(1, 1, 3);
  EXPECT_FALSE(window_.receive(3));
  EXPECT_FALSE(window_.receive(UINT32_MAX));
}

/// Any loss, duplication and order of the answers: the window keeps its limits, asks for nothing twice that
/// is on its way, and in the end every block has come.
RC_GTEST_PROP(WindowProperty, EveryBlockComesInTheEnd, ()) {
  const auto blocks = *rc::gen::inRange<std::uint32_t>(1, 300);
  const auto per_request = *rc::gen::inRange<std::uint32_t>(1, 40);
  const auto in_flight = *rc::gen::inRange<std::uint32_t>(1, 80);
  const auto shape = *rc::gen::element(Shape::kScattered, Shape::kContiguous);
  auto faults = *rc::gen::inRange(0, 200);
  std::array<std::uint8_t, 64> memory{};
  BlockWindow window;
  window.set_limits(per_request, in_flight);
  RC_ASSERT(window.begin(memory, blocks));

  std::deque<std::uint32_t> wire;
  std::set<std::uint32_t> received;
  const int most_steps = 20'000;
  int steps = 0;
  for (; window.wanted_count() != 0 && steps < most_steps; ++steps) {
    BlockWindow::Request request;
    while (window.next(shape, request)) {
      RC_ASSERT(request.count >= 1);
      RC_ASSERT(request.count <= per_request);
      RC_ASSERT(request.last < blocks);
      std::uint32_t asked = 0;
      for (std::uint32_t block = request.first; block <= request.last; ++block) {
        const bool is_asked = window.is_one_request_at_a_time() && shape == Shape::kScattered
                                  ? !received.contains(block) && asked < request.count
                                  : (window.in_flight()[block / 8] >> block % 8 & 1) != 0;
        if (!is_asked) continue;
        RC_ASSERT(!received.contains(block));
        wire.push_back(block);
        ++asked;
      }
      RC_ASSERT(asked == request.count);
    }
    RC_ASSERT(window.in_flight_count() <= std::max(per_request, in_flight));
    if (wire.empty()) {
      window.on_timeout();
      continue;
    }
    const int fault = faults > 0 ? *rc::gen::inRange(0, 8) : 7;
    if (fault < 4) --faults;
    const std::size_t at = fault == 3 ? *rc::gen::inRange<std::size_t>(0, wire.size()) : 0;
    const std::uint32_t block = wire[at];
    if (fault != 2) wire.erase(wire.begin() + static_cast<std::ptrdiff_t>(at));
    if (fault == 0) continue;  // lost
    if (fault == 1) {
      window.on_timeout();
      continue;
    }
    RC_ASSERT(window.receive(block) == received.insert(block).second);
  }
  RC_ASSERT(steps < most_steps);
  RC_ASSERT(received.size() == blocks);
}

}  // namespace
}  // namespace ota
