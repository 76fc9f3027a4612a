// The cloud's time: epoch seconds, from the system or set by hand.
#pragma once

#include <chrono>
#include <cstdint>

namespace otasim::cloud {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Seconds since 1970-01-01 UTC.
  [[nodiscard]] virtual std::int64_t now() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t now() const override {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
};

/// Stands still until it is moved.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t now) : now_(now) {}
  [[nodiscard]] std::int64_t now() const override { return now_; }
  void advance(std::int64_t seconds) { now_ += seconds; }

 private:
  std::int64_t now_;
};

}  // namespace otasim::cloud
