#include "sim/cloud/job_templates.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/json.h"
#include "sim/cloud/document_parameters.h"

namespace otasim::cloud {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxDescription = 2028;

// The columns that read_template() takes, in its order.
#define OTASIM_SELECT_TEMPLATE                                                                          \
  "SELECT template_id, description, document, document_source, presigned_expires_sec, rollout, abort, " \
  "in_progress_timeout_minutes, retries, scheduling, created_at FROM job_templates "

Json parsed(const std::string& text) {
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

JobTemplate read_template(const Row& row) {
  JobTemplate found{JobTemplateId::trusted(row.text(0)), row.text(1), row.text(2), row.text(3)};
  found.presigned_expires_sec = row.optional_integer(4);
  found.rollout = rollout_config_from_json(parsed(row.text(5))).value_or(RolloutConfig{});
  found.abort = abort_config_from_json(parsed(row.text(6))).value_or(AbortConfig{});
  found.in_progress_timeout_minutes = row.optional_integer(7);
  found.retries = retry_config_from_json(parsed(row.text(8))).value_or(RetryConfig{});
  const auto scheduling = scheduling_config_from_json(parsed(row.text(9)));
  if (scheduling) found.maintenance_windows = scheduling->maintenance_windows;
  found.created_at = row.integer(10);
  return found;
}

template <typename T>
void take_over(T& place, const std::optional<T>& given) {
  if (given) place = *given;
}

}  // namespace

ServiceResult<JobTemplate> JobTemplates::create(const CreateJobTemplateRequest& request) {
  if (request.description.empty() || request.description.size() > kMaxDescription) {
    return refuse(ErrorCode::kInvalidRequest,
                  fmt::format("A template needs a description of at most {} characters.", kMaxDescription));
  }
  return database_.transaction([&]() -> ServiceResult<JobTemplate> {
    if (describe(request.id)) {
      return refuse(ErrorCode::kConflict, fmt::format("Job template {} exists already.", request.id.str()));
    }
    auto made = make(request);
    if (!made) return made;
    if (auto valid = check_number(); !valid) return tl::unexpected(valid.error());
    const SchedulingConfig scheduling{.maintenance_windows = made->maintenance_windows};
    const auto added =
        database_.execute("INSERT INTO job_templates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                          {made->id.str(), made->description, made->document, made->document_source,
                           nullable(made->presigned_expires_sec), to_json(made->rollout).dump(),
                           to_json(made->abort).dump(), nullable(made->in_progress_timeout_minutes),
                           to_json(made->retries).dump(), to_json(scheduling).dump(), made->created_at});
    if (!added) return tl::unexpected(added.error());
    return made;
  });
}

/// What is asked for, over what the job has.
ServiceResult<JobTemplate> JobTemplates::make(const CreateJobTemplateRequest& request) {
  JobTemplate made{.id = request.id, .description = request.description};
  if (request.job) {
    auto job = jobs_.describe_job(*request.job);
    if (!job) return tl::unexpected(job.error());
    made.document = std::move(job->document);
    made.document_source = std::move(job->document_source);
    made.presigned_expires_sec = job->presigned_expires_sec;
    made.rollout = job->rollout;
    made.abort = std::move(job->abort);
    made.in_progress_timeout_minutes = job->in_progress_timeout_minutes;
    made.retries = job->retries;
    made.maintenance_windows = std::move(job->scheduling.maintenance_windows);
  }
  if (!request.document.empty()) {
    made.document = request.document;
    made.document_source = request.document_source;
  }
  if (request.presigned_expires_sec) made.presigned_expires_sec = request.presigned_expires_sec;
  if (request.in_progress_timeout_minutes) {
    made.in_progress_timeout_minutes = request.in_progress_timeout_minutes;
  }
  take_over(made.rollout, request.rollout);
  take_over(made.abort, request.abort);
  take_over(made.retries, request.retries);
  if (!request.maintenance_windows.empty()) made.maintenance_windows = request.maintenance_windows;
  made.created_at = clock_.now();
  if (auto valid = check(made); !valid) return tl::unexpected(valid.error());
  return made;
}

