// How the jobs service takes a job along: its schedule, its rollout, its abort, its end.
//
// advance() brings a job to where it must be now, whatever happened before: it is called when a job is made
// or changed, when something is planned for it, and when it is due. What it leaves behind is kept in the job,
// with the time at which it must be called again.
//
// A minute begins when something is rolled out and no minute is running, and lasts 60 seconds. Its rate is
// found when it begins; within it as many things are reached as the rate says, at once if so many are
// planned. Time in which the process was not there is not made up for: a minute's number is all that follows.
#include <fmt/format.h>

#include <algorithm>

#include "sim/cloud/job_schedule.h"
#include "sim/cloud/jobs_errors.h"
#include "sim/cloud/jobs_service.h"
#include "sim/cloud/rollout_rate.h"

namespace otasim::cloud {

namespace {

constexpr std::int64_t kMinute = 60;
/// Executions that were ended by their work, or for want of it: what abort criteria are about.
struct Ended {
  std::int64_t all;
  std::int64_t failed;
};

Ended ended_by(const AbortCriterion& criterion, const JobProcessDetails& counts) {
  const std::int64_t failures = counts.failed + counts.rejected + counts.timed_out;
  const std::int64_t all = counts.succeeded + failures;
  switch (criterion.failure) {
    case AbortFailure::kFailed:
      return {all, counts.failed};
    case AbortFailure::kRejected:
      return {all, counts.rejected};
    case AbortFailure::kTimedOut:
      return {all, counts.timed_out};
    case AbortFailure::kAll:
      return {all, failures};
  }
  return {all, failures};
}

bool is_met(const AbortCriterion& criterion, const Ended& ended) {
  return ended.all >= criterion.min_executed_things &&
         ended.failed * kMaxThresholdHundredths >= criterion.threshold_hundredths * ended.all;
}

}  // namespace

ServiceResult<void> JobsService::advance(Job& job) {
  if (job.status == JobStatus::kDeletionInProgress) return finish_deletion(job);
  if (is_over(job.status)) return {};
  const SchedulePhase phase = phase_at(job.scheduling, clock_.now());
  job.progress.due_at = phase.until;
  using Kind = SchedulePhase::Kind;
  if (phase.kind == Kind::kOver && !job.progress.stopped) {
    if (auto ended = end_schedule(job); !ended || is_over(job.status)) return ended;
  }
  if (phase.kind == Kind::kWaiting) {
    if (auto paused = pause(job); !paused) return paused;
  }
  if (phase.kind == Kind::kOpen) {
    if (auto opened = open(job); !opened) return opened;
    const auto more = roll_out(job);
    if (!more) return tl::unexpected(more.error());
    if (*more) {
      const std::int64_t next_minute = *job.progress.minute_started_at + kMinute;
      job.progress.due_at = std::min(phase.until.value_or(next_minute), next_minute);
    }
  }
  if (auto saved = save_job(job); !saved) return saved;
  return complete_if_done(job);
}

/// The job starts, or one of its windows opens.
ServiceResult<void> JobsService::open(Job& job) {
  if (job.status == JobStatus::kInProgress) return {};
  if (job.progress.planned) {
    if (auto touched = touch_queued(job.id, true); !touched) return touched;
  } else if (auto started = start_rollout(job); !started) {
    return started;
  }
  job.status = JobStatus::kInProgress;
  job.last_updated_at = clock_.now();
  return {};
}

/// Finds out whom the job is for. Whoever fits into the first minute need not be planned.
ServiceResult<void> JobsService::start_rollout(Job& job) {
  job.progress.planned = true;
  const std::int64_t rate = rollout_rate(job.rollout, {});
  const auto first = rollout_.first_missing(job.id, rate);
  if (!first) return tl::unexpected(first.error());
  if (first->empty()) return {};
  job.progress.minute_started_at = clock_.now();
  job.progress.minute_left = rate;
  if (auto reached = reach(job, *first); !reached) return reached;
  if (job.progress.minute_left > 0) return {};
  if (const auto planned = rollout_.plan_missing(job.id); !planned) return tl::unexpected(planned.error());
  return {};
}

/// A window closes: what has not been begun waits for the next one.
ServiceResult<void> JobsService::pause(Job& job) {
  if (job.status == JobStatus::kScheduled) return {};
  if (auto touched = touch_queued(job.id, true); !touched) return touched;
  job.status = JobStatus::kScheduled;
  job.last_updated_at = clock_.now();
  return {};
}

ServiceResult<void> JobsService::end_schedule(Job& job) {
  const EndBehavior behavior = job.scheduling.end_behavior.value_or(EndBehavior::kStopRollout);
  if (behavior != EndBehavior::kStopRollout) {
    return cancel_job(job, {.force = behavior == EndBehavior::kForceCancel,
                            .reason_code = kEndTimeReached,
                            .comment = "The job has reached its endTime."});
  }
  // What has been rolled out goes on, also if the job was waiting for a window.
  if (job.status == JobStatus::kScheduled) {
    if (auto touched = touch_queued(job.id, true); !touched) return touched;
    job.status = JobStatus::kInProgress;
  }
  job.progress.planned = true;
  job.progress.stopped = true;
  job.last_updated_at = clock_.now();
  if (const auto cleared = rollout_.clear(job.id); !cleared) return tl::unexpected(cleared.error());
  return {};
}

/// Reaches as many things as this minute still allows. @returns whether there are more
ServiceResult<bool> JobsService::roll_out(Job& job) {
  RolloutProgress& progress = job.progress;
  const auto left = rollout_.any(job.id);
  if (!left) return tl::unexpected(left.error());
  if (!*left) return false;
  const std::int64_t now = clock_.now();
  const auto& began = progress.minute_started_at;
  // A clock that was set back ends the minute, too.
  if (!began || now < *began || now >= *began + kMinute) {
    const auto counts = jobs_.count_executions(job.id);
    if (!counts) return tl::unexpected(counts.error());
    progress.minute_started_at = now;
    progress.minute_left = rollout_rate(job.rollout, {progress.notified, counts->succeeded});
  }
  if (progress.minute_left == 0) return true;
  const auto things = rollout_.next(job.id, progress.minute_left);
  if (!things) return tl::unexpected(things.error());
  if (auto reached = reach(job, *things); !reached) return tl::unexpected(reached.error());
  if (const auto removed = rollout_.remove_up_to(job.id, things->back()); !removed) {
    return tl::unexpected(removed.error());
  }
  const auto more = rollout_.any(job.id);
  if (!more) return tl::unexpected(more.error());
  return *more;
}

/// Gives things the job, which takes them off the minute's number.
ServiceResult<void> JobsService::reach(Job& job, const std::vector<PlannedThing>& things) {
  for (const PlannedThing& planned : things) {
    if (auto added = add_execution(job.id, planned); !added) return added;
    if (planned.retry_attempt == 0) ++job.progress.notified;
  }
  job.progress.minute_left -= static_cast<std::int64_t>(things.size());
  return {};
}

ServiceResult<void> JobsService::add_execution(const JobId& id, const PlannedThing& planned) {
  const auto queue = touch(planned.thing);
  if (!queue) return tl::unexpected(queue.error());
  (*queue)->pending_changed = true;
  auto execution = executions_.add(id, planned.thing, clock_.now(), planned.retry_attempt);
  if (!execution) return tl::unexpected(execution.error());
  changes_->executions.push_back(std::move(*execution));
  return {};
}

/// What things see of their queues is about to change for those that have not begun the job.
/// @param told  whether it changes what they are told is pending
ServiceResult<void> JobsService::touch_queued(const JobId& id, bool told) {
  const auto open = executions_.open_of_job(id);
  if (!open) return tl::unexpected(open.error());
  for (const JobExecution& execution : *open) {
    if (execution.state.status != ExecutionStatus::kQueued) continue;
    const auto queue = touch(execution.thing);
    if (!queue) return tl::unexpected(queue.error());
    (*queue)->pending_changed |= told;
  }
  return {};
}

/// A job is completed when nothing is planned for it, nothing is open and nothing can be added any more.
ServiceResult<void> JobsService::complete_if_done(Job& job) {
  const RolloutProgress& progress = job.progress;
  const bool may_grow = job.target_selection == TargetSelection::kContinuous && !progress.stopped;
  if (is_over(job.status) || !progress.planned || may_grow) return {};
  const auto open = executions_.any_open(job.id);
  if (!open) return tl::unexpected(open.error());
  const auto planned = rollout_.any(job.id);
  if (!planned) return tl::unexpected(planned.error());
  if (*open || *planned) return {};
  job.status = JobStatus::kCompleted;
  job.last_updated_at = clock_.now();
  job.completed_at = job.last_updated_at;
  job.progress.due_at.reset();
  if (auto saved = save_job(job); !saved) return saved;
  return notice(JobEvent::kCompleted, job);
}

/// Ends a job before its time. Whoever has not been reached is not any more; what waits is canceled, and what
/// is in progress if forced.
ServiceResult<void> JobsService::cancel_job(Job& job, const CancelJobRequest& request) {
  job.comment = request.comment;
  if (auto told = notice(JobEvent::kCancellationInProgress, job); !told) return told;
  const bool in_sight = job.status != JobStatus::kScheduled;
  if (auto touched = touch_queued(job.id, in_sight); !touched) return touched;
  job.status = JobStatus::kCanceled;
  job.force_canceled = request.force;
  job.reason_code = request.reason_code;
  job.last_updated_at = clock_.now();
  job.completed_at = job.last_updated_at;
  job.progress.due_at.reset();
  if (const auto cleared = rollout_.clear(job.id); !cleared) return tl::unexpected(cleared.error());
  if (auto saved = save_job(job); !saved) return saved;
  auto open = executions_.open_of_job(job.id);
  if (!open) return tl::unexpected(open.error());
  for (JobExecution& execution : *open) {
    if (execution.state.status == ExecutionStatus::kInProgress && !request.force) continue;
    if (execution.state.status == ExecutionStatus::kQueued && !in_sight) {
      if (auto canceled = cancel_out_of_sight(execution); !canceled) return canceled;
    } else if (auto canceled = cancel_one(execution, request.force); !canceled) {
      return canceled;
    }
  }
  return notice(JobEvent::kCanceled, job);
}

/// Cancels what waited for a window of its job: the thing does not hear of it.
ServiceResult<void> JobsService::cancel_out_of_sight(JobExecution& execution) {
  const auto queue = touch(execution.thing);
  if (!queue) return tl::unexpected(queue.error());
  const bool changed_before = (*queue)->pending_changed;
  if (auto canceled = cancel_one(execution, false); !canceled) return canceled;
  (*queue)->pending_changed = changed_before;
  return {};
}

/// Gives a job up if what has ended meets one of its criteria. @returns whether it does
ServiceResult<bool> JobsService::abort_if_met(Job& job) {
  if (is_over(job.status) || job.abort.criteria.empty()) return false;
  const auto counts = jobs_.count_executions(job.id);
  if (!counts) return tl::unexpected(counts.error());
  for (const AbortCriterion& criterion : job.abort.criteria) {
    const Ended ended = ended_by(criterion, *counts);
    if (!is_met(criterion, ended)) continue;
    auto canceled = cancel_job(
        job,
        {.reason_code = kAbortCriteriaMet,
         .comment = fmt::format("{} of {} job executions ended so that the criterion {} at {}.{:02} % "
                                "is met.",
                                ended.failed, ended.all, to_string(criterion.failure),
                                criterion.threshold_hundredths / 100, criterion.threshold_hundredths % 100)});
    if (!canceled) return tl::unexpected(canceled.error());
    return true;
  }
  return false;
}

ServiceResult<void> JobsService::finish_deletion(const Job& job) {
  if (job.progress.due_at && clock_.now() < *job.progress.due_at) return {};
  if (auto told = notice(JobEvent::kDeleted, job); !told) return told;
  const auto removed = jobs_.remove(job.id);
  if (!removed) return tl::unexpected(removed.error());
  return {};
}

/// Keeps a job, and the time at which it must be looked at again.
ServiceResult<void> JobsService::save_job(Job& job) {
  if (const auto saved = jobs_.save(job); !saved) return tl::unexpected(saved.error());
  const auto& due = job.progress.due_at;
  if (due && (!changes_->due_at || *due < *changes_->due_at)) changes_->due_at = due;
  return {};
}

ServiceResult<void> JobsService::notice(JobEvent event, const Job& job) {
  auto targets = jobs_.targets(job.id);
  if (!targets) return tl::unexpected(targets.error());
  auto counts = jobs_.count_executions(job.id);
  if (!counts) return tl::unexpected(counts.error());
  changes_->notices.push_back({event, job, std::move(*targets), std::move(*counts)});
  return {};
}

}  // namespace otasim::cloud
