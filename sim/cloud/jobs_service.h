// AWS IoT Jobs: jobs, and for each targeted thing an execution with its own state machine.
//
//   jobs.create({.id = ..., .document = ..., .targets = {thing}});      operator
//   jobs.start_next(thing, ...), jobs.describe(...), jobs.update(...)   device, through a front end
//   jobs.cancel(...), jobs.cancel_execution(...)                        operator
//
// Each call is one transaction: when it returns, the change is kept, and the listeners have heard of it.
// Where AWS's behaviour is not documented well enough to be sure, it is a named option.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/cloud/clock.h"
#include "sim/cloud/database.h"
#include "sim/cloud/execution_store.h"
#include "sim/cloud/identifiers.h"
#include "sim/cloud/job_execution.h"
#include "sim/cloud/listeners.h"
#include "sim/cloud/service_error.h"

namespace otasim::cloud {

struct JobsOptions {
  /// What an update's statusDetails do to those that are stored.
  enum class DetailsRule { kReplace, kMerge };
  DetailsRule details_rule = DetailsRule::kReplace;
  /// Whether a device may reject what it has begun.
  bool may_reject_in_progress = true;
  /// Whether QUEUED to IN_PROGRESS is told on `notify`.
  bool notify_on_start = false;
};

enum class TargetSelection { kSnapshot, kContinuous };
enum class JobStatus { kInProgress, kCompleted, kCanceled };
[[nodiscard]] std::string_view to_string(JobStatus status);

struct CreateJobRequest {
  JobId id;
  std::string document;  ///< JSON object
  std::vector<ThingName> targets;
  std::string description = {};
  TargetSelection target_selection = TargetSelection::kSnapshot;
};

struct Job {
  JobId id;
  JobStatus status = JobStatus::kInProgress;
  std::string document;
  std::string description;
  bool force_canceled = false;
  std::int64_t created_at = 0;
  std::int64_t last_updated_at = 0;
  std::optional<std::int64_t> completed_at;
};

struct CancelJobRequest {
  bool force = false;  ///< also executions in progress
  std::string reason_code = {};
  std::string comment = {};
};

struct CancelExecutionRequest {
  bool force = false;  ///< also if it is in progress
  std::optional<std::int64_t> expected_version = {};
  std::optional<StatusDetails> details = {};
};

struct UpdateExecutionRequest {
  ExecutionStatus status = ExecutionStatus::kInProgress;
  std::optional<StatusDetails> details = {};  ///< none: those stored stay
  std::optional<std::int64_t> expected_version = {};
  std::optional<std::int64_t> execution_number = {};
};

/// Called after the change is kept; any may be empty. They must not destroy the service.
struct JobsListener {
  std::function<void(const JobId& id)> on_job_created = {};
  /// An execution was made, or any of it changed.
  std::function<void(const JobExecution& execution)> on_execution_change = {};
  /// The list of what is pending for a thing changed: `notify`.
  std::function<void(const ThingName& thing)> on_pending_change = {};
  /// What a thing has to do next is another execution than before: `notify-next`.
  std::function<void(const ThingName& thing)> on_next_change = {};
};

class JobsService {
 public:
  JobsService(Database& database, const Clock& clock, JobsOptions options = {})
      : database_(database), clock_(clock), options_(options), executions_(database) {}

  [[nodiscard]] Subscription listen(JobsListener listener) { return listeners_.add(std::move(listener)); }

  // The operator's side.

  /// @returns kResourceAlreadyExists, kResourceNotFound for a target that is no thing, kInvalidRequest for a
  ///          document that is no JSON object or too long, or for no target
  ServiceResult<void> create(const CreateJobRequest& request);
  /// @returns kResourceNotFound
  [[nodiscard]] ServiceResult<Job> describe_job(const JobId& id);
  [[nodiscard]] ServiceResult<std::vector<JobExecution>> executions_of(const JobId& id);
  /// An execution in whatever status. @returns kResourceNotFound
  [[nodiscard]] ServiceResult<JobExecution> execution(const JobId& id, const ThingName& thing,
                                                      std::optional<std::int64_t> number = std::nullopt);
  /// @returns kResourceNotFound, kInvalidRequest if the job is over
  ServiceResult<void> cancel(const JobId& id, const CancelJobRequest& request = {});
  /// @returns kResourceNotFound, kInvalidStateTransition if it is over or begun (without force),
  ///          kVersionMismatch, kInvalidRequest for details that break a limit
  ServiceResult<void> cancel_execution(const JobId& id, const ThingName& thing,
                                       const CancelExecutionRequest& request = {});

  // The device's side.

  /// Those begun first, then those waiting, in the order they were queued.
  [[nodiscard]] ServiceResult<std::vector<JobExecution>> pending(const ThingName& thing);
  /// What comes next, or nothing; changes nothing.
  [[nodiscard]] ServiceResult<std::optional<JobExecution>> describe_next(const ThingName& thing);
  /// @returns kResourceNotFound, kTerminalStateReached
  [[nodiscard]] ServiceResult<JobExecution> describe(const JobId& id, const ThingName& thing,
                                                     std::optional<std::int64_t> number = std::nullopt);
  /// Begins what comes next, unless it has been begun already. @returns kInvalidRequest for bad details
  ServiceResult<std::optional<JobExecution>> start_next(const ThingName& thing,
                                                        const std::optional<StatusDetails>& details);
  /// @returns kResourceNotFound, kInvalidStateTransition, kVersionMismatch, kInvalidRequest
  ServiceResult<JobExecution> update(const JobId& id, const ThingName& thing,
                                     const UpdateExecutionRequest& request);

 private:
  /// One change to a thing's queue, with what came next before it.
  struct Change {
    JobExecution execution;
    std::optional<JobExecution> next_before;
    bool pending_changed = false;
  };

  [[nodiscard]] ServiceResult<void> add_execution(const JobId& id, const ThingName& thing);
  [[nodiscard]] ServiceResult<void> save(JobExecution& execution, ExecutionStatus status);
  [[nodiscard]] ServiceResult<void> announce(const Change& change);
  [[nodiscard]] ServiceResult<void> complete_if_done(const JobId& id);
  [[nodiscard]] ServiceResult<void> cancel_one(JobExecution& execution, bool force);
  [[nodiscard]] ServiceResult<void> check_update(const JobExecution& execution,
                                                 const UpdateExecutionRequest& request) const;

  Database& database_;
  const Clock& clock_;
  JobsOptions options_;
  ExecutionStore executions_;
  Listeners<JobsListener> listeners_;
};

}  // namespace otasim::cloud
