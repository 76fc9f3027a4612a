// How many things a job may reach in a minute.
//
// Constant: `maximumPerMinute`, or AWS's default of 1000. Exponential: the base rate, multiplied by the
// increment factor once for each `numberOfNotifiedThings` that have been notified, or for each
// `numberOfSucceededThings` that have succeeded: with base 50, factor 2 and 1000, the rate is 50 up to 1000
// things, 100 up to 2000, 200 up to 3000. It never exceeds the maximum. The rate is a whole number: what the
// factor leaves behind the point is kept while it is multiplied, and then cut off.
// Source: AWS IoT developer guide, "How job configurations work", its table of increments.
#pragma once

#include <cstdint>

#include "sim/cloud/job_config.h"

namespace otasim::cloud {

/// What the rate depends on.
struct RolloutCounts {
  std::int64_t notified = 0;
  std::int64_t succeeded = 0;
};

/// @param rollout  checked (job_config.h) @returns 1 to kMaxRolloutPerMinute
[[nodiscard]] std::int64_t rollout_rate(const RolloutConfig& rollout, const RolloutCounts& counts);

}  // namespace otasim::cloud
