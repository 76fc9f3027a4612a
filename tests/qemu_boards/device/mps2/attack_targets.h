// Addresses that a hostile application tries to write, on the mps2 boards.
#pragma once

#include "pal_sim/flash/flash_map.h"
#include "qemu_boards/mps2/trustzone/memory_map.h"

namespace probe {

inline constexpr bool kHasTrustZone = mps2::kBoard.has_trustzone;
inline constexpr std::uint32_t kBootRom =
    (kHasTrustZone ? mps2::kSecureRomAddress : mps2::kRomAddress) + 0x100;
/// The board shows it a second time.
inline constexpr std::uint32_t kBootRomMirror =
    kHasTrustZone ? kBootRom - mps2::kSecureAlias : kBootRom + mps2::kMemorySize;
inline constexpr std::uint32_t kRomTrust =
    kHasTrustZone ? mps2::kSecureRomTrustAddress : mps2::kRomTrustAddress;
inline constexpr std::uint32_t kFlashArray = mps2::kBoard.flash_window + flash::kProvisioning0.offset;
/// A register of what a trial keeps out of reach.
inline constexpr std::uint32_t kWatchdog = mps2::kBoard.watchdog + 0xC00;
/// Where nothing is.
inline constexpr std::uint32_t kNowhere = 0xE010'0000;

}  // namespace probe
