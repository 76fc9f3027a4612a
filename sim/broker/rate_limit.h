// AWS IoT's limits of what one connection may send and receive, as token buckets. The time comes from
// outside.
#pragma once

#include <algorithm>
#include <chrono>

namespace otasim::broker {

/// Messages a second, in both directions together.
inline constexpr double kMessagesPerSecond = 100;
inline constexpr double kBytesPerSecond = 512.0 * 1024;
/// Connects a second under one client id.
inline constexpr double kConnectsPerSecond = 1;

class TokenBucket {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Holds what one second brings.
  explicit TokenBucket(double per_second) : per_second_(per_second), tokens_(per_second) {}

  /// Whether there are so many; takes them if so. More than a second's worth is let through when the bucket
  /// is full, and paid off afterwards.
  [[nodiscard]] bool take(double tokens, Time now) {
    if (now > last_) {
      const std::chrono::duration<double> passed = now - last_;
      tokens_ = std::min(per_second_, tokens_ + passed.count() * per_second_);
      last_ = now;
    }
    if (tokens_ < std::min(tokens, per_second_)) return false;
    tokens_ -= tokens;
    return true;
  }

 private:
  double per_second_;
  double tokens_;
  Time last_ = {};
};

}  // namespace otasim::broker
