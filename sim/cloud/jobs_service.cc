// What the jobs service does for devices and by the clock, and what all of its changes have in common. The
// operator's and the registry's side is in jobs_operator.cc, the rollout in jobs_rollout.cc.
#include "sim/cloud/jobs_service.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/json.h"
#include "sim/cloud/jobs_errors.h"
#include "sim/cloud/status_details.h"

namespace otasim::cloud {

namespace {

constexpr std::int64_t kSecondsPerMinute = 60;
/// Executions that run out of time are ended this many a transaction.
constexpr std::size_t kDueBatch = 100;
constexpr std::int64_t kNever = INT64_MAX;

}  // namespace

// --- Devices

ServiceResult<std::vector<JobExecution>> JobsService::pending(const ThingName& thing, ExecutionStatus status,
                                                              std::size_t most) {
  if (auto due = run_due(); !due) return tl::unexpected(due.error());
  auto all = executions_.pending(thing, status, most);
  if (!all) return tl::unexpected(all.error());
  return std::move(*all);
}

ServiceResult<std::optional<JobExecution>> JobsService::describe_next(const ThingName& thing) {
  if (auto due = run_due(); !due) return tl::unexpected(due.error());
  auto next = executions_.next(thing);
  if (!next) return tl::unexpected(next.error());
  return std::move(*next);
}

ServiceResult<JobExecution> JobsService::describe(const JobId& id, const ThingName& thing,
                                                  std::optional<std::int64_t> number) {
  if (auto due = run_due(); !due) return tl::unexpected(due.error());
  auto found = execution(id, thing, number);
  if (!found) return found;
  if (is_terminal(found->state.status)) {
    return refuse(ErrorCode::kTerminalStateReached,
                  fmt::format("The execution is {}.", to_string(found->state.status)));
  }
  return found;
}

ServiceResult<std::optional<JobExecution>> JobsService::start_next(const ThingName& thing,
                                                                   const StartNextRequest& request) {
  if (request.details) {
    if (const auto valid = check_details(*request.details); !valid) return tl::unexpected(valid.error());
  }
  if (auto due = run_due(); !due) return tl::unexpected(due.error());
  return change([&]() -> ServiceResult<std::optional<JobExecution>> {
    auto next = executions_.next(thing);
    if (!next) return tl::unexpected(next.error());
    if (!*next) return std::nullopt;
    JobExecution execution = std::move(**next);
    const bool begins = execution.state.status == ExecutionStatus::kQueued;
    if (begins) {
      if (auto begun = begin(execution); !begun) return tl::unexpected(begun.error());
      if (request.details) execution.state.details = *request.details;
    }
    if (auto set = set_step_timer(execution, request.step_timeout_minutes); !set) {
      return tl::unexpected(set.error());
    }
    if (!begins && !request.step_timeout_minutes) return execution;
    const auto queue = touch(thing);
    if (!queue) return tl::unexpected(queue.error());
    (*queue)->pending_changed |= begins && options_.notify_on_start;
    if (auto saved = save(execution, ExecutionStatus::kInProgress, begins); !saved) {
      return tl::unexpected(saved.error());
    }
    return execution;
  });
}

ServiceResult<void> JobsService::check_update(const JobExecution& execution,
                                              const UpdateExecutionRequest& request) const {
  const ExecutionStatus from = execution.state.status;
  const ExecutionStatus to = request.status;
  const bool device_may_set = to == ExecutionStatus::kInProgress || to == ExecutionStatus::kSucceeded ||
                              to == ExecutionStatus::kFailed || to == ExecutionStatus::kRejected;
  if (!device_may_set) {
    return refuse(ErrorCode::kInvalidRequest, fmt::format("A device cannot set {}.", to_string(to)));
  }
  const bool late_rejection = from == ExecutionStatus::kInProgress && to == ExecutionStatus::kRejected &&
                              !options_.may_reject_in_progress;
  if (is_terminal(from) || late_rejection) {
    return refuse_with_state(
        ErrorCode::kInvalidStateTransition,
        fmt::format("An execution that is {} cannot become {}.", to_string(from), to_string(to)), execution);
  }
  if (request.expected_version && *request.expected_version != execution.state.version_number) {
    return refuse_with_state(ErrorCode::kVersionMismatch,
                             fmt::format("The execution has version {}, not {}.",
                                         execution.state.version_number, *request.expected_version),
                             execution);
  }
  return request.details ? check_details(*request.details) : ServiceResult<void>{};
}

ServiceResult<JobExecution> JobsService::update(const JobId& id, const ThingName& thing,
                                                const UpdateExecutionRequest& request) {
  if (auto due = run_due(); !due) return tl::unexpected(due.error());
  return change([&]() -> ServiceResult<JobExecution> {
    auto found = execution(id, thing, request.execution_number);
    if (!found) return found;
    if (const auto valid = check_update(*found, request); !valid) return tl::unexpected(valid.error());
    const bool starts = found->state.status == ExecutionStatus::kQueued;
    const bool ends = is_terminal(request.status);
    if (starts || ends) {
      // What is begun and goes on stays where it is in the queue.
      const auto queue = touch(thing);
      if (!queue) return tl::unexpected(queue.error());
      (*queue)->pending_changed |= starts && options_.notify_on_start;
    }
    if (starts && !ends) {
      if (auto begun = begin(*found); !begun) return tl::unexpected(begun.error());
    }
    if (request.details) {
      StatusDetails details = *request.details;
      if (options_.details_rule == JobsOptions::DetailsRule::kMerge) details.merge(found->state.details);
      found->state.details = std::move(details);
    }
    if (ends) {
      if (auto ended = end(*found, request.status); !ended) return tl::unexpected(ended.error());
      return found;
    }
    if (auto set = set_step_timer(*found, request.step_timeout_minutes); !set) {
      return tl::unexpected(set.error());
    }
    if (auto saved = save(*found, request.status); !saved) return tl::unexpected(saved.error());
    return found;
  });
}

ServiceResult<nlohmann::ordered_json> JobsService::document(const JobId& id, bool presign) {
  const auto job = describe_job(id);
  if (!job) return tl::unexpected(job.error());
  auto document = nlohmann::ordered_json::parse(job->document, nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) {
    return refuse(ErrorCode::kInternalError, "The stored job document is damaged.");
  }
  if (presign && url_source_) {
    expand_placeholders(document, [&](const ObjectLocation& object) {
      return url_source_(object, job->presigned_expires_sec);
    });
  }
  return document;
}

/// The execution leaves the queue for work: its timer runs from here.
ServiceResult<void> JobsService::begin(JobExecution& execution) {
  const auto job = describe_job(execution.job_id);
  if (!job) return tl::unexpected(job.error());
  if (job->status == JobStatus::kScheduled) {
    // It waited out of sight for the job's next window.
    const auto queue = touch(execution.thing);
    if (!queue) return tl::unexpected(queue.error());
    (*queue)->pending_changed = true;
  }
  if (job->in_progress_timeout_minutes) {
    execution.in_progress_deadline = clock_.now() + *job->in_progress_timeout_minutes * kSecondsPerMinute;
  }
  return {};
}

ServiceResult<void> JobsService::set_step_timer(JobExecution& execution,
                                                const std::optional<std::int64_t>& minutes) const {
  if (!minutes) return {};
  if (*minutes == kNoStepTimeout) {
    execution.step_deadline.reset();
    return {};
  }
  if (*minutes < 1 || *minutes > kMaxTimeoutMinutes) {
    return refuse(ErrorCode::kInvalidRequest,
                  fmt::format("stepTimeoutInMinutes must be 1 to {}, or -1.", kMaxTimeoutMinutes));
  }
  const std::int64_t deadline = clock_.now() + *minutes * kSecondsPerMinute;
  if (execution.in_progress_deadline && deadline > *execution.in_progress_deadline) {
    return refuse(ErrorCode::kInvalidRequest,
                  "stepTimeoutInMinutes would end after the job's in-progress timer.");
  }
  execution.step_deadline = deadline;
  return {};
}

// --- Time

ServiceResult<void> JobsService::run_due() {
  for (;;) {
    const auto due = executions_.next_due();
    if (!due) return tl::unexpected(due.error());
    const std::int64_t now = clock_.now();
    const std::int64_t job_at = due->job.value_or(kNever);
    const std::int64_t execution_at = due->execution.value_or(kNever);
    if (std::min(job_at, execution_at) > now) return {};
    // In the order in which things were due, however late they are dealt with.
    auto done =
        change([&] { return job_at < execution_at ? advance_first_due() : time_out(std::min(now, job_at)); });
    if (!done) return done;
  }
}

/// Ends executions whose deadline was at `until` or earlier.
ServiceResult<void> JobsService::time_out(std::int64_t until) {
  auto due = executions_.due(until, kDueBatch);
  if (!due) return tl::unexpected(due.error());
  for (JobExecution& execution : *due) {
    if (auto done = end(execution, ExecutionStatus::kTimedOut); !done) return done;
  }
  return {};
}

ServiceResult<void> JobsService::advance_first_due() {
  auto job = jobs_.first_due();
  if (!job) return tl::unexpected(job.error());
  return *job ? advance(**job) : ServiceResult<void>{};
}

ServiceResult<std::optional<std::int64_t>> JobsService::next_due() {
  const auto due = executions_.next_due();
  if (!due) return tl::unexpected(due.error());
  if (!due->execution || !due->job) return due->execution ? due->execution : due->job;
  return std::min(due->execution, due->job);
}

// --- Changes

ServiceResult<JobChanges::Queue*> JobsService::touch(const ThingName& thing) {
  const auto known = changes_->queues.find(thing);
  if (known != changes_->queues.end()) return &known->second;
  auto next = executions_.next(thing);
  if (!next) return tl::unexpected(next.error());
  return &changes_->queues.emplace(thing, JobChanges::Queue{std::move(*next), false}).first->second;
}

/// Takes an execution to a status, with the times and the version that follow from it.
ServiceResult<void> JobsService::save(JobExecution& execution, ExecutionStatus status, bool raise_version) {
  const std::int64_t now = clock_.now();
  const bool worked_on = status != ExecutionStatus::kCanceled && status != ExecutionStatus::kRemoved;
  if (!execution.started_at && worked_on) execution.started_at = now;
  execution.state.status = status;
  execution.last_updated_at = now;
  if (raise_version) ++execution.state.version_number;
  const auto saved = executions_.save(execution);
  if (!saved) return tl::unexpected(saved.error());
  changes_->executions.push_back(execution);
  return {};
}

/// Takes an execution to a terminal status, and on to what follows for its job.
ServiceResult<void> JobsService::end(JobExecution& execution, ExecutionStatus status, bool raise_version) {
  auto job = describe_job(execution.job_id);
  if (!job) return tl::unexpected(job.error());
  const auto queue = touch(execution.thing);
  if (!queue) return tl::unexpected(queue.error());
  (*queue)->pending_changed |= !waits_out_of_sight(*job, execution);
  execution.in_progress_deadline.reset();
  execution.step_deadline.reset();
  if (auto saved = save(execution, status, raise_version); !saved) return saved;
  return settle(*job, execution);
}

/// After an execution's end: the job given up, another attempt planned, or perhaps the job's end.
ServiceResult<void> JobsService::settle(Job& job, const JobExecution& ended) {
  const auto aborted = abort_if_met(job);
  if (!aborted) return tl::unexpected(aborted.error());
  const auto retry = may_retry(job, ended);
  if (!retry) return tl::unexpected(retry.error());
  if (!*retry) return complete_if_done(job);
  const auto planned = rollout_.plan(job.id, ended.thing, ended.retry_attempt + 1);
  if (!planned) return tl::unexpected(planned.error());
  return advance(job);
}

ServiceResult<bool> JobsService::may_retry(const Job& job, const JobExecution& ended) {
  const ExecutionStatus status = ended.state.status;
  const bool failed = status == ExecutionStatus::kFailed;
  if (is_over(job.status) || job.progress.stopped) return false;
  if (!failed && status != ExecutionStatus::kTimedOut) return false;
  const std::int64_t attempts = ended.retry_attempt + 1;
  if (job.retries.any > 0) return attempts <= job.retries.any;
  const std::int64_t allowed = failed ? job.retries.failed : job.retries.timed_out;
  if (allowed == 0) return false;
  const auto ended_so = executions_.count_last(ended, attempts, status);
  if (!ended_so) return tl::unexpected(ended_so.error());
  return *ended_so <= allowed;
}

/// Tells a listener of jobs and executions: what begins, what happens to executions, and how it ends.
void JobsService::tell(const JobsListener& listener, const JobChanges& made) {
  const auto tell_notices = [&](bool beginnings) {
    for (const JobNotice& notice : made.notices) {
      const bool begins =
          notice.event == JobEvent::kCancellationInProgress || notice.event == JobEvent::kDeletionInProgress;
      if (begins == beginnings && listener.on_job_event) listener.on_job_event(notice);
    }
  };
  if (made.created && listener.on_job_created) listener.on_job_created(*made.created);
  tell_notices(true);
  for (const JobExecution& execution : made.executions) {
    if (listener.on_execution_change) listener.on_execution_change(execution);
  }
  for (const JobExecution& execution : made.deleted) {
    if (listener.on_execution_deleted) listener.on_execution_deleted(execution);
  }
  tell_notices(false);
  if (made.due_at && listener.on_due) listener.on_due(*made.due_at);
}

/// Tells the listeners what a transaction has done, once it is kept.
ServiceResult<void> JobsService::announce(JobChanges made) {
  struct Told {
    ThingName thing;
    bool pending_changed;
    bool next_changed;
    std::optional<JobExecution> next;
  };
  std::vector<Told> told;
  for (const auto& [thing, queue] : made.queues) {
    auto next = executions_.next(thing);
    if (!next) return tl::unexpected(next.error());
    const auto& before = queue.next_before;
    const bool same_next = before ? *next && before->same_as(**next) : !*next;
    told.push_back({thing, queue.pending_changed, !same_next, std::move(*next)});
  }
  database_.after_commit([this, made = std::move(made), told = std::move(told)] {
    listeners_.for_each([&](const JobsListener& listener) {
      tell(listener, made);
      for (const Told& one : told) {
        if (one.pending_changed && listener.on_pending_change) listener.on_pending_change(one.thing);
        if (one.next_changed && listener.on_next_change) listener.on_next_change(one.thing, one.next);
      }
    });
  });
  return {};
}

}  // namespace otasim::cloud
