#include "sim/flash/back_end.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otasim::flash_file {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(BackEnd, TheControllerExpressesEveryFault) {
  for (const FaultSupport& row : fault_support()) EXPECT_TRUE(row.controller.is_possible) << row.fault;
}

TEST(BackEnd, WhatIsNotPossibleSaysWhy) {
  for (const FaultSupport& row : fault_support()) {
    for (const BackEnd back_end : {BackEnd::kController, BackEnd::kSpiNor}) {
      const Support& support = row.on(back_end);
      EXPECT_TRUE(support.is_possible || !support.note.empty()) << row.fault;
    }
  }
}

TEST(BackEnd, EveryFlashFaultIsInTheTable) {
  const FlashFault all[] = {PowerCut{}, ProgramFailure{}, EraseFailure{}, SilentDrop{}, StuckBits{},
                            Worn{},     Busy{},           Strict{},       ReadDisturb{}};
  static_assert(std::variant_size_v<FlashFault> == std::size(all));
  for (const FlashFault& fault : all) {
    EXPECT_TRUE(std::ranges::count(fault_support(), name_of(fault), &FaultSupport::fault) == 1)
        << name_of(fault);
  }
}

TEST(BackEnd, ArmingWhatABoardCannotExpressNamesBoardFaultAndReason) {
  EXPECT_TRUE(check(BackEnd::kController, "mps2-an385", EraseFailure{}));
  EXPECT_TRUE(check(BackEnd::kSpiNor, "emcraft-sf2", PowerCut{}));
  EXPECT_TRUE(
      check(BackEnd::kSpiNor, "emcraft-sf2", PowerCut{.operations = {.kind = flash::OpKind::kOtpProgram}}));
  EXPECT_TRUE(check(BackEnd::kSpiNor, "emcraft-sf2", "device.power_cut")) << "it is not the flash's";
  const auto refused = check(BackEnd::kSpiNor, "emcraft-sf2", EraseFailure{});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ExitCode::kUsage);
  EXPECT_THAT(
      refused.error().message,
      HasSubstr("flash.erase_failure is not possible on the board 'emcraft-sf2': the drive sees results"));
  const auto lock =
      check(BackEnd::kSpiNor, "emcraft-sf2", PowerCut{.operations = {.kind = flash::OpKind::kLock}});
  ASSERT_FALSE(lock);
  EXPECT_THAT(lock.error().message,
              HasSubstr("of the kind 'lock' is not possible on the board 'emcraft-sf2'"));
}

}  // namespace
}  // namespace otasim::flash_file
