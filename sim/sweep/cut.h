// Where power is cut in a case, and its name.
//
//   "123:17"            before operation 123 of the recording was done, 17 of its bytes were
//   "123:17+239"        and 239 bytes after those are left marginal
//   "123:0+256#2"       the third way in which those are drawn
//   "123:17/1.4:0"      that, and a second cut: in the first boot, before its fifth operation
//
// Operations are counted from 0, boots from 1. A cut with 0 bytes is before the operation, one with all of
// them after.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pal_sim/flash/op_log.h"
#include "sim/sweep/flash_state.h"

namespace otasim::sweep {

struct Cut {
  unsigned boot = 0;  ///< in which the operation is; 0: in the recording
  std::size_t operation = 0;
  FlashState::Tear tear = {};
  unsigned draw = 0;  ///< of the marginal bits

  bool operator==(const Cut&) const = default;
};

/// Cuts that follow each other; the first is in the recording.
using CutPath = std::vector<Cut>;

inline constexpr std::size_t kMaxCuts = 8;

[[nodiscard]] std::string to_string(const CutPath& path);
/// @returns nothing if it is none
[[nodiscard]] std::optional<CutPath> parse_cut_path(std::string_view text);

/// How finely operations are cut.
enum class Granularity : std::uint8_t {
  kOperation,  ///< before and after
  kTorn,       ///< and at several points within, firm and marginal
  kByte,       ///< and at every byte
};

/// What a sweep's result tells apart.
enum class CutKind : std::uint8_t { kBefore, kTorn, kMarginal, kAfter };
inline constexpr std::size_t kCutKinds = 4;
[[nodiscard]] std::string_view to_string(CutKind kind);
[[nodiscard]] CutKind kind_of(const FlashState::Tear& tear, std::uint32_t length);

/// Cells that an operation changes, in bytes; 0 for one that changes none: a lock, or one that was refused.
[[nodiscard]] std::uint32_t cell_bytes(const flash::LoggedOperation& operation);

/// All cuts of an operation, in order; none if it changes no cells.
[[nodiscard]] std::vector<FlashState::Tear> tears_of(const flash::LoggedOperation& operation,
                                                     Granularity granularity);

/// Ways in which the marginal bits of a cut operation are drawn: more where the bootloader reads them.
[[nodiscard]] unsigned draws_of(const flash::LoggedOperation& operation);

}  // namespace otasim::sweep
