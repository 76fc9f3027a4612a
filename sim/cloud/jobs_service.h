// AWS IoT Jobs: jobs, and for each targeted thing an execution with its own state machine.
//
//   jobs.create({.id = ..., .document = ..., .targets = {thing, group}});   operator
//   jobs.start_next(thing, ...), jobs.describe(...), jobs.update(...)        device, through a front end
//   jobs.cancel(...), jobs.cancel_execution(...)                             operator
//   jobs.retarget(thing, change)                                             registry: who is in which group
//   jobs.run_due()                                                           time (cloud_timers.h)
//
// Nothing is given to a thing at once: whom a job is for is planned, and as many as the job's rate allows are
// given it, minute by minute, while its schedule lets it. Create, associate, a thing that joins a group and a
// further attempt all go through that plan. jobs_rollout.cc holds it.
//
// Each call is one transaction: when it returns, the change is kept, and the listeners have heard of it.
// Where AWS's behaviour is not documented well enough to be sure, it is a named option.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sim/cloud/clock.h"
#include "sim/cloud/database.h"
#include "sim/cloud/execution_store.h"
#include "sim/cloud/identifiers.h"
#include "sim/cloud/job.h"
#include "sim/cloud/job_document.h"
#include "sim/cloud/job_execution.h"
#include "sim/cloud/job_store.h"
#include "sim/cloud/listeners.h"
#include "sim/cloud/page.h"
#include "sim/cloud/rollout_store.h"
#include "sim/cloud/service_error.h"

