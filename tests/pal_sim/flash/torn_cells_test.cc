// Torn operations whose cells give in one by one: which of those that were to change are changed firmly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <vector>

#include "qemu_boards/native/native_flash.h"

namespace flash {
namespace {

using ::testing::Each;
using Bytes = std::vector<std::uint8_t>;

constexpr std::uint32_t kBlock = kControllerPart.block_size;

class TornCellsTest : public testing::Test {
 protected:
  void tear_next(std::uint32_t bytes, std::uint32_t marginal_bytes, TornCells torn) {
    model_.cut_power_at(
        {.operation = model_.sequence() + 1, .bytes = bytes, .marginal_bytes = marginal_bytes, .torn = torn});
  }
  [[nodiscard]] Bytes cells(std::uint32_t offset, std::uint32_t length) {
    const auto part = flash_.window().subspan(offset, length);
    return {part.begin(), part.end()};
  }
  [[nodiscard]] static int ones(const Bytes& bytes) {
    int count = 0;
    for (const std::uint8_t byte : bytes) count += std::popcount(byte);
    return count;
  }
  void fill(std::uint32_t offset, std::uint32_t length, std::uint8_t value) {
    std::ranges::fill(flash_.window().subspan(offset, length), value);
  }

  native::NativeFlash flash_;
  NorModel& model_ = flash_.model();
};

TEST_F(TornCellsTest, AShareOfABlocksCellsIsErasedForGood) {
  fill(0, kBlock, 0x00);
  tear_next(100, 0, {.random_bits = 0.25, .seed = 5});
  ASSERT_EQ(model_.erase_block(0), Status::kNoDevice);
  EXPECT_THAT(cells(0, 100), Each(0xFF));
  const Bytes torn = cells(100, kBlock - 100);
  EXPECT_NEAR(ones(torn), static_cast<int>(torn.size() * 8 / 4), 2000);
  EXPECT_TRUE(model_.cell_state().marginal.empty());
  for (int i = 0; i < 3; ++i) {
    model_.power_on();
    EXPECT_EQ(cells(100, kBlock - 100), torn) << "they are firm";
  }
}

TEST_F(TornCellsTest, AProgramClearsOnlyWhatItWasToClear) {
  tear_next(0, 0, {.random_bits = 0.5, .seed = 1});
  ASSERT_EQ(model_.program(0, Bytes(kPageSize, 0xF0)), Status::kNoDevice);
  for (const std::uint8_t byte : cells(0, kPageSize)) EXPECT_EQ(byte & 0xF0, 0xF0);
  EXPECT_NEAR(ones(cells(0, kPageSize)), static_cast<int>(kPageSize * 6), 150);
  EXPECT_THAT(cells(kPageSize, kPageSize), Each(0xFF));
}

TEST_F(TornCellsTest, AllOrNoneAreTheEndsOfTheShare) {
  fill(0, kBlock, 0x5A);
  tear_next(0, 0, {.random_bits = 1.0});
  ASSERT_EQ(model_.erase_block(0), Status::kNoDevice);
  EXPECT_THAT(cells(0, kBlock), Each(0xFF));
  model_.power_on();
  fill(0, kBlock, 0x5A);
  tear_next(0, 0, {.random_bits = 0.0});
  ASSERT_EQ(model_.erase_block(0), Status::kNoDevice);
  EXPECT_THAT(cells(0, kBlock), Each(0x5A));
}

TEST_F(TornCellsTest, TheRestOfTheMarginalBytesIsMarginal) {
  fill(0, kBlock, 0x00);
  tear_next(16, 64, {.random_bits = 0.5, .seed = 9});
  ASSERT_EQ(model_.erase_block(0), Status::kNoDevice);
  for (std::uint32_t at = 0; at < 128; ++at) {
    const std::uint8_t cell = flash_.window()[at];
    const bool is_marginal = at >= 16 && at < 80;
    EXPECT_EQ(model_.cell_state().marginal_bits(at), is_marginal ? static_cast<std::uint8_t>(~cell) : 0)
        << at;
  }
}

TEST_F(TornCellsTest, FollowTheSeedTheNumberAndNothingElse) {
  const auto torn = [this](std::uint64_t seed) {
    fill(0, kBlock, 0x00);
    tear_next(0, 0, {.random_bits = 0.5, .seed = seed});
    write_register(flash_.window(), controller::kRegSequence, 0);
    model_.cut_power_at({.operation = 1, .bytes = 0, .torn = {.random_bits = 0.5, .seed = seed}});
    EXPECT_EQ(model_.erase_block(0), Status::kNoDevice);
    model_.power_on();
    return cells(0, kBlock);
  };
  const Bytes first = torn(1);
  EXPECT_EQ(torn(1), first);
  EXPECT_NE(torn(2), first);
}

TEST_F(TornCellsTest, AFailureTearsAsACutDoes) {
  fill(0, kBlock, 0x00);
  model_.plan_failure({.kind = OpKind::kEraseBlock, .torn = {.random_bits = 0.5}});
  EXPECT_EQ(model_.erase_block(0), Status::kEraseFailed);
  EXPECT_NEAR(ones(cells(0, kBlock)), static_cast<int>(kBlock * 4), 3000);
}

TEST_F(TornCellsTest, StuckCellsStayAsTheyAre) {
  fill(0, kBlock, 0x00);
  model_.stick(7, {.bits = 0xFF, .values = 0x00});
  tear_next(0, kBlock, {.random_bits = 1.0});
  ASSERT_EQ(model_.erase_block(0), Status::kNoDevice);
  EXPECT_EQ(flash_.window()[7], 0x00);
  EXPECT_EQ(flash_.window()[8], 0xFF);
}

TEST_F(TornCellsTest, AWholeBlockMayBeLeftMarginal) {
  fill(0, kBlock, 0x00);
  tear_next(0, kBlock, {});
  ASSERT_EQ(model_.erase_block(0), Status::kNoDevice);
  EXPECT_EQ(model_.cell_state().marginal.size(), kBlock);
  model_.power_on();
  ASSERT_EQ(model_.erase_block(0), Status::kOk);
  EXPECT_TRUE(model_.cell_state().marginal.empty());
}

}  // namespace
}  // namespace flash
