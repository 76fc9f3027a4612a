#include "pal_sim/flash/flash_controller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace flash {
namespace {

using ::testing::Each;
using namespace controller;

class Controller : public testing::Test {
 protected:
  Controller() : window_(kWindowSize), model_(formatted(window_)), controller_(model_) {}

  static Window formatted(Window window) {
    format_window(window);
    return window;
  }

  Status run(std::uint32_t command, std::uint32_t offset, std::uint32_t length) {
    write_register(window_, kRegOffset, offset);
    write_register(window_, kRegLength, length);
    write_register(window_, kRegStatus, 0xDEAD'BEEF);
    write_register(window_, kRegCommand, command);
    controller_.ring();
    return static_cast<Status>(read_register(window_, kRegStatus));
  }

  std::span<std::uint8_t> page_buffer() { return std::span(window_).subspan(kPageBufferOffset, kPageSize); }

  std::vector<std::uint8_t> window_;
  NorModel model_;
  FlashController controller_;
};

TEST_F(Controller, NewPartIdentifiesItself) {
  EXPECT_EQ(read_register(window_, kRegId), kId);
  EXPECT_EQ(read_register(window_, kRegVersion), kVersion);
  EXPECT_EQ(read_register(window_, kRegArraySize), kControllerPart.size);
  EXPECT_EQ(read_register(window_, kRegSectorSize), kControllerPart.sector_size);
  EXPECT_EQ(read_register(window_, kRegBlockSize), kControllerPart.block_size);
  EXPECT_EQ(read_register(window_, kRegPageSize), kPageSize);
  EXPECT_EQ(read_register(window_, kRegOtpSize), kOtpSize);
  EXPECT_EQ(read_register(window_, kRegFeatures), kFeatureLocks | kFeatureFuses | kFeatureEntropy);
  EXPECT_EQ(part_of(window_), kControllerPart);
}

TEST_F(Controller, RegistersAreLittleEndianInTheWindow) {
  EXPECT_EQ(window_[kRegistersOffset + 0], 'O');
  EXPECT_EQ(window_[kRegistersOffset + 1], 'T');
  EXPECT_EQ(window_[kRegistersOffset + 2], 'F');
  EXPECT_EQ(window_[kRegistersOffset + 3], 'C');
}

TEST_F(Controller, AnyDamageToTheIdentificationIsNoticed) {
  for (const std::uint32_t reg : {kRegId, kRegVersion, kRegArraySize, kRegSectorSize, kRegBlockSize,
                                  kRegPageSize, kRegOtpSize, kRegFeatures}) {
    const std::uint32_t good = read_register(window_, reg);
    write_register(window_, reg, good ^ 1);
    EXPECT_FALSE(part_of(window_)) << "register " << reg;
    write_register(window_, reg, good);
  }
  EXPECT_FALSE(part_of(std::span(window_).first(kWindowSize - 1)));
}

TEST_F(Controller, EveryKindOfPartIsToldFromTheOthers) {
  for (const Geometry& part : kParts) {
    format_window(window_, part);
    EXPECT_EQ(part_of(window_), part);
  }
  // The one's sectors with the other's array are no part.
  write_register(window_, kRegSectorSize, kControllerPart.sector_size);
  EXPECT_FALSE(part_of(window_));
  format_window(window_);
}

TEST_F(Controller, ProgramsFromThePageBuffer) {
  std::ranges::fill(page_buffer(), std::uint8_t{0xA5});
  EXPECT_EQ(run(kProgram, 0x10'0010, 3), Status::kOk);
  EXPECT_THAT(std::span(window_).subspan(0x10'0010, 3), Each(0xA5));
  EXPECT_EQ(window_[0x10'0013], 0xFF);
  EXPECT_EQ(read_register(window_, kRegSequence), 1u);
}

TEST_F(Controller, ErasesASector) {
  window_[kControllerPart.sector_size + 5] = 0;
  EXPECT_EQ(run(kEraseSector, kControllerPart.sector_size, 0), Status::kOk);
  EXPECT_EQ(window_[kControllerPart.sector_size + 5], 0xFF);
}

TEST_F(Controller, ErasesABlockInOneOperation) {
  const std::uint32_t block = kControllerPart.block_size;
  std::ranges::fill(std::span(window_).subspan(block - 1, block + 2), std::uint8_t{0});
  EXPECT_EQ(run(kEraseBlock, block, 0), Status::kOk);
  EXPECT_EQ(window_[block - 1], 0);
  EXPECT_THAT(std::span(window_).subspan(block, block), Each(0xFF));
  EXPECT_EQ(window_[2 * block], 0);
  EXPECT_EQ(read_register(window_, kRegSequence), 1u);
}

TEST_F(Controller, RefusesBlocksThatAreNone) {
  EXPECT_EQ(run(kEraseBlock, kControllerPart.sector_size, 0), Status::kUnaligned);
  EXPECT_EQ(run(kEraseBlock, 0xFF'0000, 0), Status::kOutOfRange) << "the array ends within it";
  EXPECT_EQ(run(kEraseBlock, 0xFFFF'0000, 0), Status::kOutOfRange);
  EXPECT_EQ(read_register(window_, kRegSequence), 0u);
}

TEST_F(Controller, TakesItsTimeIfItIsTold) {
  controller_.set_busy_times({.program_instructions = 100, .erase_instructions = 1000});
  page_buffer()[0] = 0x11;
  EXPECT_EQ(run(kProgram, 0, 1), Status::kBusy);
  EXPECT_EQ(window_[0], 0x11) << "the cells have changed all the same";
  controller_.advance(99);
  EXPECT_EQ(read_register(window_, kRegStatus), static_cast<std::uint32_t>(Status::kBusy));
  controller_.advance(1);
  EXPECT_EQ(read_register(window_, kRegStatus), static_cast<std::uint32_t>(Status::kOk));
  EXPECT_EQ(run(kEraseBlock, 0, 0), Status::kBusy);
  controller_.advance(100);
  EXPECT_EQ(read_register(window_, kRegStatus), static_cast<std::uint32_t>(Status::kBusy));
  controller_.advance(0xFFFF'FFFF);
  EXPECT_EQ(read_register(window_, kRegStatus), static_cast<std::uint32_t>(Status::kOk));
  controller_.advance(1);
  EXPECT_EQ(run(kLock, 0, kControllerPart.sector_size), Status::kOk) << "no cells, no time";
  EXPECT_EQ(run(kEraseSector, 0, 0), Status::kProtected) << "nor does a refusal take any";
}

TEST_F(Controller, AFailureIsToldWhenTheTimeIsOver) {
  controller_.set_busy_times({.erase_instructions = 10});
  model_.plan_failure({});
  EXPECT_EQ(run(kEraseSector, 0, 0), Status::kBusy);
  controller_.advance(10);
  EXPECT_EQ(read_register(window_, kRegStatus), static_cast<std::uint32_t>(Status::kEraseFailed));
  EXPECT_EQ(run(kProgram, 0, 1), Status::kProgramFailed) << "programs take no time here";
}

TEST_F(Controller, ACommandWhileItIsBusyIsNotCarriedOut) {
  controller_.set_busy_times({.program_instructions = 50, .erase_instructions = 50});
  EXPECT_EQ(run(kEraseSector, 0, 0), Status::kBusy);
  EXPECT_EQ(run(kProgram, 0, 1), Status::kBusy);
  EXPECT_EQ(window_[0], 0xFF);
  EXPECT_EQ(model_.sequence(), 1u);
  controller_.advance(50);
  EXPECT_EQ(read_register(window_, kRegStatus), static_cast<std::uint32_t>(Status::kBadCommand));
}

TEST_F(Controller, PowerLossEndsTheTimeAndSoDoesTheFaultsEnd) {
  controller_.set_busy_times({.erase_instructions = 50});
  EXPECT_EQ(run(kEraseSector, 0, 0), Status::kBusy);
  model_.power_on();
  EXPECT_EQ(read_register(window_, kRegStatus), 0u);
  controller_.advance(50);
  EXPECT_EQ(run(kEraseSector, 0, 0), Status::kBusy);
  controller_.set_busy_times({});
  EXPECT_EQ(read_register(window_, kRegStatus), static_cast<std::uint32_t>(Status::kOk));
  EXPECT_EQ(run(kEraseSector, 0, 0), Status::kOk);
}

TEST_F(Controller, WithoutTimesWhatStandsInTheBusyRegisterIsNoTime) {
  write_register(window_, kRegBusyLeft, 1000);
  EXPECT_EQ(run(kEraseSector, 0, 0), Status::kOk);
}

TEST_F(Controller, BurnsAndLocksOtp) {
  page_buffer()[0] = 0x7F;
  EXPECT_EQ(run(kOtpProgram, 4, 1), Status::kOk);
  EXPECT_EQ(window_[kOtpOffset + 4], 0x7F);
  EXPECT_EQ(run(kOtpLock, 0, 0), Status::kOk);
  EXPECT_EQ(run(kOtpProgram, 5, 1), Status::kProtected);
  EXPECT_EQ(window_[kOtpOffset + 5], 0xFF);
}

TEST_F(Controller, LocksUntilReset) {
  EXPECT_EQ(run(kLock, kSlotA.offset, kSlotA.size), Status::kOk);
  EXPECT_EQ(run(kEraseSector, kSlotA.offset, 0), Status::kProtected);
  clear_volatile_state(window_);
  EXPECT_EQ(run(kEraseSector, kSlotA.offset, 0), Status::kOk);
}

TEST_F(Controller, FillsThePageBufferWithEntropy) {
  EXPECT_EQ(run(kEntropy, 0, 16), Status::kOk);
  EXPECT_THAT(page_buffer().first(16), testing::Contains(testing::Ne(0)));
  EXPECT_THAT(page_buffer().subspan(16), Each(0));
  EXPECT_EQ(read_register(window_, kRegEntropyCount), 1u);
  EXPECT_EQ(read_register(window_, kRegSequence), 0u);
}

TEST_F(Controller, DoorbellWithoutACommandIsABadCommand) {
  EXPECT_EQ(run(kEraseSector, 0, 0), Status::kOk);
  controller_.ring();
  EXPECT_EQ(read_register(window_, kRegStatus), static_cast<std::uint32_t>(Status::kBadCommand));
  EXPECT_EQ(model_.erase_count(0), 1u) << "the last command is not repeated";
}

TEST_F(Controller, UnknownCommandsChangeNothing) {
  const auto array = std::vector<std::uint8_t>(window_.begin(), window_.begin() + kRegistersOffset);
  for (const std::uint32_t command : {8u, 9u, 0x101u, 0x8000'0001u, 0xFFFF'FFFFu}) {
    EXPECT_EQ(run(command, 0, 1), Status::kBadCommand) << command;
  }
  EXPECT_TRUE(std::equal(array.begin(), array.end(), window_.begin()));
  EXPECT_EQ(read_register(window_, kRegSequence), 0u);
}

TEST_F(Controller, HostileOperandsAreRefused) {
  EXPECT_EQ(run(kProgram, 0, 0xFFFF'FFFF), Status::kOutOfRange);
  EXPECT_EQ(run(kProgram, 0xFFFF'FFFF, 0xFFFF'FFFF), Status::kOutOfRange);
  EXPECT_EQ(run(kProgram, 0xFFFF'FFFF, 1), Status::kOutOfRange);
  EXPECT_EQ(run(kProgram, 0, kPageSize + 1), Status::kUnaligned);
  EXPECT_EQ(run(kProgram, 1, kPageSize), Status::kUnaligned);
  EXPECT_EQ(run(kEraseSector, 0xFFFF'F000, 0), Status::kOutOfRange);
  EXPECT_EQ(run(kEraseSector, kRegistersOffset, 0), Status::kOutOfRange);
  EXPECT_EQ(run(kOtpProgram, 0, 0xFFFF'FFFF), Status::kOutOfRange);
  EXPECT_EQ(run(kOtpProgram, 0xFFFF'FFFF, 1), Status::kOutOfRange);
  EXPECT_EQ(run(kOtpProgram, 0, kPageSize + 1), Status::kOutOfRange);
  EXPECT_EQ(run(kLock, 0xFFFF'F000, 0x2000), Status::kOutOfRange);
  EXPECT_EQ(run(kEntropy, 0, kPageSize + 1), Status::kOutOfRange);
  EXPECT_EQ(run(kEntropy, 0, 0xFFFF'FFFF), Status::kOutOfRange);
  EXPECT_EQ(read_register(window_, kRegSequence), 0u);
}

TEST_F(Controller, PowerCutFreezesTheWindow) {
  model_.cut_power_at({.operation = 1, .bytes = 10});
  std::ranges::fill(page_buffer(), std::uint8_t{0});
  EXPECT_EQ(run(kProgram, 0, 20), static_cast<Status>(0xDEAD'BEEF)) << "nobody is left to write a status";
  EXPECT_EQ(std::ranges::count(std::span(window_).first(20), 0), 10);
  EXPECT_EQ(run(kEraseSector, 0, 0), static_cast<Status>(0xDEAD'BEEF));
  EXPECT_EQ(std::ranges::count(std::span(window_).first(20), 0), 10);
}

TEST_F(Controller, PowerOnClearsOperandsStatusAndPageBuffer) {
  std::ranges::fill(page_buffer(), std::uint8_t{0x77});
  EXPECT_EQ(run(kProgram, 7, 9), Status::kOk);
  EXPECT_EQ(run(kProgram, kControllerPart.size, 9), Status::kOutOfRange);
  model_.power_on();
  for (const std::uint32_t reg : {kRegCommand, kRegStatus, kRegOffset, kRegLength}) {
    EXPECT_EQ(read_register(window_, reg), 0u) << "register " << reg;
  }
  EXPECT_THAT(page_buffer(), Each(0));
  EXPECT_EQ(read_register(window_, kRegSequence), 1u);
}

}  // namespace
}  // namespace flash
