// A job: a document, whom it is for, and the rules its executions follow.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sim/cloud/identifiers.h"
#include "sim/cloud/job_config.h"

namespace otasim::cloud {

/// SNAPSHOT: whoever is a target when the job is made. CONTINUOUS: whoever becomes one later, too.
enum class TargetSelection { kSnapshot, kContinuous };
[[nodiscard]] std::string_view to_string(TargetSelection selection);
/// @returns nothing for a name that is none
[[nodiscard]] std::optional<TargetSelection> target_selection(std::string_view name);

enum class JobStatus {
  kScheduled,  ///< before its start, or between two of its maintenance windows
  kInProgress,
  kCompleted,  ///< nothing is left to be rolled out and every execution is over
  kCanceled,
  kDeletionInProgress,  ///< only its name is left, for a moment
};
/// Whether nothing of it is rolled out any more.
[[nodiscard]] constexpr bool is_over(JobStatus status) {
  return status != JobStatus::kScheduled && status != JobStatus::kInProgress;
}
[[nodiscard]] std::string_view to_string(JobStatus status);
/// @returns nothing for a name that is none
[[nodiscard]] std::optional<JobStatus> job_status(std::string_view name);

/// A group stands for its members and those of the groups below it.
using JobTarget = std::variant<ThingName, GroupName>;

inline constexpr std::int64_t kMinPresignedExpiry = 60;
inline constexpr std::int64_t kMaxPresignedExpiry = 3600;
inline constexpr std::int64_t kMaxTimeoutMinutes = 10'080;

/// Values for a template's document (documentParameters).
using DocumentParameters = std::map<std::string, std::string, std::less<>>;

/// How far a job has got.
struct RolloutProgress {
  bool planned = false;       ///< whom it is for has been found out: it has started
  bool stopped = false;       ///< by its schedule's end: whoever has not been reached is not any more
  std::int64_t notified = 0;  ///< things that have been reached
  /// A minute begins when something is rolled out and no minute is running; epoch seconds.
  std::optional<std::int64_t> minute_started_at = {};
  std::int64_t minute_left = 0;             ///< how many may still be reached in it
  std::optional<std::int64_t> due_at = {};  ///< when the job must be looked at again; epoch seconds
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
  RolloutConfig rollout = {};
  AbortConfig abort = {};
  SchedulingConfig scheduling = {};
  std::string namespace_id = {};     ///< empty: none
  std::string document_source = {};  ///< the S3 link that the document was read from; empty: none
  std::string template_arn = {};     ///< of the template that the job was made of; empty: none
  DocumentParameters document_parameters = {};
  std::int64_t created_at = 0;  ///< epoch seconds
  std::int64_t last_updated_at = 0;
  std::optional<std::int64_t> completed_at = {};
  RolloutProgress progress = {};
};

/// How many executions are in each status (jobProcessDetails).
struct JobProcessDetails {
  std::vector<JobTarget> processing_targets = {};  ///< those of the targets that are still being rolled out
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
