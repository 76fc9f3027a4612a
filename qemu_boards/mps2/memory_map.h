// The mps2 family's memory map: ARM AN385, AN386 and AN500 (Cortex-M3, M4 and M7 on the MPS2 and MPS2+),
// AN505 and AN521 (Cortex-M33 on the MPS2+), and the address of each device as QEMU models it. README.md
// shows it as a table. What differs between the boards is in one table; this_board.h picks the board that is
// compiled for. The memories of the boards with TrustZone have a header of their own
// (trustzone/memory_map.h).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace mps2 {

struct Board {
  std::string_view name;
  std::uint32_t flash_window;  ///< PSRAM, 16 MiB: where the file-backed memory stands
  std::uint32_t ethernet;      ///< LAN9118
  std::uint32_t ethernet_irq;
  /// That a vector table serves. With the 16 exceptions it must fit its alignment in an image, 128 words.
  std::uint32_t interrupt_lines;
  std::uint32_t uart0;
  std::uint32_t watchdog;
  std::uint32_t fpga_io;
  std::uint32_t core_clock_hz;
  bool has_trustzone;
};

/// The boards without TrustZone have their devices in one place, but for those that are given.
constexpr Board one_world(std::string_view name, std::uint32_t flash_window, std::uint32_t ethernet) {
  return {name, flash_window, ethernet, 13, 32, 0x4000'4000, 0x4000'8000, 0x4002'8000, 25'000'000, false};
}

/// Those with TrustZone, too. The watchdog is the secure one; the others are seen at their non-secure
/// addresses by both worlds.
constexpr Board two_worlds(std::string_view name) {
  return {name, 0x8000'0000, 0x4200'0000, 48, 112, 0x4020'0000, 0x5008'1000, 0x4030'2000, 20'000'000, true};
}

inline constexpr std::array kBoards{
    one_world("mps2-an385", 0x2100'0000, 0x4020'0000),
    one_world("mps2-an386", 0x2100'0000, 0x4020'0000),
    one_world("mps2-an500", 0x6000'0000, 0xA000'0000),
    two_worlds("mps2-an505"),
    two_worlds("mps2-an521"),
};

/// Where images are loaded to, on all of them.
inline constexpr std::uint32_t kLoadAddress = 0x0010'0000;
inline constexpr std::uint32_t kLoadSize = 0x0030'0000;
/// What is zeroed behind an image before it starts ends here.
inline constexpr std::uint32_t kClearedEnd = kLoadAddress + kLoadSize;
/// Start of the bootloader's RAM that start-up code leaves alone: BootInfo and the reset reason.
inline constexpr std::uint32_t kNoInitSize = 0x400;
/// It stands here: with TrustZone in the secure world's RAM.
constexpr std::uint32_t kept_address(const Board& board) {
  return board.has_trustzone ? 0x3800'0000 : 0x2000'0000;
}
/// Of boot::RomTrust, near the end of the ROM.
inline constexpr std::uint32_t kRomTrustSize = 0x800;

// Of those without TrustZone.
/// Of each of the two memories, for code and for data; each is mapped twice in succession.
inline constexpr std::uint32_t kMemorySize = 0x0040'0000;
inline constexpr std::uint32_t kRomAddress = 0x0000'0000;
inline constexpr std::uint32_t kRomSize = 0x0004'0000;
inline constexpr std::uint32_t kRomTrustAddress = kRomAddress + kRomSize - kRomTrustSize;
inline constexpr std::uint32_t kRamAddress = 0x2000'0000;
inline constexpr std::uint32_t kRamSize = 0x0040'0000;

}  // namespace mps2
