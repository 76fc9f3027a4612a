#include "agent/posix/timer_thread.h"

namespace ota::posix {

TimerThread::TimerThread() : thread_([this] { run(); }) {}

TimerThread::~TimerThread() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool TimerThread::start(OtaTimerId_t id, std::chrono::milliseconds timeout, OtaTimerCallback_t callback) {
  if (id >= OtaNumOfTimers || callback == nullptr) return false;
  {
    const std::lock_guard lock(mutex_);
    timers_[id] = {Clock::now() + timeout, callback};
  }
  changed_.notify_all();
  return true;
}

bool TimerThread::stop(OtaTimerId_t id) {
  if (id >= OtaNumOfTimers) return false;
  const std::lock_guard lock(mutex_);
  timers_[id].due.reset();  // the thread wakes once in vain, and finds it so
  return true;
}

TimerThread::Timer* TimerThread::next() {
  Timer* first = nullptr;
  for (Timer& timer : timers_) {
    if (timer.due && (first == nullptr || *timer.due < *first->due)) first = &timer;
  }
  return first;
}

void TimerThread::run() {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    Timer* timer = next();
    if (timer == nullptr) {
      changed_.wait(lock);
    } else if (const auto due = *timer->due; Clock::now() < due) {
      changed_.wait_until(lock, due);
    } else {
      timer->due.reset();
      const OtaTimerCallback_t callback = timer->callback;
      lock.unlock();
      callback(static_cast<OtaTimerId_t>(timer - timers_.data()));
      lock.lock();
    }
  }
}

}  // namespace ota::posix
