// The mps2 family's memory map: ARM AN385, AN386 and AN500 (Cortex-M3, M4 and M7 on the MPS2 and MPS2+), and
// the address of each device as QEMU models it. README.md shows it as a table. What differs between the
// boards is in one table; this_board.h picks the board that is compiled for.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace mps2 {

struct Board {
  std::string_view name;
  std::uint32_t flash_window;  ///< PSRAM, 16 MiB: where the file-backed memory stands
  std::uint32_t ethernet;      ///< LAN9118
};

inline constexpr std::array kBoards{
    Board{"mps2-an385", 0x2100'0000, 0x4020'0000},
    Board{"mps2-an386", 0x2100'0000, 0x4020'0000},
    Board{"mps2-an500", 0x6000'0000, 0xA000'0000},
};

// The same on all of them.
/// Of each of the two memories, for code and for data; each is mapped twice in succession.
inline constexpr std::uint32_t kMemorySize = 0x0040'0000;
inline constexpr std::uint32_t kRomAddress = 0x0000'0000;
inline constexpr std::uint32_t kRomSize = 0x0004'0000;
/// End of the ROM: boot::RomTrust.
inline constexpr std::uint32_t kRomTrustSize = 0x800;
inline constexpr std::uint32_t kRomTrustAddress = kRomAddress + kRomSize - kRomTrustSize;
inline constexpr std::uint32_t kLoadAddress = 0x0010'0000;
inline constexpr std::uint32_t kLoadSize = 0x0030'0000;
inline constexpr std::uint32_t kRamAddress = 0x2000'0000;
inline constexpr std::uint32_t kRamSize = 0x0040'0000;
/// Start of RAM that start-up code leaves alone: BootInfo and the reset reason.
inline constexpr std::uint32_t kNoInitSize = 0x400;

inline constexpr std::uint32_t kUart0 = 0x4000'4000;
inline constexpr std::uint32_t kWatchdog = 0x4000'8000;
inline constexpr std::uint32_t kFpgaIo = 0x4002'8000;
inline constexpr std::uint32_t kEthernetIrq = 13;
inline constexpr std::uint32_t kInterruptLines = 32;
inline constexpr std::uint32_t kCoreClockHz = 25'000'000;

}  // namespace mps2
