// The agent's one-shot timers, all on one thread: the place an RTOS's timer task takes.
//
// start() arms a timer, or arms it anew if it runs; when it runs out, its callback is called on the timer
// thread, once, with no lock held: a callback may start and stop timers, its own included.
//
// As on an RTOS, stop() does not wait for a callback that has begun. After stop() no callback begins; one
// that began before may still be at work, so what it queues may arrive after stop(). The destructor waits
// for it; it must not be called from a callback.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>

#include "agent/include/ota_os_interface.h"

namespace ota::posix {

class TimerThread {
 public:
  /// Starts the thread; throws std::system_error if there is none to be had.
  TimerThread();
  ~TimerThread();
  TimerThread(const TimerThread&) = delete;
  TimerThread& operator=(const TimerThread&) = delete;

  /// @returns false  there is no such timer, or no callback
  [[nodiscard]] bool start(OtaTimerId_t id, std::chrono::milliseconds timeout, OtaTimerCallback_t callback);

  /// Right for a timer that does not run, too.
  /// @returns false  there is no such timer
  [[nodiscard]] bool stop(OtaTimerId_t id);

 private:
  using Clock = std::chrono::steady_clock;

  struct Timer {
    std::optional<Clock::time_point> due{};  ///< empty: does not run
    OtaTimerCallback_t callback = nullptr;
  };

  void run();
  /// The timer that is due first; null if none runs.
  [[nodiscard]] Timer* next();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::array<Timer, OtaNumOfTimers> timers_{};
  bool is_stopping_ = false;
  std::thread thread_;  // last: everything it uses is there before it
};

}  // namespace ota::posix
