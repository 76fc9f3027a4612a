// Spaces frames out as a wire of a given rate would, letting short bursts through.
//
// A token bucket, kept as one time: the moment at which the wire will have carried all that was sent. A
// frame may go if that moment, with the frame added, is not further ahead than a full bucket's worth.
// Time comes from outside. Ask wait_for(); once it is zero, send and call sent().
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace otasim::link {

class Pacer {
 public:
  using Clock = std::chrono::steady_clock;

  /// @param bits_per_second  more than 0
  /// @param burst_bytes      at least a frame on the wire
  Pacer(std::uint64_t bits_per_second, std::size_t burst_bytes);

  /// How long a frame of this size has to wait; zero if it may go now.
  [[nodiscard]] std::chrono::nanoseconds wait_for(std::size_t frame_bytes, Clock::time_point now) const;
  void sent(std::size_t frame_bytes, Clock::time_point now);

  /// How long a frame occupies the wire, with preamble, padding, check sequence and gap.
  [[nodiscard]] std::chrono::nanoseconds time_on_wire(std::size_t frame_bytes) const;

 private:
  [[nodiscard]] std::chrono::nanoseconds time_of(std::size_t wire_bytes) const;

  std::uint64_t bits_per_second_;
  std::chrono::nanoseconds burst_;
  Clock::time_point wire_free_{};
};

}  // namespace otasim::link