namespace otasim::cloud {

/// AWS's quotas of an account.
struct JobsLimits {
  std::int64_t active_continuous = 100;
  std::int64_t active_snapshot = 100'000;
  std::int64_t being_deleted = 10;
};

struct JobsOptions {
  JobsLimits limits = {};
  /// How long a job is DELETION_IN_PROGRESS.
  std::int64_t deletion_seconds = 1;
  /// What an update's statusDetails do to those that are stored.
  enum class DetailsRule { kReplace, kMerge };
  DetailsRule details_rule = DetailsRule::kReplace;
  /// Whether a device may reject what it has begun.
  bool may_reject_in_progress = true;
  /// Whether QUEUED to IN_PROGRESS is told on `notify`.
  bool notify_on_start = false;
  /// Whether an operator's cancellation raises the execution's versionNumber.
  bool cancel_raises_version = true;
  /// Whether placeholders are replaced in `notify-next` too, as in answers.
  bool presign_in_notify_next = true;
  /// The unit of timestamps in messages to devices.
  enum class TimestampUnit { kSeconds, kMilliseconds };
  TimestampUnit timestamp_unit = TimestampUnit::kSeconds;
};

struct CreateJobRequest {
  JobId id;
  std::string document = {};  ///< JSON object
  std::vector<JobTarget> targets = {};
  std::string description = {};
  TargetSelection target_selection = TargetSelection::kSnapshot;
  std::optional<std::int64_t> presigned_expires_sec = {};  ///< none: kMaxPresignedExpiry
  std::optional<std::int64_t> in_progress_timeout_minutes = {};
  RetryConfig retries = {};
  RolloutConfig rollout = {};
  AbortConfig abort = {};
  SchedulingConfig scheduling = {};
  std::string namespace_id = {};     ///< empty: none
  std::string document_source = {};  ///< told by describe_job; the caller has read the document from there
  std::string template_arn = {};     ///< told by describe_job; JobTemplates::apply() sets it
  DocumentParameters document_parameters = {};
};

/// Whether a job may look like this, whomever it is for.
/// @returns kInvalidRequest for a document that is no JSON object, too long or too deep, and for a number out
/// of range
[[nodiscard]] ServiceResult<void> check_job(const CreateJobRequest& request, std::int64_t now);

/// What is to change; what is not named stays.
struct UpdateJobRequest {
  std::optional<std::string> description = {};
  std::optional<std::int64_t> presigned_expires_sec = {};
  std::optional<RolloutConfig> rollout = {};
  std::optional<AbortConfig> abort = {};
  std::optional<std::int64_t> in_progress_timeout_minutes = {};
  std::optional<RetryConfig> retries = {};
};

/// The reason codes of jobs that no operator canceled.
inline constexpr const char* kAbortCriteriaMet = "ABORT_CRITERIA_MET";
inline constexpr const char* kEndTimeReached = "END_TIME_REACHED";

struct ListJobsRequest {
  JobStore::Filter filter = {};
  PageRequest page = {};
};

struct ListExecutionsRequest {
  ExecutionStore::Filter filter;  ///< a job, a thing, or both
  PageRequest page = {};
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

/// Instead of a number of minutes: stops the step timer.
inline constexpr std::int64_t kNoStepTimeout = -1;

struct StartNextRequest {
  std::optional<StatusDetails> details = {};
  std::optional<std::int64_t> step_timeout_minutes = {};  ///< 1 to kMaxTimeoutMinutes, or kNoStepTimeout
};

struct UpdateExecutionRequest {
  ExecutionStatus status = ExecutionStatus::kInProgress;
  std::optional<StatusDetails> details = {};  ///< none: those stored stay
  std::optional<std::int64_t> expected_version = {};
  std::optional<std::int64_t> execution_number = {};
  std::optional<std::int64_t> step_timeout_minutes = {};  ///< none: the timer that runs stays
};

/// What happens to a job as a whole.
enum class JobEvent { kCompleted, kCancellationInProgress, kCanceled, kDeletionInProgress, kDeleted };

/// A job's event, and how the job stood then.
struct JobNotice {
  JobEvent event;
  Job job;
  std::vector<JobTarget> targets;
  JobProcessDetails counts;
};

/// Called after the change is kept; any may be empty. They must not destroy the service.
struct JobsListener {
  std::function<void(const JobId& id)> on_job_created = {};
  std::function<void(const JobNotice& notice)> on_job_event = {};
  /// An execution was made, or any of it changed.
  std::function<void(const JobExecution& execution)> on_execution_change = {};
  /// An operator deleted an execution.
  std::function<void(const JobExecution& execution)> on_execution_deleted = {};
  /// A job must be looked at at this time (run_due), which may be earlier than what was due before.
  std::function<void(std::int64_t at)> on_due = {};
  /// The list of what is pending for a thing changed: `notify`.
  std::function<void(const ThingName& thing)> on_pending_change = {};
  /// What a thing has to do next is another execution than before, or none: `notify-next`.
  std::function<void(const ThingName& thing, const std::optional<JobExecution>& next)> on_next_change = {};
};

/// What a transaction does to jobs and to things' queues; told when it is over.
struct JobChanges {
  struct Queue {
    std::optional<JobExecution> next_before = {};
    bool pending_changed = false;
  };
  std::map<ThingName, Queue> queues = {};
  std::vector<JobExecution> executions = {};  ///< as each stood after each change
  std::vector<JobExecution> deleted = {};
  std::vector<JobNotice> notices = {};
  std::optional<JobId> created = {};
  std::optional<std::int64_t> due_at = {};  ///< the earliest time that a job was given to be looked at
};

class JobsService {
 public:
  /// @param url_source  makes presigned URLs; none: placeholders stay in the documents
  JobsService(Database& database, const Clock& clock, JobsOptions options = {}, UrlSource url_source = {})
      : database_(database),
        clock_(clock),
        options_(options),
        url_source_(std::move(url_source)),
        jobs_(database),
        executions_(database),
        rollout_(database) {}
  JobsService(const JobsService&) = delete;
  JobsService& operator=(const JobsService&) = delete;

  [[nodiscard]] Subscription listen(JobsListener listener) { return listeners_.add(std::move(listener)); }
  [[nodiscard]] const JobsOptions& options() const { return options_; }

  // The operator's side.