/// As a job made of it would be checked.
ServiceResult<void> JobTemplates::check(const JobTemplate& made) const {
  if (made.document.empty()) {
    return refuse(ErrorCode::kInvalidRequest, "A template needs a document, or a job that has one.");
  }
  CreateJobRequest job{.id = JobId::trusted(made.id.str()), .document = made.document};
  fill(made, job);
  return check_job(job, clock_.now());
}

ServiceResult<void> JobTemplates::check_number() {
  std::int64_t number = 0;
  const auto read = database_.query("SELECT COUNT(*) FROM job_templates", {},
                                    [&number](const Row& row) { number = row.integer(0); });
  if (!read) return tl::unexpected(read.error());
  if (number < kMaxJobTemplates) return {};
  return refuse(ErrorCode::kLimitExceeded, fmt::format("There may be {} job templates.", kMaxJobTemplates));
}

ServiceResult<JobTemplate> JobTemplates::describe(const JobTemplateId& id) {
  std::optional<JobTemplate> found;
  const auto read = database_.query(OTASIM_SELECT_TEMPLATE "WHERE template_id = ?", {id.str()},
                                    [&found](const Row& row) { found = read_template(row); });
  if (!read) return tl::unexpected(read.error());
  if (found) return std::move(*found);
  return refuse(ErrorCode::kResourceNotFound, fmt::format("Job template {} does not exist.", id.str()));
}

ServiceResult<Page<JobTemplate>> JobTemplates::list(const PageRequest& page) {
  const auto start = start_page(page);
  if (!start) return tl::unexpected(start.error());
  std::vector<JobTemplate> all;
  const auto read = database_.query(
      OTASIM_SELECT_TEMPLATE "WHERE template_id > ? ORDER BY template_id LIMIT ?",
      {start->after, start->limit}, [&all](const Row& row) { all.push_back(read_template(row)); });
  if (!read) return tl::unexpected(read.error());
  return make_page(std::move(all), *start, [](const JobTemplate& one) { return one.id.str(); });
}

ServiceResult<void> JobTemplates::remove(const JobTemplateId& id) {
  return database_.transaction([&]() -> ServiceResult<void> {
    if (const auto known = describe(id); !known) return tl::unexpected(known.error());
    const auto removed = database_.execute("DELETE FROM job_templates WHERE template_id = ?", {id.str()});
    if (!removed) return tl::unexpected(removed.error());
    return {};
  });
}

ServiceResult<void> JobTemplates::apply(const JobTemplateId& id, const std::string& arn,
                                        CreateJobRequest& request) {
  const auto found = describe(id);
  if (!found) return tl::unexpected(found.error());
  if (!request.document.empty()) {
    return refuse(ErrorCode::kInvalidRequest, "A job has a document or a template, not both.");
  }
  if (auto valid = check_document_parameters(request.document_parameters); !valid) return valid;
  auto document = substitute_parameters(found->document, request.document_parameters);
  if (!document) return tl::unexpected(document.error());
  request.document = std::move(*document);
  request.document_source = found->document_source;
  request.template_arn = arn;
  fill(*found, request);
  return {};
}

/// The configurations that the job does not name itself.
void JobTemplates::fill(const JobTemplate& from, CreateJobRequest& request) {
  if (!request.presigned_expires_sec) request.presigned_expires_sec = from.presigned_expires_sec;
  if (!request.in_progress_timeout_minutes) {
    request.in_progress_timeout_minutes = from.in_progress_timeout_minutes;
  }
  if (request.rollout == RolloutConfig{}) request.rollout = from.rollout;
  if (request.abort == AbortConfig{}) request.abort = from.abort;
  if (request.retries == RetryConfig{}) request.retries = from.retries;
  if (request.scheduling.maintenance_windows.empty()) {
    request.scheduling.maintenance_windows = from.maintenance_windows;
  }
}

#undef OTASIM_SELECT_TEMPLATE

}  // namespace otasim::cloud
