#include "sim/rest/jobs_data_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/broker/iot_policy.h"
#include "sim/cloud/json_body.h"
#include "sim/rest/iot_api.h"

namespace otasim::rest {

namespace {

using cloud::ExecutionStatus;
using cloud::JobExecution;

constexpr std::int64_t kAnyNumber = 1'000'000'000'000;
constexpr std::size_t kMaxListed = 250;
constexpr std::string_view kNext = "$next";

std::int64_t stamp(cloud::Cloud& cloud, std::int64_t epoch_seconds) {
  using Unit = cloud::JobsOptions::TimestampUnit;
  return cloud.jobs().options().timestamp_unit == Unit::kMilliseconds ? epoch_seconds * 1000 : epoch_seconds;
}

ApiResult<Json> document_of(cloud::Cloud& cloud, const ApiCall& call, const cloud::JobId& id) {
  const auto document = cloud.jobs().document(id);
  if (!document) return call.refused(document.error());
  return Json(cloud::to_text(*document));
}

Json execution_json(cloud::Cloud& cloud, const JobExecution& execution) {
  Json json{{"jobId", execution.job_id.str()},
            {"thingName", execution.thing.str()},
            {"status", to_string(execution.state.status)}};
  if (!execution.state.details.empty()) json["statusDetails"] = execution.state.details;
  json["queuedAt"] = stamp(cloud, execution.queued_at);
  if (execution.started_at) json["startedAt"] = stamp(cloud, *execution.started_at);
  json["lastUpdatedAt"] = stamp(cloud, execution.last_updated_at);
  if (const auto deadline = execution.deadline(); deadline && !is_terminal(execution.state.status)) {
    json["approximateSecondsBeforeTimedOut"] = std::max<std::int64_t>(0, *deadline - cloud.clock().now());
  }
  json["versionNumber"] = execution.state.version_number;
  json["executionNumber"] = execution.execution_number;
  return json;
}

Json summary(cloud::Cloud& cloud, const JobExecution& execution) {
  Json json{{"jobId", execution.job_id.str()}, {"queuedAt", stamp(cloud, execution.queued_at)}};
  if (execution.started_at) json["startedAt"] = stamp(cloud, *execution.started_at);
  json["lastUpdatedAt"] = stamp(cloud, execution.last_updated_at);
  json["versionNumber"] = execution.state.version_number;
  json["executionNumber"] = execution.execution_number;
  return json;
}

std::optional<cloud::StatusDetails> details_of(const MemberReader& body) {
  if (!body.has("statusDetails")) return std::nullopt;
  cloud::StatusDetails details;
  for (auto& [name, value] : body.text_map("statusDetails")) details.emplace(name, std::move(value));
  return details;
}

std::optional<std::int64_t> step_timeout_of(const MemberReader& body) {
  return body.integer("stepTimeoutInMinutes", cloud::kNoStepTimeout, cloud::kMaxTimeoutMinutes);
}

/// An answer with an execution and its document, or with neither.
ApiResult<Json> with_document(cloud::Cloud& cloud, const ApiCall& call,
                              const std::optional<JobExecution>& execution, bool include_document) {
  if (!execution) return Json::object();
  Json json = execution_json(cloud, *execution);
  if (include_document) {
    auto document = document_of(cloud, call, execution->job_id);
    if (!document) return document;
    json["jobDocument"] = *std::move(document);
  }
  return Json{{"execution", std::move(json)}};
}

/// The thing of a call; one that does not exist is not asked further.
cloud::ThingName known_thing(cloud::Cloud& cloud, const ApiCall& call) {
  auto thing = thing_name(call.uri);
  if (call.failed()) return thing;
  if (const auto known = cloud.things().describe(thing); !known) {
    call.uri.fail(api_error(known.error(), call.style));
  }
  return thing;
}

ApiResult<Json> get_pending(cloud::Cloud& cloud, ApiCall& call) {
  const auto thing = known_thing(cloud, call);
  if (call.failed()) return call.error();
  Json answer = Json::object();
  for (const auto& [member, status] : {std::pair("inProgressJobs", ExecutionStatus::kInProgress),
                                       std::pair("queuedJobs", ExecutionStatus::kQueued)}) {
    const auto pending = cloud.jobs().pending(thing, status, kMaxListed);
    if (!pending) return call.refused(pending.error());
    answer[member] = Json::array();
    for (const JobExecution& execution : *pending) answer[member].push_back(summary(cloud, execution));
  }
  return answer;
}

ApiResult<Json> start_next(cloud::Cloud& cloud, ApiCall& call) {
  const auto thing = known_thing(cloud, call);
  const cloud::StartNextRequest request{.details = details_of(call.body),
                                        .step_timeout_minutes = step_timeout_of(call.body)};
  if (call.failed()) return call.error();
  const auto started = cloud.jobs().start_next(thing, request);
  if (!started) return call.refused(started.error());
  return with_document(cloud, call, *started, true);
}

ApiResult<Json> describe_execution(cloud::Cloud& cloud, ApiCall& call) {
  const auto thing = known_thing(cloud, call);
  const bool include_document = call.uri.boolean("includeJobDocument");
  const auto number = call.uri.integer("executionNumber", 0, kAnyNumber);
  if (call.uri.text("jobId") == kNext) {
    if (call.failed()) return call.error();
    const auto next = cloud.jobs().describe_next(thing);
    if (!next) return call.refused(next.error());
    return with_document(cloud, call, *next, include_document);
  }
  const auto id = job_id(call.uri);
  if (call.failed()) return call.error();
  const auto execution = cloud.jobs().describe(id, thing, number);
  if (!execution) return call.refused(execution.error());
  return with_document(cloud, call, *execution, include_document);
}

ApiResult<Json> update_execution(cloud::Cloud& cloud, ApiCall& call) {
  const auto thing = known_thing(cloud, call);
  const auto id = job_id(call.uri);
  cloud::UpdateExecutionRequest request;
  const auto status = call.body.one_of("status", {"QUEUED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "TIMED_OUT",
                                                  "REJECTED", "REMOVED", "CANCELED"});
  if (!status) call.body.fail_missing("status");
  request.details = details_of(call.body);
  request.expected_version = call.body.integer("expectedVersion", 0, kAnyNumber);
  request.execution_number = call.body.integer("executionNumber", 0, kAnyNumber);
  request.step_timeout_minutes = step_timeout_of(call.body);
  const bool include_state = call.body.boolean("includeJobExecutionState");
  const bool include_document = call.body.boolean("includeJobDocument");
  if (call.failed()) return call.error();
  request.status = cloud::execution_status(*status).value_or(ExecutionStatus::kInProgress);
  const auto execution = cloud.jobs().update(id, thing, request);
  if (!execution) return call.refused(execution.error());
  Json answer = Json::object();
  if (include_state) {
    answer["executionState"] = {{"status", to_string(execution->state.status)},
                                {"statusDetails", execution->state.details},
                                {"versionNumber", execution->state.version_number}};
  }
  if (include_document) {
    auto document = document_of(cloud, call, id);
    if (!document) return document;
    answer["jobDocument"] = *std::move(document);
  }
  return answer;
}

constexpr std::string_view kService = "iot-jobs-data";
constexpr std::string_view kVersionConflict =
    "Another version than expected is VersionConflictException (409); AWS documents no name for it.";

ApiError bad_certificate(const char* message) {
  return {400, "CertificateValidationException", message, {}, {}};
}

bool is_allowed(const cloud::PrincipalGrants& grants, std::string_view operation, const std::string& thing) {
  std::vector<broker::IotPolicy> policies;
  for (const std::string& document : grants.policies) {
    auto policy = broker::IotPolicy::parse(document);
    if (!policy) return false;  // it might be one that denies
    policies.push_back(*std::move(policy));
  }
  return broker::allows(policies, fmt::format("iotjobsdata:{}", operation), broker::thing_resource(thing),
                        {.client_id = {}, .thing = thing});
}

const std::array kOperations{
    JobsDataOperation{{kService, "GetPendingJobExecutions", "GET", "/things/{thingName}/jobs", "", 200},
                      &get_pending},
    JobsDataOperation{
        {kService, "StartNextPendingJobExecution", "PUT", "/things/{thingName}/jobs/$next", "", 200},
        &start_next},
    JobsDataOperation{{kService, "DescribeJobExecution", "GET", "/things/{thingName}/jobs/{jobId}", "", 200},
                      &describe_execution},
    JobsDataOperation{
        {kService, "UpdateJobExecution", "POST", "/things/{thingName}/jobs/{jobId}", kVersionConflict, 200},
        &update_execution},
};

}  // namespace

std::span<const JobsDataOperation> jobs_data_operations() {
  return kOperations;
}

std::vector<Route> jobs_data_routes(cloud::Cloud& cloud) {
  std::vector<Route> routes;
  for (const JobsDataOperation& one : kOperations) {
    routes.push_back({one.operation, [&cloud, run = one.run](ApiCall& call) { return run(cloud, call); }});
  }
  return routes;
}

std::optional<ApiError> CertificateAuthenticator::refuse_unread(const AskedOperation& asked) {
  const auto grants = cloud_.principals().grants_of(asked.head.client_certificate);
  if (!grants) return api_error(grants.error(), ApiStyle::kJobsData);
  if (!*grants) return bad_certificate("The certificate is not registered, or not active.");
  // TLS has let anybody in: who made a certificate is not asked, but its time is.
  if (!asked.head.client_validity.holds_at(cloud_.clock().now())) {
    return bad_certificate("The certificate has expired, or has not begun.");
  }
  const auto wanted =
      std::ranges::find(asked.values, "thingName", &std::pair<std::string, std::string>::first);
  const auto& things = (*grants)->things;
  if (wanted == asked.values.end() || std::ranges::find(things, wanted->second) == things.end()) {
    return ApiError{403, "ForbiddenException", "The certificate may not act for this thing.", {}, {}};
  }
  if (is_allowed(**grants, asked.operation.name, wanted->second)) return std::nullopt;
  return ApiError{
      403,
      "ForbiddenException",
      fmt::format("The certificate's policies do not allow iotjobsdata:{}.", asked.operation.name),
      {},
      {}};
}

}  // namespace otasim::rest
