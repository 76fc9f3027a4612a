// Token buckets: as many calls of an operation as AWS allows by default, and a burst of one second's worth.
#pragma once

#include <chrono>
#include <map>
#include <string_view>

namespace otasim::rest {

class Throttle {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Takes a token of an operation's. @returns whether there was one
  [[nodiscard]] bool admit(std::string_view operation, double per_second, Time now);

 private:
  struct Bucket {
    double tokens = 0;
    Time filled_at = {};
  };
  std::map<std::string_view, Bucket> buckets_;
};

}  // namespace otasim::rest
