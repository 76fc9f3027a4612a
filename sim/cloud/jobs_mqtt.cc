#include "sim/cloud/jobs_mqtt.h"

#include <fmt/format.h>

#include <algorithm>

namespace otasim::cloud {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxNotified = 10;
/// Keeps the reply within a message however long the queue is.
constexpr std::size_t kMaxListed = 250;
constexpr std::int64_t kMaxStepTimeoutMinutes = 10'080;
constexpr std::int64_t kNoStepTimeout = -1;
constexpr int kNotifyQos = 1;

Json summary(const JobExecution& execution) {
  Json json{{"jobId", execution.job_id.str()}, {"queuedAt", execution.queued_at}};
  if (execution.started_at) json["startedAt"] = *execution.started_at;
  json["lastUpdatedAt"] = execution.last_updated_at;
  json["executionNumber"] = execution.execution_number;
  json["versionNumber"] = execution.state.version_number;
  return json;
}

/// The first `most` summaries of those in a status.
Json summaries(const std::vector<JobExecution>& all, ExecutionStatus status, std::size_t most) {
  Json list = Json::array();
  for (const JobExecution& execution : all) {
    if (execution.state.status == status && list.size() < most) list.push_back(summary(execution));
  }
  return list;
}

Json render_state(const ExecutionState& state) {
  Json json{{"status", to_string(state.status)}};
  if (!state.details.empty()) json["statusDetails"] = state.details;
  json["versionNumber"] = state.version_number;
  return json;
}

Json envelope(const std::optional<std::string>& client_token, std::int64_t now) {
  Json json = Json::object();
  if (client_token) json["clientToken"] = *client_token;
  json["timestamp"] = now;
  return json;
}

Json rejection(const ServiceError& error, const std::optional<std::string>& client_token, std::int64_t now) {
  Json json{{"code", to_string(error.code)}, {"message", error.message}};
  json.update(envelope(client_token, now));
  if (error.execution_state) json["executionState"] = render_state(*error.execution_state);
  return json;
}

/// The request's step timer must be in range; it is not run yet.
ServiceResult<void> check_step_timeout(const JsonBody& body) {
  const auto minutes = body.integer("stepTimeoutInMinutes");
  if (!minutes) return tl::unexpected(minutes.error());
  if (!*minutes || **minutes == kNoStepTimeout) return {};
  if (**minutes < 1 || **minutes > kMaxStepTimeoutMinutes) {
    return refuse(ErrorCode::kInvalidRequest, "stepTimeoutInMinutes must be 1 to 10080, or -1.");
  }
  return {};
}

ServiceResult<JobId> parse_job_id(const std::string& text) {
  auto id = JobId::parse(text);
  if (!id) return refuse(ErrorCode::kInvalidRequest, "A job id has 1 to 64 letters, digits, '_' or '-'.");
  return *id;
}

ServiceResult<UpdateExecutionRequest> parse_update(const JsonBody& body) {
  UpdateExecutionRequest request;
  const auto status = body.text("status");
  if (!status) return tl::unexpected(status.error());
  if (!*status) return refuse(ErrorCode::kInvalidRequest, "status is missing.");
  const auto known = execution_status(**status);
  if (!known) return refuse(ErrorCode::kInvalidRequest, "status is not one of a job execution's.");
  request.status = *known;
  const auto details = body.details("statusDetails");
  if (!details) return tl::unexpected(details.error());
  request.details = *details;
  const auto expected = body.integer("expectedVersion", /*quoted=*/true);
  if (!expected) return tl::unexpected(expected.error());
  request.expected_version = *expected;
  const auto number = body.integer("executionNumber", /*quoted=*/true);
  if (!number) return tl::unexpected(number.error());
  request.execution_number = *number;
  if (const auto valid = check_step_timeout(body); !valid) return tl::unexpected(valid.error());
  return request;
}

}  // namespace

JobsMqtt::JobsMqtt(JobsService& jobs, const Clock& clock, Publisher& publisher)
    : jobs_(jobs),
      clock_(clock),
      publisher_(publisher),
      subscription_(jobs.listen({.on_pending_change = [this](const ThingName& thing) { notify(thing); },
                                 .on_next_change = [this](const ThingName& thing) { notify_next(thing); }})) {
}

std::string_view JobsMqtt::handle(const ClientAddress& client, const std::string& topic,
                                  const ThingName& thing, const JobsTopic& request,
                                  std::string_view payload) {
  std::optional<std::string> client_token;
  const auto answer = [&]() -> ServiceResult<Json> {
    if (!request.call)
      return refuse(ErrorCode::kInvalidTopic, "The topic is no operation of the Jobs service.");
    const auto body = JsonBody::parse(payload);
    if (!body) return tl::unexpected(body.error());
    const auto token = body->client_token();
    if (!token) return tl::unexpected(token.error());
    client_token = *token;
    return call(thing, request, *body);
  }();
  if (!answer) {
    publisher_.deliver(client, topic + "/rejected",
                       to_text(rejection(answer.error(), client_token, clock_.now())));
    return to_string(answer.error().code);
  }
  Json reply = envelope(client_token, clock_.now());
  reply.update(*answer);
  publisher_.deliver(client, topic + "/accepted", to_text(reply));
  return "accepted";
}

