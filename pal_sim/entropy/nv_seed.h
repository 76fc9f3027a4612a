// Random bytes from a seed in flash, for a part without an entropy source (flash::Geometry::has_entropy).
//
// The factory writes the first seed (seed_page(), each of kSeedCopies pages from kSeed0's start). Then
// fill(), as often as wanted: at the first call the seed in flash is replaced by one derived from it, and
// only then is any byte handed out. So no two starts of the device hand out the same bytes, and who reads
// flash later does not learn what they were.
//
// How that survives power cuts. Assumed, as for boot control: a cut leaves what it was changing weak, so that
// it may read one way at this start and another way at the next; what was completed reads the same forever.
//
// - A record has a sequence number; the valid one with the highest is in force. A sector holds copies of one
//   record, in pages that were blank, so that one cell at rest cannot lose the seed.
// - First the copies in force are programmed again with what they say. One that was torn is thereby whole:
// the
//   sector was erased completely before it was begun, so only bits that are to be 0 can be weak.
// - Then the other sector is erased and the next record is written there and read back. Until it is whole
//   the one in force stays as it is, and derives the same next one at the next start.
// - Then the sector of the record that was in force is erased. Bytes are derived from that record, which
//   nobody finds again.
//
// What can go wrong: no valid record (the factory wrote none, or both sectors are damaged), or flash that
// cannot be written. Nothing is handed out then. Who can write flash can put an old seed back: a copy of a
// device's flash hands out the same bytes as the device.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "pal_sim/flash/flash_driver.h"
#include "pal_sim/flash/flash_map.h"

namespace entropy {

using Seed = std::array<std::uint8_t, 32>;

/// Pages at the start of a sector that hold the same record.
inline constexpr std::uint32_t kSeedCopies = 4;

/// What stands in flash, little-endian; the rest of the page is blank.
struct SeedRecord {
  static constexpr std::uint32_t kMagic = 0x4453'564E;  // "NVSD" in memory

  std::uint32_t magic;
  std::uint32_t sequence;
  Seed seed;
  std::uint32_t crc32;  ///< of all bytes before
};
static_assert(sizeof(SeedRecord) == 44);

using SeedPage = std::array<std::uint8_t, flash::kPageSize>;

/// A whole record as it is programmed.
[[nodiscard]] SeedPage seed_page(std::uint32_t sequence, const Seed& seed);

class NvSeed {
 public:
  /// @param secret  goes into all that is derived: the device key, so that flash alone does not tell what
  /// comes.
  ///                Outlives this object, as `flash` does.
  NvSeed(flash::FlashDriver& flash, std::span<const std::uint8_t> secret) : flash_(flash), secret_(secret) {}

  /// Fills `out` with random bytes; at the first call it replaces the seed.
  /// @returns kOk, kOutOfRange (more than a page), kBadCommand (there is no valid seed), kProgramFailed (what
  ///          was written reads otherwise), or what read, program or erase_sector returned; `out` is
  ///          untouched then, and the next call tries again
  [[nodiscard]] flash::Status fill(std::span<std::uint8_t> out);

 private:
  struct Found;
  [[nodiscard]] flash::Status replace_seed();
  [[nodiscard]] flash::Status find(Found& found);
  [[nodiscard]] flash::Status write_copies(std::uint32_t sector, const SeedPage& page);
  [[nodiscard]] Seed derive(const Seed& from, std::span<const std::uint8_t> label) const;

  flash::FlashDriver& flash_;
  std::span<const std::uint8_t> secret_;
  bool is_open_ = false;
  Seed pool_{};  ///< what the next bytes are derived from; replaced with each call
};

}  // namespace entropy
