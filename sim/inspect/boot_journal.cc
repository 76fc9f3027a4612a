#include "sim/inspect/boot_journal.h"

#include <fmt/format.h>

#include <boost/crc.hpp>
#include <cstddef>
#include <cstring>

#include "sim/inspect/text.h"

namespace otasim::inspect {
namespace {

using boot::BootRecord;
using boot::RecordRole;

/// docs/flash-layout.md, "Boot control journal".
constexpr std::uint32_t kLastGeneration = 0x0100'0000;
constexpr std::uint32_t kSetLength = 3;

std::string problem_of(const BootRecord& record, std::span<const std::uint8_t> page, JournalPlace place) {
  if (record.magic != BootRecord::kMagic) return "no record begins here";
  if (record.format != BootRecord::kFormat)
    return fmt::format("a record of the unknown format {}", record.format);
  boost::crc_32_type crc;
  crc.process_bytes(page.data(), offsetof(BootRecord, crc32));
  if (record.crc32 != crc.checksum()) return "a torn or damaged record: its checksum does not hold";
  const std::uint32_t generation = record.sequence / flash::kJournalPages;
  if (generation % kJournalSectors != place.sector || record.sequence % flash::kJournalPages != place.page)
    return fmt::format("a record that belongs elsewhere: its sequence is {}", record.sequence);
  if (generation > kLastGeneration) return fmt::format("a record beyond the last generation: {}", generation);
  if (record.role > static_cast<std::uint16_t>(RecordRole::kAnnouncement))
    return fmt::format("a record of the unknown role {}", record.role);
  if (!boot::is_sound(record.state)) return "a record of a state that cannot be";
  return {};
}

const BootRecord* record_before(const BootJournal& journal, JournalPlace place, std::uint32_t steps) {
  if (place.page < steps) return nullptr;
  const JournalPage& page = journal.pages[place.sector][place.page - steps];
  return page.record ? &*page.record : nullptr;
}

/// Record, first and second confirmation of one state end in the one in force.
bool ends_in_a_set(const BootJournal& journal) {
  const BootRecord& last = *journal.record_in_force();
  for (std::uint32_t i = 0; i < kSetLength; ++i) {
    const BootRecord* const record = record_before(journal, *journal.in_force, i);
    if (record == nullptr || record->role != kSetLength - 1 - i) return false;
    if (record->state != last.state || record->sequence + i != last.sequence) return false;
  }
  return true;
}

bool is_settled(const BootJournal& journal) {
  if (!journal.in_force || !ends_in_a_set(journal)) return false;
  const auto& own = journal.pages[journal.in_force->sector];
  for (std::uint32_t page = journal.in_force->page + 1; page < own.size(); ++page) {
    if (!own[page].is_blank()) return false;
  }
  for (const JournalPage& page : journal.pages[1 - journal.in_force->sector]) {
    if (page.record) return true;
  }
  return false;
}

}  // namespace

const flash::Partition& journal_partition(std::uint32_t sector) {
  return sector == 0 ? flash::kBootControl0 : flash::kBootControl1;
}

std::optional<JournalPlace> journal_place(std::uint32_t window_offset) {
  for (std::uint32_t sector = 0; sector < kJournalSectors; ++sector) {
    const std::uint32_t begin = journal_partition(sector).offset;
    if (window_offset < begin || window_offset - begin >= flash::kJournalSize) continue;
    return JournalPlace{sector, (window_offset - begin) / flash::kPageSize};
  }
  return std::nullopt;
}

JournalPage read_journal_page(std::span<const std::uint8_t> page, JournalPlace place) {
  if (page.size() < sizeof(BootRecord)) return {.problem = "a page that is cut short"};
  if (is_erased(page)) return {};
  BootRecord record;
  std::memcpy(&record, page.data(), sizeof record);
  JournalPage read{.problem = problem_of(record, page, place)};
  if (read.problem.empty()) read.record = record;
  return read;
}

BootJournal read_boot_journal(std::span<const std::uint8_t> window) {
  BootJournal journal;
  for (std::uint32_t sector = 0; sector < kJournalSectors; ++sector) {
    for (std::uint32_t page = 0; page < flash::kJournalPages; ++page) {
      const std::uint32_t offset = journal_partition(sector).offset + page * flash::kPageSize;
      JournalPage& read = journal.pages[sector][page];
      read = read_journal_page(window.subspan(offset, flash::kPageSize), {sector, page});
      if (!read.record) continue;
      const BootRecord* const newest = journal.record_in_force();
      if (newest == nullptr || read.record->sequence > newest->sequence) journal.in_force = {sector, page};
    }
  }
  journal.is_settled = is_settled(journal);
  return journal;
}

std::string role_name(std::uint16_t role) {
  switch (static_cast<RecordRole>(role)) {
    case RecordRole::kRecord:
      return "record";
    case RecordRole::kFirstConfirmation:
      return "first confirmation";
    case RecordRole::kSecondConfirmation:
      return "second confirmation";
    case RecordRole::kAnnouncement:
      return "announcement";
  }
  return fmt::format("role {}", role);
}

}  // namespace otasim::inspect
