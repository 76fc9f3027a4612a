// The flash map: one table for both worlds. `docs/flash-layout.md` shows it; a test keeps them equal.
//
// The flash window is 16 MiB. Its last 12 KiB are not array: the OTP bank, the controller's registers and
// its page buffer (see controller_registers.h). Partitions are sector-aligned; nothing overlaps.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "pal_sim/flash/flash_driver.h"

namespace flash {

inline constexpr std::uint32_t kWindowSize = 0x0100'0000;
inline constexpr std::uint32_t kSectorSize = 4096;
inline constexpr std::uint32_t kPageSize = 256;

// The window's tail, beyond the array.
inline constexpr std::uint32_t kOtpOffset = 0x00FF'D000;
inline constexpr std::uint32_t kOtpSize = 1024;
inline constexpr std::uint32_t kRegistersOffset = 0x00FF'E000;
inline constexpr std::uint32_t kPageBufferOffset = 0x00FF'F000;

inline constexpr std::uint32_t kArraySize = kOtpOffset;
inline constexpr Geometry kGeometry{kArraySize, kSectorSize, kPageSize, kOtpSize};

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

inline constexpr Partition kBootControl0{"boot-control-0", 0x00'0000, kSectorSize, "boot control journal"};
inline constexpr Partition kBootControl1{"boot-control-1", 0x00'1000, kSectorSize, "boot control journal"};
inline constexpr Partition kCalendar0{"calendar-0", 0x00'2000, kSectorSize, "floor of the calendar time"};
inline constexpr Partition kCalendar1{"calendar-1", 0x00'3000, kSectorSize, "floor of the calendar time"};
inline constexpr Partition kProvisioning0{"provisioning-0", 0x00'4000, 0x4000,
                                          "identity and settings, first copy"};
inline constexpr Partition kProvisioning1{"provisioning-1", 0x00'8000, 0x4000,
                                          "identity and settings, second copy"};
inline constexpr Partition kSlotA{"slot-a", 0x10'0000, kSlotSize, "application image"};
inline constexpr Partition kSlotB{"slot-b", 0x40'0000, kSlotSize, "application image"};
inline constexpr Partition kRecovery{"recovery", 0x70'0000, kSlotSize, "recovery image"};

inline constexpr std::array kPartitions{kBootControl0,  kBootControl1, kCalendar0, kCalendar1, kProvisioning0,
                                        kProvisioning1, kSlotA,        kSlotB,     kRecovery};

namespace detail {
constexpr bool map_is_sound() {
  std::uint32_t last_end = 0;
  for (const Partition& p : kPartitions) {
    if (p.offset < last_end || p.size == 0) return false;
    if (p.offset % kSectorSize != 0 || p.size % kSectorSize != 0) return false;
    last_end = p.end();
  }
  return last_end <= kArraySize;
}
}  // namespace detail
static_assert(detail::map_is_sound(), "partitions must be sector-aligned, ascending and inside the array");

}  // namespace flash
