// One thing's work on one job, and the states it goes through.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "sim/cloud/identifiers.h"

namespace otasim::cloud {

enum class ExecutionStatus {
  kQueued,
  kInProgress,
  kSucceeded,
  kFailed,
  kTimedOut,
  kRejected,
  kRemoved,
  kCanceled,
};

/// The name on the wire and in the store.
[[nodiscard]] std::string_view to_string(ExecutionStatus status);
[[nodiscard]] std::optional<ExecutionStatus> execution_status(std::string_view name);
/// Whether nothing follows.
[[nodiscard]] bool is_terminal(ExecutionStatus status);

using StatusDetails = std::map<std::string, std::string, std::less<>>;

/// What a refused update is told about where things stand.
struct ExecutionState {
  ExecutionStatus status = ExecutionStatus::kQueued;
  StatusDetails details;
  std::int64_t version_number = 1;
};

struct JobExecution {
  JobId job_id;
  ThingName thing;
  std::int64_t execution_number = 1;
  ExecutionState state = {};
  std::int64_t queued_at = 0;  ///< epoch seconds
  std::optional<std::int64_t> started_at = {};
  std::int64_t last_updated_at = 0;
  bool force_canceled = false;
  std::int64_t retry_attempt = 0;  ///< how many executions before this one failed and were tried again
  std::optional<std::int64_t> in_progress_deadline = {};  ///< epoch seconds; runs from the start
  std::optional<std::int64_t> step_deadline = {};         ///< epoch seconds; set by the device, step by step
  std::int64_t sequence = 0;                              ///< order of creation, over all jobs

  /// When it will time out: the earlier of its timers.
  [[nodiscard]] std::optional<std::int64_t> deadline() const {
    if (!in_progress_deadline || !step_deadline)
      return in_progress_deadline ? in_progress_deadline : step_deadline;
    return std::min(*in_progress_deadline, *step_deadline);
  }

  /// Whether both are the same thing's same attempt at the same job.
  [[nodiscard]] bool same_as(const JobExecution& other) const {
    return job_id == other.job_id && thing == other.thing && execution_number == other.execution_number;
  }
};

}  // namespace otasim::cloud
