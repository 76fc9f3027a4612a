#include "sim/cloud/rollout_rate.h"

#include <algorithm>

namespace otasim::cloud {

namespace {

constexpr std::int64_t kFraction = 1'000'000;

std::int64_t increases(const ExponentialRate& rate, const RolloutCounts& counts) {
  const std::int64_t by_notified = rate.notified_things ? counts.notified / *rate.notified_things : 0;
  const std::int64_t by_succeeded = rate.succeeded_things ? counts.succeeded / *rate.succeeded_things : 0;
  return std::max(by_notified, by_succeeded);
}

}  // namespace

std::int64_t rollout_rate(const RolloutConfig& rollout, const RolloutCounts& counts) {
  const std::int64_t most = rollout.maximum_per_minute.value_or(kMaxRolloutPerMinute);
  if (!rollout.exponential) return most;
  const ExponentialRate& exponential = *rollout.exponential;
  std::int64_t rate = exponential.base_per_minute * kFraction;
  // The smallest factor takes 73 steps from 1 to the maximum; there is no more to it than that.
  for (std::int64_t i = increases(exponential, counts); i > 0 && rate < most * kFraction; --i) {
    rate = rate * exponential.increment_tenths / 10;
  }
  return std::clamp<std::int64_t>(rate / kFraction, 1, most);
}

}  // namespace otasim::cloud
