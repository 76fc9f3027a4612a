// The faults of a device's processor and power, as a user arms them. docs/faults.md has the table.
//
// The first four strike when they are armed. Clearing a hang lets the device go on; clearing the last two
// takes back what has not struck yet.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "sim/base/strike.h"

namespace otasim::device {

/// device.power_cut: power is lost now.
struct PowerCut {};

/// device.reset: the reset line is pulled now.
struct Reset {};

/// device.watchdog: the board's watchdog expires now.
struct WatchdogExpiry {};

/// device.hang: the processor and the board's clocks stand still.
struct Hang {};

/// device.reset_at_instruction: the reset line is pulled before the nth instruction since power-on (from 1),
/// once, at the next power-on at which so many are run.
struct ResetAtInstruction {
  std::uint64_t instruction = 1;
};

/// device.skip_instruction: an instruction is passed over; by default the first time it is about to run.
struct SkipInstruction {
  enum class Program : std::uint8_t { kBootloader, kApplication };
  Program program = Program::kBootloader;
  std::string at = {};  ///< "function+0x1c" or "0x1234" (elf_symbols.h)
  StrikePlan strike = {.times = 1};
};

using DeviceFault = std::variant<PowerCut, Reset, WatchdogExpiry, Hang, ResetAtInstruction, SkipInstruction>;

/// "device.power_cut" and so on.
[[nodiscard]] std::string_view name_of(const DeviceFault& fault);

}  // namespace otasim::device
