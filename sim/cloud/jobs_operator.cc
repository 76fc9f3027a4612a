// What the jobs service does for operators, and for the registry.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "sim/cloud/jobs_errors.h"
#include "sim/cloud/jobs_service.h"
#include "sim/cloud/status_details.h"

namespace otasim::cloud {

namespace {

constexpr std::size_t kMaxDocument = 32'768;
constexpr std::size_t kMaxDescription = 2028;
constexpr std::size_t kMaxTargets = 100;

tl::unexpected<ServiceError> out_of_range(std::string_view what, std::int64_t least, std::int64_t most) {
  return refuse(ErrorCode::kInvalidRequest, fmt::format("{} must be {} to {}.", what, least, most));
}

bool within(std::int64_t value, std::int64_t least, std::int64_t most) {
  return value >= least && value <= most;
}

ServiceResult<void> check_request(const CreateJobRequest& request) {
  if (request.document.size() > kMaxDocument) {
    return refuse(ErrorCode::kInvalidRequest,
                  fmt::format("A job document may have {} characters; this has {}.", kMaxDocument,
                              request.document.size()));
  }
  if (!nlohmann::json::parse(request.document, nullptr, /*allow_exceptions=*/false).is_object()) {
    return refuse(ErrorCode::kInvalidRequest, "The job document is not a JSON object.");
  }
  if (request.description.size() > kMaxDescription) {
    return refuse(ErrorCode::kInvalidRequest,
                  fmt::format("A description may have {} characters.", kMaxDescription));
  }
  if (!within(request.presigned_expires_sec, kMinPresignedExpiry, kMaxPresignedExpiry)) {
    return out_of_range("expiresInSec", kMinPresignedExpiry, kMaxPresignedExpiry);
  }
  if (request.in_progress_timeout_minutes &&
      !within(*request.in_progress_timeout_minutes, 1, kMaxTimeoutMinutes)) {
    return out_of_range("inProgressTimeoutInMinutes", 1, kMaxTimeoutMinutes);
  }
  if (auto valid = check(request.retries); !valid) return valid;
  if (auto valid = check(request.rollout); !valid) return valid;
  return check(request.abort);
}

}  // namespace

ServiceResult<void> JobsService::create(const CreateJobRequest& request) {
  if (auto valid = check_request(request); !valid) return valid;
  return change([&]() -> ServiceResult<void> {
    if (describe_job(request.id)) {
      return refuse(ErrorCode::kResourceAlreadyExists,
                    fmt::format("Job {} exists already.", request.id.str()));
    }
    if (auto valid = check_targets(request.targets); !valid) return valid;
    Job job{.id = request.id};
    job.document = request.document;
    job.description = request.description;
    job.target_selection = request.target_selection;
    job.presigned_expires_sec = request.presigned_expires_sec;
    job.in_progress_timeout_minutes = request.in_progress_timeout_minutes;
    job.retries = request.retries;
    job.created_at = clock_.now();
    job.last_updated_at = job.created_at;
    if (const auto added = jobs_.add(job, request.targets); !added) return tl::unexpected(added.error());
    changes_->created = job.id;
    if (auto queued = add_missing(job); !queued) return queued;
    return complete_if_done(job);
  });
}

ServiceResult<void> JobsService::associate_targets(const JobId& id, const std::vector<GroupName>& groups) {
  return change([&]() -> ServiceResult<void> {
    const auto job = describe_job(id);
    if (!job) return tl::unexpected(job.error());
    if (job->target_selection != TargetSelection::kContinuous || job->status != JobStatus::kInProgress) {
      return refuse(ErrorCode::kInvalidRequest,
                    fmt::format("Job {} is not a continuous job in progress.", id.str()));
    }
    auto targets = targets_of(id);
    if (!targets) return tl::unexpected(targets.error());
    for (const GroupName& group : groups) {
      const JobTarget target = group;
      targets->push_back(target);
      if (const auto added = jobs_.add_target(id, target); !added) return tl::unexpected(added.error());
    }
    if (auto valid = check_targets(*targets); !valid) return valid;
    return add_missing(*job);
  });
}

ServiceResult<void> JobsService::check_targets(const std::vector<JobTarget>& targets) {
  if (targets.empty()) return refuse(ErrorCode::kInvalidRequest, "A job needs a target.");
  if (targets.size() > kMaxTargets) {
    return refuse(ErrorCode::kInvalidRequest, fmt::format("A job may have {} targets.", kMaxTargets));
  }
  for (const JobTarget& target : targets) {
    const auto known = exists(target);
    if (!known) return tl::unexpected(known.error());
    if (*known) continue;
    const auto* const thing = std::get_if<ThingName>(&target);
    return refuse(ErrorCode::kResourceNotFound,
                  thing != nullptr
                      ? fmt::format("Thing {} does not exist.", thing->str())
                      : fmt::format("Thing group {} does not exist.", std::get<GroupName>(target).str()));
  }
  return {};
}

ServiceResult<bool> JobsService::exists(const JobTarget& target) {
  const auto* const thing = std::get_if<ThingName>(&target);
  bool found = false;
  const auto read = database_.query(
      thing != nullptr ? "SELECT 1 FROM things WHERE name = ?" : "SELECT 1 FROM thing_groups WHERE name = ?",
      {thing != nullptr ? thing->str() : std::get<GroupName>(target).str()},
      [&found](const Row&) { found = true; });
  if (!read) return tl::unexpected(read.error());
  return found;
}

/// Queues the job for those of its targets that have never had it.
ServiceResult<void> JobsService::add_missing(const Job& job) {
  const auto things = jobs_.things_of(job.id);
  if (!things) return tl::unexpected(things.error());
  for (const ThingName& thing : *things) {
    const auto had = executions_.find(job.id, thing);
    if (!had) return tl::unexpected(had.error());
    if (*had) continue;
    if (auto added = add_execution(job.id, thing); !added) return added;
  }
  return {};
}

ServiceResult<void> JobsService::add_execution(const JobId& id, const ThingName& thing,
                                               std::int64_t retry_attempt) {
  const auto queue = touch(thing);
  if (!queue) return tl::unexpected(queue.error());
  (*queue)->pending_changed = true;
  auto execution = executions_.add(id, thing, clock_.now(), retry_attempt);
  if (!execution) return tl::unexpected(execution.error());
  changes_->executions.push_back(std::move(*execution));
  return {};
}

ServiceResult<Job> JobsService::describe_job(const JobId& id) {
  auto job = jobs_.find(id);
  if (!job) return tl::unexpected(job.error());
  if (!*job) return no_job(id);
  return std::move(**job);
}

ServiceResult<std::vector<JobTarget>> JobsService::targets_of(const JobId& id) {
  if (const auto job = describe_job(id); !job) return tl::unexpected(job.error());
  auto targets = jobs_.targets(id);
  if (!targets) return tl::unexpected(targets.error());
  return std::move(*targets);
}

ServiceResult<JobProcessDetails> JobsService::process_details(const JobId& id) {
  if (const auto job = describe_job(id); !job) return tl::unexpected(job.error());
  const auto counts = jobs_.count_executions(id);
  if (!counts) return tl::unexpected(counts.error());
  return *counts;
}

ServiceResult<Page<Job>> JobsService::list_jobs(const ListJobsRequest& request) {
  const auto start = start_page(request.page);
  if (!start) return tl::unexpected(start.error());
  auto jobs = jobs_.list(request.filter, *start);
  if (!jobs) return tl::unexpected(jobs.error());
  return make_page(std::move(*jobs), *start, [](const Job& job) { return job.id.str(); });
}

ServiceResult<JobExecution> JobsService::execution(const JobId& id, const ThingName& thing,
                                                   std::optional<std::int64_t> number) {
  auto found = executions_.find(id, thing, number);
  if (!found) return tl::unexpected(found.error());
  if (!*found) return no_execution(id, thing);
  return std::move(**found);
}

ServiceResult<Page<JobExecution>> JobsService::list_executions(const ListExecutionsRequest& request) {
  if (!request.filter.job && !request.filter.thing) {
    return refuse(ErrorCode::kInvalidRequest, "Executions are listed of a job or of a thing.");
  }
  const auto start = start_page(request.page);
  if (!start) return tl::unexpected(start.error());
  auto all = executions_.list(request.filter, *start);
  if (!all) return tl::unexpected(all.error());
  return make_page(std::move(*all), *start,
                   [](const JobExecution& execution) { return std::to_string(execution.sequence); });
}

ServiceResult<void> JobsService::cancel(const JobId& id, const CancelJobRequest& request) {
  return change([&]() -> ServiceResult<void> {
    auto job = describe_job(id);
    if (!job) return tl::unexpected(job.error());
    if (job->status != JobStatus::kInProgress) {
      return refuse(ErrorCode::kInvalidRequest,
                    fmt::format("Job {} is {} and cannot be canceled.", id.str(), to_string(job->status)));
    }
    job->status = JobStatus::kCanceled;
    job->force_canceled = request.force;
    job->reason_code = request.reason_code;
    job->comment = request.comment;
    job->last_updated_at = clock_.now();
    job->completed_at = job->last_updated_at;
    if (const auto saved = jobs_.save(*job); !saved) return tl::unexpected(saved.error());
    auto open = executions_.open_of_job(id);
    if (!open) return tl::unexpected(open.error());
    for (JobExecution& execution : *open) {
      if (execution.state.status == ExecutionStatus::kInProgress && !request.force) continue;
      if (auto canceled = cancel_one(execution, request.force); !canceled) return canceled;
    }
    return {};
  });
}

ServiceResult<void> JobsService::cancel_execution(const JobId& id, const ThingName& thing,
                                                  const CancelExecutionRequest& request) {
  return change([&]() -> ServiceResult<void> {
    auto found = execution(id, thing);
    if (!found) return tl::unexpected(found.error());
    const ExecutionStatus status = found->state.status;
    if (is_terminal(status) || (status == ExecutionStatus::kInProgress && !request.force)) {
      return refuse_with_state(ErrorCode::kInvalidStateTransition,
                               fmt::format("An execution that is {} cannot be canceled{}.", to_string(status),
                                           is_terminal(status) ? "" : " without force"),
                               *found);
    }
    if (request.expected_version && *request.expected_version != found->state.version_number) {
      return refuse_with_state(ErrorCode::kVersionMismatch, "The execution has another version.", *found);
    }
    if (request.details) {
      if (auto valid = check_details(*request.details); !valid) return valid;
      found->state.details = *request.details;
    }
    return cancel_one(*found, request.force);
  });
}

ServiceResult<void> JobsService::cancel_one(JobExecution& execution, bool force) {
  execution.force_canceled = force && execution.state.status == ExecutionStatus::kInProgress;
  return end(execution, ExecutionStatus::kCanceled, options_.cancel_raises_version);
}

ServiceResult<void> JobsService::remove_job(const JobId& id, bool force) {
  return change([&]() -> ServiceResult<void> {
    const auto job = describe_job(id);
    if (!job) return tl::unexpected(job.error());
    if (job->status == JobStatus::kInProgress && !force) {
      return refuse(
          ErrorCode::kInvalidStateTransition,
          fmt::format("Job {} is in progress: cancel it first, or delete it with force.", id.str()));
    }
    const auto open = executions_.open_of_job(id);
    if (!open) return tl::unexpected(open.error());
    for (const JobExecution& execution : *open) {
      const auto queue = touch(execution.thing);
      if (!queue) return tl::unexpected(queue.error());
      (*queue)->pending_changed = true;
    }
    const auto removed = jobs_.remove(id);
    if (!removed) return tl::unexpected(removed.error());
    return {};
  });
}

ServiceResult<void> JobsService::remove_execution(const JobId& id, const ThingName& thing,
                                                  std::int64_t number, bool force) {
  return change([&]() -> ServiceResult<void> {
    const auto found = execution(id, thing, number);
    if (!found) return tl::unexpected(found.error());
    const bool open = !is_terminal(found->state.status);
    if (open && !force) {
      return refuse_with_state(ErrorCode::kInvalidStateTransition,
                               fmt::format("An execution that is {} can be deleted only with force.",
                                           to_string(found->state.status)),
                               *found);
    }
    const auto queue = touch(thing);
    if (!queue) return tl::unexpected(queue.error());
    (*queue)->pending_changed |= open;
    if (const auto removed = executions_.remove(*found); !removed) return tl::unexpected(removed.error());
    auto job = describe_job(id);
    if (!job) return tl::unexpected(job.error());
    return complete_if_done(*job);
  });
}

ServiceResult<void> JobsService::retarget(const ThingName& thing,
                                          const std::function<ServiceResult<void>()>& make_change) {
  return change([&]() -> ServiceResult<void> {
    const auto before = jobs_.continuous_jobs_of(thing);
    if (!before) return tl::unexpected(before.error());
    if (auto made = make_change(); !made) return made;
    const auto after = jobs_.continuous_jobs_of(thing);
    if (!after) return tl::unexpected(after.error());
    for (const JobId& id : *before) {
      if (after->contains(id)) continue;
      auto open = executions_.open_of(id, thing);
      if (!open) return tl::unexpected(open.error());
      if (!*open) continue;
      if (auto removed = end(**open, ExecutionStatus::kRemoved); !removed) return removed;
    }
    for (const JobId& id : *after) {
      if (before->contains(id)) continue;
      const auto open = executions_.open_of(id, thing);
      if (!open) return tl::unexpected(open.error());
      if (*open) continue;
      if (auto added = add_execution(id, thing); !added) return added;
    }
    return {};
  });
}

ServiceResult<void> JobsService::remove_executions_of(const ThingName& thing) {
  return change([&]() -> ServiceResult<void> {
    auto open = executions_.open_of_thing(thing);
    if (!open) return tl::unexpected(open.error());
    for (JobExecution& execution : *open) {
      if (auto removed = end(execution, ExecutionStatus::kRemoved); !removed) return removed;
    }
    return {};
  });
}

}  // namespace otasim::cloud
