// Addresses that a hostile application tries to write, on the mps2 boards with a Cortex-M3, M4 or M7.
#pragma once

#include "pal_sim/flash/flash_map.h"
#include "qemu_boards/mps2/this_board.h"

namespace probe {

inline constexpr std::uint32_t kBootRom = mps2::kRomAddress + 0x100;
inline constexpr std::uint32_t kBootRomMirror = kBootRom + mps2::kMemorySize;
inline constexpr std::uint32_t kFlashArray = mps2::kBoard.flash_window + flash::kProvisioning0.offset;
/// Where nothing is.
inline constexpr std::uint32_t kNowhere = 0xE010'0000;

}  // namespace probe
