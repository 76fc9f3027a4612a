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

// Flash: all secure, for a store into the array is no flash operation and nothing undoes it.

/// What the secure world reads for the application: the calendar, and what stands in slots. Boot control,
/// provisioning and what no partition has stay the secure world's.
constexpr bool is_readable(std::uint32_t offset, std::uint32_t size) {
  for (const flash::Partition& partition :
       {flash::kCalendar0, flash::kCalendar1, flash::kSlotA, flash::kSlotB, flash::kRecovery}) {
    if (partition.contains(offset, size)) return true;
  }
  return false;
}
static_assert(!is_readable(flash::kBootControl0.offset, 1) && !is_readable(flash::kBootControl1.offset, 1));
static_assert(!is_readable(flash::kProvisioning0.offset, 1) && !is_readable(flash::kProvisioning1.offset, 1));
static_assert(!is_readable(flash::kOtpOffset, 1) && !is_readable(flash::kRegistersOffset, 1));

}  // namespace mps2
