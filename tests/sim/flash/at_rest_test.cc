// Charge that is lost in time, and the one bit that somebody names.
#include "sim/flash/at_rest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/sim/flash/temporary_folder.h"

namespace otasim::flash_file {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint32_t kSlot = ::flash::kSlotB.offset;
constexpr std::uint32_t kSector = ::flash::kControllerPart.sector_size;

class RetentionTest : public testing::Test {
 protected:
  [[nodiscard]] std::vector<RottenBit> rotten(const BitRot& what) {
    auto bits = rot(flash, cells, what);
    EXPECT_TRUE(bits) << bits.error().message;
    return bits.value_or(std::vector<RottenBit>{});
  }
  std::string refusal(const BitRot& what) {
    const auto bits = rot(flash, cells, what);
    return bits ? "done" : bits.error().message;
  }
  void fill(std::uint32_t offset, std::uint32_t length, std::uint8_t value) {
    std::ranges::fill(flash.bytes().subspan(offset, length), value);
  }

  TemporaryFolder folder;
  FlashFile flash = FlashFile::create(folder.file("flash.bin")).value();
  FaultFile cells = FaultFile::prepare(folder.file("flash.faults")).value();
};

TEST_F(RetentionTest, TheProbabilityFollowsItsFormula) {
  EXPECT_DOUBLE_EQ((Retention{.hours = 0}).probability(0), 0.0);
  EXPECT_NEAR((Retention{.hours = 100, .rate = 1e-6}).probability(0), 1e-4, 1e-8);
  EXPECT_NEAR((Retention{.hours = 100, .rate = 1e-6}).probability(10'000), 2e-4, 1e-7) << "worn";
  // exp(1.1 / 8.617e-5 * (1/328.15 - 1/398.15)) = 931
  EXPECT_NEAR((Retention{.hours = 1, .celsius = 125, .rate = 1e-9}).probability(0), 931e-9, 10e-9);
  EXPECT_LT((Retention{.hours = 100, .celsius = 25, .rate = 1e-6}).probability(0), 1e-5) << "cold";
  EXPECT_NEAR((Retention{.hours = 1e9, .rate = 1.0}).probability(0), 1.0, 1e-12);
}

TEST_F(RetentionTest, ProgrammedCellsLoseTheirChargeAndOthersHaveNone) {
  fill(kSlot, kSector, 0x0F);
  const auto lost = rotten({.range = {.partition = "slot-b", .length_bytes = kSector},
                            .retention = Retention{.hours = 1000, .rate = 1e-4},
                            .seed = 3});
  // 16,384 programmed bits, each with 1 - exp(-0.1).
  EXPECT_NEAR(static_cast<double>(lost.size()), 16'384 * 0.0952, 200);
  EXPECT_TRUE(std::ranges::is_sorted(lost));
  for (const RottenBit& one : lost) {
    EXPECT_GE(one.bit, 4) << "the lower half of each byte is erased";
    EXPECT_NE(flash.bytes()[one.offset] & (1 << one.bit), 0);
  }
}

TEST_F(RetentionTest, WornSectorsLoseMore) {
  fill(kSlot, 2 * kSector, 0);
  ::flash::CellState state = cells.load_cells();
  state.erase_counts[kSlot / kSector + 1] = 90'000;
  cells.store_cells(state);
  const auto lost = rotten({.range = {.partition = "slot-b", .length_bytes = 2 * kSector},
                            .retention = Retention{.hours = 1, .rate = 0.01}});
  const auto in_worn =
      std::ranges::count_if(lost, [](const RottenBit& one) { return one.offset >= kSlot + kSector; });
  EXPECT_NEAR(static_cast<double>(lost.size()) - static_cast<double>(in_worn), 32'768 * 0.00995, 100);
  EXPECT_NEAR(static_cast<double>(in_worn), 32'768 * 0.0952, 300);
}

TEST_F(RetentionTest, AllAreLostInTheEndAndNoneAtOnce) {
  fill(kSlot, 64, 0);
  EXPECT_THAT(rotten({.range = {.offset = kSlot, .length_bytes = 64}, .retention = Retention{.hours = 0}}),
              IsEmpty());
  EXPECT_EQ(rotten({.range = {.offset = kSlot, .length_bytes = 64},
                    .retention = Retention{.hours = 1e9, .celsius = 300, .rate = 1.0}})
                .size(),
            512U);
  const auto read = flash.bytes().subspan(kSlot, 64);
  EXPECT_THAT(std::vector<std::uint8_t>(read.begin(), read.end()), Each(0xFF));
}

TEST_F(RetentionTest, EqualSeedsLoseTheSame) {
  const BitRot what{.range = {.offset = kSlot, .length_bytes = kSector},
                    .retention = Retention{.hours = 1, .rate = 0.01},
                    .seed = 8};
  fill(kSlot, kSector, 0);
  const auto first = rotten(what);
  fill(kSlot, kSector, 0);
  EXPECT_EQ(rotten(what), first);
}

TEST_F(RetentionTest, TheNamedBitRotsAndIsFirm) {
  fill(kSlot + 5, 1, 0xF0);
  ::flash::CellState state = cells.load_cells();
  state.weaken(kSlot + 5, 0x81);
  cells.store_cells(state);
  EXPECT_THAT(rotten({.range = {.partition = "slot-b", .offset = 5}, .bit = 7}),
              ElementsAre(RottenBit{kSlot + 5, 7}));
  EXPECT_EQ(flash.bytes()[kSlot + 5], 0x70);
  EXPECT_EQ(cells.load_cells().marginal_bits(kSlot + 5), 0x01);
}

TEST_F(RetentionTest, WhatContradictsItselfIsRefused) {
  const FlashRange byte{.offset = kSlot, .length_bytes = 1};
  EXPECT_THAT(refusal({.range = byte, .bit = 1, .retention = Retention{}}), HasSubstr("either one bit"));
  EXPECT_THAT(refusal({.range = byte, .bit = 8}), HasSubstr("0 to 7"));
  EXPECT_THAT(refusal({.range = byte, .bit = 1, .direction = BitRot::Direction::kLost}),
              HasSubstr("cannot rot in this direction"));
  EXPECT_THAT(refusal({.range = byte, .retention = Retention{.hours = -1}}), HasSubstr("not negative"));
  EXPECT_THAT(refusal({.range = byte, .retention = Retention{.hours = std::nan("")}}),
              HasSubstr("not negative"));
  EXPECT_THAT(refusal({.range = byte, .retention = Retention{.celsius = -300}}), HasSubstr("that cold"));
  EXPECT_THAT(refusal({.range = byte, .retention = Retention{}, .direction = BitRot::Direction::kGained}),
              HasSubstr("they gain none"));
  EXPECT_EQ(flash.bytes()[kSlot], 0xFF);
}

}  // namespace
}  // namespace otasim::flash_file
