#include "agent/boot/boot_control.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>

#include "pal_sim/flash/crc32.h"

namespace boot {
namespace {

static_assert(std::endian::native == std::endian::little, "records are written as they stand in memory");
static_assert(std::is_trivially_copyable_v<BootRecord>);
static_assert(std::has_unique_object_representations_v<BootRecord>, "padding would go to flash unset");

using Page = std::array<std::uint8_t, flash::kPageSize>;

constexpr std::uint32_t kSectors = 2;
constexpr std::array<std::uint32_t, kSectors> kSectorOffsets{flash::kBootControl0.offset,
                                                             flash::kBootControl1.offset};
/// Record, first and second confirmation.
constexpr std::uint32_t kSetLength = 3;
/// Far beyond what the part's erase cycles allow; keeps the arithmetic from wrapping.
constexpr std::uint32_t kMaxGeneration = 0x0100'0000;

std::uint32_t crc_of(const Page& page) {
  return flash::crc32(std::span(page).first(offsetof(BootRecord, crc32)));
}

std::uint32_t page_offset(std::uint32_t generation, std::uint32_t page) {
  return kSectorOffsets[generation % kSectors] + page * flash::kPageSize;
}

bool is_blank(const Page& page) {
  return std::all_of(page.begin(), page.end(), [](std::uint8_t byte) { return byte == 0xFF; });
}

/// @returns the record if it is valid where it stands
std::optional<BootRecord> parse(const Page& page, std::uint32_t sector, std::uint32_t index) {
  BootRecord record;
  std::memcpy(&record, page.data(), sizeof(record));
  if (record.magic != BootRecord::kMagic || record.format != BootRecord::kFormat) return std::nullopt;
  if (record.crc32 != crc_of(page)) return std::nullopt;
  const std::uint32_t generation = record.sequence / BootControl::kPages;
  if (record.sequence % BootControl::kPages != index || generation % kSectors != sector) return std::nullopt;
  if (generation > kMaxGeneration || !is_sound(record.state)) return std::nullopt;
  if (record.role > static_cast<std::uint16_t>(RecordRole::kAnnouncement)) return std::nullopt;
  return record;
}

}  // namespace

/// What one pass over the journal finds.
struct BootControl::Scan {
  struct Sector {
    bool has_record = false;
    bool has_confirmation = false;
    bool has_second_confirmation = false;
    bool ends_in_junk = false;  ///< its last page that is not blank is no record
    std::uint32_t end = 0;      ///< the page after that one
  };

  std::array<Sector, kSectors> sectors{};
  std::optional<BootRecord> in_force;
  /// How many records that end in the one in force follow each other as a set: record, first, second.
  std::uint32_t set_length = 0;

  void take(const Page& page, std::uint32_t sector_index, std::uint32_t page_index) {
    if (is_blank(page)) return;
    Sector& sector = sectors[sector_index];
    const std::optional<BootRecord> record = parse(page, sector_index, page_index);
    sector.ends_in_junk = !record;
    sector.end = page_index + 1;
    if (!record) return;
    sector.has_record = true;
    const auto role = static_cast<RecordRole>(record->role);
    if (role == RecordRole::kSecondConfirmation) sector.has_second_confirmation = true;
    if (role == RecordRole::kFirstConfirmation) sector.has_confirmation = true;
    if (in_force && record->sequence < in_force->sequence) return;
    const bool follows = in_force && in_force->sequence + 1 == record->sequence &&
                         in_force->state == record->state && record->role == set_length;
    set_length = follows ? set_length + 1 : (role == RecordRole::kRecord ? 1 : 0);
    in_force = record;
  }

  [[nodiscard]] std::uint32_t generation() const { return in_force->sequence / kPages; }
  [[nodiscard]] const Sector& own_sector() const { return sectors[generation() % kSectors]; }
  [[nodiscard]] const Sector& other_sector() const { return sectors[(generation() + 1) % kSectors]; }

