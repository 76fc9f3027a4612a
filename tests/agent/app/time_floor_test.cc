// The stored floor: it only rises, and a power cut at any byte leaves the one before or the new one.
#include "agent/app/time_floor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <vector>

#include "agent/crypto/civil_time.h"
#include "pal_sim/flash/crc32.h"
#include "pal_sim/flash/flash_map.h"
#include "qemu_boards/native/native_flash.h"

namespace app {
namespace {

using flash::Status;

constexpr EpochSeconds kStart = 1'800'000'000;
constexpr EpochSeconds kDay = TimeFloor::kStep;
constexpr int kPages = 2 * 16;

class TimeFloorTest : public testing::Test {
 protected:
  void SetUp() override {
    flash().model().power_on();
    flash().model().forget_failures();
    std::ranges::fill(journal(), std::uint8_t{0xFF});
  }

  // 16 MiB of flash are slow to make; each test blanks the journal.
  static native::NativeFlash& flash() {
    static native::NativeFlash flash;
    return flash;
  }
  static std::span<std::uint8_t> journal() {
    return flash().window().subspan(flash::kCalendar0.offset,
                                    flash::kCalendar1.end() - flash::kCalendar0.offset);
  }
  static EpochSeconds stored() { return TimeFloor(flash()).load(); }
  /// As a device does at a start. @returns what raise() returned
  static Status raise(EpochSeconds time) {
    TimeFloor floor(flash());
    static_cast<void>(floor.load());
    return floor.raise(time);
  }
  static std::uint32_t operations() { return flash().model().sequence(); }
  /// Pages are counted through both sectors, 16 in each.
  static std::size_t page_at(std::size_t page) {
    return page / 16 * (flash::kCalendar1.offset - flash::kCalendar0.offset) + page % 16 * flash::kPageSize;
  }
  /// A whole record, whatever the time (docs/flash-layout.md, "Calendar time").
  static void write_record(std::size_t page, EpochSeconds time) {
    std::array<std::uint8_t, 8> bytes{};
    std::memcpy(bytes.data(), &time, sizeof time);
    const std::array<std::uint32_t, 2> head{0x4D49'5443, ::flash::crc32(bytes)};
    const auto out = journal().subspan(page_at(page), 16);
    std::memcpy(out.data(), head.data(), 8);
    std::ranges::copy(bytes, out.begin() + 8);
  }
};

TEST_F(TimeFloorTest, ABlankPartHasNone) {
  EXPECT_EQ(stored(), 0);
}

TEST_F(TimeFloorTest, KeepsWhatItIsGiven) {
  ASSERT_EQ(raise(kStart), Status::kOk);
  EXPECT_EQ(stored(), kStart);
}

TEST_F(TimeFloorTest, WritesOnceADayAtMost) {
  ASSERT_EQ(raise(kStart), Status::kOk);
  const std::uint32_t before = operations();
  EXPECT_EQ(raise(kStart + kDay - 1), Status::kOk);
  EXPECT_EQ(raise(kStart - kDay), Status::kOk);
  EXPECT_EQ(raise(0), Status::kOk);
  EXPECT_EQ(operations(), before);
  EXPECT_EQ(raise(kStart + kDay), Status::kOk);
  EXPECT_EQ(operations(), before + 1);
  EXPECT_EQ(stored(), kStart + kDay);
}

TEST_F(TimeFloorTest, ErasesASectorEverySixteenDaysAndWritesEachPageOnce) {
  constexpr int kDays = 200;
  TimeFloor floor(flash());
  ASSERT_EQ(floor.load(), 0);
  const std::uint32_t before = operations();
  for (int day = 0; day < kDays; ++day) {
    // The part would refuse nothing: that a page is blank when it is written is seen by what is read.
    ASSERT_EQ(floor.raise(kStart + day * kDay), Status::kOk);
    ASSERT_EQ(stored(), kStart + day * kDay) << day;
  }
  EXPECT_EQ(operations() - before, kDays + (kDays - 1) / 16);
}

TEST_F(TimeFloorTest, DamageCostsTheRecordItIsIn) {
  ASSERT_EQ(raise(kStart), Status::kOk);
  ASSERT_EQ(raise(kStart + kDay), Status::kOk);
  for (std::size_t byte = 0; byte < 16; ++byte) {
    auto& cell = journal()[flash::kPageSize + byte];
    cell ^= 0x10;
    EXPECT_EQ(stored(), kStart) << byte;
    cell ^= 0x10;
  }
  EXPECT_EQ(stored(), kStart + kDay);
}

TEST_F(TimeFloorTest, RubbishIsNoTimeAndIsErasedBeforeItIsWrittenOver) {
  std::ranges::fill(journal(), std::uint8_t{0x55});
  EXPECT_EQ(stored(), 0);
  ASSERT_EQ(raise(kStart), Status::kOk);
  EXPECT_EQ(stored(), kStart);
}

/// Whole records of times that no calendar has: written by a defect, or on purpose. Reckoning with them would
/// overflow.
TEST_F(TimeFloorTest, ATimeBeyondTheCalendarIsNone) {
  ASSERT_EQ(raise(kStart), Status::kOk);
  write_record(1, std::numeric_limits<EpochSeconds>::max());
  write_record(2, crypto::kLastCivilSecond + 1);
  EXPECT_EQ(stored(), kStart);
  EXPECT_EQ(raise(kStart + kDay), Status::kOk);
  EXPECT_EQ(stored(), kStart + kDay);
  write_record(4, crypto::kLastCivilSecond);
  EXPECT_EQ(stored(), crypto::kLastCivilSecond);
}

TEST_F(TimeFloorTest, ATimeThatWouldNotBeReadIsNotWritten) {
  ASSERT_EQ(raise(kStart), Status::kOk);
  const std::uint32_t before = operations();
  EXPECT_EQ(raise(std::numeric_limits<EpochSeconds>::max()), Status::kOk);
  EXPECT_EQ(operations(), before);
  EXPECT_EQ(stored(), kStart);
}

TEST_F(TimeFloorTest, AFailedWriteIsTriedOnAnotherPageNextTime) {
  ASSERT_EQ(raise(kStart), Status::kOk);
  TimeFloor floor(flash());
  ASSERT_EQ(floor.load(), kStart);
  flash().model().plan_failure({.operation = operations() + 1});
  EXPECT_EQ(floor.raise(kStart + kDay), Status::kProgramFailed);
  EXPECT_EQ(floor.raise(kStart + 2 * kDay), Status::kOk);
  EXPECT_EQ(stored(), kStart + 2 * kDay);
}

/// A device whose network comes and goes asks at each connection. With a bad page each would erase a sector.
TEST_F(TimeFloorTest, TriesOnceADayAtMostWhereWritingFails) {
  for (int day = 0; day < 16; ++day) ASSERT_EQ(raise(kStart + day * kDay), Status::kOk);
  TimeFloor floor(flash());
  ASSERT_EQ(floor.load(), kStart + 15 * kDay);
  const std::uint32_t before = operations();
  flash().model().plan_failure({.operation = before + 2});
  EXPECT_EQ(floor.raise(kStart + 16 * kDay), Status::kProgramFailed);
  for (int second = 1; second < 1000; ++second) {
    EXPECT_EQ(floor.raise(kStart + 16 * kDay + second), Status::kOk);
  }
  EXPECT_EQ(operations() - before, 2U) << "an erase and a program";
  EXPECT_EQ(floor.raise(kStart + 17 * kDay), Status::kOk);
  EXPECT_EQ(stored(), kStart + 17 * kDay);
}

TEST_F(TimeFloorTest, AFailedEraseLeavesTheFloor) {
  for (int day = 0; day < 16; ++day) ASSERT_EQ(raise(kStart + day * kDay), Status::kOk);
  flash().model().plan_failure({.operation = operations() + 1});
  EXPECT_EQ(raise(kStart + 16 * kDay), Status::kEraseFailed);
  EXPECT_EQ(stored(), kStart + 15 * kDay);
  EXPECT_EQ(raise(kStart + 16 * kDay), Status::kOk);
  EXPECT_EQ(stored(), kStart + 16 * kDay);
}

/// Cuts at each byte, with and without cells that are torn, and lets the device start again twice.
TEST_F(TimeFloorTest, ACutLeavesTheFloorBeforeOrTheNewOne) {
  int cuts = 0;
  for (int day = 1; day <= kPages + 1; ++day) {
    const std::vector<std::uint8_t> before(journal().begin(), journal().end());
    const EpochSeconds old_floor = stored();
    const EpochSeconds new_floor = kStart + day * kDay;
    for (std::uint32_t operation = 1; operation <= 2; ++operation) {
      const bool is_erase = day % 16 == 1 && day > 1 && operation == 1;
      const bool happens = operation == 1 || (day % 16 == 1 && day > 1);
      if (!happens) continue;
      const std::uint32_t length = is_erase ? flash::kControllerPart.sector_size : 16;
      const std::uint32_t step = is_erase ? 255 : 1;
      for (std::uint32_t bytes = 0; bytes <= length; bytes += step) {
        for (const std::uint32_t marginal : {0U, 8U}) {
          std::ranges::copy(before, journal().begin());
          flash().model().cut_power_at({operations() + operation, bytes, marginal});
          static_cast<void>(raise(new_floor));
          ASSERT_FALSE(flash().model().powered());
          flash().model().power_on();
          const EpochSeconds found = stored();
          ASSERT_TRUE(found == old_floor || found == new_floor) << found << ", day " << day;
          ASSERT_EQ(raise(new_floor + kDay), Status::kOk);
          ASSERT_EQ(stored(), new_floor + kDay) << "day " << day << ", byte " << bytes;
          ++cuts;
        }
      }
    }
    std::ranges::copy(before, journal().begin());
    flash().model().power_on();
    ASSERT_EQ(raise(new_floor), Status::kOk);
  }
  EXPECT_GT(cuts, 1000);
}

}  // namespace
}  // namespace app
