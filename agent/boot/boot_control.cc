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
  enum class Content : std::uint8_t { kBlank, kRecord, kJunk };

  std::array<std::array<Content, kPages>, kSectors> content{};
  std::optional<BootRecord> in_force;
  /// The record in the page before, if that is valid and of the same writing.
  std::optional<BootRecord> confirmed;

  void take(const Page& page, std::uint32_t sector, std::uint32_t index) {
    Content& here = content[sector][index];
    if (is_blank(page)) {
      here = Content::kBlank;
      return;
    }
    const std::optional<BootRecord> record = parse(page, sector, index);
    here = record ? Content::kRecord : Content::kJunk;
    if (!record || (in_force && record->sequence < in_force->sequence)) return;
    const bool follows = in_force && in_force->sequence + 1 == record->sequence && index > 0;
    confirmed = follows ? in_force : std::nullopt;
    in_force = record;
  }

  [[nodiscard]] std::uint32_t generation() const { return in_force->sequence / kPages; }

  /// The page after the last one in the sector of the record in force that anything was written to.
  [[nodiscard]] std::uint32_t first_unused_page() const {
    const auto& pages = content[generation() % kSectors];
    std::uint32_t end = kPages;
    while (end > 0 && pages[end - 1] == Content::kBlank) --end;
    return end;
  }

  [[nodiscard]] bool other_sector_has_junk() const {
    const auto& pages = content[(generation() + 1) % kSectors];
    return std::find(pages.begin(), pages.end(), Content::kJunk) != pages.end();
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
  if (scan.in_force) adopt(scan);
  return flash::Status::kOk;
}

void BootControl::adopt(const Scan& scan) {
  state_ = scan.in_force->state;
  has_record_ = true;
  in_force_generation_ = scan.generation();
  write_generation_ = in_force_generation_;

  const std::uint32_t first_unused = scan.first_unused_page();
  next_page_ = std::min(first_unused + 1, kPages);
  const bool is_full = next_page_ + 2 > kPages;
  const bool is_last = scan.in_force->sequence % kPages + 1 == first_unused;
  // Junk in the other sector may be a torn newer record, but only if this sector was left for it.
  const bool superseded_by_none = is_last && !(is_full && scan.other_sector_has_junk());
  const bool is_confirmed =
      scan.in_force->confirms == 1 && scan.confirmed && scan.confirmed->state == scan.in_force->state;
  settled_ = is_confirmed && superseded_by_none;
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
