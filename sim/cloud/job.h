// A job: a document, whom it is for, and the rules its executions follow.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sim/cloud/identifiers.h"

namespace otasim::cloud {

/// SNAPSHOT: whoever is a target when the job is made. CONTINUOUS: whoever becomes one later, too.
enum class TargetSelection { kSnapshot, kContinuous };
[[nodiscard]] std::string_view to_string(TargetSelection selection);
/// @returns nothing for a name that is none
[[nodiscard]] std::optional<TargetSelection> target_selection(std::string_view name);

enum class JobStatus {
  kInProgress,
  kCompleted,  ///< every execution of a snapshot job is over
  kCanceled,
};
[[nodiscard]] std::string_view to_string(JobStatus status);
/// @returns nothing for a name that is none
[[nodiscard]] std::optional<JobStatus> job_status(std::string_view name);

/// A group stands for its members and those of the groups below it.
using JobTarget = std::variant<ThingName, GroupName>;

inline constexpr std::int64_t kMinPresignedExpiry = 60;
inline constexpr std::int64_t kMaxPresignedExpiry = 3600;
inline constexpr std::int64_t kMaxTimeoutMinutes = 10'080;
inline constexpr std::int64_t kMaxRetries = 10;

/// How often an execution that ended so is queued again (jobExecutionsRetryConfig). A criterion for any
/// failure stands alone, as with AWS; together at most kMaxRetries.
struct RetryConfig {
  std::int64_t failed = 0;     ///< after FAILED
  std::int64_t timed_out = 0;  ///< after TIMED_OUT
  std::int64_t any = 0;        ///< after either (ALL)
};

struct Job {
  JobId id;
  JobStatus status = JobStatus::kInProgress;
  std::string document = {};  ///< JSON, with placeholders for presigned URLs as they came
  std::string description = {};
  TargetSelection target_selection = TargetSelection::kSnapshot;
  bool force_canceled = false;
  std::string reason_code = {};  ///< of the cancellation
  std::string comment = {};
  std::int64_t presigned_expires_sec = kMaxPresignedExpiry;
  std::optional<std::int64_t> in_progress_timeout_minutes = {};
  RetryConfig retries = {};
  std::int64_t created_at = 0;  ///< epoch seconds
  std::int64_t last_updated_at = 0;
  std::optional<std::int64_t> completed_at = {};
};

/// How many executions are in each status (jobProcessDetails).
struct JobProcessDetails {
  std::int64_t queued = 0;
  std::int64_t in_progress = 0;
  std::int64_t succeeded = 0;
  std::int64_t failed = 0;
  std::int64_t rejected = 0;
  std::int64_t timed_out = 0;
  std::int64_t removed = 0;
  std::int64_t canceled = 0;
};

}  // namespace otasim::cloud
