// Addresses that a hostile application tries to write, on emcraft-sf2.
#pragma once

#include "qemu_boards/emcraft_sf2/memory_map.h"

namespace probe {

inline constexpr std::uint32_t kBootRom = emcraft_sf2::kRomAddress + 0x100;
inline constexpr std::uint32_t kRomTrust = emcraft_sf2::kRomTrustAddress;
inline constexpr std::uint32_t kBootRomMirror = emcraft_sf2::kRomHome + 0x100;
/// The flash chip is no memory of the processor, so another read-only place stands for it.
inline constexpr std::uint32_t kFlashArray = emcraft_sf2::kRomHome + 0x1000;
/// A register of what a trial keeps out of reach: the heartbeat line's transmitter.
inline constexpr std::uint32_t kWatchdog = emcraft_sf2::kUart1;
/// Where nothing is.
inline constexpr std::uint32_t kNowhere = 0xE010'0000;

}  // namespace probe
