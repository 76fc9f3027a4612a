// Power cuts in the NOR model: at every byte, and what happens afterwards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "pal_sim/flash/nor_model.h"
#include "qemu_boards/native/native_flash.h"

namespace flash {
namespace {

using ::testing::Each;

class PowerCut : public testing::Test {
 protected:
  // A cut at `bytes` in the next operation.
  void cut_next(std::uint32_t bytes) {
    model_.cut_power_at({.operation = model_.sequence() + 1, .bytes = bytes});
  }

  native::NativeFlash flash_;
  NorModel& model_ = flash_.model();
  std::vector<std::uint8_t> page_ = std::vector<std::uint8_t>(kPageSize, 0x3C);
};

TEST_F(PowerCut, ProgramStopsAtEveryByte) {
  const auto cells = flash_.window().subspan(kPageSize, kPageSize);
  for (std::uint32_t bytes = 0; bytes <= kPageSize; ++bytes) {
    std::ranges::fill(cells, std::uint8_t{0xF0});
    cut_next(bytes);
    ASSERT_EQ(model_.program(kPageSize, page_), Status::kNoDevice);
    ASSERT_THAT(cells.first(bytes), Each(0x30)) << "cut at " << bytes;
    ASSERT_THAT(cells.subspan(bytes), Each(0xF0)) << "cut at " << bytes;
    model_.power_on();
  }
}

TEST_F(PowerCut, EraseStopsAtEveryByte) {
  const auto cells = flash_.window().subspan(kControllerPart.sector_size, kControllerPart.sector_size);
  for (std::uint32_t bytes = 0; bytes <= kControllerPart.sector_size; ++bytes) {
    std::ranges::fill(cells, std::uint8_t{0});
    cut_next(bytes);
    ASSERT_EQ(model_.erase_sector(kControllerPart.sector_size), Status::kNoDevice);
    const auto first_old = std::ranges::find(cells, 0);
    ASSERT_EQ(first_old - cells.begin(), bytes);
    ASSERT_TRUE(std::all_of(first_old, cells.end(), [](int b) { return b == 0; })) << "cut at " << bytes;
    model_.power_on();
  }
}

TEST_F(PowerCut, OtpBurnStopsAtItsByte) {
  cut_next(2);
  ASSERT_EQ(model_.otp_program(0, std::span(page_).first(4)), Status::kNoDevice);
  EXPECT_THAT(flash_.window().subspan(kOtpOffset, 2), Each(0x3C));
  EXPECT_THAT(flash_.window().subspan(kOtpOffset + 2, 2), Each(0xFF));
}

TEST_F(PowerCut, MoreBytesThanTheOperationMeansAfterIt) {
  cut_next(0xFFFF'FFFF);
  EXPECT_EQ(model_.program(0, page_), Status::kNoDevice);
  EXPECT_THAT(flash_.window().first(kPageSize), Each(0x3C));
  EXPECT_FALSE(model_.powered());
}

TEST_F(PowerCut, StrikesTheChosenOperationOnly) {
  model_.cut_power_at({.operation = 3, .bytes = 0});
  EXPECT_EQ(model_.program(0, page_), Status::kOk);
  EXPECT_EQ(model_.program(kControllerPart.size, page_), Status::kOutOfRange) << "refused: not an operation";
  EXPECT_EQ(model_.program(kPageSize, page_), Status::kOk);
  EXPECT_EQ(model_.program(2 * kPageSize, page_), Status::kNoDevice);
  EXPECT_EQ(flash_.window()[2 * kPageSize], 0xFF);
  EXPECT_EQ(model_.sequence(), 3u);
}

TEST_F(PowerCut, EverythingAfterItIsDiscarded) {
  model_.cut_power_now();
  const std::vector<std::uint8_t> before(flash_.window().begin(), flash_.window().end());
  std::vector<std::uint8_t> out(4, 9);
  EXPECT_EQ(flash_.program(0, page_), Status::kNoDevice);
  EXPECT_EQ(flash_.erase_sector(0), Status::kNoDevice);
  EXPECT_EQ(flash_.lock(0, kControllerPart.sector_size), Status::kNoDevice);
  EXPECT_EQ(flash_.otp_program(0, page_), Status::kNoDevice);
  EXPECT_EQ(flash_.otp_lock(), Status::kNoDevice);
  EXPECT_EQ(flash_.read(0, out), Status::kNoDevice);
  EXPECT_EQ(flash_.otp_read(0, out), Status::kNoDevice);
  EXPECT_EQ(flash_.entropy(out), Status::kNoDevice);
  EXPECT_THAT(out, Each(9));
  EXPECT_TRUE(std::ranges::equal(before, flash_.window()));
  model_.reset();
  EXPECT_EQ(flash_.program(0, page_), Status::kNoDevice) << "a reset is not power";
}

TEST_F(PowerCut, PowerOnRestoresServiceAndClearsLocksAndPlan) {
  ASSERT_EQ(flash_.lock(0, kControllerPart.sector_size), Status::kOk);
  ASSERT_EQ(flash_.otp_lock(), Status::kOk);
  model_.cut_power_at({.operation = 4, .bytes = 0});
  model_.cut_power_now();
  model_.power_on();
  EXPECT_EQ(flash_.program(0, page_), Status::kOk);
  EXPECT_EQ(flash_.otp_program(0, page_), Status::kOk);
  EXPECT_EQ(model_.sequence(), 4u) << "the count goes on, and the old plan no longer strikes";
}

TEST_F(PowerCut, TornEraseCountsAsWear) {
  cut_next(1);
  ASSERT_EQ(model_.erase_sector(0), Status::kNoDevice);
  EXPECT_EQ(model_.erase_count(0), 1u);
}

TEST_F(PowerCut, ObserverLearnsHowMuchWasApplied) {
  struct Last : OpObserver {
    void on_operation(const Operation& operation) override {
      applied = operation.applied;
      status = operation.status;
    }
    std::uint32_t applied = 0;
    Status status = Status::kOk;
  } last;
  model_.set_observer(&last);
  cut_next(17);
  ASSERT_EQ(model_.program(0, page_), Status::kNoDevice);
  EXPECT_EQ(last.applied, 17u);
  EXPECT_EQ(last.status, Status::kNoDevice);
}

}  // namespace
}  // namespace flash
