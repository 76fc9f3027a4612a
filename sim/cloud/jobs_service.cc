#include "sim/cloud/jobs_service.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "sim/cloud/status_details.h"

namespace otasim::cloud {

namespace {

constexpr std::size_t kMaxDocument = 32'768;

JobStatus job_status(std::string_view name) {
  for (const JobStatus status : {JobStatus::kInProgress, JobStatus::kCompleted}) {
    if (to_string(status) == name) return status;
  }
  return JobStatus::kCanceled;
}

std::string_view to_string(TargetSelection selection) {
  return selection == TargetSelection::kSnapshot ? "SNAPSHOT" : "CONTINUOUS";
}

tl::unexpected<ServiceError> refuse_with_state(ErrorCode code, std::string message,
                                               const JobExecution& execution) {
  ServiceError error(code, std::move(message));
  error.execution_state = execution.state;
  return tl::unexpected(std::move(error));
}

tl::unexpected<ServiceError> no_execution(const JobId& id, const ThingName& thing) {
  return refuse(ErrorCode::kResourceNotFound,
                fmt::format("Job {} has no such execution for thing {}.", id.str(), thing.str()));
}

ServiceResult<void> check_request(const CreateJobRequest& request) {
  if (request.targets.empty()) return refuse(ErrorCode::kInvalidRequest, "A job needs a target.");
  if (request.document.size() > kMaxDocument) {
    return refuse(ErrorCode::kInvalidRequest,
                  fmt::format("A job document may have {} characters; this has {}.", kMaxDocument,
                              request.document.size()));
  }
  if (!nlohmann::json::parse(request.document, nullptr, /*allow_exceptions=*/false).is_object()) {
    return refuse(ErrorCode::kInvalidRequest, "The job document is not a JSON object.");
  }
  return {};
}

}  // namespace

std::string_view to_string(JobStatus status) {
  switch (status) {
    case JobStatus::kInProgress:
      return "IN_PROGRESS";
    case JobStatus::kCompleted:
      return "COMPLETED";
    case JobStatus::kCanceled:
      return "CANCELED";
  }
  return "";
}

ServiceResult<void> JobsService::create(const CreateJobRequest& request) {
  if (auto valid = check_request(request); !valid) return valid;
  const std::set<ThingName> targets(request.targets.begin(), request.targets.end());
  return database_.transaction([&]() -> ServiceResult<void> {
    if (describe_job(request.id)) {
      return refuse(ErrorCode::kResourceAlreadyExists,
                    fmt::format("Job {} exists already.", request.id.str()));
    }
    const std::int64_t now = clock_.now();
    const auto added = database_.execute(
        "INSERT INTO jobs(job_id, status, document, description, target_selection, created_at, "
        "last_updated_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        {request.id.str(), to_string(JobStatus::kInProgress), request.document, request.description,
         to_string(request.target_selection), now, now});
    if (!added) return tl::unexpected(added.error());
    database_.after_commit([this, id = request.id] {
      listeners_.for_each([&id](const JobsListener& listener) {
        if (listener.on_job_created) listener.on_job_created(id);
      });
    });
    for (const ThingName& thing : targets) {
      if (auto queued = add_execution(request.id, thing); !queued) return queued;
    }
    return {};
  });
}

ServiceResult<void> JobsService::add_execution(const JobId& id, const ThingName& thing) {
  bool exists = false;
  const auto read = database_.query("SELECT 1 FROM things WHERE name = ?", {thing.str()},
                                    [&exists](const Row&) { exists = true; });
  if (!read) return tl::unexpected(read.error());
  if (!exists)
    return refuse(ErrorCode::kResourceNotFound, fmt::format("Thing {} does not exist.", thing.str()));
  auto before = executions_.next(thing);
  if (!before) return tl::unexpected(before.error());
  auto execution = executions_.add(id, thing, clock_.now());
  if (!execution) return tl::unexpected(execution.error());
  return announce({std::move(*execution), std::move(*before), /*pending_changed=*/true});
}