ServiceResult<Json> JobsMqtt::call(const ThingName& thing, const JobsTopic& request, const JsonBody& body) {
  switch (*request.call) {
    case JobsCall::kGetPending:
      return get_pending(thing);
    case JobsCall::kStartNext:
      return start_next(thing, body);
    case JobsCall::kDescribe:
      return describe(thing, request.job, body);
    case JobsCall::kUpdate:
      return update(thing, request.job, body);
  }
  return refuse(ErrorCode::kInternalError, "The operation is unknown.");
}

ServiceResult<Json> JobsMqtt::get_pending(const ThingName& thing) {
  const auto all = jobs_.pending(thing);
  if (!all) return tl::unexpected(all.error());
  return Json{{"inProgressJobs", summaries(*all, ExecutionStatus::kInProgress, kMaxListed)},
              {"queuedJobs", summaries(*all, ExecutionStatus::kQueued, kMaxListed)}};
}

ServiceResult<Json> JobsMqtt::start_next(const ThingName& thing, const JsonBody& body) {
  const auto details = body.details("statusDetails");
  if (!details) return tl::unexpected(details.error());
  if (const auto valid = check_step_timeout(body); !valid) return tl::unexpected(valid.error());
  const auto next = jobs_.start_next(thing, *details);
  if (!next) return tl::unexpected(next.error());
  return render_next(*next, /*with_document=*/true);
}

ServiceResult<Json> JobsMqtt::describe(const ThingName& thing, const std::string& job, const JsonBody& body) {
  const auto with_document = body.boolean("includeJobDocument");
  if (!with_document) return tl::unexpected(with_document.error());
  const auto number = body.integer("executionNumber", /*quoted=*/true);
  if (!number) return tl::unexpected(number.error());
  if (job == kNextJob) {
    const auto next = jobs_.describe_next(thing);
    if (!next) return tl::unexpected(next.error());
    return render_next(*next, with_document->value_or(true));
  }
  const auto id = parse_job_id(job);
  if (!id) return tl::unexpected(id.error());
  const auto execution = jobs_.describe(*id, thing, *number);
  if (!execution) return tl::unexpected(execution.error());
  return render_next(*execution, with_document->value_or(true));
}

ServiceResult<Json> JobsMqtt::update(const ThingName& thing, const std::string& job, const JsonBody& body) {
  const auto id = parse_job_id(job);
  if (!id) return tl::unexpected(id.error());
  const auto request = parse_update(body);
  if (!request) return tl::unexpected(request.error());
  const auto with_state = body.boolean("includeJobExecutionState");
  if (!with_state) return tl::unexpected(with_state.error());
  const auto with_document = body.boolean("includeJobDocument");
  if (!with_document) return tl::unexpected(with_document.error());

  const auto execution = jobs_.update(*id, thing, *request);
  if (!execution) return tl::unexpected(execution.error());
  Json json = Json::object();
  if (with_state->value_or(false)) json["executionState"] = render_state(execution->state);
  if (with_document->value_or(false)) {
    auto text = document(*id);
    if (!text) return text;
    json["jobDocument"] = std::move(*text);
  }
  return json;
}

ServiceResult<Json> JobsMqtt::document(const JobId& id) {
  const auto job = jobs_.describe_job(id);
  if (!job) return tl::unexpected(job.error());
  auto json = Json::parse(job->document, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return refuse(ErrorCode::kInternalError, "The stored job document is damaged.");
  return json;
}

ServiceResult<Json> JobsMqtt::render(const JobExecution& execution, bool with_document) {
  Json json{{"jobId", execution.job_id.str()},
            {"thingName", execution.thing.str()},
            {"status", to_string(execution.state.status)}};
  if (!execution.state.details.empty()) json["statusDetails"] = execution.state.details;
  json["queuedAt"] = execution.queued_at;
  if (execution.started_at) json["startedAt"] = *execution.started_at;
  json["lastUpdatedAt"] = execution.last_updated_at;
  json["versionNumber"] = execution.state.version_number;
  json["executionNumber"] = execution.execution_number;
  if (with_document) {
    auto text = document(execution.job_id);
    if (!text) return text;
    json["jobDocument"] = std::move(*text);
  }
  return json;
}

/// `execution`, or no key at all when nothing is left to do.
ServiceResult<Json> JobsMqtt::render_next(const std::optional<JobExecution>& next, bool with_document) {
  if (!next) return Json::object();
  auto execution = render(*next, with_document);
  if (!execution) return execution;
  return Json{{"execution", std::move(*execution)}};
}

void JobsMqtt::notify(const ThingName& thing) {
  const auto all = jobs_.pending(thing);
  if (!all) return;
  Json jobs = Json::object();
  std::size_t left = kMaxNotified;
  for (const ExecutionStatus status : {ExecutionStatus::kInProgress, ExecutionStatus::kQueued}) {
    Json list = summaries(*all, status, left);
    left -= list.size();
    if (!list.empty()) jobs[std::string{to_string(status)}] = std::move(list);
  }
  publisher_.publish(fmt::format("$aws/things/{}/jobs/notify", thing.str()),
                     to_text({{"timestamp", clock_.now()}, {"jobs", std::move(jobs)}}), kNotifyQos);
}

void JobsMqtt::notify_next(const ThingName& thing) {
  const auto next = jobs_.describe_next(thing);
  if (!next) return;
  const auto body = render_next(*next, /*with_document=*/true);
  if (!body) return;
  Json json{{"timestamp", clock_.now()}};
  json.update(*body);
  publisher_.publish(fmt::format("$aws/things/{}/jobs/notify-next", thing.str()), to_text(json), kNotifyQos);
}

}  // namespace otasim::cloud
