#include "sim/link/pacer.h"

#include <algorithm>
#include <cassert>

namespace otasim::link {
namespace {

constexpr std::size_t kMinFrameBytes = 60;
/// Preamble 8, check sequence 4, gap 12.
constexpr std::size_t kWireOverheadBytes = 24;

}  // namespace

Pacer::Pacer(std::uint64_t bits_per_second, std::size_t burst_bytes) : bits_per_second_(bits_per_second) {
  assert(bits_per_second > 0);
  burst_ = time_of(burst_bytes);
}

std::chrono::nanoseconds Pacer::wait_for(std::size_t frame_bytes, Clock::time_point now) const {
  const auto free_then = std::max(wire_free_, now) + time_on_wire(frame_bytes);
  return std::max(std::chrono::nanoseconds::zero(), std::chrono::nanoseconds(free_then - now) - burst_);
}

void Pacer::sent(std::size_t frame_bytes, Clock::time_point now) {
  wire_free_ = std::max(wire_free_, now) + time_on_wire(frame_bytes);
}

std::chrono::nanoseconds Pacer::time_on_wire(std::size_t frame_bytes) const {
  return time_of(std::max(frame_bytes, kMinFrameBytes) + kWireOverheadBytes);
}

std::chrono::nanoseconds Pacer::time_of(std::size_t wire_bytes) const {
  constexpr std::uint64_t kBitNanoseconds = 8ULL * 1'000'000'000ULL;
  return std::chrono::nanoseconds(wire_bytes * kBitNanoseconds / bits_per_second_);
}

}  // namespace otasim::link
