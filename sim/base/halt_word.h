// The one word that says how long a target has stood still under a debugger, for any process that maps it.
//
//   >= 0   it runs; so many nanoseconds of halts lie behind it
//   <  0   it stands still; a clock that leaves out all halts shows this, negated, in nanoseconds of
//          CLOCK_MONOTONIC
//
// One word, so that a reader never sees half of a change.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace otasim {

using HaltWord = std::atomic<std::int64_t>;
static_assert(HaltWord::is_always_lock_free, "it is shared between processes");

inline constexpr std::size_t kHaltFileBytes = sizeof(HaltWord);
/// Names the file to the broker's clock (sim/broker/broker_clock.cc).
inline constexpr const char* kHaltFileVariable = "OTASIM_HALT_FILE";

/// Nanoseconds of halts in all, when CLOCK_MONOTONIC shows `monotonic_ns`.
[[nodiscard]] inline std::int64_t halted_ns(const HaltWord& word, std::int64_t monotonic_ns) {
  const std::int64_t value = word.load(std::memory_order_acquire);
  return value >= 0 ? value : monotonic_ns + value;
}

}  // namespace otasim
