// Jobs, and what operators see and do of executions.
#include "sim/cloud/arn.h"
#include "sim/rest/iot_api.h"
#include "sim/rest/job_members.h"

namespace otasim::rest {

namespace {

using cloud::JobExecution;
using cloud::JobStatus;
using cloud::TargetSelection;

constexpr std::size_t kMaxTargets = 100;
constexpr std::size_t kMaxReason = 128;
constexpr std::size_t kMaxComment = 2028;
constexpr std::int64_t kAnyNumber = 1'000'000'000'000;

bool is_reason(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string namespace_of(const MemberReader& from) {
  return from
      .text("namespaceId", {.min = 1,
                            .max = 64,
                            .allows = [](char c) { return cloud::detail::is_word(c); },
                            .pattern = kWordPattern})
      .value_or("");
}

Json execution_summary(const JobExecution& execution) {
  Json json{{"status", to_string(execution.state.status)}, {"queuedAt", execution.queued_at}};
  if (execution.started_at) json["startedAt"] = *execution.started_at;
  json["lastUpdatedAt"] = execution.last_updated_at;
  json["executionNumber"] = execution.execution_number;
  json["retryAttempt"] = execution.retry_attempt;
  return json;
}

Json counts_json(const cloud::JobProcessDetails& counts) {
  Json json{{"numberOfCanceledThings", counts.canceled}, {"numberOfSucceededThings", counts.succeeded},
            {"numberOfFailedThings", counts.failed},     {"numberOfRejectedThings", counts.rejected},
            {"numberOfQueuedThings", counts.queued},     {"numberOfInProgressThings", counts.in_progress},
            {"numberOfRemovedThings", counts.removed},   {"numberOfTimedOutThings", counts.timed_out}};
  if (!counts.processing_targets.empty()) {
    json["processingTargets"] = Json::array();
    for (const auto& target : counts.processing_targets) json["processingTargets"].push_back(arn_of(target));
  }
  return json;
}

Json job_json(const cloud::Job& job, const std::vector<cloud::JobTarget>& targets,
              const cloud::JobProcessDetails& counts, bool rolling_out) {
  Json json{{"jobArn", cloud::iot_arn("job", job.id.str())},
            {"jobId", job.id.str()},
            {"targetSelection", to_string(job.target_selection)},
            {"status", to_string(job.status)},
            {"forceCanceled", job.force_canceled}};
  if (!job.reason_code.empty()) json["reasonCode"] = job.reason_code;
  if (!job.comment.empty()) json["comment"] = job.comment;
  json["targets"] = Json::array();
  for (const auto& target : targets) json["targets"].push_back(arn_of(target));
  if (!job.description.empty()) json["description"] = job.description;
  json["presignedUrlConfig"] = {{"expiresInSec", job.presigned_expires_sec}};
  json["jobExecutionsRolloutConfig"] = to_json(job.rollout);
  if (!job.abort.criteria.empty()) json["abortConfig"] = to_json(job.abort);
  json["createdAt"] = job.created_at;
  json["lastUpdatedAt"] = job.last_updated_at;
  if (job.completed_at) json["completedAt"] = *job.completed_at;
  json["jobProcessDetails"] = counts_json(counts);
  json["timeoutConfig"] = Json::object();
  if (job.in_progress_timeout_minutes) {
    json["timeoutConfig"]["inProgressTimeoutInMinutes"] = *job.in_progress_timeout_minutes;
  }
  if (!job.namespace_id.empty()) json["namespaceId"] = job.namespace_id;
  if (!job.template_arn.empty()) json["jobTemplateArn"] = job.template_arn;
  if (job.retries != cloud::RetryConfig{}) json["jobExecutionsRetryConfig"] = to_json(job.retries);
  if (!job.document_parameters.empty()) json["documentParameters"] = job.document_parameters;
  json["isConcurrent"] = rolling_out;
  if (!job.scheduling.empty()) json["schedulingConfig"] = to_json(job.scheduling);
  return json;
}

ApiResult<Json> told(IotServices& iot, const ApiCall& call, const cloud::JobId& id) {
  const auto job = iot.cloud.jobs().describe_job(id);
  if (!job) return call.refused(job.error());
  Json json{{"jobArn", cloud::iot_arn("job", id.str())}, {"jobId", id.str()}};
  if (!job->description.empty()) json["description"] = job->description;
  return json;
}

TargetSelection selection_of(const MemberReader& body) {
  const auto given = body.one_of("targetSelection", {"CONTINUOUS", "SNAPSHOT"});
  return given ? cloud::target_selection(*given).value_or(TargetSelection::kSnapshot)
               : TargetSelection::kSnapshot;
}

}  // namespace

std::string arn_of(const cloud::JobTarget& target) {
  const auto* const thing = std::get_if<cloud::ThingName>(&target);
  return thing != nullptr ? cloud::iot_arn("thing", thing->str())
                          : cloud::iot_arn("thinggroup", std::get<cloud::GroupName>(target).str());
}

std::vector<cloud::JobTarget> targets_of(const MemberReader& body) {
  std::vector<cloud::JobTarget> targets;
  for (const std::string& arn : body.texts("targets", 1, kMaxTargets, {.max = 2048})) {
    const auto resource = cloud::parse_iot_arn(arn).value_or(cloud::IotResource{});
    const auto thing = resource.kind == "thing" ? cloud::ThingName::parse(resource.name) : std::nullopt;
    const auto group = resource.kind == "thinggroup" ? cloud::GroupName::parse(resource.name) : std::nullopt;
    if (thing) {
      targets.emplace_back(*thing);
    } else if (group) {
      targets.emplace_back(*group);
    } else {
      body.fail_constraint("targets", arn,
                           "Member must be the ARN of a thing or thing group of this account");
    }
  }
  return targets;
}

ApiResult<Json> create_job(IotServices& iot, ApiCall& call) {
  cloud::CreateJobRequest request{.id = job_id(call.uri)};
  request.targets = targets_of(call.body);
  auto document = job_document(iot, call.body);
  request.document = std::move(document.document);
  request.document_source = std::move(document.source);
  request.description = call.body.text("description", {.max = kMaxDescription}).value_or("");
  request.target_selection = selection_of(call.body);
  JobSettings settings = job_settings(call.body);
  request.presigned_expires_sec = settings.presigned_expires_sec;
  request.in_progress_timeout_minutes = settings.in_progress_timeout_minutes;
  request.rollout = settings.rollout.value_or(cloud::RolloutConfig{});
  request.abort = settings.abort.value_or(cloud::AbortConfig{});
  request.retries = settings.retries.value_or(cloud::RetryConfig{});
  request.scheduling =
      config_of<cloud::SchedulingConfig>(call.body, "schedulingConfig", &cloud::scheduling_config_from_json)
          .value_or(cloud::SchedulingConfig{});
  request.namespace_id = namespace_of(call.body);
  for (auto& [name, value] : call.body.text_map("documentParameters", {.min = 1, .max = 512})) {
    request.document_parameters.emplace(name, std::move(value));
  }
  const auto template_arn = call.body.text("jobTemplateArn", {.min = 1, .max = 1600});
  const auto tags = tags_of(call.body);
  if (call.failed()) return call.error();
  if (template_arn) {
    const auto name = cloud::name_in_arn(*template_arn, "jobtemplate");
    const auto id = name ? cloud::JobTemplateId::parse(*name) : std::nullopt;
    if (!id) return tl::unexpected(invalid_request("jobTemplateArn is no job template of this account."));
    if (const auto applied = iot.cloud.job_templates().apply(*id, *template_arn, request); !applied) {
      return call.refused(applied.error());
    }
  }
  const auto made = iot.cloud.jobs().create(request);
  if (!made) return call.refused(made.error(), "job", request.id.str());
  if (const auto kept = keep_tags(iot, "job", request.id.str(), tags); !kept)
    return call.refused(kept.error());
  return told(iot, call, request.id);
}

ApiResult<Json> describe_job(IotServices& iot, ApiCall& call) {
  const auto id = job_id(call.uri);
  static_cast<void>(call.uri.boolean("beforeSubstitution"));
  if (call.failed()) return call.error();
  const auto job = iot.cloud.jobs().describe_job(id);
  if (!job) return call.refused(job.error());
  const auto targets = iot.cloud.jobs().targets_of(id);
  if (!targets) return call.refused(targets.error());
  const auto counts = iot.cloud.jobs().process_details(id);
  if (!counts) return call.refused(counts.error());
  const auto rolling_out = iot.cloud.jobs().is_rolling_out(*job);
  if (!rolling_out) return call.refused(rolling_out.error());
  Json answer = Json::object();
  if (!job->document_source.empty()) answer["documentSource"] = job->document_source;
  answer["job"] = job_json(*job, *targets, *counts, *rolling_out);
  return answer;
}

ApiResult<Json> update_job(IotServices& iot, ApiCall& call) {
  const auto id = job_id(call.uri);
  cloud::UpdateJobRequest request;
  request.description = call.body.text("description", {.max = kMaxDescription});
  JobSettings settings = job_settings(call.body);
  request.presigned_expires_sec = settings.presigned_expires_sec;
  request.in_progress_timeout_minutes = settings.in_progress_timeout_minutes;
  request.rollout = std::move(settings.rollout);
  request.abort = std::move(settings.abort);
  request.retries = settings.retries;
  static_cast<void>(namespace_of(call.uri));
  if (call.failed()) return call.error();
  const auto done = iot.cloud.jobs().update_job(id, request);
  if (!done) return call.refused(done.error());
  return Json();
}

ApiResult<Json> list_jobs(IotServices& iot, ApiCall& call) {
  cloud::ListJobsRequest request{.filter = {}, .page = call.page()};
  if (const auto status = call.uri.one_of(
          "status", {"IN_PROGRESS", "CANCELED", "COMPLETED", "DELETION_IN_PROGRESS", "SCHEDULED"})) {
    request.filter.status = cloud::job_status(*status);
  }
  if (call.uri.has("targetSelection")) request.filter.target_selection = selection_of(call.uri);
  request.filter.group = call.uri.identifier<cloud::GroupName>("thingGroupName", kThingPattern);
  request.filter.namespace_id = namespace_of(call.uri);
  const auto group_id = call.uri.text("thingGroupId", {.min = 1, .max = 128});
  if (call.failed()) return call.error();
  if (group_id && !request.filter.group) {
    return tl::unexpected(invalid_request("Jobs are listed by thingGroupName here, not by thingGroupId."));
  }
  const auto page = iot.cloud.jobs().list_jobs(request);
  if (!page) return call.refused(page.error());
  Json answer{{"jobs", Json::array()}};
  for (const cloud::Job& job : page->items) {
    Json one{{"jobArn", cloud::iot_arn("job", job.id.str())},
             {"jobId", job.id.str()},
             {"targetSelection", to_string(job.target_selection)},
             {"status", to_string(job.status)},
             {"createdAt", job.created_at},
             {"lastUpdatedAt", job.last_updated_at}};
    if (job.completed_at) one["completedAt"] = *job.completed_at;
    const auto rolling_out = iot.cloud.jobs().is_rolling_out(job);
    if (!rolling_out) return call.refused(rolling_out.error());
    one["isConcurrent"] = *rolling_out;
    answer["jobs"].push_back(std::move(one));
  }
  add_next_token(answer, page->next_token);
  return answer;
}

ApiResult<Json> cancel_job(IotServices& iot, ApiCall& call) {
  const auto id = job_id(call.uri);
  cloud::CancelJobRequest request{.force = call.uri.boolean("force")};
  request.reason_code =
      call.body
          .text("reasonCode", {.max = kMaxReason, .allows = is_reason, .pattern = "[\\p{Upper}\\p{Digit}_]+"})
          .value_or("");
  request.comment = call.body.text("comment", {.max = kMaxComment}).value_or("");
  if (call.failed()) return call.error();
  if (const auto done = iot.cloud.jobs().cancel(id, request); !done) return call.refused(done.error());
  return told(iot, call, id);
}

ApiResult<Json> delete_job(IotServices& iot, ApiCall& call) {
  const auto id = job_id(call.uri);
  const bool force = call.uri.boolean("force");
  static_cast<void>(namespace_of(call.uri));
  if (call.failed()) return call.error();
  if (const auto done = iot.cloud.jobs().remove_job(id, force); !done) return call.refused(done.error());
  return Json();
}

ApiResult<Json> associate_targets_with_job(IotServices& iot, ApiCall& call) {
  const auto id = job_id(call.uri);
  const auto targets = targets_of(call.body);
  static_cast<void>(call.body.text("comment", {.max = kMaxComment}));
  static_cast<void>(namespace_of(call.uri));
  std::vector<cloud::GroupName> groups;
  for (const auto& target : targets) {
    if (const auto* const group = std::get_if<cloud::GroupName>(&target)) {
      groups.push_back(*group);
    } else {
      call.body.fail(invalid_request("Only thing groups can be associated with a continuous job."));
    }
  }
  if (call.failed()) return call.error();
  const auto done = iot.cloud.jobs().associate_targets(id, groups);
  if (!done) return call.refused(done.error());
  return told(iot, call, id);
}

ApiResult<Json> get_job_document(IotServices& iot, ApiCall& call) {
  const auto id = job_id(call.uri);
  static_cast<void>(call.uri.boolean("beforeSubstitution"));
  if (call.failed()) return call.error();
  const auto job = iot.cloud.jobs().describe_job(id);
  if (!job) return call.refused(job.error());
  return Json{{"document", job->document}};
}

namespace {

std::optional<cloud::ExecutionStatus> execution_status_of(const MemberReader& from) {
  const auto status = from.one_of("status", {"QUEUED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "TIMED_OUT",
                                             "REJECTED", "REMOVED", "CANCELED"});
  return status ? cloud::execution_status(*status) : std::nullopt;
}

}  // namespace

ApiResult<Json> list_job_executions_for_job(IotServices& iot, ApiCall& call) {
  const auto id = job_id(call.uri);
  cloud::ListExecutionsRequest request{.filter = {.job = id, .status = execution_status_of(call.uri)},
                                       .page = call.page()};
  if (call.failed()) return call.error();
  if (const auto job = iot.cloud.jobs().describe_job(id); !job) return call.refused(job.error());
  const auto page = iot.cloud.jobs().list_executions(request);
  if (!page) return call.refused(page.error());
  Json answer{{"executionSummaries", Json::array()}};
  for (const JobExecution& execution : page->items) {
    answer["executionSummaries"].push_back({{"thingArn", cloud::iot_arn("thing", execution.thing.str())},
                                            {"jobExecutionSummary", execution_summary(execution)}});
  }
  add_next_token(answer, page->next_token);
  return answer;
}

ApiResult<Json> list_job_executions_for_thing(IotServices& iot, ApiCall& call) {
  const auto thing = thing_name(call.uri);
  cloud::ListExecutionsRequest request{.filter = {.thing = thing, .status = execution_status_of(call.uri)},
                                       .page = call.page()};
  request.filter.job = call.uri.identifier<cloud::JobId>("jobId", kWordPattern);
  static_cast<void>(namespace_of(call.uri));
  if (call.failed()) return call.error();
  if (const auto known = iot.cloud.things().describe(thing); !known) return call.refused(known.error());
  const auto page = iot.cloud.jobs().list_executions(request);
  if (!page) return call.refused(page.error());
  Json answer{{"executionSummaries", Json::array()}};
  for (const JobExecution& execution : page->items) {
    answer["executionSummaries"].push_back(
        {{"jobId", execution.job_id.str()}, {"jobExecutionSummary", execution_summary(execution)}});
  }
  add_next_token(answer, page->next_token);
  return answer;
}

ApiResult<Json> describe_job_execution(IotServices& iot, ApiCall& call) {
  const auto thing = thing_name(call.uri);
  const auto id = job_id(call.uri);
  const auto number = call.uri.integer("executionNumber", 0, kAnyNumber);
  if (call.failed()) return call.error();
  const auto execution = iot.cloud.jobs().execution(id, thing, number);
  if (!execution) return call.refused(execution.error());
  Json json{{"jobId", id.str()},
            {"status", to_string(execution->state.status)},
            {"forceCanceled", execution->force_canceled},
            {"statusDetails", {{"detailsMap", execution->state.details}}},
            {"thingArn", cloud::iot_arn("thing", thing.str())},
            {"queuedAt", execution->queued_at}};
  if (execution->started_at) json["startedAt"] = *execution->started_at;
  json["lastUpdatedAt"] = execution->last_updated_at;
  json["executionNumber"] = execution->execution_number;
  json["versionNumber"] = execution->state.version_number;
  if (const auto deadline = execution->deadline(); deadline && !is_terminal(execution->state.status)) {
    json["approximateSecondsBeforeTimedOut"] = std::max<std::int64_t>(0, *deadline - iot.cloud.clock().now());
  }
  return Json{{"execution", std::move(json)}};
}

ApiResult<Json> cancel_job_execution(IotServices& iot, ApiCall& call) {
  const auto thing = thing_name(call.uri);
  const auto id = job_id(call.uri);
  cloud::CancelExecutionRequest request{.force = call.uri.boolean("force")};
  request.expected_version = call.body.integer("expectedVersion", 0, kAnyNumber);
  if (call.body.has("statusDetails")) {
    request.details.emplace();
    for (auto& [name, value] : call.body.text_map("statusDetails")) {
      request.details->emplace(name, std::move(value));
    }
  }
  if (call.failed()) return call.error();
  const auto done = iot.cloud.jobs().cancel_execution(id, thing, request);
  if (!done) return call.refused(done.error());
  return Json();
}

ApiResult<Json> delete_job_execution(IotServices& iot, ApiCall& call) {
  const auto thing = thing_name(call.uri);
  const auto id = job_id(call.uri);
  const auto number = call.uri.required_integer("executionNumber", 0, kAnyNumber);
  const bool force = call.uri.boolean("force");
  static_cast<void>(namespace_of(call.uri));
  if (call.failed()) return call.error();
  const auto done = iot.cloud.jobs().remove_execution(id, thing, number, force);
  if (!done) return call.refused(done.error());
  return Json();
}

}  // namespace otasim::rest