  /// @returns kResourceAlreadyExists, kResourceNotFound for a target that does not exist, kLimitExceeded with
  ///          too many jobs that are not over, kInvalidRequest for a document that is no JSON object or too
  ///          long, its URLs included, for no target or too many, or a number out of range
  ServiceResult<void> create(const CreateJobRequest& request);
  /// Changes a job that is not over. A new rate holds from the next minute on; a new timeout for executions
  /// that are begun from now on. @returns kResourceNotFound, kInvalidRequest
  ServiceResult<void> update_job(const JobId& id, const UpdateJobRequest& request);
  /// Adds groups to a continuous job in progress. @returns kResourceNotFound, kInvalidRequest
  ServiceResult<void> associate_targets(const JobId& id, const std::vector<GroupName>& groups);
  /// @returns kResourceNotFound
  [[nodiscard]] ServiceResult<Job> describe_job(const JobId& id);
  [[nodiscard]] ServiceResult<std::vector<JobTarget>> targets_of(const JobId& id);
  [[nodiscard]] ServiceResult<JobProcessDetails> process_details(const JobId& id);
  /// Whether it is giving itself to things, minute by minute (isConcurrent). A cancellation takes no time.
  [[nodiscard]] ServiceResult<bool> is_rolling_out(const Job& job);
  /// In order of their ids. @returns kInvalidRequest for a bad page
  [[nodiscard]] ServiceResult<Page<Job>> list_jobs(const ListJobsRequest& request);
  /// An execution in whatever status. @returns kResourceNotFound
  [[nodiscard]] ServiceResult<JobExecution> execution(const JobId& id, const ThingName& thing,
                                                      std::optional<std::int64_t> number = std::nullopt);
  /// In order of creation. @returns kInvalidRequest for a bad page, or for neither job nor thing
  [[nodiscard]] ServiceResult<Page<JobExecution>> list_executions(const ListExecutionsRequest& request);
  /// @returns kResourceNotFound, kInvalidRequest if the job is over
  ServiceResult<void> cancel(const JobId& id, const CancelJobRequest& request = {});
  /// @returns kResourceNotFound, kInvalidStateTransition if it is over or begun (without force),
  ///          kVersionMismatch, kInvalidRequest for details that break a limit
  ServiceResult<void> cancel_execution(const JobId& id, const ThingName& thing,
                                       const CancelExecutionRequest& request = {});
  /// Takes a job's executions away at once; the job itself is DELETION_IN_PROGRESS and gone a moment later
  /// (run_due), when its id may be used again.
  /// @returns kResourceNotFound, kInvalidStateTransition if the job is in progress (without force) or being
  ///          deleted already, kLimitExceeded while too many are being deleted
  ServiceResult<void> remove_job(const JobId& id, bool force);
  /// @returns kResourceNotFound, kInvalidStateTransition if it is not over (without force)
  ServiceResult<void> remove_execution(const JobId& id, const ThingName& thing, std::int64_t number,
                                       bool force);

  // The registry's side.

  /// Makes a change of who is in which group, and gives the thing the continuous jobs that it has become a
  /// target of; what is open of those it no longer is a target of becomes REMOVED.
  ServiceResult<void> retarget(const ThingName& thing, const std::function<ServiceResult<void>()>& change);
  /// Makes whatever is open for a thing REMOVED: the thing is being deleted.
  ServiceResult<void> remove_executions_of(const ThingName& thing);

  // The device's side.

  /// The first `most` of those begun (kInProgress) or waiting (kQueued), in the order they were queued.
  [[nodiscard]] ServiceResult<std::vector<JobExecution>> pending(const ThingName& thing,
                                                                 ExecutionStatus status, std::size_t most);
  /// What comes next, or nothing; changes nothing.
  [[nodiscard]] ServiceResult<std::optional<JobExecution>> describe_next(const ThingName& thing);
  /// @returns kResourceNotFound, kTerminalStateReached
  [[nodiscard]] ServiceResult<JobExecution> describe(const JobId& id, const ThingName& thing,
                                                     std::optional<std::int64_t> number = std::nullopt);
  /// Begins what comes next, unless it has been begun already. @returns kInvalidRequest for bad details or
  /// timer
  ServiceResult<std::optional<JobExecution>> start_next(const ThingName& thing,
                                                        const StartNextRequest& request = {});
  /// @returns kResourceNotFound, kInvalidStateTransition, kVersionMismatch, kInvalidRequest
  ServiceResult<JobExecution> update(const JobId& id, const ThingName& thing,
                                     const UpdateExecutionRequest& request);
  /// A job's document as a device gets it. @param presign  whether placeholders become URLs, new ones each
  /// time
  [[nodiscard]] ServiceResult<nlohmann::ordered_json> document(const JobId& id, bool presign = true);

  // Time.

  /// Does what is due: executions that have run out of time end, jobs start, go on with their rollout, pause,
  /// end and disappear.
  ServiceResult<void> run_due();
  /// When there will be something to do next: epoch seconds.
  [[nodiscard]] ServiceResult<std::optional<std::int64_t>> next_due();

