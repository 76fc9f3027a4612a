// Marginal bits of the NOR model: what a torn operation leaves between 0 and 1.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "pal_sim/flash/nor_model.h"
#include "qemu_boards/native/native_flash.h"

namespace flash {
namespace {

using ::testing::Each;
using Bytes = std::vector<std::uint8_t>;

constexpr std::uint32_t kAll = kControllerPart.sector_size;
constexpr int kPowerOns = 40;

class MarginalBits : public testing::Test {
 protected:
  void tear_next(std::uint32_t bytes, std::uint32_t marginal_bytes) {
    model_.cut_power_at(
        {.operation = model_.sequence() + 1, .bytes = bytes, .marginal_bytes = marginal_bytes});
  }

  void tear_program(std::uint32_t offset, const Bytes& data, std::uint32_t bytes, std::uint32_t marginal) {
    tear_next(bytes, marginal);
    ASSERT_EQ(model_.program(offset, data), Status::kNoDevice);
    model_.power_on();
  }

  void tear_erase(std::uint32_t offset, std::uint32_t bytes, std::uint32_t marginal) {
    tear_next(bytes, marginal);
    ASSERT_EQ(model_.erase_sector(offset), Status::kNoDevice);
    model_.power_on();
  }

  [[nodiscard]] Bytes cells(std::uint32_t window_offset, std::uint32_t length) {
    const auto part = flash_.window().subspan(window_offset, length);
    return {part.begin(), part.end()};
  }

  /// What a range read over many power-ons, ORed and ANDed.
  struct Readings {
    Bytes ever_one;
    Bytes always_one;
    std::set<Bytes> different;
  };

  [[nodiscard]] Readings readings(std::uint32_t window_offset, std::uint32_t length) {
    Readings result{Bytes(length, 0), Bytes(length, 0xFF), {}};
    for (int i = 0; i < kPowerOns; ++i) {
      model_.power_on();
      const Bytes now = cells(window_offset, length);
      for (std::uint32_t at = 0; at < length; ++at) {
        result.ever_one[at] = static_cast<std::uint8_t>(result.ever_one[at] | now[at]);
        result.always_one[at] = static_cast<std::uint8_t>(result.always_one[at] & now[at]);
      }
      result.different.insert(now);
    }
    return result;
  }

