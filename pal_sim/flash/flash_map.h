// The flash map: one table for both worlds. `docs/flash-layout.md` shows it; a test keeps them equal.
//
// The flash window is 16 MiB. Its last 12 KiB are no part's array: the OTP bank, the controller's registers
// and its page buffer (see controller_registers.h). One map for all parts: partitions start and end where the
// largest sector of any part does. What differs between parts is their Geometry, and code that erases, locks
// or rounds asks the part for it. Pages are the same in all of them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "pal_sim/flash/flash_driver.h"

namespace flash {

inline constexpr std::uint32_t kWindowSize = 0x0100'0000;
inline constexpr std::uint32_t kPageSize = 256;

// The window's tail, beyond the array.
inline constexpr std::uint32_t kOtpOffset = 0x00FF'D000;
inline constexpr std::uint32_t kOtpSize = 1024;
inline constexpr std::uint32_t kRegistersOffset = 0x00FF'E000;
inline constexpr std::uint32_t kPageBufferOffset = 0x00FF'F000;

/// The part behind a memory-mapped controller (the mps2 boards).
inline constexpr Geometry kControllerPart{.size = kOtpOffset,
                                          .sector_size = 4096,
                                          .block_size = 0x1'0000,
                                          .page_size = kPageSize,
                                          .otp_size = kOtpSize,
                                          .has_locks = true,
                                          .has_fuses = true,
                                          .has_entropy = true};
/// The SPI NOR chip s25sl12801 (emcraft-sf2). Its last sector is not for use as array: the bank stands in it.
inline constexpr Geometry kSpiNorPart{.size = 0x00FF'0000,
                                      .sector_size = 0x1'0000,
                                      .block_size = 0x1'0000,
                                      .page_size = kPageSize,
                                      .otp_size = kOtpSize,
                                      .has_locks = false,
                                      .has_fuses = false,
                                      .has_entropy = false};
inline constexpr std::array kParts{kControllerPart, kSpiNorPart};

/// Limits over all parts.
inline constexpr std::uint32_t kSmallestSector = kControllerPart.sector_size;
inline constexpr std::uint32_t kLargestSector = kSpiNorPart.sector_size;
inline constexpr std::uint32_t kSmallestArray = kSpiNorPart.size;
inline constexpr std::uint32_t kLargestErase = kControllerPart.block_size;

/// Whether a byte of the window is a cell of the part's array or bank, that can be programmed.
[[nodiscard]] constexpr bool is_cell(const Geometry& part, std::uint32_t window_offset) {
  return window_offset < part.size || (window_offset >= kOtpOffset && window_offset < kOtpOffset + kOtpSize);
}

/// A journal takes the first pages of its partition, however large the sector is that they stand in: as many
/// as the smallest sector has. The partition's first sector is erased as a whole.
inline constexpr std::uint32_t kJournalSize = kSmallestSector;
inline constexpr std::uint32_t kJournalPages = kJournalSize / kPageSize;

struct Partition {
  std::string_view name;
  std::uint32_t offset;
  std::uint32_t size;
  std::string_view purpose;

  [[nodiscard]] constexpr std::uint32_t end() const { return offset + size; }
  [[nodiscard]] constexpr bool contains(std::uint32_t at, std::uint32_t length) const {
    return at >= offset && length <= size && at - offset <= size - length;
  }
};

inline constexpr std::uint32_t kSlotSize = 0x0030'0000;

inline constexpr Partition kBootControl0{"boot-control-0", 0x00'0000, kLargestSector, "boot control journal"};
inline constexpr Partition kBootControl1{"boot-control-1", 0x01'0000, kLargestSector, "boot control journal"};
inline constexpr Partition kCalendar0{"calendar-0", 0x02'0000, kLargestSector, "floor of the calendar time"};
inline constexpr Partition kCalendar1{"calendar-1", 0x03'0000, kLargestSector, "floor of the calendar time"};
inline constexpr Partition kProvisioning0{"provisioning-0", 0x04'0000, kLargestSector,
                                          "identity and settings, first copy"};
inline constexpr Partition kProvisioning1{"provisioning-1", 0x05'0000, kLargestSector,
                                          "identity and settings, second copy"};
inline constexpr Partition kSeed0{"seed-0", 0x06'0000, kLargestSector, "seed of random numbers"};
inline constexpr Partition kSeed1{"seed-1", 0x07'0000, kLargestSector, "seed of random numbers"};
inline constexpr Partition kSlotA{"slot-a", 0x10'0000, kSlotSize, "application image"};
inline constexpr Partition kSlotB{"slot-b", 0x40'0000, kSlotSize, "application image"};
inline constexpr Partition kRecovery{"recovery", 0x70'0000, kSlotSize, "recovery image"};

inline constexpr std::array kPartitions{kBootControl0,  kBootControl1,  kCalendar0, kCalendar1,
                                        kProvisioning0, kProvisioning1, kSeed0,     kSeed1,
                                        kSlotA,         kSlotB,         kRecovery};

namespace detail {
constexpr bool map_suits(const Geometry& part) {
  std::uint32_t last_end = 0;
  for (const Partition& p : kPartitions) {
    if (p.offset < last_end || p.size == 0) return false;
    if (p.offset % part.sector_size != 0 || p.size % part.sector_size != 0) return false;
    last_end = p.end();
  }
  return last_end <= part.size && part.page_size == kPageSize && part.otp_size == kOtpSize;
}
constexpr bool map_is_sound() {
  for (const Geometry& part : kParts) {
    if (!map_suits(part) || part.size > kOtpOffset || part.size < kSmallestArray) return false;
    if (part.sector_size > kLargestSector || part.sector_size < kSmallestSector) return false;
    if (part.block_size % part.sector_size != 0 || part.block_size > kLargestErase) return false;
  }
  return true;
}
}  // namespace detail
static_assert(detail::map_is_sound(), "partitions must be sector-aligned, ascending and inside every array");

}  // namespace flash
