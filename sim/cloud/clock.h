// The cloud's time: epoch seconds, from the system, shifted, or set by hand.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>

#include "sim/cloud/listeners.h"

namespace otasim::cloud {

class Clock {
 public:
  using JumpListener = std::function<void()>;

  virtual ~Clock() = default;
  /// Seconds since 1970-01-01 UTC.
  [[nodiscard]] virtual std::int64_t now() const = 0;
  /// Hears when time has been set, as opposed to having passed: whoever waits for a time must look again.
  [[nodiscard]] Subscription on_jump(JumpListener listener) const {
    return listeners_.add(std::move(listener));
  }

 protected:
  void tell_of_jump() const {
    listeners_.for_each([](const JumpListener& listener) { listener(); });
  }

 private:
  mutable Listeners<JumpListener> listeners_;
};

/// The system's time plus an offset that a lab may change. now() may be asked on any thread.
class LabClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t now() const override {
    return offset_ + std::chrono::duration_cast<std::chrono::seconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
  }
  /// Sets the clock forward, or back with a negative number.
  void jump(std::int64_t seconds) {
    offset_ += seconds;
    tell_of_jump();
  }

 private:
  std::atomic<std::int64_t> offset_ = 0;  // the link's thread asks for the time, too
};

/// Stands still until it is moved.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t now) : now_(now) {}
  [[nodiscard]] std::int64_t now() const override { return now_; }
  void advance(std::int64_t seconds) {
    now_ += seconds;
    tell_of_jump();
  }

 private:
  std::int64_t now_;
};

}  // namespace otasim::cloud
