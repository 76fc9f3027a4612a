// The boards of the MPS2 family: what differs between them, in one table. The drivers read kBoard and nothing
// else; the CMake target of each board says which row that is.
//
// Addresses are those of Arm's application notes for the FPGA images, as QEMU models them.
#pragma once

#include <cstdint>
#include <string_view>

namespace mps2 {

struct Board {
  std::string_view name;
  std::uint32_t clock_hz;      ///< processor, SysTick and watchdog
  std::uint32_t uart;          ///< CMSDK APB UART 0
  std::uint32_t watchdog;      ///< CMSDK APB watchdog; its interrupt is NMI
  std::uint32_t ethernet;      ///< LAN9118
  std::uint32_t ethernet_irq;  ///< its NVIC line
  std::uint32_t flash_window;  ///< the file-backed PSRAM that plays the flash part
  std::uint32_t boot_rom;      ///< start of the bootloader's code; the size is kBootRomSize
  std::uint32_t load_address;  ///< where images are loaded and run
  std::uint32_t load_size;
};

inline constexpr std::uint32_t kBootRomSize = 256 * 1024;

inline constexpr Board kMps2An385{
    .name = "mps2-an385",
    .clock_hz = 25'000'000,
    .uart = 0x4000'4000,
    .watchdog = 0x4000'8000,
    .ethernet = 0x4020'0000,
    .ethernet_irq = 13,
    .flash_window = 0x2100'0000,
    .boot_rom = 0x0000'0000,
    .load_address = 0x0010'0000,
    .load_size = 0x0030'0000,
};

inline constexpr const Board& kBoard = MPS2_BOARD;

}  // namespace mps2
