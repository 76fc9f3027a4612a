// The other kind of part: 64 KiB sectors, no locks, no fuses, no entropy source.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "pal_sim/flash/nor_model.h"
#include "qemu_boards/native/native_flash.h"

namespace flash {
namespace {

using ::testing::Each;

class SpiNorPart : public testing::Test {
 protected:
  std::span<std::uint8_t> sector(std::uint32_t index) {
    return flash_.window().subspan(index * kSpiNorPart.sector_size, kSpiNorPart.sector_size);
  }

  native::NativeFlash flash_{1, kSpiNorPart};
  NorModel& model_ = flash_.model();
};

TEST_F(SpiNorPart, SaysWhatItIs) {
  EXPECT_EQ(flash_.geometry(), kSpiNorPart);
  EXPECT_EQ(part_of(flash_.window()), kSpiNorPart);
}

TEST_F(SpiNorPart, ErasesOneWholeSectorOf64KiB) {
  std::ranges::fill(flash_.window().first(0x3'0000), std::uint8_t{0});
  EXPECT_EQ(flash_.erase_sector(0x1000), Status::kUnaligned);
  ASSERT_EQ(flash_.erase_sector(0x1'0000), Status::kOk);
  EXPECT_THAT(sector(0), Each(0));
  EXPECT_THAT(sector(1), Each(0xFF));
  EXPECT_THAT(sector(2), Each(0));
  EXPECT_EQ(model_.erase_count(0x1'FFFF), 1U);
  EXPECT_EQ(model_.erase_count(0x2'0000), 0U);
}

TEST_F(SpiNorPart, AnEraseCanBeCutAtAnyByteOfTheSector) {
  for (const std::uint32_t bytes : {0U, 1U, 0x1000U, 0xFFFFU, 0x1'0000U}) {
    std::ranges::fill(sector(3), std::uint8_t{0});
    model_.cut_power_at({model_.sequence() + 1, bytes});
    ASSERT_EQ(flash_.erase_sector(0x3'0000), Status::kNoDevice);
    model_.power_on();
    EXPECT_THAT(sector(3).first(bytes), Each(0xFF));
    EXPECT_THAT(sector(3).subspan(bytes), Each(0));
  }
}

TEST_F(SpiNorPart, TornCellsOfOneSectorAreDrawnTogether) {
  // Two bytes 4 KiB apart stand in one sector: with all or none of the marginal cells reading 0 they agree.
  std::ranges::fill(sector(0), std::uint8_t{0});
  model_.cut_power_at({.operation = model_.sequence() + 1, .bytes = 0, .marginal_bytes = 0x1'0000});
  ASSERT_EQ(flash_.erase_sector(0), Status::kNoDevice);
  int uniform = 0;
  for (int boot = 0; boot < 20; ++boot) {
    model_.power_on();
    const auto cells = sector(0);
    const bool is_uniform = std::ranges::all_of(cells, [&](std::uint8_t cell) { return cell == cells[0]; });
    uniform += is_uniform ? 1 : 0;
  }
  EXPECT_GT(uniform, 0);
  EXPECT_LT(uniform, 20);
}

TEST_F(SpiNorPart, EndsBeforeTheSectorOfTheBank) {
  constexpr std::array<std::uint8_t, 1> kZero{0};
  EXPECT_EQ(flash_.program(0xFE'FFFF, kZero), Status::kOk);
  EXPECT_EQ(flash_.program(0xFF'0000, kZero), Status::kOutOfRange);
  EXPECT_EQ(flash_.erase_sector(0xFF'0000), Status::kOutOfRange)
      << "the floor against downgrades stands there";
  EXPECT_EQ(flash_.erase_sector(0xFE'0000), Status::kOk);
  std::array<std::uint8_t, 1> out{};
  EXPECT_EQ(flash_.read(0xFF'0000, out), Status::kOutOfRange);
}

TEST_F(SpiNorPart, BurnsItsBankAtTheSamePlace) {
  constexpr std::array<std::uint8_t, 2> kData{0xF0, 0x00};
  ASSERT_EQ(flash_.otp_program(7, kData), Status::kOk);
  EXPECT_EQ(flash_.window()[kOtpOffset + 7], 0xF0);
  EXPECT_EQ(flash_.window()[kOtpOffset + 8], 0x00);
  EXPECT_EQ(flash_.otp_program(7, std::array<std::uint8_t, 1>{0xFF}), Status::kOk);
  EXPECT_EQ(flash_.window()[kOtpOffset + 7], 0xF0) << "bits do not come back";
}

TEST_F(SpiNorPart, HasNoLocksAndNoEntropySource) {
  EXPECT_EQ(flash_.lock(0, 0x1'0000), Status::kBadCommand);
  EXPECT_EQ(flash_.otp_lock(), Status::kBadCommand);
  EXPECT_EQ(flash_.otp_program(0, std::array<std::uint8_t, 1>{0}), Status::kOk);
  std::array<std::uint8_t, 16> out{};
  EXPECT_EQ(flash_.entropy(out), Status::kBadCommand);
  EXPECT_THAT(out, Each(0));
}

}  // namespace
}  // namespace flash
