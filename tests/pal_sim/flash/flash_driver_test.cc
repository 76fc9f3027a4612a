#include "pal_sim/flash/flash_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "qemu_boards/native/native_flash.h"

namespace flash {
namespace {

std::vector<std::uint8_t> counting(std::size_t size) {
  std::vector<std::uint8_t> data(size);
  for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<std::uint8_t>(i * 7 + 1);
  return data;
}

TEST(FlashDriver, EveryStatusHasItsOwnName) {
  std::set<std::string> names;
  for (std::uint32_t i = 0; i <= 8; ++i) names.insert(to_string(static_cast<Status>(i)));
  EXPECT_EQ(names.size(), 9u);
  EXPECT_STREQ(to_string(Status::kOutOfRange), "out-of-range");
  EXPECT_STREQ(to_string(static_cast<Status>(99)), "unknown status");
}

TEST(FlashDriver, ProgramRangeSplitsAtPages) {
  native::NativeFlash flash;
  const auto data = counting(3 * kPageSize);
  ASSERT_EQ(program_range(flash, 100, data), Status::kOk);
  EXPECT_EQ(flash.model().sequence(), 4u);
  std::vector<std::uint8_t> read(data.size());
  ASSERT_EQ(flash.read(100, read), Status::kOk);
  EXPECT_EQ(read, data);
}

TEST(FlashDriver, ProgramRangeOfNothingDoesNothing) {
  native::NativeFlash flash;
  EXPECT_EQ(program_range(flash, kControllerPart.size, {}), Status::kOk);
  EXPECT_EQ(flash.model().sequence(), 0u);
}

TEST(FlashDriver, ProgramRangeWritesNothingIfTheEndIsOutside) {
  native::NativeFlash flash;
  EXPECT_EQ(program_range(flash, kControllerPart.size - 300, counting(301)), Status::kOutOfRange);
  EXPECT_EQ(program_range(flash, 0xFFFF'FFFF, counting(2)), Status::kOutOfRange);
  EXPECT_EQ(flash.model().sequence(), 0u);
}

TEST(FlashDriver, ProgramRangeStopsAtTheFirstFailure) {
  native::NativeFlash flash;
  ASSERT_EQ(flash.lock(kControllerPart.sector_size, kControllerPart.sector_size), Status::kOk);
  EXPECT_EQ(program_range(flash, kControllerPart.sector_size - 10, counting(2 * kControllerPart.sector_size)),
            Status::kProtected);
  EXPECT_EQ(flash.model().sequence(), 2u) << "the lock and the one page before it";
}

TEST(FlashDriver, EraseRangeErasesEachSectorOnce) {
  native::NativeFlash flash;
  std::ranges::fill(flash.window().first(4 * kControllerPart.sector_size), std::uint8_t{0});
  ASSERT_EQ(erase_range(flash, kControllerPart.sector_size, 2 * kControllerPart.sector_size), Status::kOk);
  EXPECT_EQ(flash.model().sequence(), 2u);
  EXPECT_EQ(flash.window()[kControllerPart.sector_size - 1], 0);
  EXPECT_EQ(flash.window()[kControllerPart.sector_size], 0xFF);
  EXPECT_EQ(flash.window()[3 * kControllerPart.sector_size - 1], 0xFF);
  EXPECT_EQ(flash.window()[3 * kControllerPart.sector_size], 0);
}

TEST(FlashDriver, EraseRangeErasesWholeBlocksAtOnce) {
  native::NativeFlash flash;
  constexpr std::uint32_t kSector = kControllerPart.sector_size;
  constexpr std::uint32_t kBlock = kControllerPart.block_size;
  std::ranges::fill(flash.window().first(5 * kBlock), std::uint8_t{0});
  // Two sectors, two blocks, one sector.
  ASSERT_EQ(erase_range(flash, kBlock - 2 * kSector, 2 * kBlock + 3 * kSector), Status::kOk);
  EXPECT_EQ(flash.model().sequence(), 5u);
  EXPECT_EQ(flash.window()[kBlock - 2 * kSector - 1], 0);
  EXPECT_THAT(flash.window().subspan(kBlock - 2 * kSector, 2 * kBlock + 3 * kSector), testing::Each(0xFF));
  EXPECT_EQ(flash.window()[3 * kBlock + kSector], 0);
  for (std::uint32_t at = kBlock - 2 * kSector; at < 3 * kBlock + kSector; at += kSector)
    EXPECT_EQ(flash.model().erase_count(at), 1u) << at;
  EXPECT_EQ(flash.model().erase_count(3 * kBlock + kSector), 0u);
}

TEST(FlashDriver, APartWithoutBlocksErasesSectorsAndTakesThemForBlocks) {
  native::NativeFlash flash(1, kSpiNorPart);
  ASSERT_EQ(erase_range(flash, 0, 2 * kSpiNorPart.sector_size), Status::kOk);
  EXPECT_EQ(flash.model().sequence(), 2u);
  EXPECT_EQ(flash.erase_block(kSpiNorPart.sector_size), Status::kOk);
  EXPECT_EQ(flash.erase_block(1), Status::kUnaligned);
  EXPECT_EQ(flash.erase_block(kSpiNorPart.size), Status::kOutOfRange);
  EXPECT_EQ(flash.erase_block(0xFFFF'0000), Status::kOutOfRange);
  EXPECT_EQ(flash.model().erase_block(0), Status::kBadCommand) << "the chip knows no such command";
  EXPECT_EQ(flash.model().sequence(), 3u);
}

TEST(FlashDriver, EraseRangeRefusesBadRangesBeforeErasing) {
  native::NativeFlash flash;
  EXPECT_EQ(erase_range(flash, 1, kControllerPart.sector_size), Status::kUnaligned);
  EXPECT_EQ(erase_range(flash, 0, kControllerPart.sector_size + 1), Status::kUnaligned);
  EXPECT_EQ(erase_range(flash, kControllerPart.sector_size, 0xFFFF'F000), Status::kOutOfRange);
  EXPECT_EQ(flash.model().sequence(), 0u);
}

TEST(FlashDriver, EraseRangeStopsAtTheFirstFailure) {
  native::NativeFlash flash;
  flash.model().cut_power_at({.operation = 2, .bytes = 0});
  EXPECT_EQ(erase_range(flash, 0, 3 * kControllerPart.sector_size), Status::kNoDevice);
  EXPECT_EQ(flash.model().sequence(), 2u);
}

}  // namespace
}  // namespace flash
