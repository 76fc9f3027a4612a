// The boards a lab can have.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace otasim::lab {

struct Board {
  std::string_view name;           ///< QEMU's machine, and what a user calls it
  std::string_view core;           ///< for people
  std::uint32_t load_address;      ///< where its images are loaded; the application's linker script agrees
  std::string_view nic_model;      ///< QEMU's name of its network controller
  std::uint32_t watchdog_address;  ///< of its CMSDK watchdog
  std::span<const std::string_view> capabilities;  ///< what scenarios may need of it
};

/// All of them; the first is the default.
[[nodiscard]] std::span<const Board> boards();
/// What a board may be capable of: "flash-faults", "watchdog", "otp", "trustzone".
[[nodiscard]] std::span<const std::string_view> board_capabilities();
/// @returns null for a name that is none's
[[nodiscard]] const Board* find_board(std::string_view name);
[[nodiscard]] std::vector<std::string> board_names();

}  // namespace otasim::lab
