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
  if (generation > kMaxGeneration || record.confirms > 1 || !is_sound(record.state)) return std::nullopt;
  return record;
}

}  // namespace

/// What one pass over the journal finds.
struct BootControl::Scan {
  struct Sector {
    bool has_record = false;
    bool has_junk = false;      ///< a page neither blank nor a record
    bool ends_in_junk = false;  ///< the last page that is not blank is one
  };

  std::array<Sector, kSectors> sectors{};
  std::optional<BootRecord> in_force;
  /// The record in the page before, if that is valid and of the same writing.
  std::optional<BootRecord> confirmed;

  void take(const Page& page, std::uint32_t sector_index, std::uint32_t page_index) {
    if (is_blank(page)) return;
    Sector& sector = sectors[sector_index];
    const std::optional<BootRecord> record = parse(page, sector_index, page_index);
    sector.ends_in_junk = !record;
    if (!record) {
      sector.has_junk = true;
      return;
    }
    sector.has_record = true;
    if (in_force && record->sequence < in_force->sequence) return;
    const bool follows = in_force && in_force->sequence + 1 == record->sequence && page_index > 0;
    confirmed = follows ? in_force : std::nullopt;
    in_force = record;
  }

  [[nodiscard]] std::uint32_t generation() const { return in_force->sequence / kPages; }

  [[nodiscard]] bool is_confirmed() const {
    return in_force->confirms == 1 && confirmed && confirmed->state == in_force->state;
  }

  /// Whether there may be a torn record newer than the one in force. In the other sector it would stand
  /// alone: what stood there before was erased completely before it was begun.
  [[nodiscard]] bool may_have_torn_record() const {
    const Sector& own = sectors[generation() % kSectors];
    const Sector& other = sectors[(generation() + 1) % kSectors];
    return own.ends_in_junk || (other.has_junk && !other.has_record);
  }
};

flash::Status BootControl::load() {
  state_ = {};
  has_record_ = false;
  settled_ = false;
  write_generation_ = 0;
  next_page_ = kPages;

  Scan scan;
  Page page;
  for (std::uint32_t sector = 0; sector < kSectors; ++sector) {
    for (std::uint32_t index = 0; index < kPages; ++index) {
      const flash::Status status = flash_.read(page_offset(sector, index), page);
      if (status != flash::Status::kOk) return status;
      scan.take(page, sector, index);
    }
  }
  if (!scan.in_force) return flash::Status::kOk;
  state_ = scan.in_force->state;
  has_record_ = true;
  settled_ = scan.is_confirmed() && !scan.may_have_torn_record();
  in_force_generation_ = scan.generation();
  return flash::Status::kOk;
}

flash::Status BootControl::settle() {
  if (!has_record_ || settled_) return flash::Status::kOk;
  return write_pair(state_);
}

flash::Status BootControl::append(const BootState& next) {
  if (!is_sound(next)) return flash::Status::kOutOfRange;
  if (is_settled() && next == state_) return flash::Status::kOk;
  return write_pair(next);
}

flash::Status BootControl::write_pair(const BootState& next) {
  const BootState copy = next;  // `next` may be state_
  flash::Status status = flash::Status::kProgramFailed;
  for (std::uint32_t tries = 0; tries < kMaxWriteTries; ++tries) {
    if (next_page_ + 2 > kPages) {
      status = open_next_sector();
      if (status != flash::Status::kOk) return status;
    }
    status = write_page(copy, false);
    if (status == flash::Status::kOk) status = write_page(copy, true);
    if (status == flash::Status::kOk) {
      state_ = copy;
      has_record_ = true;
      settled_ = true;
      in_force_generation_ = write_generation_;
      return flash::Status::kOk;
    }
    settled_ = false;
    if (status != flash::Status::kProgramFailed) return status;
  }
  return status;
}

flash::Status BootControl::write_page(const BootState& next, bool confirms) {
  BootRecord record{};
  record.magic = BootRecord::kMagic;
  record.sequence = write_generation_ * kPages + next_page_;
  record.format = BootRecord::kFormat;
  record.confirms = confirms ? 1 : 0;
  record.state = next;
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

flash::Status BootControl::open_next_sector() {
  const std::uint32_t generation = has_record_ ? in_force_generation_ + 1 : 0;
  if (generation > kMaxGeneration) return flash::Status::kOutOfRange;
  const flash::Status status = flash_.erase_sector(kSectorOffsets[generation % kSectors]);
  if (status != flash::Status::kOk) return status;
  write_generation_ = generation;
  next_page_ = 0;
  return flash::Status::kOk;
}

}  // namespace boot
