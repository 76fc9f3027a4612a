// Operations of the NOR model that fail: planned ones, those of a worn sector, and stuck cells.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "pal_sim/flash/nor_model.h"
#include "qemu_boards/native/native_flash.h"

namespace flash {
namespace {

using ::testing::Each;
using Bytes = std::vector<std::uint8_t>;

class FailingFlash : public testing::Test {
 protected:
  std::uint8_t at(std::uint32_t window_offset) { return flash_.window()[window_offset]; }
  std::span<std::uint8_t> cells(std::uint32_t window_offset, std::uint32_t length) {
    return flash_.window().subspan(window_offset, length);
  }

  native::NativeFlash flash_;
  NorModel& model_ = flash_.model();
  const Bytes page_ = Bytes(kPageSize, 0x3C);
};

using PlannedFailures = FailingFlash;

TEST_F(PlannedFailures, AProgramFailsWithSomeOfItsBytes) {
  model_.plan_failure({.operation = 2, .bytes = 3});
  ASSERT_EQ(model_.program(0, page_), Status::kOk);
  EXPECT_EQ(model_.program(kPageSize, page_), Status::kProgramFailed);
  EXPECT_THAT(cells(kPageSize, 3), Each(0x3C));
  EXPECT_THAT(cells(kPageSize + 3, kPageSize), Each(0xFF));
  EXPECT_EQ(model_.program(kPageSize, page_), Status::kOk) << "only that one operation fails";
  EXPECT_EQ(model_.sequence(), 3u) << "what fails was accepted";
}

TEST_F(PlannedFailures, AnEraseFailsWithSomeOfItsBytes) {
  std::ranges::fill(cells(0, kControllerPart.sector_size), std::uint8_t{0});
  model_.plan_failure({.kind = OpKind::kEraseSector, .bytes = 100, .marginal_bytes = 10});
  EXPECT_EQ(model_.erase_sector(0), Status::kEraseFailed);
  EXPECT_THAT(cells(0, 100), Each(0xFF));
  EXPECT_THAT(cells(100, kControllerPart.sector_size - 100), Each(0));
  EXPECT_EQ(model_.cell_state().marginal.size(), 10u);
  EXPECT_EQ(model_.cell_state().marginal_bits(100), 0xFF);
  EXPECT_EQ(model_.program(0, page_), Status::kOk) << "programs are not of that kind";
  EXPECT_TRUE(model_.powered());
}

TEST_F(PlannedFailures, ABurnFails) {
  model_.plan_failure({.begin = kOtpOffset + 4, .end = kOtpOffset + 5});
  EXPECT_EQ(model_.otp_program(0, Bytes(4, 0)), Status::kOk);
  EXPECT_EQ(model_.otp_program(5, Bytes(4, 0)), Status::kOk);
  EXPECT_EQ(model_.otp_program(2, Bytes(3, 0)), Status::kProgramFailed);
  EXPECT_EQ(at(kOtpOffset + 4), 0xFF);
  EXPECT_EQ(model_.program(4, Bytes(1, 0)), Status::kOk) << "the array's offset 4 is another cell";
}

TEST_F(PlannedFailures, ARangeFailsEachTimeUntilForgotten) {
  model_.plan_failure({.begin = kPageSize, .end = kPageSize + 1});
  EXPECT_EQ(model_.program(0, page_), Status::kOk);
  EXPECT_EQ(model_.program(2 * kPageSize, page_), Status::kOk);
  EXPECT_EQ(model_.program(kPageSize, page_), Status::kProgramFailed);
  EXPECT_EQ(model_.erase_sector(0), Status::kEraseFailed) << "its sector has that byte";
  EXPECT_EQ(model_.erase_sector(kControllerPart.sector_size), Status::kOk);
  model_.power_on();
  EXPECT_EQ(model_.program(kPageSize, page_), Status::kProgramFailed) << "power does not mend it";
  model_.forget_failures();
  EXPECT_EQ(model_.program(kPageSize, page_), Status::kOk);
}

TEST_F(PlannedFailures, ASilentOneReportsSuccess) {
  model_.plan_failure({.operation = 1, .is_silent = true});
  EXPECT_EQ(model_.program(0, page_), Status::kOk);
  EXPECT_THAT(cells(0, kPageSize), Each(0xFF)) << "the program was dropped";
  EXPECT_EQ(model_.program(0, page_), Status::kOk);
  EXPECT_THAT(cells(0, kPageSize), Each(0x3C));
}

TEST_F(PlannedFailures, RefusalsAndLocksDoNotFail) {
  model_.plan_failure({});
  EXPECT_EQ(model_.erase_sector(1), Status::kUnaligned);
  EXPECT_EQ(model_.lock(0, kControllerPart.sector_size), Status::kOk);
  EXPECT_EQ(model_.otp_lock(), Status::kOk);
  EXPECT_EQ(model_.program(0, page_), Status::kProtected);
}

TEST_F(PlannedFailures, APowerCutInTheSameOperationComesFirst) {
  model_.plan_failure({.operation = 1, .bytes = 100});
  model_.cut_power_at({.operation = 1, .bytes = 7});
  EXPECT_EQ(model_.program(0, page_), Status::kNoDevice);
  EXPECT_FALSE(model_.powered());
  EXPECT_THAT(cells(0, 7), Each(0x3C));
  EXPECT_THAT(cells(7, kPageSize), Each(0xFF));
}

TEST_F(PlannedFailures, TheFirstOfSeveralCounts) {
  model_.plan_failure({.operation = 1, .bytes = 1});
  model_.plan_failure({.bytes = 2, .is_silent = true});
  EXPECT_EQ(model_.program(0, page_), Status::kProgramFailed);
  EXPECT_EQ(at(1), 0xFF);
}

TEST_F(PlannedFailures, TheObserverLearnsOfThem) {
  struct Last : OpObserver {
    void on_operation(const Operation& operation) override {
      applied = operation.applied;
      status = operation.status;
    }
    std::uint32_t applied = 0;
    Status status = Status::kOk;
  } last;
  model_.set_observer(&last);
  model_.plan_failure({.operation = 1, .bytes = 5});
  model_.plan_failure({.operation = 2, .bytes = 6, .is_silent = true});
  ASSERT_EQ(model_.program(0, page_), Status::kProgramFailed);
  EXPECT_EQ(last.applied, 5u);
  EXPECT_EQ(last.status, Status::kProgramFailed);
  ASSERT_EQ(model_.program(0, page_), Status::kOk);
  EXPECT_EQ(last.applied, 6u);
  EXPECT_EQ(last.status, Status::kOk);
}

using WornFlash = FailingFlash;

TEST_F(WornFlash, StandsItsErasesThenFailsThemAndItsPrograms) {
  model_.set_endurance(3);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(model_.erase_sector(0), Status::kOk);
  ASSERT_EQ(model_.program(0, page_), Status::kOk) << "the last erase was a good one";
  EXPECT_EQ(model_.erase_sector(0), Status::kEraseFailed);
  EXPECT_EQ(model_.program(kPageSize, page_), Status::kProgramFailed);
  EXPECT_THAT(cells(0, kPageSize), Each(0x3C)) << "what it holds still reads";
  EXPECT_EQ(at(kPageSize), 0xFF);
  EXPECT_EQ(model_.erase_count(0), 4u) << "failed ones count";
}

TEST_F(WornFlash, ABlockWearsEachOfItsSectorsAndFailsWithAnyOfThem) {
  const std::uint32_t sector = kControllerPart.sector_size;
  model_.set_endurance(2);
  ASSERT_EQ(model_.erase_block(0), Status::kOk);
  EXPECT_EQ(model_.erase_count(15 * sector), 1u);
  EXPECT_EQ(model_.erase_count(16 * sector), 0u);
  ASSERT_EQ(model_.erase_sector(7 * sector), Status::kOk);
  ASSERT_EQ(model_.program(0, page_), Status::kOk);
  EXPECT_EQ(model_.erase_block(0), Status::kEraseFailed);
  EXPECT_THAT(cells(0, kPageSize), Each(0x3C)) << "it changes nothing";
  EXPECT_EQ(model_.program(7 * sector, page_), Status::kProgramFailed);
  EXPECT_EQ(model_.program(8 * sector, page_), Status::kOk) << "only the worn one fails";
}

TEST_F(WornFlash, OtherSectorsAndTheOtpBankAreNotTouched) {
  model_.set_endurance(1);
  for (int i = 0; i < 2; ++i) static_cast<void>(model_.erase_sector(0));
  EXPECT_EQ(model_.erase_sector(kControllerPart.sector_size), Status::kOk);
  EXPECT_EQ(model_.program(kControllerPart.sector_size, page_), Status::kOk);
  EXPECT_EQ(model_.otp_program(0, Bytes(1, 0)), Status::kOk);
  model_.power_on();
  EXPECT_EQ(model_.erase_sector(0), Status::kEraseFailed) << "power does not mend it";
}

TEST_F(WornFlash, IsWithoutEndUnlessAsked) {
  CellState old;
  old.erase_counts[0] = 0xFFFF'FFFE;
  model_.set_cell_state(old);
  EXPECT_EQ(model_.erase_sector(0), Status::kOk);
  EXPECT_EQ(model_.program(0, page_), Status::kOk);
  model_.set_endurance(100'000);
  EXPECT_EQ(model_.program(0, page_), Status::kProgramFailed);
}

TEST_F(WornFlash, APowerCutInAFailingEraseChangesNothing) {
  model_.set_endurance(0);
  ASSERT_EQ(model_.program(0, page_), Status::kOk);
  model_.cut_power_at({.operation = 2, .bytes = kControllerPart.sector_size});
  EXPECT_EQ(model_.erase_sector(0), Status::kNoDevice);
  EXPECT_THAT(cells(0, kPageSize), Each(0x3C));
}

using StuckCells = FailingFlash;

TEST_F(StuckCells, ReadTheirValueWhateverIsDone) {
  model_.stick(0, {.bits = 0x81, .values = 0x80});
  EXPECT_EQ(at(0), 0xFE) << "at once";
  EXPECT_EQ(model_.program(0, Bytes(2, 0x00)), Status::kOk) << "the part does not notice";
  EXPECT_EQ(at(0), 0x80);
  EXPECT_EQ(at(1), 0x00);
  EXPECT_EQ(model_.erase_sector(0), Status::kOk);
  EXPECT_EQ(at(0), 0xFE);
  EXPECT_EQ(at(1), 0xFF);
}

TEST_F(StuckCells, AreNeverMarginal) {
  model_.weaken(0, 0xFF);
  model_.stick(0, {.bits = 0x0F, .values = 0x05});
  EXPECT_EQ(model_.cell_state().marginal_bits(0), 0xF0);
  model_.cut_power_at({.operation = 1, .bytes = 0, .marginal_bytes = 1});
  ASSERT_EQ(model_.program(0, Bytes(1, 0x00)), Status::kNoDevice);
  for (int i = 0; i < 20; ++i) {
    model_.power_on();
    ASSERT_EQ(at(0) & 0x0F, 0x05);
  }
}

TEST_F(StuckCells, CanBeInTheOtpBank) {
  model_.stick(kOtpOffset, {.bits = 0x01, .values = 0x01});
  EXPECT_EQ(model_.otp_program(0, Bytes(1, 0x00)), Status::kOk);
  EXPECT_EQ(at(kOtpOffset), 0x01);
}

/// Strikes each operation that it is asked about with what it was given.
class EveryOperation : public FaultSource {
 public:
  explicit EveryOperation(OperationFault fault) : fault_(fault) {}
  std::optional<OperationFault> fault_of(const Request& /*request*/, std::uint32_t sequence) override {
    asked_.push_back(sequence);
    return fault_;
  }
  std::vector<std::uint32_t> asked_;

 private:
  OperationFault fault_;
};

using FaultSources = FailingFlash;

TEST_F(FaultSources, AreAskedOnceForEachAcceptedOperation) {
  EveryOperation source({.kind = OperationFault::Kind::kSilentFailure, .bytes = 3});
  model_.set_fault_source(&source);
  EXPECT_EQ(model_.program(0, page_), Status::kOk);
  EXPECT_EQ(model_.erase_sector(1), Status::kUnaligned);
  EXPECT_EQ(model_.lock(0, 0), Status::kOk);
  EXPECT_THAT(source.asked_, testing::ElementsAre(1, 2));
  EXPECT_THAT(cells(0, 3), Each(0x3C));
  EXPECT_THAT(cells(3, kPageSize), Each(0xFF));
  model_.set_fault_source(nullptr);
  EXPECT_EQ(model_.program(0, page_), Status::kOk);
  EXPECT_EQ(source.asked_.size(), 2U);
}

TEST_F(FaultSources, APlannedFailureComesFirstAndAPowerCutAnyway) {
  EveryOperation failure({.kind = OperationFault::Kind::kFailure, .bytes = 3});
  model_.set_fault_source(&failure);
  model_.plan_failure({.operation = 1, .bytes = 9, .is_silent = true});
  EXPECT_EQ(model_.program(0, page_), Status::kOk);
  EXPECT_THAT(cells(0, 9), Each(0x3C));
  EXPECT_EQ(model_.program(kPageSize, page_), Status::kProgramFailed);
  EveryOperation cut({.kind = OperationFault::Kind::kPowerCut, .bytes = 2});
  model_.set_fault_source(&cut);
  model_.plan_failure({.operation = 3});
  EXPECT_EQ(model_.program(2 * kPageSize, page_), Status::kNoDevice);
  EXPECT_THAT(cells(2 * kPageSize, 2), Each(0x3C));
  EXPECT_FALSE(model_.powered());
}

}  // namespace
}  // namespace flash
