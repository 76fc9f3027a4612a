#include "agent/app/time_floor.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <span>

#include "agent/crypto/civil_time.h"
#include "pal_sim/flash/crc32.h"
#include "pal_sim/flash/flash_map.h"

namespace app {
namespace {

constexpr std::uint32_t kMagic = 0x4D495443;  // "CTIM"

/// docs/flash-layout.md, "Calendar time".
struct Record {
  std::uint32_t magic;
  std::uint32_t crc32;  ///< of the time
  std::int64_t time;
};
static_assert(sizeof(Record) == 16);

std::uint32_t crc_of(std::int64_t time) {
  std::array<std::uint8_t, sizeof time> bytes{};
  std::memcpy(bytes.data(), &time, sizeof time);
  return flash::crc32(bytes);
}

std::optional<EpochSeconds> time_in(std::span<const std::uint8_t> page) {
  Record record{};
  std::memcpy(&record, page.data(), sizeof record);
  if (record.magic != kMagic || record.crc32 != crc_of(record.time)) return std::nullopt;
  if (record.time < 0 || record.time > crypto::kLastCivilSecond) return std::nullopt;
  return record.time;
}

bool is_blank(std::span<const std::uint8_t> page) {
  return std::ranges::all_of(page, [](std::uint8_t byte) { return byte == 0xFF; });
}

}  // namespace

EpochSeconds TimeFloor::load() {
  floor_ = 0;
  tried_ = 0;
  holder_ = nullptr;
  sectors_ = {Sector{.offset = flash::kCalendar0.offset}, Sector{.offset = flash::kCalendar1.offset}};
  for (Sector& sector : sectors_) look_at(sector);
  return floor_;
}

void TimeFloor::look_at(Sector& sector) {
  std::array<std::uint8_t, flash::kPageSize> page{};
  for (std::uint32_t i = 0; i < flash::kJournalPages; ++i) {
    const bool is_read = flash_.read(sector.offset + i * flash::kPageSize, page) == flash::Status::kOk;
    if (is_read && is_blank(page)) continue;
    sector.used = i + 1;
    const auto time = is_read ? time_in(page) : std::nullopt;
    if (!time || *time <= floor_) continue;
    floor_ = *time;
    holder_ = &sector;
  }
}

flash::Status TimeFloor::raise(EpochSeconds time) {
  if (time < std::max(floor_, tried_) + kStep || time > crypto::kLastCivilSecond) return flash::Status::kOk;
  tried_ = time;
  Sector* sector = nullptr;
  if (const flash::Status status = make_room(sector); status != flash::Status::kOk) return status;

  const Record record{.magic = kMagic, .crc32 = crc_of(time), .time = time};
  std::array<std::uint8_t, sizeof record> bytes{};
  std::memcpy(bytes.data(), &record, sizeof record);
  const std::uint32_t page = sector->used++;  // whatever becomes of it
  const flash::Status status = flash_.program(sector->offset + page * flash::kPageSize, bytes);
  if (status != flash::Status::kOk) return status;
  floor_ = time;
  holder_ = sector;
  return status;
}

/// The sector to write to, with a blank page at its `used`: the one that has the floor, as long as it has
/// room, else the other one, erased. The erase may be spared where nothing was ever written.
flash::Status TimeFloor::make_room(Sector*& sector) {
  Sector& first = sectors_[0];
  Sector& second = sectors_[1];
  sector = holder_ == &second ? &second : &first;
  const bool has_room = sector->used < flash::kJournalPages;
  if (has_room && (holder_ == sector || (first.used == 0 && second.used == 0))) return flash::Status::kOk;
  if (holder_ == sector) sector = sector == &first ? &second : &first;
  const flash::Status status = flash_.erase_sector(sector->offset);
  sector->used = status == flash::Status::kOk ? 0 : flash::kJournalPages;
  return status;
}

}  // namespace app
