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
/// Erases of sectors and of blocks are one kind.
struct Operations {
  std::optional<flash::OpKind> kind = {};
  FlashRange range = {};
};

/// How much of a struck operation is still done.
struct Torn {
  std::uint32_t bytes = 0;              ///< its first ones are changed
  std::optional<double> fraction = {};  ///< the same as a share of all of them, 0 to 1; then `bytes` is 0
  std::uint32_t marginal_bytes = 0;     ///< after those, in which cells that were to change are left marginal
  double random_bits = 0.0;  ///< share of the cells after the first ones that are changed one by one at
                             ///< random, 0 to 1; the strike plan's seed decides which
};

/// flash.power_cut: power is lost at an operation.
struct PowerCut {
  enum class Phase : std::uint8_t {
    kBefore,  ///< it changes nothing
    kWithin,  ///< it is torn
    kAfter,   ///< it is complete, but nobody reads its status
  };
  Operations operations = {};
  StrikePlan strike = {.times = 1};
  Phase phase = Phase::kBefore;
  Torn torn = {};
};

/// flash.program_failure: programs and burns fail and say so.
struct ProgramFailure {
  Operations operations = {};
  StrikePlan strike = {};
  Torn torn = {};
};

/// flash.erase_failure: erases fail and say so.
struct EraseFailure {
  FlashRange range = {};
  StrikePlan strike = {};
  Torn torn = {};
};

/// flash.silent_drop: programs, burns and erases fail and report success.
struct SilentDrop {
  Operations operations = {};
  StrikePlan strike = {};
  Torn torn = {};
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

/// flash.busy: programs, burns and erases take so many instructions of the processor. Takes hold at the next
/// power-on.
struct Busy {
  std::uint32_t program_instructions = 0;
  std::uint32_t erase_instructions = 0;
};

/// flash.strict: stores into the array or the OTP bank that are no commands are taken back, and told. Takes
/// hold at the next power-on.
struct Strict {};

/// flash.read_disturb: each time that a sector has been read so often since its last erase, bits in it
/// change. Takes hold at the next power-on.
struct ReadDisturb {
  enum class Effect : std::uint8_t {
    kMarginal,  ///< they read differently from the next power-on
    kLost,      ///< they have their other value at once, firmly
  };
  FlashRange range = {};    ///< reads there count
  StrikePlan strike = {};   ///< counts the times that a sector has been read so often
  std::uint32_t reads = 0;  ///< loads of the processor
  std::uint32_t bits = 1;   ///< anywhere in the sector
  Effect effect = Effect::kMarginal;
};

using FlashFault = std::variant<PowerCut, ProgramFailure, EraseFailure, SilentDrop, StuckBits, Worn, Busy,
                                Strict, ReadDisturb>;

inline constexpr const char* kStrictName = "flash.strict";

/// "flash.power_cut" and so on.
[[nodiscard]] std::string_view name_of(const FlashFault& fault);

/// "program", "erase" (of a sector or a block), "otp_program", "lock", "otp_lock"
[[nodiscard]] std::string_view to_string(flash::OpKind kind);
/// "unknown", "boot", "agent", "application"
[[nodiscard]] std::string_view to_string(flash::OpSource source);

}  // namespace otasim::flash_file
