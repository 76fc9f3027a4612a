#include "sim/link/delay_line.h"

#include <algorithm>
#include <cassert>

namespace otasim::link {

using std::chrono::nanoseconds;

DelayLine::DelayLine(nanoseconds delay, std::size_t max_frames) : delay_(delay), max_frames_(max_frames) {
  assert(delay >= nanoseconds::zero());
  assert(max_frames > 0);
}

bool DelayLine::push(Bytes frame, Clock::time_point now) {
  if (frames_.size() >= max_frames_) return false;
  frames_.push_back({now + delay_, {frame.begin(), frame.end()}});
  return true;
}

std::optional<nanoseconds> DelayLine::wait(Clock::time_point now) const {
  if (frames_.empty()) return std::nullopt;
  return std::max(nanoseconds::zero(), nanoseconds(frames_.front().due - now));
}

std::optional<DelayLine::Frame> DelayLine::pop(Clock::time_point now) {
  if (frames_.empty() || frames_.front().due > now) return std::nullopt;
  std::optional<Frame> frame = std::move(frames_.front().frame);
  frames_.pop_front();
  return frame;
}

}  // namespace otasim::link
