#include "sim/inspect/journals.h"

#include <algorithm>
#include <boost/crc.hpp>
#include <cstddef>
#include <cstring>

#include "pal_sim/entropy/nv_seed.h"
#include "pal_sim/flash/flash_map.h"
#include "sim/inspect/text.h"

namespace otasim::inspect {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint32_t kCalendarMagic = 0x4D49'5443;  // "CTIM" in memory
constexpr std::int64_t kYear10000 = 253'402'300'800;
constexpr std::uint32_t kLastSequence = 0xFFFF'FFFF;

struct CalendarRecord {
  std::uint32_t magic;
  std::uint32_t crc32;
  std::int64_t time;
};
static_assert(sizeof(CalendarRecord) == 16);

std::uint32_t crc_of(Bytes bytes) {
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

Bytes page_of(Bytes window, const flash::Partition& partition, std::uint32_t page) {
  return window.subspan(partition.offset + page * flash::kPageSize, flash::kPageSize);
}

template <typename Read>
PageCounts count_pages(Bytes window, const flash::Partition& partition, std::uint32_t pages, Read read) {
  PageCounts counts;
  for (std::uint32_t page = 0; page < pages; ++page) {
    const Bytes bytes = page_of(window, partition, page);
    if (read(bytes)) {
      ++counts.records;
    } else if (!is_erased(bytes)) {
      ++counts.junk;
    }
  }
  return counts;
}

}  // namespace

std::optional<std::int64_t> calendar_time(Bytes page) {
  CalendarRecord record;
  if (page.size() < sizeof record) return std::nullopt;
  std::memcpy(&record, page.data(), sizeof record);
  if (record.magic != kCalendarMagic) return std::nullopt;
  if (record.crc32 != crc_of(page.subspan(offsetof(CalendarRecord, time), sizeof record.time)))
    return std::nullopt;
  if (record.time < 0 || record.time >= kYear10000) return std::nullopt;
  return record.time;
}

std::optional<std::uint32_t> seed_sequence(Bytes page) {
  entropy::SeedRecord record;
  if (page.size() < sizeof record) return std::nullopt;
  std::memcpy(&record, page.data(), sizeof record);
  if (record.magic != entropy::SeedRecord::kMagic || record.sequence == kLastSequence) return std::nullopt;
  if (record.crc32 != crc_of(page.first(offsetof(entropy::SeedRecord, crc32)))) return std::nullopt;
  return record.sequence;
}

Calendar read_calendar(Bytes window) {
  Calendar calendar;
  for (std::size_t sector = 0; sector < calendar.sectors.size(); ++sector) {
    const flash::Partition& partition = sector == 0 ? flash::kCalendar0 : flash::kCalendar1;
    calendar.sectors[sector] = count_pages(window, partition, flash::kJournalPages, [&calendar](Bytes page) {
      const auto time = calendar_time(page);
      if (time) calendar.floor = std::max(calendar.floor.value_or(0), *time);
      return time.has_value();
    });
  }
  return calendar;
}

SeedJournal read_seed_journal(Bytes window) {
  SeedJournal journal;
  for (std::size_t index = 0; index < journal.sectors.size(); ++index) {
    const flash::Partition& partition = index == 0 ? flash::kSeed0 : flash::kSeed1;
    SeedJournal::Sector& sector = journal.sectors[index];
    sector.pages = count_pages(window, partition, entropy::kSeedCopies, [&](Bytes page) {
      const auto sequence = seed_sequence(page);
      if (sequence) sector.sequence = std::max(sector.sequence, *sequence);
      return sequence.has_value();
    });
    if (sector.pages.records != 0) journal.in_force = std::max(journal.in_force.value_or(0), sector.sequence);
  }
  return journal;
}

}  // namespace otasim::inspect
