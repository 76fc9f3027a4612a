// The memory map of emcraft-sf2: Emcraft's M2S-FG484 SOM with a SmartFusion2 M2S010 (Cortex-M3), and the
// address of each device (UG0331, "SmartFusion2 Microcontroller Subsystem") as QEMU models it. README.md
// shows it as a table.
#pragma once

#include <cstdint>
#include <string_view>

namespace emcraft_sf2 {

struct Board {
  std::string_view name;
};
inline constexpr Board kBoard{"emcraft-sf2"};

/// eNVM, the boot ROM: the processor cannot write it. It is seen at 0 and at its home.
inline constexpr std::uint32_t kRomAddress = 0x0000'0000;
inline constexpr std::uint32_t kRomHome = 0x6000'0000;
inline constexpr std::uint32_t kRomSize = 0x0004'0000;
/// End of the ROM: boot::RomTrust.
inline constexpr std::uint32_t kRomTrustSize = 0x800;
inline constexpr std::uint32_t kRomTrustAddress = kRomAddress + kRomSize - kRomTrustSize;

/// eSRAM, the bootloader's data; applications have theirs in DDR.
inline constexpr std::uint32_t kRamAddress = 0x2000'0000;
inline constexpr std::uint32_t kRamSize = 0x0001'0000;
/// Start of RAM that start-up code leaves alone: BootInfo and the reset reason.
inline constexpr std::uint32_t kKeptAddress = kRamAddress;
inline constexpr std::uint32_t kNoInitSize = 0x400;

/// DDR: images, and behind them the application's data.
inline constexpr std::uint32_t kDdrAddress = 0xA000'0000;
inline constexpr std::uint32_t kDdrSize = 0x0400'0000;
inline constexpr std::uint32_t kLoadAddress = kDdrAddress + 0x0010'0000;
inline constexpr std::uint32_t kLoadSize = 0x0030'0000;
inline constexpr std::uint32_t kApplicationRamSize = 0x0040'0000;
/// What is zeroed behind an image before it starts ends here, behind the application's data.
inline constexpr std::uint32_t kClearedEnd = kLoadAddress + kLoadSize + kApplicationRamSize;

inline constexpr std::uint32_t kUart0 = 0x4000'0000;  ///< console
inline constexpr std::uint32_t kSpi0 = 0x4000'1000;   ///< the flash chip
inline constexpr std::uint32_t kTimer = 0x4000'4000;
inline constexpr std::uint32_t kUart1 = 0x4001'0000;  ///< heartbeat to the watchdog outside
inline constexpr std::uint32_t kEthernet = 0x4004'1000;
inline constexpr std::uint32_t kEthernetIrq = 12;
inline constexpr std::uint32_t kInterruptLines = 81;
inline constexpr std::uint32_t kCoreClockHz = 142'000'000;
/// What QEMU's timer counts with, whatever the board says; in the chip it is the clock of APB bus 0.
inline constexpr std::uint32_t kTimerClockHz = 100'000'000;

}  // namespace emcraft_sf2
