// Calendar and seed journals, as the device writes them and as cuts leave them.
#include "sim/inspect/journals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "pal_sim/entropy/nv_seed.h"
#include "pal_sim/flash/crc32.h"
#include "qemu_boards/native/native_flash.h"

namespace otasim::inspect {
namespace {

class JournalsTest : public ::testing::Test {
 protected:
  void put_time(const flash::Partition& partition, std::uint32_t page, std::int64_t time) {
    std::array<std::uint8_t, 16> record{'C', 'T', 'I', 'M'};
    std::memcpy(record.data() + 8, &time, sizeof time);
    const std::uint32_t crc = flash::crc32(std::span(record).subspan(8));
    std::memcpy(record.data() + 4, &crc, sizeof crc);
    std::ranges::copy(record, window().begin() + partition.offset + page * flash::kPageSize);
  }
  [[nodiscard]] std::span<std::uint8_t> window() { return flash.window(); }

  native::NativeFlash flash{1, flash::kSpiNorPart};
};

TEST_F(JournalsTest, TheLatestTimeIsTheFloorWhereverItStands) {
  EXPECT_FALSE(read_calendar(window()).floor);
  put_time(flash::kCalendar0, 0, 3000);
  put_time(flash::kCalendar0, 1, 5000);
  put_time(flash::kCalendar1, 0, 4000);
  const Calendar calendar = read_calendar(window());
  EXPECT_EQ(calendar.floor, 5000);
  EXPECT_EQ(calendar.sectors[0].records, 2U);
  EXPECT_EQ(calendar.sectors[1].records, 1U);
}

TEST_F(JournalsTest, ATimeThatIsTornOrCannotBeDoesNotCount) {
  put_time(flash::kCalendar0, 0, 3000);
  put_time(flash::kCalendar0, 1, -1);
  put_time(flash::kCalendar0, 2, 253'402'300'800);
  put_time(flash::kCalendar0, 3, 9000);
  window()[flash::kCalendar0.offset + 3 * flash::kPageSize + 9] ^= 1;
  const Calendar calendar = read_calendar(window());
  EXPECT_EQ(calendar.floor, 3000);
  EXPECT_EQ(calendar.sectors[0].junk, 3U);
}

TEST_F(JournalsTest, TheSeedInForceIsTheNewestWholeOne) {
  EXPECT_FALSE(read_seed_journal(window()).in_force);
  const entropy::SeedPage first = entropy::seed_page(4, {});
  const entropy::SeedPage second = entropy::seed_page(5, {1});
  for (std::uint32_t copy = 0; copy < entropy::kSeedCopies; ++copy)
    std::ranges::copy(first, window().begin() + flash::kSeed0.offset + copy * flash::kPageSize);
  std::ranges::copy(second, window().begin() + flash::kSeed1.offset);
  window()[flash::kSeed1.offset + flash::kPageSize] = 0;
  const SeedJournal journal = read_seed_journal(window());
  EXPECT_EQ(journal.in_force, 5U);
  EXPECT_EQ(journal.sectors[0].pages.records, entropy::kSeedCopies);
  EXPECT_EQ(journal.sectors[1].pages.records, 1U);
  EXPECT_EQ(journal.sectors[1].pages.junk, 1U);
  window()[flash::kSeed1.offset + 10] ^= 1;
  EXPECT_EQ(read_seed_journal(window()).in_force, 4U);
}

}  // namespace
}  // namespace otasim::inspect
