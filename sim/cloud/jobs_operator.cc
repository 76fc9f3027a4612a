// What the jobs service does for operators.
#include <fmt/format.h>

#include <algorithm>

#include "sim/base/json.h"
#include "sim/cloud/document_parameters.h"
#include "sim/cloud/jobs_errors.h"
#include "sim/cloud/jobs_service.h"
#include "sim/cloud/status_details.h"

namespace otasim::cloud {

namespace {

constexpr std::size_t kMaxDescription = 2028;
constexpr std::size_t kMaxReasonCode = 128;
constexpr std::size_t kMaxTargets = 100;

tl::unexpected<ServiceError> out_of_range(std::string_view what, std::int64_t least, std::int64_t most) {
  return refuse(ErrorCode::kInvalidRequest, fmt::format("{} must be {} to {}.", what, least, most));
}

bool within(std::int64_t value, std::int64_t least, std::int64_t most) {
  return value >= least && value <= most;
}

/// What may be changed later, too.
ServiceResult<void> check_settings(const Job& job) {
  if (job.description.size() > kMaxDescription) {
    return refuse(ErrorCode::kInvalidRequest,
                  fmt::format("A description may have {} characters.", kMaxDescription));
  }
  if (!within(job.presigned_expires_sec, kMinPresignedExpiry, kMaxPresignedExpiry)) {
    return out_of_range("expiresInSec", kMinPresignedExpiry, kMaxPresignedExpiry);
  }
  if (job.in_progress_timeout_minutes && !within(*job.in_progress_timeout_minutes, 1, kMaxTimeoutMinutes)) {
    return out_of_range("inProgressTimeoutInMinutes", 1, kMaxTimeoutMinutes);
  }
  if (auto valid = check(job.retries); !valid) return valid;
  if (auto valid = check(job.rollout); !valid) return valid;
  return check(job.abort);
}

ServiceResult<void> check_reason(const CancelJobRequest& request) {
  const bool valid =
      request.reason_code.size() <= kMaxReasonCode && std::ranges::all_of(request.reason_code, [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
      });
  if (!valid) {
    return refuse(ErrorCode::kInvalidRequest,
                  fmt::format("A reasonCode has at most {} capital letters, digits or '_'.", kMaxReasonCode));
  }
  if (request.comment.size() <= kMaxDescription) return {};
  return refuse(ErrorCode::kInvalidRequest,
                fmt::format("A comment may have {} characters.", kMaxDescription));
}

ServiceResult<void> check_parameters(const CreateJobRequest& request) {
  if (!request.document_parameters.empty() && request.template_arn.empty()) {
    return refuse(ErrorCode::kInvalidRequest, "documentParameters need a job template.");
  }
  return check_document_parameters(request.document_parameters);
}

Job job_of(const CreateJobRequest& request, std::int64_t now) {
  Job job{.id = request.id, .status = JobStatus::kScheduled};
  job.document = request.document;
  job.description = request.description;
  job.target_selection = request.target_selection;
  job.presigned_expires_sec = request.presigned_expires_sec.value_or(kMaxPresignedExpiry);
  job.in_progress_timeout_minutes = request.in_progress_timeout_minutes;
  job.retries = request.retries;
  job.rollout = request.rollout;
  job.abort = request.abort;
  job.scheduling = request.scheduling;
  job.namespace_id = request.namespace_id;
  job.document_source = request.document_source;
  job.template_arn = request.template_arn;
  job.document_parameters = request.document_parameters;
  job.created_at = now;
  job.last_updated_at = now;
  return job;
}

}  // namespace

ServiceResult<void> check_job(const CreateJobRequest& request, std::int64_t now) {
  if (auto valid = check_job_document(request.document); !valid) return valid;
  if (!std::ranges::all_of(request.namespace_id, detail::is_word)) {
    return refuse(ErrorCode::kInvalidRequest, "A namespaceId has letters, digits, '_' or '-'.");
  }
  if (auto valid = check_settings(job_of(request, now)); !valid) return valid;
  if (auto valid = check_parameters(request); !valid) return valid;
  return check(request.scheduling, now);
}

ServiceResult<void> JobsService::create(const CreateJobRequest& request) {
  if (auto valid = check_job(request, clock_.now()); !valid) return valid;
  if (auto valid = check_expanded_size(request); !valid) return valid;
  if (auto due = run_due(); !due) return due;
  return change([&]() -> ServiceResult<void> {
    if (describe_job(request.id)) {
      return refuse(ErrorCode::kResourceAlreadyExists,
                    fmt::format("Job {} exists already.", request.id.str()));
    }
    if (auto valid = check_targets(request.targets); !valid) return valid;
    if (auto valid = check_limits(request); !valid) return valid;
    Job job = job_of(request, clock_.now());
    if (const auto added = jobs_.add(job, request.targets); !added) return tl::unexpected(added.error());
    changes_->created = job.id;
    return advance(job);
  });
}

ServiceResult<void> JobsService::check_limits(const CreateJobRequest& request) {
  const bool snapshot = request.target_selection == TargetSelection::kSnapshot;
  const std::int64_t most = snapshot ? options_.limits.active_snapshot : options_.limits.active_continuous;
  const auto active = jobs_.count_active(request.target_selection);
  if (!active) return tl::unexpected(active.error());
  if (*active < most) return {};
  return refuse(ErrorCode::kLimitExceeded, fmt::format("There may be {} {} jobs that are not over.", most,
                                                       to_string(request.target_selection)));
}

/// A device must be able to take the document with its URLs.
ServiceResult<void> JobsService::check_expanded_size(const CreateJobRequest& request) const {
  if (!url_source_ || !has_placeholders(request.document)) return {};
  auto document = nlohmann::ordered_json::parse(request.document, nullptr, /*allow_exceptions=*/false);
  expand_placeholders(document, [&](const ObjectLocation& object) {
    return url_source_(object, request.presigned_expires_sec.value_or(kMaxPresignedExpiry));
  });
  const std::size_t size = document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).size();
  if (size <= kMaxJobDocument) return {};
  return refuse(ErrorCode::kInvalidRequest,
                fmt::format("A job document may have {} characters; with its URLs this has {}.",
                            kMaxJobDocument, size));
}

