// Stores that are no commands: what is taken back, and what is not the guard's to take back.
#include "sim/flash/store_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace otasim::flash_file {
namespace {

using ::testing::Each;

class StoreGuardTest : public testing::Test {
 protected:
  static flash::Window formatted(flash::Window window) {
    flash::format_window(window);
    return window;
  }
  /// What a store of the processor does.
  std::optional<StoredCells> store(std::int64_t at, std::uint32_t length, std::uint8_t value = 0) {
    for (std::int64_t i = std::max<std::int64_t>(at, 0); i < at + length && i < flash::kWindowSize; ++i)
      window_[static_cast<std::size_t>(i)] = value;
    return guard_.take_back(at, length);
  }

  std::vector<std::uint8_t> window_ = std::vector<std::uint8_t>(flash::kWindowSize);
  flash::NorModel model_{formatted(window_)};
  StoreGuard guard_{model_};
};

TEST_F(StoreGuardTest, AStoreIntoTheArrayIsTakenBack) {
  EXPECT_EQ(store(0x10'0000, 4), (StoredCells{0x10'0000, 4}));
  EXPECT_THAT(std::span(window_).subspan(0x10'0000, 4), Each(0xFF));
}

TEST_F(StoreGuardTest, SoIsOneIntoTheOtpBank) {
  EXPECT_EQ(store(flash::kOtpOffset + flash::kOtpSize - 1, 1),
            (StoredCells{flash::kOtpOffset + flash::kOtpSize - 1, 1}));
  EXPECT_EQ(window_[flash::kOtpOffset + flash::kOtpSize - 1], 0xFF);
}

TEST_F(StoreGuardTest, RegistersPageBufferAndWhatLiesBesideTheWindowAreLeftAlone) {
  EXPECT_EQ(store(flash::kRegistersOffset, 4, 7), std::nullopt);
  EXPECT_EQ(store(flash::kPageBufferOffset, 8, 7), std::nullopt);
  EXPECT_EQ(store(flash::kOtpOffset + flash::kOtpSize, 4, 7), std::nullopt);
  EXPECT_EQ(window_[flash::kPageBufferOffset], 7);
  EXPECT_EQ(guard_.take_back(-4, 4), std::nullopt);
  EXPECT_EQ(guard_.take_back(flash::kWindowSize, 8), std::nullopt);
  EXPECT_EQ(guard_.take_back(-0x2100'0000, 4), std::nullopt);
  EXPECT_EQ(guard_.take_back(0xFFFF'0000, 4), std::nullopt);
}

TEST_F(StoreGuardTest, OfAStoreOverAnEndTheCellsAreTakenBack) {
  EXPECT_EQ(store(-2, 4), (StoredCells{0, 2}));
  EXPECT_EQ(window_[0], 0xFF);
  const std::uint32_t end = flash::kOtpOffset + flash::kOtpSize;
  EXPECT_EQ(store(end - 2, 4, 9), (StoredCells{end - 2, 2}));
  EXPECT_EQ(window_[end - 1], 0xFF);
  EXPECT_EQ(window_[end], 9);
}

TEST_F(StoreGuardTest, WhatCommandsChangedStays) {
  model_.set_observer(&guard_);
  const std::vector<std::uint8_t> page(16, 0x21);
  ASSERT_EQ(model_.program(0x40'0000, page), flash::Status::kOk);
  ASSERT_EQ(model_.otp_program(3, page), flash::Status::kOk);
  EXPECT_TRUE(store(0x40'0000, 16));
  EXPECT_TRUE(store(flash::kOtpOffset + 3, 16));
  EXPECT_THAT(std::span(window_).subspan(0x40'0000, 16), Each(0x21));
  EXPECT_THAT(std::span(window_).subspan(flash::kOtpOffset + 3, 16), Each(0x21));
  ASSERT_EQ(model_.erase_block(0x40'0000), flash::Status::kOk);
  EXPECT_TRUE(store(0x40'0000, 16));
  EXPECT_THAT(std::span(window_).subspan(0x40'0000, 16), Each(0xFF));
}

TEST_F(StoreGuardTest, ARefusedOperationAnywhereIsNoMatter) {
  model_.set_observer(&guard_);
  ASSERT_EQ(model_.erase_sector(0xFFFF'F000), flash::Status::kOutOfRange);
  ASSERT_EQ(model_.execute({.kind = flash::OpKind::kProgram, .offset = 0xFFFF'FFFF, .length = 0xFFFF'FFFF}),
            flash::Status::kOutOfRange);
  ASSERT_EQ(
      model_.execute({.kind = flash::OpKind::kOtpProgram, .offset = 0xFF00'3000, .length = 0xFFFF'FFFF}),
      flash::Status::kOutOfRange);
  EXPECT_TRUE(store(0, 4));
  EXPECT_THAT(std::span(window_).first(4), Each(0xFF));
}

}  // namespace
}  // namespace otasim::flash_file
