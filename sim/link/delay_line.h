// A wire with length: what goes in at one end comes out at the other after a fixed time, in the same order.
//
// A delay takes no capacity: any number of frames may be on their way at once, up to a limit that bounds
// memory. Time comes from outside. push() a frame; once wait() is zero, pop() gives it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "sim/link/ethernet.h"

namespace otasim::link {

class DelayLine {
 public:
  using Clock = std::chrono::steady_clock;
  using Frame = std::vector<std::uint8_t>;

  /// @param delay       not negative
  /// @param max_frames  on their way at once, at least 1
  DelayLine(std::chrono::nanoseconds delay, std::size_t max_frames);

  /// Without a delay a frame need not go through here at all.
  [[nodiscard]] bool has_delay() const { return delay_ > std::chrono::nanoseconds::zero(); }

  /// @returns false  too many frames are on their way; this one is lost
  [[nodiscard]] bool push(Bytes frame, Clock::time_point now);

  /// How long until the first frame comes out; zero if one is there. Empty: nothing is on its way.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> wait(Clock::time_point now) const;

  /// The first frame, if it has arrived.
  [[nodiscard]] std::optional<Frame> pop(Clock::time_point now);

 private:
  struct InFlight {
    Clock::time_point due;
    Frame frame;
  };

  std::chrono::nanoseconds delay_;
  std::size_t max_frames_;
  std::deque<InFlight> frames_;
};

}  // namespace otasim::link
