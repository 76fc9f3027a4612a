#include "agent/posix/event_queue.h"

#include <cassert>

namespace ota::posix {

EventQueue::EventQueue(std::size_t capacity) : ring_(capacity) {
  assert(capacity > 0);
}

void EventQueue::open() {
  const std::lock_guard lock(mutex_);
  first_ = 0;
  count_ = 0;
  is_open_ = true;
}

void EventQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    is_open_ = false;
  }
  has_event_.notify_all();
  has_room_.notify_all();
}

bool EventQueue::send(const OtaEventMsg_t& event, std::chrono::milliseconds timeout) {
  {
    std::unique_lock lock(mutex_);
    has_room_.wait_for(lock, timeout, [this] { return !is_open_ || count_ < ring_.size(); });
    if (!is_open_ || count_ == ring_.size()) return false;
    ring_[(first_ + count_) % ring_.size()] = event;
    ++count_;
  }
  has_event_.notify_one();
  return true;
}

bool EventQueue::receive(OtaEventMsg_t& event, std::chrono::milliseconds timeout) {
  {
    std::unique_lock lock(mutex_);
    has_event_.wait_for(lock, timeout, [this] { return !is_open_ || count_ != 0; });
    if (!is_open_ || count_ == 0) return false;
    event = ring_[first_];
    first_ = (first_ + 1) % ring_.size();
    --count_;
  }
  has_room_.notify_one();
  return true;
}

}  // namespace ota::posix