  [[nodiscard]] bool is_settled() const {
    return set_length == kSetLength && !own_sector().ends_in_junk && other_sector().has_record;
  }
};

flash::Status BootControl::load() {
  is_loaded_ = false;
  state_ = {};
  has_record_ = false;
  settled_ = false;
  in_force_sector_is_solid_ = false;
  reinforce_ = false;
  write_generation_ = 0;
  next_page_ = kPages;
  in_force_generation_ = 0;

  Scan scan;
  Page page;
  for (std::uint32_t sector = 0; sector < kSectors; ++sector) {
    for (std::uint32_t index = 0; index < kPages; ++index) {
      const flash::Status status = flash_.read(page_offset(sector, index), page);
      if (status != flash::Status::kOk) return status;
      scan.take(page, sector, index);
    }
  }
  is_loaded_ = true;
  if (!scan.in_force) return flash::Status::kOk;
  state_ = scan.in_force->state;
  has_record_ = true;
  settled_ = scan.is_settled();
  in_force_generation_ = scan.generation();
  const Scan::Sector& own = scan.own_sector();
  in_force_sector_is_solid_ = own.has_confirmation || own.has_second_confirmation;
  reinforce_ = own.has_confirmation && !own.has_second_confirmation;
  if (reinforce_) {
    write_generation_ = in_force_generation_;
    next_page_ = std::min(own.end + 1, kPages);
  }
  return flash::Status::kOk;
}

const flash::Partition& BootControl::in_force_partition() const {
  return in_force_generation_ % kSectors == 0 ? flash::kBootControl0 : flash::kBootControl1;
}

flash::Status BootControl::settle() {
  if (!has_record_ || settled_) return flash::Status::kOk;
  if (reinforce_) {
    const flash::Status status = write_set(state_);
    if (status != flash::Status::kOk) return status;
    reinforce_ = false;
    next_page_ = kPages;
  }
  return write_set(state_);
}

flash::Status BootControl::append(const BootState& next) {
  if (!is_loaded_ || !is_sound(next)) return flash::Status::kOutOfRange;
  const flash::Status status = settle();
  if (status != flash::Status::kOk) return status;
  if (has_record_ && next == state_) return flash::Status::kOk;
  return write_set(next);
}

flash::Status BootControl::write_set(BootState next) {
  flash::Status status = flash::Status::kProgramFailed;
  for (std::uint32_t tries = 0; tries < kMaxWriteTries && status == flash::Status::kProgramFailed; ++tries) {
    status = try_write_set(next);
  }
  if (status != flash::Status::kOk) return status;
  state_ = next;
  has_record_ = true;
  settled_ = true;
  in_force_generation_ = write_generation_;
  in_force_sector_is_solid_ = true;
  return flash::Status::kOk;
}

flash::Status BootControl::try_write_set(const BootState& next) {
  const std::uint32_t pages = settled_ ? kSetLength + 1 : kSetLength;
  if (next_page_ + pages > kPages) {
    const flash::Status status = open_sector();
    if (status != flash::Status::kOk) return status;
  } else if (settled_) {
    const flash::Status status = write_page(state_, RecordRole::kAnnouncement);
    if (status != flash::Status::kOk) return status;
  }
  settled_ = false;
  for (const RecordRole role :
       {RecordRole::kRecord, RecordRole::kFirstConfirmation, RecordRole::kSecondConfirmation}) {
    const flash::Status status = write_page(next, role);
    if (status != flash::Status::kOk) return status;
  }
  return flash::Status::kOk;
}

/// Programs the next page and reads it back.
flash::Status BootControl::write_page(const BootState& state, RecordRole role) {
  BootRecord record{};
  record.magic = BootRecord::kMagic;
  record.sequence = write_generation_ * kPages + next_page_;
  record.format = BootRecord::kFormat;
  record.role = static_cast<std::uint16_t>(role);
  record.state = state;
  Page page;
  std::memcpy(page.data(), &record, sizeof(record));
  record.crc32 = crc_of(page);
  std::memcpy(page.data(), &record, sizeof(record));

  const std::uint32_t offset = page_offset(write_generation_, next_page_);
  ++next_page_;
  flash::Status status = flash_.program(offset, page);
  if (status != flash::Status::kOk) return status;
  Page read_back;
  status = flash_.read(offset, read_back);
  if (status != flash::Status::kOk) return status;
  return read_back == page ? flash::Status::kOk : flash::Status::kProgramFailed;
}

/// Erases the sector that does not hold the last settled state.
flash::Status BootControl::open_sector() {
  std::uint32_t generation = 0;
  if (has_record_) generation = in_force_generation_ + (in_force_sector_is_solid_ ? 1 : 0);
  if (generation > kMaxGeneration) return flash::Status::kOutOfRange;
  settled_ = false;
  next_page_ = kPages;
  const flash::Status status = flash_.erase_sector(kSectorOffsets[generation % kSectors]);
  if (status != flash::Status::kOk) return status;
  write_generation_ = generation;
  next_page_ = 0;
  return flash::Status::kOk;
}

}  // namespace boot
