// The boards a lab can have.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/device/cmsdk_watchdog.h"
#include "sim/flash/back_end.h"
#include "sim/image/arm_attributes.h"

namespace otasim::lab {

/// What a board's processor runs: the architecture of its own and those before it.
struct Cpu {
  std::string_view name;                   ///< for people
  image::CpuArch arch = image::kArchV7;    ///< its newest
  image::FpArch fp_arch = image::kFpNone;  ///< of its floating-point unit
};

struct MemoryRange {
  std::uint32_t address = 0;
  std::uint32_t size = 0;
};

enum class Watchdog : std::uint8_t {
  kCmsdk,   ///< the board's own
  kSerial,  ///< none of its own: an external one on its second UART
};

struct Board {
  std::string_view name;  ///< QEMU's machine, and what a user calls it
  Cpu cpu;
  MemoryRange boot_rom;        ///< where the bootloader stands; its linker script agrees
  std::uint32_t load_address;  ///< where its images are loaded; the application's linker script agrees
  MemoryRange ram;             ///< the application's data and stack
  std::uint32_t flash_window;  ///< where it maps a controller's window; 0: it has none
  std::string_view nic_model;  ///< QEMU's name of its network controller
  std::span<const std::string_view> capabilities;  ///< what scenarios may need of it
  flash_file::BackEnd flash = flash_file::BackEnd::kController;
  Watchdog watchdog = Watchdog::kCmsdk;
  device::CmsdkWatchdog cmsdk_watchdog = {};  ///< of kCmsdk
  std::string_view weakness = {};             ///< in which it protects less than the others; may be empty
};

/// All of them; the first is the default.
[[nodiscard]] std::span<const Board> boards();
/// What a board may be capable of: "flash-faults", "watchdog", "otp", "fpu", "trustzone", "spi-nor".
[[nodiscard]] std::span<const std::string_view> board_capabilities();
/// @returns null for a name that is none's
[[nodiscard]] const Board* find_board(std::string_view name);
[[nodiscard]] std::vector<std::string> board_names();

}  // namespace otasim::lab
