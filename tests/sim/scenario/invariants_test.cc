// Each invariant holds of a run in which all went well, and fails of exactly its own defect.
#include "sim/scenario/invariants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pal_sim/flash/flash_map.h"
#include "pal_sim/flash/window.h"
#include "tests/sim/scenario/sound_run.h"

namespace otasim::scenario {
namespace {

using flash::OpKind;
using nlohmann::json;
using test::boot_event;
using test::execution_event;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// A place of the array that belongs to nobody.
constexpr std::uint32_t kNoMansLand = 0x08'0000;
static_assert(kNoMansLand >= flash::kSeed1.end() && kNoMansLand < flash::kSlotA.offset);

class Invariants : public testing::Test, protected test::SoundRun {
 protected:
  std::vector<std::string> broken(const std::set<std::string>& waived = {}) const {
    return broken_invariants(evidence, waived);
  }
  void boots(CleanBoot boot) { device().boots = {boot, boot}; }
  /// An operation that the log has, and, if it took effect, the flash too.
  void operate(flash::LoggedOperation operation) {
    const std::uint32_t at = operation.offset;
    for (std::uint32_t i = 0; i < operation.applied; ++i) {
      if (operation.kind == OpKind::kProgram) device().flash[at + i] &= operation.data[i];
    }
    if (operation.kind == OpKind::kEraseSector)
      std::fill_n(device().flash.begin() + at, operation.applied, 0xFF);
    device().op_log->operations.push_back(std::move(operation));
  }
  void program(std::uint32_t offset, Bytes data) {
    const auto length = static_cast<std::uint32_t>(data.size());
    operate({.offset = offset, .length = length, .applied = length, .data = std::move(data)});
  }
  void erase(std::uint32_t offset) {
    operate({.kind = OpKind::kEraseSector,
             .offset = offset,
             .length = flash::kControllerPart.sector_size,
             .applied = flash::kControllerPart.sector_size,
             .data = {}});
  }
};

TEST_F(Invariants, HoldOfASoundRun) {
  EXPECT_THAT(broken(), IsEmpty());
}

TEST_F(Invariants, HoldOfARunWithoutAnUpdate) {
  forget_update();
  EXPECT_THAT(broken(), IsEmpty());
}

// ---- S1: an approved image, or the fail-safe mode

TEST_F(Invariants, S1IsBrokenIfAnotherImageThanTheApprovedOneStarts) {
  boots({.slot = "A", .version = "1.0.0", .state = "committed"});
  EXPECT_THAT(
      broken(),
      ElementsAre("S1: thing-1: the flash approves 1.0.1 in slot B, but after 2 clean boots 1.0.0 runs "
                  "from slot A"));
}

TEST_F(Invariants, S1IsBrokenIfTheRightSlotStartsAsAnotherVersion) {
  boots({.slot = "B", .version = "1.0.2", .state = "committed"});
  EXPECT_THAT(broken(), ElementsAre(StartsWith("S1: thing-1: the flash approves 1.0.1 in slot B")));
}

TEST_F(Invariants, S1IsBrokenIfNothingStartsThoughAnImageIsApproved) {
  boots({});
  EXPECT_THAT(
      broken(),
      ElementsAre("S1: thing-1: the flash approves 1.0.1 in slot B, but after 2 clean boots nothing runs "
                  "from slot none"));
}

TEST_F(Invariants, S1HoldsInTheFailSafeMode) {
  damage(flash::kSlotB.offset + 1000, 1);
  boots({.slot = "recovery", .version = "0.0.1", .state = "recovery"});
  EXPECT_THAT(broken(), IsEmpty());
}

TEST_F(Invariants, S1IsBrokenIfTheFailSafeModeIsNotReached) {
  damage(flash::kSlotB.offset + 1000, 1);
  boots({});
  EXPECT_THAT(broken(), ElementsAre(StartsWith("S1: thing-1: the flash approves 0.0.1 in slot recovery")));
}

// ---- S2: nothing starts that the host cannot verify

TEST_F(Invariants, S2HoldsIfTheDeviceHaltsWhereNothingVerifies) {
  damage(flash::kSlotB.offset + 1000, 1);
  damage(flash::kRecovery.offset + 1000, 1);
  boots({});
  EXPECT_THAT(broken(), IsEmpty());
}

TEST_F(Invariants, S2IsBrokenIfSomethingStartsWhereNothingVerifies) {
  damage(flash::kSlotB.offset + 1000, 1);
  damage(flash::kRecovery.offset + 1000, 1);
  boots({.slot = "B", .version = "1.0.1", .state = "committed"});
  EXPECT_THAT(
      broken(),
      ElementsAre("S2: thing-1: 1.0.1 started from slot B, but the host finds no image there that may"));
}

TEST_F(Invariants, S2IsBrokenIfAnImageStartsThatDoesNotVerify) {
  damage(flash::kSlotB.offset + 1000, 1);
  boots({.slot = "B", .version = "1.0.1", .state = "committed"});
  EXPECT_THAT(broken(),
              ElementsAre(StartsWith("S1: "),
                          StartsWith("S2: thing-1: 1.0.1 started from slot B, whose bytes do not verify")));
}

// ---- S3: no way back below the committed security counter

TEST_F(Invariants, S3IsBrokenIfAnImageWithALowerCounterStartsAfterTheCommit) {
  evidence.events.push_back(
      boot_event("verify", {{"slot", "A"}, {"version", "1.0.0"}, {"counter", 1}, {"result", "ok"}}));
  evidence.events.push_back(
      boot_event("start", {{"slot", "A"}, {"version", "1.0.0"}, {"state", "committed"}}));
  EXPECT_THAT(broken(),
              ElementsAre("S3: thing-1: 1.0.0 with security counter 1 started after 2 was committed"));
}

TEST_F(Invariants, S3IsBrokenIfAnImageStartsThatWasNotVerified) {
  evidence.events.push_back(boot_event("commit", {{"slot", "B"}, {"counter", 3}, {"result", "ok"}}));
  evidence.events.push_back(boot_event("start", {{"slot", "B"}, {"version", "1.0.1"}}));
  EXPECT_THAT(broken(),
              ElementsAre("S3: thing-1: 1.0.1 with security counter 2 started after 3 was committed"));
}

TEST_F(Invariants, S3HoldsForTheRecoveryImageAndForACommitThatWasPutOff) {
  evidence.events.push_back(boot_event("commit", {{"counter", 9}, {"result", "put-off"}}));
  evidence.events.push_back(boot_event("start", {{"slot", "B"}, {"version", "1.0.1"}}));
  evidence.events.push_back(boot_event("verify", {{"slot", "recovery"}, {"counter", 0}, {"result", "ok"}}));
  evidence.events.push_back(boot_event("start", {{"slot", "recovery"}, {"version", "0.0.1"}}));
  EXPECT_THAT(broken(), IsEmpty());
}

TEST_F(Invariants, S3IsADevicesOwn) {
  json other = boot_event("commit", {{"counter", 9}, {"result", "ok"}});
  other["device"] = "thing-2";
  evidence.events.push_back(other);
  evidence.events.push_back(boot_event("start", {{"slot", "B"}, {"version", "1.0.1"}}));
  EXPECT_THAT(broken(), IsEmpty());
}

// ---- S4: what the cloud says is what the flash holds

TEST_F(Invariants, S4IsBrokenIfAJobFailedWhoseImageIsApproved) {
  evidence.events.push_back(execution_event("FAILED", "x"));
  EXPECT_THAT(broken(), ElementsAre("S4: thing-1: the job AFR_OTA-u1 FAILED, but its image is approved"));
}

TEST_F(Invariants, S4IsBrokenIfAJobSucceededWhoseImageIsNotApproved) {
  forget_update();
  evidence.events.push_back(execution_event("SUCCEEDED", "accepted"));
  EXPECT_THAT(
      broken(),
      ElementsAre("S4: thing-1: the job AFR_OTA-u1 SUCCEEDED, but the flash does not approve its image"));
}

TEST_F(Invariants, S4HoldsIfAJobFailedAndTheOldImageRuns) {
  forget_update();
  evidence.events.push_back(execution_event("FAILED", "refused"));
  EXPECT_THAT(broken(), IsEmpty());
}

TEST_F(Invariants, S4HoldsOfTheLastUpdateThatSucceeded) {
  // Another update was offered first and is over; the flash holds what came after it.
  evidence.updates["AFR_OTA-u0"] = "factory";
  evidence.events.insert(evidence.events.begin(), execution_event("SUCCEEDED", "", "AFR_OTA-u0"));
  EXPECT_THAT(broken(), IsEmpty());
}

TEST_F(Invariants, S4GoesByWhatSucceededLastNotByWhatWasOfferedLast) {
  evidence.updates["AFR_OTA-u2"] = "factory";
  evidence.events.insert(evidence.events.begin() + 4, execution_event("QUEUED", "", "AFR_OTA-u2"));
  evidence.events.insert(evidence.events.begin() + 5, execution_event("SUCCEEDED", "", "AFR_OTA-u2"));
  EXPECT_THAT(broken(), IsEmpty()) << "u2 was offered after u1, but u1 succeeded after it";
}

TEST_F(Invariants, S4IsOfUpdatesOnly) {
  forget_update();
  evidence.events.push_back(execution_event("SUCCEEDED", "", "a-job-of-another-kind"));
  EXPECT_THAT(broken(), IsEmpty());
}

TEST_F(Invariants, S4IsNotAskedOfFlashThatWasDamaged) {
  damage(flash::kSlotB.offset + 1000, 1);
  boots({.slot = "recovery", .version = "0.0.1", .state = "recovery"});
  EXPECT_THAT(broken(), IsEmpty());
}

// ---- S5: the op log

TEST_F(Invariants, S5IsBrokenWithoutAnOpLog) {
  device().op_log.reset();
  EXPECT_THAT(broken(), ElementsAre("S5: thing-1: its op log cannot be read"));
}

TEST_F(Invariants, S5IsBrokenByAWriteToWhatIsNotTheDevices) {
  program(kNoMansLand, {0x00});
  EXPECT_THAT(broken(), ElementsAre(AllOf(StartsWith("S5: thing-1: operation "),
                                          HasSubstr("changed flash at 0x80000"))));
}

TEST_F(Invariants, S5IsBrokenByAnEraseOfWhatIsNotTheDevices) {
  erase(kNoMansLand);
  EXPECT_THAT(broken(), ElementsAre(AllOf(StartsWith("S5: thing-1: operation "),
                                          HasSubstr("changed flash at 0x80000"))));
}

TEST_F(Invariants, S5IsBrokenByAWriteThatLeavesItsPartition) {
  program(flash::kSlotB.end() - 1, {0xFF, device().flash[flash::kRecovery.offset]});
  EXPECT_THAT(broken(), ElementsAre(HasSubstr("changed flash at 0x6fffff")));
}

TEST_F(Invariants, S5HoldsForAWriteThatWasRefused) {
  operate({.offset = flash::kProvisioning0.offset,
           .length = 1,
           .status = flash::Status::kProtected,
           .data = {0}});
  operate({.kind = OpKind::kEraseSector,
           .offset = kNoMansLand,
           .length = flash::kControllerPart.sector_size,
           .status = flash::Status::kProtected,
           .data = {}});
  EXPECT_THAT(broken(), IsEmpty());
}

TEST_F(Invariants, S5HoldsForTheCalendar) {
  erase(flash::kCalendar0.offset);
  program(flash::kCalendar0.offset, {0x12, 0x34});
  erase(flash::kCalendar1.offset);
  EXPECT_THAT(broken(), IsEmpty());
}

TEST_F(Invariants, S5IsBrokenByAWriteToTheSeedUnlessThePartHasNoEntropySource) {
  program(flash::kSeed1.offset, {0x12});
  EXPECT_THAT(broken(), ElementsAre(HasSubstr("changed flash at 0x70000")));
  Bytes spi_nor(flash::kWindowSize);
  flash::format_window(spi_nor, flash::kSpiNorPart);
  std::copy(spi_nor.begin() + flash::kRegistersOffset, spi_nor.end(),
            device().factory_flash.begin() + flash::kRegistersOffset);
  EXPECT_THAT(broken(), IsEmpty());
}

TEST_F(Invariants, S5IsBrokenByAProgramOntoCellsThatAreNotErased) {
  const std::uint32_t at = flash::kSlotB.offset + flash::kSlotSize - 256;
  program(at, {0x0F});
  EXPECT_THAT(broken(), IsEmpty());
  program(at, {0xF0});
  EXPECT_THAT(broken(), ElementsAre(HasSubstr("programmed 0x6fff00, which was not erased")));
}

TEST_F(Invariants, S5IsBrokenByAByteThatTheLogDoesNotAccountFor) {
  device().flash[flash::kSlotB.end() - 1] = 0xFE;
  EXPECT_THAT(broken(),
              ElementsAre("S5: thing-1: flash holds 0xfe at 0x6fffff, the op log accounts for 0xff"));
}

TEST_F(Invariants, S5IsBrokenByAnOperationThatLeftNoTrace) {
  device().op_log->operations.push_back(
      {.offset = flash::kSlotB.end() - 1, .length = 1, .applied = 1, .data = {0x11}});
  EXPECT_THAT(broken(),
              ElementsAre("S5: thing-1: flash holds 0xff at 0x6fffff, the op log accounts for 0x11"));
}

TEST_F(Invariants, S5DoesNotCompareFlashThatWasDamaged) {
  damage(flash::kSlotA.offset + 1000, 1);
  EXPECT_THAT(broken(), IsEmpty());
}

TEST_F(Invariants, S5DoesNotCompareMarginalCells) {
  const std::uint32_t at = flash::kSlotB.end() - 16;
  device().flash[at] = 0xFE;
  device().marginal = {{at - 3, 4}};
  EXPECT_THAT(broken(), IsEmpty());
  device().marginal = {{at - 3, 3}, {at + 1, 10}};
  EXPECT_THAT(broken(), ElementsAre(HasSubstr("flash holds 0xfe at 0x6ffff0")));
}

TEST_F(Invariants, S5IsBrokenByMoreErasesThanTheUpdatesExplain) {
  // The factory's image and one update, begun at most once more after each of two resets.
  const std::uint64_t most = 2ULL * 3 * (2ULL * (flash::kSlotSize / flash::kControllerPart.sector_size) + 64);
  const auto is_erase = [](const flash::LoggedOperation& one) { return one.kind == OpKind::kEraseSector; };
  auto count = static_cast<std::uint64_t>(std::ranges::count_if(device().op_log->operations, is_erase));
  for (; count < most; ++count) erase(flash::kSlotB.end() - flash::kControllerPart.sector_size);
  EXPECT_THAT(broken(), IsEmpty());
  erase(flash::kSlotB.end() - flash::kControllerPart.sector_size);
  EXPECT_THAT(broken(), ElementsAre("S5: thing-1: 9601 sectors were erased for 1 updates"));
}

TEST_F(Invariants, S5CountsABlocksSectors) {
  const std::uint32_t block = flash::kControllerPart.block_size;
  const auto erase_block = [&] {
    const std::uint32_t at = flash::kSlotB.end() - block;
    std::fill_n(device().flash.begin() + at, block, 0xFF);
    device().op_log->operations.push_back(
        {.kind = OpKind::kEraseBlock, .offset = at, .length = block, .applied = block, .data = {}});
  };
  erase_block();
  EXPECT_THAT(broken(), IsEmpty());
  for (int i = 0; i < 600; ++i) erase_block();
  EXPECT_THAT(broken(), ElementsAre(HasSubstr("sectors were erased for 1 updates")));
}

TEST_F(Invariants, S5IsBrokenByABlockThatLeavesItsPartition) {
  device().op_log->operations.push_back({.kind = OpKind::kEraseBlock,
                                         .offset = flash::kRecovery.offset,
                                         .length = flash::kControllerPart.block_size,
                                         .applied = 1,
                                         .data = {}});
  EXPECT_THAT(broken({"S6"}), testing::Contains(HasSubstr("changed flash at 0x700000, which is no slot")));
}

TEST_F(Invariants, S5IsBrokenByADirectStore) {
  evidence.events.push_back({{"source", "flash"},
                             {"event", "direct_store"},
                             {"device", "thing-1"},
                             {"pc", 0x1234},
                             {"offset", 0x400000},
                             {"length_bytes", 4}});
  evidence.events.push_back(evidence.events.back());
  EXPECT_THAT(broken(),
              ElementsAre("S5: thing-1: 0x1234 stored 4 bytes into flash at 0x400000 without a command"));
}

// ---- S6: what never changes

TEST_F(Invariants, S6IsBrokenIfProvisioningOrTheRecoverySlotHasChanged) {
  for (const flash::Partition* part : {&flash::kProvisioning0, &flash::kProvisioning1, &flash::kRecovery}) {
    std::uint8_t& last = device().flash[part->end() - 1];
    last = 0;
    EXPECT_THAT(broken({"S5"}), ElementsAre("S6: thing-1: " + std::string(part->name) + " has changed"));
    last = 0xFF;
  }
  EXPECT_THAT(broken(), IsEmpty());
}

TEST_F(Invariants, S6IsBrokenIfABurnedBitIsBack) {
  const auto burned =
      std::ranges::find_if(device().factory_flash.begin() + flash::kOtpOffset, device().factory_flash.end(),
                           [](std::uint8_t byte) { return byte != 0xFF; });
  const auto at = static_cast<std::uint32_t>(burned - device().factory_flash.begin());
  ASSERT_LT(at, flash::kOtpOffset + flash::kOtpSize) << "the factory has burned a floor";
  device().flash[at] = 0xFF;
  EXPECT_THAT(broken({"S5"}), ElementsAre(StartsWith("S6: thing-1: a burned bit of OTP is back at 0x")));
  device().flash_was_damaged = true;
  EXPECT_THAT(broken(), ElementsAre(StartsWith("S6: "))) << "no fault does that at rest";
}

// ---- what a device says of itself may be anything

TEST_F(Invariants, AreJudgedWhateverABootLineHolds) {
  evidence.events.push_back(boot_event("verify", {{"slot", 5}, {"counter", "x"}, {"result", 1}}));
  evidence.events.push_back(boot_event("commit", {{"result", "ok"}, {"counter", "x"}}));
  evidence.events.push_back(boot_event("start", {{"slot", 5}, {"version", 1}}));
  evidence.events.push_back(
      {{"source", "flash"}, {"event", "direct_store"}, {"device", "thing-2"}, {"pc", "x"}});
  EXPECT_THAT(broken(), ElementsAre(StartsWith("S3: thing-1: ")))
      << "a start of no slot is one of an image with no security counter";
}

// ---- L2: boots converge

TEST_F(Invariants, L2IsBrokenIfTheLastTwoBootsDiffer) {
  device().boots = {{.slot = "B", .version = "1.0.1", .state = "committed"},
                    {.slot = "A", .version = "1.0.0", .state = "committed"},
                    {.slot = "B", .version = "1.0.1", .state = "committed"}};
  EXPECT_THAT(broken(),
              ElementsAre("L2: thing-1: 3 clean boots did not come to the same image twice in a row"));
}

TEST_F(Invariants, L2NeedsTwoBoots) {
  device().boots.resize(1);
  EXPECT_THAT(broken(), ElementsAre(StartsWith("L2: thing-1: 1 clean boots")));
}

// ---- waivers and fleets

TEST_F(Invariants, OnlyTheWaivedAreNotJudged) {
  boots({.slot = "A", .version = "1.0.0", .state = "committed"});
  evidence.events.push_back(execution_event("FAILED", "x"));
  EXPECT_THAT(broken(), ElementsAre(StartsWith("S1"), StartsWith("S4")));
  EXPECT_THAT(broken({"S1"}), ElementsAre(StartsWith("S4")));
  EXPECT_THAT(broken({"S1", "S4"}), IsEmpty());
  EXPECT_THAT(broken({"L2"}), ElementsAre(StartsWith("S1"), StartsWith("S4")));
}

TEST_F(Invariants, EachDeviceIsJudgedOnItsOwn) {
  DeviceEvidence second = device();
  second.name = "thing-2";
  second.op_log.reset();
  evidence.devices.push_back(std::move(second));
  EXPECT_THAT(broken(), ElementsAre("S5: thing-2: its op log cannot be read"));
}

}  // namespace
}  // namespace otasim::scenario