  native::NativeFlash flash_;
  NorModel& model_ = flash_.model();
};

TEST_F(MarginalBits, ATornProgramLeavesJustTheBitsItWasClearing) {
  ASSERT_EQ(model_.program(16, Bytes(16, 0xF0)), Status::kOk);
  tear_program(16, Bytes(16, 0x3C), 4, 8);
  const Readings read = readings(15, 18);
  EXPECT_EQ(read.ever_one[0], 0xFF) << "the byte before it";
  EXPECT_EQ(read.always_one[0], 0xFF);
  for (std::uint32_t at = 1; at < 17; ++at) {
    const bool is_marginal = at >= 5 && at < 13;
    EXPECT_EQ(read.ever_one[at], at < 5 ? 0x30 : 0xF0) << "byte " << at;
    EXPECT_EQ(read.always_one[at], at < 5 || is_marginal ? 0x30 : 0xF0) << "byte " << at;
    EXPECT_EQ(model_.cell_state().marginal_bits(15 + at), is_marginal ? 0xC0 : 0) << "byte " << at;
  }
  EXPECT_EQ(read.always_one[17], 0xFF) << "the byte behind it";
}

TEST_F(MarginalBits, ATornEraseLeavesTheCellsThatWereZero) {
  ASSERT_EQ(model_.program(kControllerPart.sector_size, Bytes(8, 0xA5)), Status::kOk);
  ASSERT_EQ(model_.program(2 * kControllerPart.sector_size - 1, Bytes(1, 0x00)), Status::kOk);
  ASSERT_EQ(model_.program(2 * kControllerPart.sector_size, Bytes(1, 0x00)), Status::kOk);
  tear_erase(kControllerPart.sector_size, 2, kAll);
  const Readings read = readings(kControllerPart.sector_size, kControllerPart.sector_size + 1);
  EXPECT_THAT(Bytes(read.ever_one.begin(), read.ever_one.begin() + kControllerPart.sector_size), Each(0xFF));
  EXPECT_EQ(Bytes(read.always_one.begin(), read.always_one.begin() + 9),
            (Bytes{0xFF, 0xFF, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xFF}));
  EXPECT_EQ(read.always_one[kControllerPart.sector_size - 1], 0x00);
  EXPECT_EQ(read.ever_one[kControllerPart.sector_size], 0x00) << "the next sector";
}

TEST_F(MarginalBits, ATornBurnIsMarginalToo) {
  tear_next(1, 2);
  ASSERT_EQ(model_.otp_program(8, Bytes(4, 0x00)), Status::kNoDevice);
  const Readings read = readings(kOtpOffset + 8, 4);
  EXPECT_EQ(read.ever_one, (Bytes{0x00, 0xFF, 0xFF, 0xFF}));
  EXPECT_EQ(read.always_one, (Bytes{0x00, 0x00, 0x00, 0xFF}));
  ASSERT_EQ(model_.otp_program(8, Bytes(4, 0x00)), Status::kOk);
  EXPECT_EQ(readings(kOtpOffset + 8, 4).ever_one, Bytes(4, 0x00)) << "burning again makes it firm";
}

TEST_F(MarginalBits, ReadAsNeverBegunAsCompleteAndAsNeitherAtDifferentPowerOns) {
  const Bytes record(64, 0x00);
  tear_program(0, record, 0, kAll);
  const Readings read = readings(0, 64);
  EXPECT_TRUE(read.different.contains(Bytes(64, 0xFF)));
  EXPECT_TRUE(read.different.contains(record));
  EXPECT_GT(read.different.size(), 3u);
}

TEST_F(MarginalBits, HoldStillBetweenPowerOns) {
  tear_program(0, Bytes(64, 0x00), 0, kAll);
  const Bytes now = cells(0, 64);
  model_.reset();
  ASSERT_EQ(model_.program(128, Bytes(1, 0x00)), Status::kOk);
  Bytes read(64);
  ASSERT_EQ(model_.read(0, read), Status::kOk);
  EXPECT_EQ(read, now);
  EXPECT_EQ(cells(0, 64), now);
}

TEST_F(MarginalBits, AreFirmOnceProgrammedToZero) {
  tear_program(0, Bytes(4, 0x00), 0, kAll);
  ASSERT_EQ(model_.program(0, Bytes(4, 0x0F)), Status::kOk);
  EXPECT_THAT(readings(0, 4).ever_one, Each(0x0F));
  EXPECT_EQ(model_.cell_state().marginal_bits(0), 0x0F) << "programming a 1 gives no pulse";
  EXPECT_THAT(readings(0, 4).always_one, Each(0x00));
}

TEST_F(MarginalBits, AreFirmOnceErased) {
  tear_program(0, Bytes(4, 0x00), 0, kAll);
  tear_erase(0, 0, kAll);
  ASSERT_EQ(model_.erase_sector(0), Status::kOk);
  EXPECT_THAT(readings(0, kControllerPart.sector_size).always_one, Each(0xFF));
  EXPECT_TRUE(model_.cell_state().marginal.empty());
}

TEST_F(MarginalBits, StayMarginalWhenTornAgain) {
  tear_program(0, Bytes(4, 0x00), 0, kAll);
  tear_program(0, Bytes(4, 0x0F), 0, kAll);
  EXPECT_EQ(model_.cell_state().marginal_bits(0), 0xFF);
}

TEST_F(MarginalBits, ACutOfBytesAloneLeavesNone) {
  tear_program(0, Bytes(4, 0x00), 2, 0);
  tear_erase(0, 1, 0);
  EXPECT_TRUE(model_.cell_state().marginal.empty());
  EXPECT_EQ(readings(0, 4).different.size(), 1u);
}

TEST_F(MarginalBits, FollowFromSeedAndPowerOnsAlone) {
  const auto history = [](native::NativeFlash& flash) {
    flash.model().cut_power_at({.operation = 1, .bytes = 0, .marginal_bytes = kAll});
    static_cast<void>(flash.program(0, Bytes(kPageSize, 0x00)));
    Bytes all;
    for (int i = 0; i < kPowerOns; ++i) {
      flash.model().power_on();
      const auto page = flash.window().first(kPageSize);
      all.insert(all.end(), page.begin(), page.end());
    }
    return all;
  };
  native::NativeFlash other_seed(2);
  native::NativeFlash same_seed;
  Bytes entropy(32);
  ASSERT_EQ(same_seed.entropy(entropy), Status::kOk);
  const Bytes first = history(flash_);
  EXPECT_EQ(first, history(same_seed)) << "and not from the entropy served";
  EXPECT_NE(first, history(other_seed));
}

TEST_F(MarginalBits, RewindWithTheCellState) {
  tear_program(0, Bytes(kPageSize, 0x00), 0, kAll);
  const CellState state = model_.cell_state();
  const Bytes window = cells(0, kPageSize);
  const Readings first = readings(0, kPageSize);
  ASSERT_EQ(model_.erase_sector(0), Status::kOk);
  std::ranges::copy(window, flash_.window().begin());
  model_.set_cell_state(state);
  EXPECT_EQ(model_.erase_count(0), 0u);
  EXPECT_EQ(readings(0, kPageSize).different, first.different);
}

TEST_F(MarginalBits, CellsThatLostChargeAtRest) {
  ASSERT_EQ(model_.program(0, Bytes(2, 0x55)), Status::kOk);
  model_.weaken(1, 0x0F);
  const Readings read = readings(0, 3);
  EXPECT_EQ(read.ever_one, (Bytes{0x55, 0x5F, 0xFF}));
  EXPECT_EQ(read.always_one, (Bytes{0x55, 0x50, 0xFF}));
}

using MarginalBitsDeathTest = MarginalBits;

TEST_F(MarginalBitsDeathTest, OnlyCellsCanBeMarginalOrStuck) {
  EXPECT_DEATH(model_.weaken(kRegistersOffset, 1), "only cells can be weak");
  EXPECT_DEATH(model_.weaken(kOtpOffset + kOtpSize, 1), "only cells can be weak");
  EXPECT_DEATH(model_.stick(kOtpOffset + kOtpSize, {1, 1}), "only cells can be stuck");
}

}  // namespace
}  // namespace flash
