// The flash faults that strike while a device runs, as a user arms them. docs/faults.md has the table.
//
// Each is one struct whose members are those of the fault plan. Which of the operations that `operations`
// selects are struck says the StrikePlan: the fifth erase in slot B is
//   PowerCut{.operations = {OpKind::kEraseSector, {.partition = "slot-b"}}, .strike = {.after = 4, .times =
//   1}}
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "pal_sim/flash/nor_model.h"
#include "sim/base/strike.h"
#include "sim/flash/flash_range.h"

namespace otasim::flash_file {

/// Accepted operations that a fault counts: all kinds that it can strike, or one; anywhere, or in a range.
struct Operations {
  std::optional<flash::OpKind> kind = {};
  FlashRange range = {};
};

/// flash.power_cut: power is lost at an operation.
struct PowerCut {
  enum class Phase : std::uint8_t {
    kBefore,  ///< it changes nothing
    kWithin,  ///< its first `bytes` are changed, and `marginal_bytes` after those are left marginal
    kAfter,   ///< it is complete, but nobody reads its status
  };
  Operations operations = {};
  StrikePlan strike = {.times = 1};
  Phase phase = Phase::kBefore;
  std::uint32_t bytes = 0;
  std::uint32_t marginal_bytes = 0;
};

/// flash.program_failure: programs and burns fail and say so.
struct ProgramFailure {
  Operations operations = {};
  StrikePlan strike = {};
  std::uint32_t bytes = 0;           ///< that each still changes
  std::uint32_t marginal_bytes = 0;  ///< after those
};

/// flash.erase_failure: erases fail and say so.
struct EraseFailure {
  FlashRange range = {};
  StrikePlan strike = {};
  std::uint32_t bytes = 0;
  std::uint32_t marginal_bytes = 0;
};

/// flash.silent_drop: programs, burns and erases fail and report success.
struct SilentDrop {
  Operations operations = {};
  StrikePlan strike = {};
  std::uint32_t bytes = 0;
  std::uint32_t marginal_bytes = 0;
};

/// flash.stuck_bits: bits of one byte read `values` from now on until the fault is cleared. Then they keep
/// what they read, and are cells like others again.
struct StuckBits {
  FlashRange at = {};        ///< its first byte
  std::uint8_t mask = 0xFF;  ///< which bits
  std::uint8_t values = 0;   ///< what they read
};

/// flash.worn: sectors stand so many erases since the part was made; later ones fail, and then programs.
struct Worn {
  FlashRange range = {};
  std::uint32_t erases = 0;
};

using FlashFault = std::variant<PowerCut, ProgramFailure, EraseFailure, SilentDrop, StuckBits, Worn>;

/// "flash.power_cut" and so on.
[[nodiscard]] std::string_view name_of(const FlashFault& fault);

/// "program", "erase", "otp_program", "lock", "otp_lock"
[[nodiscard]] std::string_view to_string(flash::OpKind kind);
/// "unknown", "boot", "agent", "application"
[[nodiscard]] std::string_view to_string(flash::OpSource source);

}  // namespace otasim::flash_file