ServiceResult<Job> JobsService::describe_job(const JobId& id) {
  std::optional<Job> job;
  const auto read = database_.query(
      "SELECT status, document, description, force_canceled, created_at, last_updated_at, completed_at "
      "FROM jobs WHERE job_id = ?",
      {id.str()}, [&](const Row& row) {
        job = Job{id,
                  job_status(row.text(0)),
                  row.text(1),
                  row.text(2),
                  row.integer(3) != 0,
                  row.integer(4),
                  row.integer(5),
                  row.optional_integer(6)};
      });
  if (!read) return tl::unexpected(read.error());
  if (!job) return refuse(ErrorCode::kResourceNotFound, fmt::format("Job {} does not exist.", id.str()));
  return *job;
}

ServiceResult<std::vector<JobExecution>> JobsService::executions_of(const JobId& id) {
  auto all = executions_.of_job(id);
  if (!all) return tl::unexpected(all.error());
  return std::move(*all);
}

ServiceResult<JobExecution> JobsService::execution(const JobId& id, const ThingName& thing,
                                                   std::optional<std::int64_t> number) {
  auto found = executions_.find(id, thing, number);
  if (!found) return tl::unexpected(found.error());
  if (!*found) return no_execution(id, thing);
  return std::move(**found);
}

ServiceResult<void> JobsService::cancel(const JobId& id, const CancelJobRequest& request) {
  return database_.transaction([&]() -> ServiceResult<void> {
    const auto job = describe_job(id);
    if (!job) return tl::unexpected(job.error());
    if (job->status != JobStatus::kInProgress) {
      return refuse(ErrorCode::kInvalidRequest,
                    fmt::format("Job {} is {} and cannot be canceled.", id.str(), to_string(job->status)));
    }
    const std::int64_t now = clock_.now();
    const auto saved = database_.execute(
        "UPDATE jobs SET status = ?, force_canceled = ?, reason_code = ?, comment = ?, last_updated_at = ?, "
        "completed_at = ? WHERE job_id = ?",
        {to_string(JobStatus::kCanceled), static_cast<std::int64_t>(request.force), request.reason_code,
         request.comment, now, now, id.str()});
    if (!saved) return tl::unexpected(saved.error());
    auto all = executions_.of_job(id);
    if (!all) return tl::unexpected(all.error());
    for (JobExecution& execution : *all) {
      const bool stays = is_terminal(execution.state.status) ||
                         (execution.state.status == ExecutionStatus::kInProgress && !request.force);
      if (stays) continue;
      if (auto canceled = cancel_one(execution, request.force); !canceled) return canceled;
    }
    return {};
  });
}

ServiceResult<void> JobsService::cancel_execution(const JobId& id, const ThingName& thing,
                                                  const CancelExecutionRequest& request) {
  return database_.transaction([&]() -> ServiceResult<void> {
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
    if (auto canceled = cancel_one(*found, request.force); !canceled) return canceled;
    return complete_if_done(id);
  });
}

ServiceResult<void> JobsService::cancel_one(JobExecution& execution, bool force) {
  auto before = executions_.next(execution.thing);
  if (!before) return tl::unexpected(before.error());
  execution.force_canceled = force && execution.state.status == ExecutionStatus::kInProgress;
  if (auto saved = save(execution, ExecutionStatus::kCanceled); !saved) return saved;
  return announce({execution, std::move(*before), /*pending_changed=*/true});
}

ServiceResult<std::vector<JobExecution>> JobsService::pending(const ThingName& thing) {
  auto all = executions_.pending(thing);
  if (!all) return tl::unexpected(all.error());
  return std::move(*all);
}

ServiceResult<std::optional<JobExecution>> JobsService::describe_next(const ThingName& thing) {
  auto next = executions_.next(thing);
  if (!next) return tl::unexpected(next.error());
  return std::move(*next);
}

ServiceResult<JobExecution> JobsService::describe(const JobId& id, const ThingName& thing,
                                                  std::optional<std::int64_t> number) {
  auto found = execution(id, thing, number);
  if (!found) return found;
  if (is_terminal(found->state.status)) {
    return refuse(ErrorCode::kTerminalStateReached,
                  fmt::format("The execution is {}.", to_string(found->state.status)));
  }
  return found;
}

