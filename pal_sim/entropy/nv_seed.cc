#include "pal_sim/entropy/nv_seed.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string_view>

#include "agent/crypto/crypto.h"
#include "pal_sim/flash/crc32.h"

namespace entropy {
namespace {

using flash::Status;

static_assert(std::endian::native == std::endian::little, "records are written as they stand in memory");

constexpr std::array<std::uint32_t, 2> kSectors{flash::kSeed0.offset, flash::kSeed1.offset};
static_assert(kSeedCopies * flash::kPageSize <= flash::kSmallestSector, "the copies stand in one sector");

std::span<const std::uint8_t> bytes_of(std::string_view label) {
  return {reinterpret_cast<const std::uint8_t*>(label.data()), label.size()};
}

std::uint32_t crc_of(const SeedPage& page) {
  return flash::crc32(std::span(page).first(offsetof(SeedRecord, crc32)));
}

std::optional<SeedRecord> parse(const SeedPage& page) {
  SeedRecord record;
  std::memcpy(&record, page.data(), sizeof record);
  if (record.magic != SeedRecord::kMagic || record.crc32 != crc_of(page)) return std::nullopt;
  // The last one has no successor; no device starts that often.
  if (record.sequence == UINT32_MAX) return std::nullopt;
  return record;
}

}  // namespace

SeedPage seed_page(std::uint32_t sequence, const Seed& seed) {
  SeedPage page;
  page.fill(0xFF);
  SeedRecord record{.magic = SeedRecord::kMagic, .sequence = sequence, .seed = seed, .crc32 = 0};
  std::memcpy(page.data(), &record, sizeof record);
  record.crc32 = crc_of(page);
  std::memcpy(page.data(), &record, sizeof record);
  return page;
}

struct NvSeed::Found {
  std::optional<SeedRecord> record;
  std::size_t sector = 0;  ///< index of the one that holds it
};

Status NvSeed::fill(std::span<std::uint8_t> out) {
  if (out.size() > flash::kPageSize) return Status::kOutOfRange;
  if (!is_open_) {
    const Status status = replace_seed();
    if (status != Status::kOk) return status;
    is_open_ = true;
  }
  crypto::hkdf_sha256(pool_, bytes_of("otasim nv-seed output"), out);
  Seed next;
  crypto::hkdf_sha256(pool_, bytes_of("otasim nv-seed pool"), next);
  pool_ = next;
  return Status::kOk;
}

Status NvSeed::replace_seed() {
  Found found;
  Status status = find(found);
  if (status != Status::kOk) return status;
  if (!found.record) return Status::kBadCommand;
  const SeedRecord current = *found.record;
  const std::uint32_t own = kSectors[found.sector];
  const std::uint32_t other = kSectors[1 - found.sector];

  status = write_copies(own, seed_page(current.sequence, current.seed));
  if (status != Status::kOk) return status;
  status = flash_.erase_sector(other);
  if (status != Status::kOk) return status;
  const Seed next = derive(current.seed, bytes_of("otasim nv-seed next"));
  status = write_copies(other, seed_page(current.sequence + 1, next));
  if (status != Status::kOk) return status;
  status = flash_.erase_sector(own);
  if (status != Status::kOk) return status;
  pool_ = derive(current.seed, bytes_of("otasim nv-seed start"));
  return Status::kOk;
}

Status NvSeed::find(Found& found) {
  SeedPage page;
  for (std::size_t sector = 0; sector < kSectors.size(); ++sector) {
    for (std::uint32_t copy = 0; copy < kSeedCopies; ++copy) {
      const Status status = flash_.read(kSectors[sector] + copy * flash::kPageSize, page);
      if (status != Status::kOk) return status;
      const std::optional<SeedRecord> record = parse(page);
      if (!record || (found.record && found.record->sequence >= record->sequence)) continue;
      found = {.record = record, .sector = sector};
    }
  }
  return Status::kOk;
}

/// Programs every copy and reads it back. @returns kOk if one is as it should be: the others are for cells
/// that fail later, and some may have failed before.
Status NvSeed::write_copies(std::uint32_t sector, const SeedPage& page) {
  bool is_written = false;
  for (std::uint32_t copy = 0; copy < kSeedCopies; ++copy) {
    const std::uint32_t offset = sector + copy * flash::kPageSize;
    Status status = flash_.program(offset, page);
    if (status == Status::kProgramFailed) continue;
    if (status != Status::kOk) return status;
    SeedPage read_back;
    status = flash_.read(offset, read_back);
    if (status != Status::kOk) return status;
    is_written = is_written || read_back == page;
  }
  return is_written ? Status::kOk : Status::kProgramFailed;
}

Seed NvSeed::derive(const Seed& from, std::span<const std::uint8_t> label) const {
  Seed result;
  crypto::hkdf_sha256(crypto::hmac_sha256(secret_, from), label, result);
  return result;
}

}  // namespace entropy
