#include "sim/link/fifo_guard.h"

#include <algorithm>

namespace otasim::link {
namespace {

/// Check sequence and the FIFO's status word.
constexpr std::size_t kFifoOverheadBytes = 8;

}  // namespace

bool FifoGuard::fits(std::size_t frame_bytes) const {
  return pending_ == 0 || pending_ + frame_bytes + kFifoOverheadBytes <= limit_;
}

std::chrono::nanoseconds FifoGuard::wait_for(std::size_t frame_bytes, Clock::time_point now) const {
  if (fits(frame_bytes)) return std::chrono::nanoseconds::zero();
  return std::max(std::chrono::nanoseconds::zero(), std::chrono::nanoseconds(last_sent_ + kPatience - now));
}

void FifoGuard::sent(std::size_t frame_bytes, Clock::time_point now) {
  if (!fits(frame_bytes)) pending_ = 0;  // patience ran out
  pending_ += frame_bytes + kFifoOverheadBytes;
  last_sent_ = now;
}

void FifoGuard::device_spoke(std::size_t unread_bytes) {
  pending_ = std::min(pending_, unread_bytes);
}

}  // namespace otasim::link