ServiceResult<std::optional<JobExecution>> JobsService::start_next(
    const ThingName& thing, const std::optional<StatusDetails>& details) {
  if (details) {
    if (const auto valid = check_details(*details); !valid) return tl::unexpected(valid.error());
  }
  return database_.transaction([&]() -> ServiceResult<std::optional<JobExecution>> {
    auto next = executions_.next(thing);
    if (!next) return tl::unexpected(next.error());
    if (!*next || (*next)->state.status == ExecutionStatus::kInProgress) return std::move(*next);
    JobExecution execution = **next;
    if (details) execution.state.details = *details;
    if (auto saved = save(execution, ExecutionStatus::kInProgress); !saved)
      return tl::unexpected(saved.error());
    const auto announced = announce({execution, std::move(*next), options_.notify_on_start});
    if (!announced) return tl::unexpected(announced.error());
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
  return database_.transaction([&]() -> ServiceResult<JobExecution> {
    auto found = execution(id, thing, request.execution_number);
    if (!found) return found;
    if (const auto valid = check_update(*found, request); !valid) return tl::unexpected(valid.error());
    auto before = executions_.next(thing);
    if (!before) return tl::unexpected(before.error());

    const bool starts = found->state.status == ExecutionStatus::kQueued;
    if (request.details) {
      StatusDetails details = *request.details;
      if (options_.details_rule == JobsOptions::DetailsRule::kMerge) details.merge(found->state.details);
      found->state.details = std::move(details);
    }
    if (auto saved = save(*found, request.status); !saved) return tl::unexpected(saved.error());
    const bool pending_changed = is_terminal(request.status) || (starts && options_.notify_on_start);
    const auto announced = announce({*found, std::move(*before), pending_changed});
    if (!announced) return tl::unexpected(announced.error());
    if (const auto done = complete_if_done(id); !done) return tl::unexpected(done.error());
    return found;
  });
}

/// Takes an execution to a status, with the times and the version that follow from it.
ServiceResult<void> JobsService::save(JobExecution& execution, ExecutionStatus status) {
  const std::int64_t now = clock_.now();
  if (!execution.started_at && status != ExecutionStatus::kCanceled) execution.started_at = now;
  execution.state.status = status;
  execution.last_updated_at = now;
  ++execution.state.version_number;
  const auto saved = executions_.save(execution);
  if (!saved) return tl::unexpected(saved.error());
  return {};
}

/// Tells the listeners of a change once it is kept.
ServiceResult<void> JobsService::announce(const Change& change) {
  const auto after = executions_.next(change.execution.thing);
  if (!after) return tl::unexpected(after.error());
  const std::optional<JobExecution>& before = change.next_before;
  const bool same_next = before ? *after && before->same_as(**after) : !*after;
  database_.after_commit(
      [this, execution = change.execution, pending = change.pending_changed, next = !same_next] {
        listeners_.for_each([&](const JobsListener& listener) {
          if (listener.on_execution_change) listener.on_execution_change(execution);
          if (pending && listener.on_pending_change) listener.on_pending_change(execution.thing);
          if (next && listener.on_next_change) listener.on_next_change(execution.thing);
        });
      });
  return {};
}

/// A snapshot job is completed when no execution is open any more; a continuous one stays in progress.
ServiceResult<void> JobsService::complete_if_done(const JobId& id) {
  const auto open = executions_.any_open(id);
  if (!open) return tl::unexpected(open.error());
  if (*open) return {};
  const std::int64_t now = clock_.now();
  const auto saved = database_.execute(
      "UPDATE jobs SET status = ?, last_updated_at = ?, completed_at = ? "
      "WHERE job_id = ? AND status = ? AND target_selection = ?",
      {to_string(JobStatus::kCompleted), now, now, id.str(), to_string(JobStatus::kInProgress),
       to_string(TargetSelection::kSnapshot)});
  if (!saved) return tl::unexpected(saved.error());
  return {};
}

}  // namespace otasim::cloud