ServiceResult<void> JobsService::update_job(const JobId& id, const UpdateJobRequest& request) {
  return change([&]() -> ServiceResult<void> {
    auto job = describe_job(id);
    if (!job) return tl::unexpected(job.error());
    if (is_over(job->status)) {
      return refuse(ErrorCode::kInvalidRequest,
                    fmt::format("Job {} is {} and cannot be changed.", id.str(), to_string(job->status)));
    }
    if (request.description) job->description = *request.description;
    if (request.presigned_expires_sec) job->presigned_expires_sec = *request.presigned_expires_sec;
    if (request.rollout) job->rollout = *request.rollout;
    if (request.abort) job->abort = *request.abort;
    if (request.in_progress_timeout_minutes) {
      job->in_progress_timeout_minutes = request.in_progress_timeout_minutes;
    }
    if (request.retries) job->retries = *request.retries;
    if (auto valid = check_settings(*job); !valid) return valid;
    job->last_updated_at = clock_.now();
    return advance(*job);
  });
}

ServiceResult<void> JobsService::associate_targets(const JobId& id, const std::vector<GroupName>& groups) {
  return change([&]() -> ServiceResult<void> {
    auto job = describe_job(id);
    if (!job) return tl::unexpected(job.error());
    if (job->target_selection != TargetSelection::kContinuous || job->status != JobStatus::kInProgress ||
        job->progress.stopped) {
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
    if (const auto planned = rollout_.plan_missing(id); !planned) return tl::unexpected(planned.error());
    return advance(*job);
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
  auto counts = jobs_.count_executions(id);
  if (!counts) return tl::unexpected(counts.error());
  const auto targets = jobs_.targets(id);
  if (!targets) return tl::unexpected(targets.error());
  auto unfinished = rollout_.unfinished(id, *targets);
  if (!unfinished) return tl::unexpected(unfinished.error());
  counts->processing_targets = std::move(*unfinished);
  return std::move(*counts);
}

ServiceResult<bool> JobsService::is_rolling_out(const Job& job) {
  if (job.status != JobStatus::kInProgress) return false;
  const auto planned = rollout_.any(job.id);
  if (!planned) return tl::unexpected(planned.error());
  return *planned;
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
  if (auto valid = check_reason(request); !valid) return valid;
  return change([&]() -> ServiceResult<void> {
    auto job = describe_job(id);
    if (!job) return tl::unexpected(job.error());
    if (is_over(job->status)) {
      return refuse(ErrorCode::kInvalidRequest,
                    fmt::format("Job {} is {} and cannot be canceled.", id.str(), to_string(job->status)));
    }
    return cancel_job(*job, request);
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
    auto job = describe_job(id);
    if (!job) return tl::unexpected(job.error());
    if (job->status == JobStatus::kDeletionInProgress) {
      return refuse(ErrorCode::kInvalidStateTransition,
                    fmt::format("Job {} is being deleted already.", id.str()));
    }
    if (!is_over(job->status) && !force) {
      return refuse(
          ErrorCode::kInvalidStateTransition,
          fmt::format("Job {} is in progress: cancel it first, or delete it with force.", id.str()));
    }
    const auto deleting = jobs_.count_being_deleted();
    if (!deleting) return tl::unexpected(deleting.error());
    if (*deleting >= options_.limits.being_deleted) {
      return refuse(ErrorCode::kLimitExceeded,
                    fmt::format("{} jobs may be deleted at a time.", options_.limits.being_deleted));
    }
    if (auto touched = touch_open(*job); !touched) return touched;
    job->status = JobStatus::kDeletionInProgress;
    job->last_updated_at = clock_.now();
    job->progress.due_at = job->last_updated_at + options_.deletion_seconds;
    if (auto told = notice(JobEvent::kDeletionInProgress, *job); !told) return told;
    if (const auto removed = executions_.remove_all_of_job(id); !removed) {
      return tl::unexpected(removed.error());
    }
    if (const auto cleared = rollout_.clear(id); !cleared) return tl::unexpected(cleared.error());
    return save_job(*job);
  });
}

/// All things that have the job still open are about to lose it.
ServiceResult<void> JobsService::touch_open(const Job& job) {
  const auto open = executions_.open_of_job(job.id);
  if (!open) return tl::unexpected(open.error());
  for (const JobExecution& execution : *open) {
    const auto queue = touch(execution.thing);
    if (!queue) return tl::unexpected(queue.error());
    (*queue)->pending_changed |= !waits_out_of_sight(job, execution);
  }
  return {};
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
    auto job = describe_job(id);
    if (!job) return tl::unexpected(job.error());
    const auto queue = touch(thing);
    if (!queue) return tl::unexpected(queue.error());
    (*queue)->pending_changed |= open && !waits_out_of_sight(*job, *found);
    if (const auto removed = executions_.remove(*found); !removed) return tl::unexpected(removed.error());
    changes_->deleted.push_back(*found);
    return complete_if_done(*job);
  });
}

}  // namespace otasim::cloud