 private:
  /// Runs `body` in a transaction and tells the listeners afterwards; within another change, as part of it.
  template <typename Body>
  std::invoke_result_t<Body> change(const Body& body) {
    return database_.transaction([&]() -> std::invoke_result_t<Body> {
      if (changes_) return body();
      changes_.emplace();
      const ForgetChanges forgotten{*this};  // also if the body throws
      auto result = body();
      JobChanges made = std::move(*changes_);
      if (!result) return result;
      if (auto told = announce(std::move(made)); !told) return tl::unexpected(told.error());
      return result;
    });
  }
  struct ForgetChanges {
    JobsService& jobs;
    ~ForgetChanges() { jobs.changes_.reset(); }
  };
  [[nodiscard]] ServiceResult<void> announce(JobChanges made);
  static void tell(const JobsListener& listener, const JobChanges& made);
  [[nodiscard]] ServiceResult<void> time_out(std::int64_t until);
  [[nodiscard]] ServiceResult<void> advance_first_due();
  /// A thing's queue is about to change.
  [[nodiscard]] ServiceResult<JobChanges::Queue*> touch(const ThingName& thing);

  /// Whether an execution waits for its job's next window: things do not see it in their queues.
  [[nodiscard]] static bool waits_out_of_sight(const Job& job, const JobExecution& execution) {
    return job.status == JobStatus::kScheduled && execution.state.status == ExecutionStatus::kQueued;
  }

  [[nodiscard]] ServiceResult<bool> exists(const JobTarget& target);
  [[nodiscard]] ServiceResult<void> check_targets(const std::vector<JobTarget>& targets);
  [[nodiscard]] ServiceResult<void> check_limits(const CreateJobRequest& request);
  [[nodiscard]] ServiceResult<void> check_expanded_size(const CreateJobRequest& request) const;
  [[nodiscard]] ServiceResult<void> touch_open(const Job& job);
  [[nodiscard]] ServiceResult<void> retarget_one(const JobId& id, const ThingName& thing);

  // The rollout (jobs_rollout.cc).

  [[nodiscard]] ServiceResult<void> advance(Job& job);
  [[nodiscard]] ServiceResult<void> open(Job& job);
  [[nodiscard]] ServiceResult<void> pause(Job& job);
  [[nodiscard]] ServiceResult<void> end_schedule(Job& job);
  [[nodiscard]] ServiceResult<void> start_rollout(Job& job);
  [[nodiscard]] ServiceResult<bool> roll_out(Job& job);
  [[nodiscard]] ServiceResult<void> reach(Job& job, const std::vector<PlannedThing>& things);
  [[nodiscard]] ServiceResult<void> add_execution(const JobId& id, const PlannedThing& planned);
  [[nodiscard]] ServiceResult<void> touch_queued(const JobId& id, bool told);
  [[nodiscard]] ServiceResult<void> cancel_job(Job& job, const CancelJobRequest& request);
  [[nodiscard]] ServiceResult<void> cancel_out_of_sight(JobExecution& execution);
  [[nodiscard]] ServiceResult<bool> abort_if_met(Job& job);
  [[nodiscard]] ServiceResult<void> finish_deletion(const Job& job);
  [[nodiscard]] ServiceResult<void> save_job(Job& job);
  [[nodiscard]] ServiceResult<void> notice(JobEvent event, const Job& job);
  [[nodiscard]] ServiceResult<void> save(JobExecution& execution, ExecutionStatus status,
                                         bool raise_version = true);
  [[nodiscard]] ServiceResult<void> end(JobExecution& execution, ExecutionStatus status,
                                        bool raise_version = true);
  [[nodiscard]] ServiceResult<void> settle(Job& job, const JobExecution& ended);
  [[nodiscard]] ServiceResult<bool> may_retry(const Job& job, const JobExecution& ended);
  [[nodiscard]] ServiceResult<void> complete_if_done(Job& job);
  [[nodiscard]] ServiceResult<void> cancel_one(JobExecution& execution, bool force);
  [[nodiscard]] ServiceResult<void> begin(JobExecution& execution);
  [[nodiscard]] ServiceResult<void> set_step_timer(JobExecution& execution,
                                                   const std::optional<std::int64_t>& minutes) const;
  [[nodiscard]] ServiceResult<void> check_update(const JobExecution& execution,
                                                 const UpdateExecutionRequest& request) const;

  Database& database_;
  const Clock& clock_;
  JobsOptions options_;
  UrlSource url_source_;
  JobStore jobs_;
  ExecutionStore executions_;
  RolloutStore rollout_;
  Listeners<JobsListener> listeners_;
  std::optional<JobChanges> changes_;  ///< of the transaction that is under way
};

}  // namespace otasim::cloud
