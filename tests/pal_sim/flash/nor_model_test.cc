#include "pal_sim/flash/nor_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "qemu_boards/native/native_flash.h"

namespace flash {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

class NorFlash : public testing::Test {
 protected:
  std::uint8_t at(std::uint32_t offset) { return flash_.window()[offset]; }
  std::span<std::uint8_t> sector(std::uint32_t offset) {
    return flash_.window().subspan(offset, kControllerPart.sector_size);
  }
  static std::vector<std::uint8_t> zeros(std::size_t size) { return std::vector<std::uint8_t>(size); }

  native::NativeFlash flash_;
  NorModel& model_ = flash_.model();
};

TEST_F(NorFlash, NewPartReadsErased) {
  EXPECT_TRUE(
      std::ranges::all_of(flash_.window().first(kControllerPart.size), [](int b) { return b == 0xFF; }));
  EXPECT_THAT(flash_.window().subspan(kOtpOffset, kOtpSize), Each(0xFF));
  EXPECT_EQ(model_.sequence(), 0u);
}

TEST_F(NorFlash, ProgramOnlyClearsBits) {
  ASSERT_EQ(model_.program(10, std::array<std::uint8_t, 2>{0xF0, 0x0F}), Status::kOk);
  ASSERT_EQ(model_.program(10, std::array<std::uint8_t, 2>{0xCC, 0xFF}), Status::kOk);
  EXPECT_EQ(at(10), 0xC0);
  EXPECT_EQ(at(11), 0x0F);
  EXPECT_EQ(at(9), 0xFF);
  EXPECT_EQ(at(12), 0xFF);
}

TEST_F(NorFlash, EraseSetsExactlyOneSector) {
  std::ranges::fill(flash_.window().first(3 * kControllerPart.sector_size), std::uint8_t{0});
  ASSERT_EQ(model_.erase_sector(kControllerPart.sector_size), Status::kOk);
  EXPECT_THAT(sector(0), Each(0));
  EXPECT_THAT(sector(kControllerPart.sector_size), Each(0xFF));
  EXPECT_THAT(sector(2 * kControllerPart.sector_size), Each(0));
}

TEST_F(NorFlash, ProgramMustNotCrossAPage) {
  EXPECT_EQ(model_.program(kPageSize - 1, zeros(2)), Status::kUnaligned);
  EXPECT_EQ(model_.program(0, zeros(kPageSize + 1)), Status::kUnaligned);
  EXPECT_THAT(sector(0), Each(0xFF));
  EXPECT_EQ(model_.program(kPageSize - 1, zeros(1)), Status::kOk);
  EXPECT_EQ(model_.program(kPageSize, zeros(kPageSize)), Status::kOk);
}

TEST_F(NorFlash, EraseMustStartOnASector) {
  EXPECT_EQ(model_.erase_sector(1), Status::kUnaligned);
  EXPECT_EQ(model_.erase_sector(kControllerPart.sector_size - 1), Status::kUnaligned);
}

TEST_F(NorFlash, NothingReachesBeyondTheArray) {
  EXPECT_EQ(model_.program(kControllerPart.size - 1, zeros(2)), Status::kOutOfRange);
  EXPECT_EQ(model_.program(kControllerPart.size, zeros(1)), Status::kOutOfRange);
  EXPECT_EQ(model_.program(0xFFFF'FFFF, zeros(2)), Status::kOutOfRange);
  EXPECT_EQ(model_.program(0xFFFF'FFFF, zeros(1)), Status::kOutOfRange);
  EXPECT_EQ(model_.erase_sector(kControllerPart.size), Status::kOutOfRange);
  EXPECT_EQ(model_.erase_sector(0xFFFF'F000), Status::kOutOfRange);
  EXPECT_EQ(model_.lock(kControllerPart.sector_size, 0xFFFF'F000), Status::kOutOfRange);
  EXPECT_EQ(model_.lock(0xFFFF'F000, kControllerPart.sector_size), Status::kOutOfRange);
  EXPECT_THAT(flash_.window().subspan(kOtpOffset, kOtpSize), Each(0xFF));
  EXPECT_EQ(model_.program(kControllerPart.size - 1, zeros(1)), Status::kOk);
  EXPECT_EQ(model_.erase_sector(kControllerPart.size - kControllerPart.sector_size), Status::kOk);
}

TEST_F(NorFlash, ReadChecksBoundsAndCopies) {
  flash_.window()[kControllerPart.size - 1] = 0x5A;
  std::array<std::uint8_t, 2> out{1, 2};
  EXPECT_EQ(model_.read(kControllerPart.size - 1, out), Status::kOutOfRange);
  EXPECT_EQ(model_.read(0xFFFF'FFFF, out), Status::kOutOfRange);
  EXPECT_EQ(out, (std::array<std::uint8_t, 2>{1, 2})) << "a refused read leaves the buffer alone";
  EXPECT_EQ(model_.read(kControllerPart.size - 1, std::span(out).first(1)), Status::kOk);
  EXPECT_EQ(out[0], 0x5A);
  EXPECT_EQ(model_.otp_read(kOtpSize - 1, out), Status::kOutOfRange);
  EXPECT_EQ(model_.otp_read(kOtpSize - 2, out), Status::kOk);
}

TEST_F(NorFlash, LockedRangeRefusesProgramAndErase) {
  ASSERT_EQ(model_.lock(kControllerPart.sector_size, 2 * kControllerPart.sector_size), Status::kOk);
  EXPECT_EQ(model_.program(kControllerPart.sector_size, zeros(1)), Status::kProtected);
  EXPECT_EQ(model_.program(3 * kControllerPart.sector_size - 1, zeros(1)), Status::kProtected);
  EXPECT_EQ(model_.erase_sector(2 * kControllerPart.sector_size), Status::kProtected);
  EXPECT_EQ(at(kControllerPart.sector_size), 0xFF);
  EXPECT_EQ(model_.program(kControllerPart.sector_size - 1, zeros(1)), Status::kOk);
  EXPECT_EQ(model_.program(3 * kControllerPart.sector_size, zeros(1)), Status::kOk);
}

TEST_F(NorFlash, LocksAreWholeSectors) {
  EXPECT_EQ(model_.lock(1, kControllerPart.sector_size), Status::kUnaligned);
  EXPECT_EQ(model_.lock(0, kControllerPart.sector_size - 1), Status::kUnaligned);
}

TEST_F(NorFlash, AnEmptyLockProtectsNothing) {
  ASSERT_EQ(model_.lock(kControllerPart.sector_size, 0), Status::kOk);
  EXPECT_EQ(model_.erase_sector(kControllerPart.sector_size), Status::kOk);
  EXPECT_EQ(model_.erase_sector(0), Status::kOk);
}

TEST_F(NorFlash, LockTableIsFinite) {
  for (std::uint32_t i = 0; i < controller::kMaxLocks; ++i) {
    ASSERT_EQ(model_.lock(i * kControllerPart.sector_size, kControllerPart.sector_size), Status::kOk);
  }
  EXPECT_EQ(model_.lock(0x10'0000, kControllerPart.sector_size), Status::kBadCommand);
  EXPECT_EQ(model_.program(7 * kControllerPart.sector_size, zeros(1)), Status::kProtected);
  EXPECT_EQ(model_.program(0x10'0000, zeros(1)), Status::kOk);
}

TEST_F(NorFlash, ResetClearsLocks) {
  ASSERT_EQ(model_.lock(0, kControllerPart.sector_size), Status::kOk);
  ASSERT_EQ(model_.otp_lock(), Status::kOk);
  model_.reset();
  EXPECT_EQ(model_.program(0, zeros(1)), Status::kOk);
  EXPECT_EQ(model_.otp_program(0, zeros(1)), Status::kOk);
}

TEST_F(NorFlash, HostEditOfTheLocksTakesEffect) {
  write_register(flash_.window(), controller::kRegLocks, 0);
  write_register(flash_.window(), controller::kRegLocks + 4, kControllerPart.sector_size);
  write_register(flash_.window(), controller::kRegLockCount, 1);
  EXPECT_EQ(model_.erase_sector(0), Status::kProtected);
  write_register(flash_.window(), controller::kRegLockCount, 0);
  EXPECT_EQ(model_.erase_sector(0), Status::kOk);
}

TEST_F(NorFlash, NonsenseInTheLockTableIsHarmless) {
  write_register(flash_.window(), controller::kRegLockCount, 0xFFFF'FFFF);
  write_register(flash_.window(), controller::kRegLocks, 0xFFFF'F000);
  write_register(flash_.window(), controller::kRegLocks + 4, 0xFFFF'FFFF);
  EXPECT_EQ(model_.program(0, zeros(1)), Status::kOk) << "a lock does not wrap round to the array's start";
  EXPECT_EQ(model_.lock(0, kControllerPart.sector_size), Status::kBadCommand);
}

TEST_F(NorFlash, OtpBitsNeverComeBack) {
  ASSERT_EQ(model_.otp_program(3, std::array<std::uint8_t, 1>{0x0F}), Status::kOk);
  ASSERT_EQ(model_.otp_program(3, std::array<std::uint8_t, 1>{0xF3}), Status::kOk);
  EXPECT_EQ(at(kOtpOffset + 3), 0x03);
}

TEST_F(NorFlash, OtpSurvivesErasePowerAndReset) {
  ASSERT_EQ(model_.otp_program(0, std::array<std::uint8_t, 1>{0x5A}), Status::kOk);
  ASSERT_EQ(erase_range(flash_, 0, kControllerPart.size), Status::kOk);
  EXPECT_NE(model_.erase_sector(kOtpOffset), Status::kOk);
  model_.cut_power_now();
  model_.power_on();
  model_.reset();
  EXPECT_EQ(at(kOtpOffset), 0x5A);
}

TEST_F(NorFlash, OtpChecksItsBounds) {
  EXPECT_EQ(model_.otp_program(kOtpSize - 1, zeros(2)), Status::kOutOfRange);
  EXPECT_EQ(model_.otp_program(0xFFFF'FFFF, zeros(2)), Status::kOutOfRange);
  EXPECT_EQ(model_.otp_program(0, zeros(kPageSize + 1)), Status::kOutOfRange);
  EXPECT_EQ(model_.otp_program(kPageSize - 1, zeros(2)), Status::kOk) << "the bank has no pages";
}

TEST_F(NorFlash, LockedOtpRefusesBurnsButReads) {
  ASSERT_EQ(model_.otp_lock(), Status::kOk);
  EXPECT_EQ(model_.otp_program(0, zeros(1)), Status::kProtected);
  std::array<std::uint8_t, 1> out{};
  EXPECT_EQ(model_.otp_read(0, out), Status::kOk);
  EXPECT_EQ(out[0], 0xFF);
}

TEST_F(NorFlash, SequenceCountsAcceptedOperationsOnly) {
  ASSERT_EQ(model_.program(0, zeros(1)), Status::kOk);
  ASSERT_EQ(model_.program(kControllerPart.size, zeros(1)), Status::kOutOfRange);
  ASSERT_EQ(model_.erase_sector(3), Status::kUnaligned);
  ASSERT_EQ(model_.erase_sector(0), Status::kOk);
  std::array<std::uint8_t, 4> out{};
  ASSERT_EQ(model_.entropy(out), Status::kOk);
  ASSERT_EQ(model_.read(0, out), Status::kOk);
  EXPECT_EQ(model_.sequence(), 2u);
}

TEST_F(NorFlash, SnapshotOfTheWindowRewindsThePart) {
  ASSERT_EQ(model_.program(0, zeros(1)), Status::kOk);
  const std::vector<std::uint8_t> snapshot(flash_.window().begin(), flash_.window().end());
  ASSERT_EQ(model_.erase_sector(0), Status::kOk);
  ASSERT_EQ(model_.lock(0, kControllerPart.sector_size), Status::kOk);
  ASSERT_EQ(model_.otp_program(0, zeros(1)), Status::kOk);
  std::ranges::copy(snapshot, flash_.window().begin());
  EXPECT_EQ(model_.sequence(), 1u);
  EXPECT_EQ(at(0), 0);
  EXPECT_EQ(at(kOtpOffset), 0xFF);
  EXPECT_EQ(model_.erase_sector(0), Status::kOk) << "the lock was taken after the snapshot";
}

TEST_F(NorFlash, WearIsCountedPerSector) {
  for (int i = 0; i < 3; ++i) ASSERT_EQ(model_.erase_sector(kControllerPart.sector_size), Status::kOk);
  ASSERT_EQ(model_.erase_sector(5), Status::kUnaligned);
  EXPECT_EQ(model_.erase_count(kControllerPart.sector_size), 3u);
  EXPECT_EQ(model_.erase_count(2 * kControllerPart.sector_size - 1), 3u);
  EXPECT_EQ(model_.erase_count(0), 0u);
}

TEST_F(NorFlash, EntropyRepeatsWithTheSeedAndDiffersFromCallToCall) {
  std::array<std::uint8_t, 32> first{};
  std::array<std::uint8_t, 32> second{};
  std::array<std::uint8_t, 32> again{};
  std::array<std::uint8_t, 32> other{};
  ASSERT_EQ(model_.entropy(first), Status::kOk);
  model_.power_on();
  ASSERT_EQ(model_.entropy(second), Status::kOk);
  native::NativeFlash same_seed;
  native::NativeFlash other_seed(2);
  ASSERT_EQ(same_seed.entropy(again), Status::kOk);
  ASSERT_EQ(other_seed.entropy(other), Status::kOk);
  EXPECT_NE(first, second) << "boots of one run get different bytes";
  EXPECT_EQ(first, again);
  EXPECT_NE(first, other);
}

TEST_F(NorFlash, EntropyIsAtMostAPage) {
  auto page = zeros(kPageSize);
  EXPECT_EQ(model_.entropy(page), Status::kOk);
  EXPECT_GT(std::ranges::count_if(page, [](int b) { return b != 0; }), 200);
  auto more = zeros(kPageSize + 1);
  EXPECT_EQ(model_.entropy(more), Status::kOutOfRange);
  EXPECT_THAT(more, Each(0));
}

class Recorder : public OpObserver {
 public:
  void on_operation(const Operation& operation) override {
    operations.push_back(operation);
    data.emplace_back(operation.data.begin(), operation.data.end());
  }
  std::vector<Operation> operations;
  std::vector<std::vector<std::uint8_t>> data;
};

TEST_F(NorFlash, ObserverSeesAcceptedAndRefusedOperations) {
  Recorder recorder;
  model_.set_observer(&recorder);
  ASSERT_EQ(model_.program(0, std::array<std::uint8_t, 2>{1, 2}), Status::kOk);
  ASSERT_EQ(model_.program(0, zeros(kPageSize + 1)), Status::kUnaligned);
  ASSERT_EQ(model_.erase_sector(kControllerPart.sector_size), Status::kOk);
  model_.set_observer(nullptr);
  ASSERT_EQ(model_.otp_lock(), Status::kOk);

  ASSERT_EQ(recorder.operations.size(), 3u);
  EXPECT_EQ(recorder.operations[0].sequence, 1u);
  EXPECT_EQ(recorder.operations[0].applied, 2u);
  EXPECT_EQ(recorder.data[0], (std::vector<std::uint8_t>{1, 2}));
  EXPECT_EQ(recorder.operations[1].status, Status::kUnaligned);
  EXPECT_EQ(recorder.operations[1].sequence, 1u) << "a refused operation has no number of its own";
  EXPECT_EQ(recorder.operations[1].applied, 0u);
  EXPECT_TRUE(recorder.data[1].empty()) << "more than a page is not kept";
  EXPECT_EQ(recorder.operations[2].kind, OpKind::kEraseSector);
  EXPECT_EQ(recorder.operations[2].length, kControllerPart.sector_size);
  EXPECT_EQ(recorder.operations[2].sequence, 2u);
}

std::vector<OpSource> sources(const Recorder& recorder) {
  std::vector<OpSource> all;
  std::ranges::transform(recorder.operations, std::back_inserter(all), &Operation::source);
  return all;
}

TEST_F(NorFlash, OperationsAreTheBootloadersUntilItLocksTheBank) {
  Recorder recorder;
  model_.set_observer(&recorder);
  model_.set_running(OpSource::kApplication);  // is not listened to
  ASSERT_EQ(model_.program(kBootControl0.offset, zeros(1)), Status::kOk);
  ASSERT_EQ(model_.lock(kSlotA.offset, kSlotA.size), Status::kOk);
  ASSERT_EQ(model_.otp_program(0, zeros(1)), Status::kOk);
  ASSERT_EQ(model_.otp_lock(), Status::kOk);
  ASSERT_EQ(model_.program(kBootControl1.offset, zeros(1)), Status::kOk);
  ASSERT_EQ(model_.erase_sector(kSlotA.offset), Status::kProtected);
  ASSERT_EQ(model_.program(kSlotB.end() - 1, zeros(1)), Status::kOk);
  ASSERT_EQ(model_.program(kCalendar0.offset, zeros(1)), Status::kOk);
  ASSERT_EQ(model_.otp_program(0, zeros(1)), Status::kProtected);
  model_.reset();
  ASSERT_EQ(model_.erase_sector(kSlotA.offset), Status::kOk);
  model_.set_observer(nullptr);
  EXPECT_THAT(sources(recorder),
              ElementsAre(OpSource::kBoot, OpSource::kBoot, OpSource::kBoot, OpSource::kBoot,
                          OpSource::kAgent, OpSource::kAgent, OpSource::kAgent, OpSource::kApplication,
                          OpSource::kApplication, OpSource::kBoot));
}

TEST_F(NorFlash, APartWithoutLocksIsToldWhoRuns) {
  std::vector<std::uint8_t> window(kWindowSize);
  format_window(window, kSpiNorPart);
  NorModel chip(window, 1, kSpiNorPart);
  Recorder recorder;
  chip.set_observer(&recorder);
  ASSERT_EQ(chip.program(kSlotA.offset, zeros(1)), Status::kOk);
  chip.set_running(OpSource::kBoot);
  ASSERT_EQ(chip.program(kSlotA.offset, zeros(1)), Status::kOk);
  chip.set_running(OpSource::kApplication);
  ASSERT_EQ(chip.program(kSlotA.offset, zeros(1)), Status::kOk);
  ASSERT_EQ(chip.program(kSeed0.offset, zeros(1)), Status::kOk);
  EXPECT_THAT(sources(recorder),
              ElementsAre(OpSource::kUnknown, OpSource::kBoot, OpSource::kAgent, OpSource::kApplication));
}

using NorFlashDeathTest = NorFlash;

TEST_F(NorFlashDeathTest, ModelRefusesAWindowOfAnotherSize) {
  std::vector<std::uint8_t> small(kControllerPart.sector_size);
  EXPECT_DEATH(NorModel(Window(small)), "a window has kWindowSize bytes");
}

}  // namespace
}  // namespace flash
