// What can be recorded: the boards, and what of a run QEMU's record and replay does not carry. The table in
// docs/record-replay.md follows it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "sim/base/result.h"

namespace otasim::replay {

/// A piece of RAM that keeps its content in a reset.
struct MemoryRange {
  std::uint32_t address = 0;
  std::uint32_t size = 0;
};

/// All RAM of a board but its flash window; empty for one that cannot be recorded. On the boards with
/// TrustZone by the secure world's addresses.
[[nodiscard]] std::span<const MemoryRange> kept_memory(std::string_view board);

/// @returns kUsage, with reason and advice, for a board that cannot be recorded
[[nodiscard]] Result<void> check_board(std::string_view board);

/// @returns kUsage, with reason and advice, for a fault that cannot be recorded
[[nodiscard]] Result<void> check_fault(std::string_view fault);

}  // namespace otasim::replay
