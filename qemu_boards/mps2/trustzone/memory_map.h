// The memories of the boards with TrustZone (AN505, AN521) and which world each part belongs to. A secure
// address is the non-secure one of the same memory with bit 28 set; PSRAM, the flash window, has no second
// address.
//
// trustzone/*.ld say the same to the linker.
#pragma once

#include <cstdint>

#include "pal_sim/flash/flash_map.h"
#include "qemu_boards/mps2/this_board.h"

namespace mps2 {

inline constexpr std::uint32_t kSecureAlias = 0x1000'0000;

// SSRAM1: ROM (bootloader, services, gateway), then load memory.
inline constexpr std::uint32_t kSecureRomAddress = 0x1000'0000;
inline constexpr std::uint32_t kSecureRomSize = 0x0004'0000;
inline constexpr std::uint32_t kGatewayAddress = 0x1003'F000;  ///< non-secure callable, to the end of the ROM
inline constexpr std::uint32_t kSecureRomTrustAddress = kGatewayAddress - kRomTrustSize;
inline constexpr std::uint32_t kCodeMemoryAddress = 0x0000'0000;
inline constexpr std::uint32_t kCodeMemorySize = 0x0040'0000;
inline constexpr std::uint32_t kSecureLoadAddress = kLoadAddress + kSecureAlias;
static_assert(kLoadAddress + kLoadSize == kCodeMemoryAddress + kCodeMemorySize);

// SSRAM2: all secure.
inline constexpr std::uint32_t kSecureRamAddress = 0x3800'0000;
inline constexpr std::uint32_t kSecureRamSize = 0x0020'0000;

// SSRAM3: all non-secure.
inline constexpr std::uint32_t kApplicationRamAddress = 0x2820'0000;
inline constexpr std::uint32_t kApplicationRamSize = 0x0020'0000;

/// The part of the flash window that the application may read, in two pieces: the calendar, and from the
/// first slot to the end of the recovery image. Boot control, provisioning, what lies beyond the slots, OTP
/// and the controller are the secure world's alone.
struct FlashRange {
  std::uint32_t begin;
  std::uint32_t end;

  [[nodiscard]] constexpr bool contains(std::uint32_t offset, std::size_t size) const {
    return offset >= begin && offset <= end && size <= end - offset;
  }
};
inline constexpr FlashRange kReadableCalendar{flash::kCalendar0.offset, flash::kCalendar1.end()};
inline constexpr FlashRange kReadableSlots{flash::kSlotA.offset, flash::kRecovery.end()};

constexpr bool is_readable(std::uint32_t offset, std::size_t size) {
  return kReadableCalendar.contains(offset, size) || kReadableSlots.contains(offset, size);
}

namespace detail {
constexpr bool is_secret(const flash::Partition& partition) {
  return !kReadableCalendar.contains(partition.offset, 1) && !kReadableSlots.contains(partition.offset, 1) &&
         (partition.end() <= kReadableCalendar.begin || partition.offset >= kReadableCalendar.end) &&
         (partition.end() <= kReadableSlots.begin || partition.offset >= kReadableSlots.end);
}
}  // namespace detail
static_assert(detail::is_secret(flash::kBootControl0) && detail::is_secret(flash::kBootControl1));
static_assert(detail::is_secret(flash::kProvisioning0) && detail::is_secret(flash::kProvisioning1));
static_assert(kReadableSlots.end <= flash::kOtpOffset && flash::kOtpOffset <= flash::kRegistersOffset);
// SAU regions are of 32 bytes.
static_assert(kReadableCalendar.begin % 32 == 0 && kReadableCalendar.end % 32 == 0);
static_assert(kReadableSlots.begin % 32 == 0 && kReadableSlots.end % 32 == 0);

}  // namespace mps2
