// What a NOR part's cells are like, beside what they read: worn, marginal, stuck. Part of the NOR model.
//
// A marginal cell was left between 0 and 1. It reads as one of them from one power-on to the next, and maybe
// differently after that. It is firm again once a complete program has cleared it or a complete erase has set
// it; programming a 1 over it gives it no pulse, so it stays marginal. A stuck cell reads its value whatever
// is done to it, and the part does not notice.
//
// Offsets are the window's, so the OTP bank has such cells too (from kOtpOffset).
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "pal_sim/flash/window.h"

namespace flash {

struct StuckBits {
  std::uint8_t bits;    ///< which of the byte's are stuck
  std::uint8_t values;  ///< what those read

  bool operator==(const StuckBits&) const = default;
};

/// Room for the part with the most sectors.
inline constexpr std::uint32_t kMaxSectors = kOtpOffset / kSmallestSector;

struct CellState {
  /// By sector; a part with fewer, larger sectors has the first ones.
  std::vector<std::uint32_t> erase_counts = std::vector<std::uint32_t>(kMaxSectors);
  std::map<std::uint32_t, std::uint8_t> marginal = {};  ///< which bits of a byte; never 0
  std::map<std::uint32_t, StuckBits> stuck = {};
  std::uint32_t power_ons = 0;

  bool operator==(const CellState&) const = default;

  [[nodiscard]] std::uint8_t marginal_bits(std::uint32_t offset) const;
  [[nodiscard]] std::uint8_t stuck_bits(std::uint32_t offset) const;

  /// Leaves bits of a byte marginal; stuck ones cannot be.
  void weaken(std::uint32_t offset, std::uint8_t bits);
  /// Makes bits of a byte firm.
  void settle(std::uint32_t offset, std::uint8_t bits);
  void settle_range(std::uint32_t offset, std::uint32_t length);

  /// Counts a power-on and draws what every marginal bit reads until the next one: a function of seed, count
  /// and offset alone. In a fifth of all cases each, all marginal bits of a sector read 0, almost all, half,
  /// few or none: a torn record can read as complete, or as never begun.
  void power_on(Window window, std::uint64_t seed, std::uint32_t sector_size);

  /// Puts the stuck bits of a range back to their values.
  void hold_stuck(Window window, std::uint32_t offset, std::uint32_t length) const;
};

}  // namespace flash
