#include "sim/cloud/jobs_mqtt.h"

#include <fmt/format.h>

#include <algorithm>

namespace otasim::cloud {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxNotified = 10;
/// Keeps the reply within a message however long the queue is.
constexpr std::size_t kMaxListed = 250;
constexpr int kNotifyQos = 1;

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
  const auto step_timeout = body.integer("stepTimeoutInMinutes");
  if (!step_timeout) return tl::unexpected(step_timeout.error());
  request.step_timeout_minutes = *step_timeout;
  return request;
}

}  // namespace

JobsMqtt::JobsMqtt(JobsService& jobs, const Clock& clock, JobFaults& faults, Publisher& publisher)
    : jobs_(jobs),
      clock_(clock),
      faults_(faults),
      publisher_(publisher),
      subscription_(jobs.listen({.on_pending_change = [this](const ThingName& thing) { notify(thing); },
                                 .on_next_change =
                                     [this](const ThingName& thing, const std::optional<JobExecution>& next) {
                                       notify_next(thing, next);
                                     }})) {}

std::string_view JobsMqtt::handle(const ClientAddress& client, const std::string& topic,
                                  const ThingName& thing, const JobsTopic& request,
                                  std::string_view payload) {
  std::optional<std::string> client_token;
  JobStrike struck;
  const auto answer = [&]() -> ServiceResult<Json> {
    if (!request.call)
      return refuse(ErrorCode::kInvalidTopic, "The topic is no operation of the Jobs service.");
    const auto body = JsonBody::parse(payload);
    if (!body) return tl::unexpected(body.error());
    const auto token = body->client_token();
    if (!token) return tl::unexpected(token.error());
    client_token = *token;
    struck = strike(thing, request, *body);
    return call_under(struck, thing, request, *body);
  }();
  if (struck.silent) return "silent";
  if (!answer) {
    publisher_.deliver(client, topic + "/rejected",
                       to_text(rejection(answer.error(), client_token, stamp(clock_.now()))));
    return to_string(answer.error().code);
  }
  Json reply = envelope(client_token, stamp(clock_.now()));
  reply.update(*answer);
  publisher_.deliver(client, topic + "/accepted", text_for(thing, std::move(reply)));
  return "accepted";
}

JobStrike JobsMqtt::strike(const ThingName& thing, const JobsTopic& request, const JsonBody& body) {
  if (faults_.empty()) return {};
  const auto status = body.text("status");
  const bool has_status = request.call == JobsCall::kUpdate && status && *status;
  return faults_.strike_request(
      {thing, *request.call, request.job, has_status ? execution_status(**status) : std::nullopt});
}

ServiceResult<Json> JobsMqtt::call_under(const JobStrike& strike, const ThingName& thing,
                                         const JobsTopic& request, const JsonBody& body) {
  if (strike.silent && !strike.carried_out) return Json::object();
  if (!strike.reject) return call(thing, request, body);
  ServiceError error(*strike.reject, "The update was refused on purpose: a fault is armed.");
  const auto id = JobId::parse(request.job);
  const bool tells_state =
      error.code == ErrorCode::kInvalidStateTransition || error.code == ErrorCode::kVersionMismatch;
  if (tells_state && id) {
    if (const auto execution = jobs_.execution(*id, thing)) error.execution_state = execution->state;
  }
  return tl::unexpected(std::move(error));
}

std::string JobsMqtt::text_for(const ThingName& thing, Json message) {
  return faults_.empty() ? to_text(message) : faults_.render(thing, std::move(message));
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
  auto begun = summaries(thing, ExecutionStatus::kInProgress, kMaxListed);
  if (!begun) return begun;
  auto queued = summaries(thing, ExecutionStatus::kQueued, kMaxListed);
  if (!queued) return queued;
  return Json{{"inProgressJobs", std::move(*begun)}, {"queuedJobs", std::move(*queued)}};
}

ServiceResult<Json> JobsMqtt::start_next(const ThingName& thing, const JsonBody& body) {
  const auto details = body.details("statusDetails");
  if (!details) return tl::unexpected(details.error());
  const auto step_timeout = body.integer("stepTimeoutInMinutes");
  if (!step_timeout) return tl::unexpected(step_timeout.error());
  const auto next = jobs_.start_next(thing, {*details, *step_timeout});
  if (!next) return tl::unexpected(next.error());
  return render_next(*next, Document::kWithUrls);
}

ServiceResult<Json> JobsMqtt::describe(const ThingName& thing, const std::string& job, const JsonBody& body) {
  const auto with_document = body.boolean("includeJobDocument");
  if (!with_document) return tl::unexpected(with_document.error());
  const auto number = body.integer("executionNumber", /*quoted=*/true);
  if (!number) return tl::unexpected(number.error());
  const Document document = with_document->value_or(true) ? Document::kWithUrls : Document::kNone;
  if (job == kNextJob) {
    const auto next = jobs_.describe_next(thing);
    if (!next) return tl::unexpected(next.error());
    return render_next(*next, document);
  }
  const auto id = parse_job_id(job);
  if (!id) return tl::unexpected(id.error());
  const auto execution = jobs_.describe(*id, thing, *number);
  if (!execution) return tl::unexpected(execution.error());
  return render_next(*execution, document);
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
    auto document = jobs_.document(*id);
    if (!document) return document;
    json["jobDocument"] = std::move(*document);
  }
  return json;
}

std::int64_t JobsMqtt::stamp(std::int64_t epoch_seconds) const {
  constexpr std::int64_t kMillisecondsPerSecond = 1000;
  const bool seconds = jobs_.options().timestamp_unit == JobsOptions::TimestampUnit::kSeconds;
  return seconds ? epoch_seconds : epoch_seconds * kMillisecondsPerSecond;
}

Json JobsMqtt::summary(const JobExecution& execution) const {
  Json json{{"jobId", execution.job_id.str()}, {"queuedAt", stamp(execution.queued_at)}};
  if (execution.started_at) json["startedAt"] = stamp(*execution.started_at);
  json["lastUpdatedAt"] = stamp(execution.last_updated_at);
  json["executionNumber"] = execution.execution_number;
  json["versionNumber"] = execution.state.version_number;
  return json;
}

ServiceResult<Json> JobsMqtt::summaries(const ThingName& thing, ExecutionStatus status, std::size_t most) {
  const auto pending = jobs_.pending(thing, status, most);
  if (!pending) return tl::unexpected(pending.error());
  Json list = Json::array();
  for (const JobExecution& execution : *pending) list.push_back(summary(execution));
  return list;
}

ServiceResult<Json> JobsMqtt::render(const JobExecution& execution, Document document) {
  Json json{{"jobId", execution.job_id.str()},
            {"thingName", execution.thing.str()},
            {"status", to_string(execution.state.status)}};
  if (!execution.state.details.empty()) json["statusDetails"] = execution.state.details;
  json["queuedAt"] = stamp(execution.queued_at);
  if (execution.started_at) json["startedAt"] = stamp(*execution.started_at);
  json["lastUpdatedAt"] = stamp(execution.last_updated_at);
  json["versionNumber"] = execution.state.version_number;
  json["executionNumber"] = execution.execution_number;
  if (const auto deadline = execution.deadline()) {
    json["approximateSecondsBeforeTimedOut"] = std::max<std::int64_t>(0, *deadline - clock_.now());
  }
  if (document == Document::kNone) return json;
  auto content = jobs_.document(execution.job_id, document == Document::kWithUrls);
  if (!content) return content;
  json["jobDocument"] = std::move(*content);
  return json;
}

ServiceResult<Json> JobsMqtt::render_next(const std::optional<JobExecution>& next, Document document) {
  if (!next) return Json::object();
  auto execution = render(*next, document);
  if (!execution) return execution;
  return Json{{"execution", std::move(*execution)}};
}

void JobsMqtt::notify(const ThingName& thing) {
  Json jobs = Json::object();
  std::size_t left = kMaxNotified;
  for (const ExecutionStatus status : {ExecutionStatus::kInProgress, ExecutionStatus::kQueued}) {
    auto list = summaries(thing, status, left);
    if (!list) return;
    left -= list->size();
    if (!list->empty()) jobs[std::string{to_string(status)}] = std::move(*list);
  }
  publisher_.publish(fmt::format("$aws/things/{}/jobs/notify", thing.str()),
                     to_text({{"timestamp", stamp(clock_.now())}, {"jobs", std::move(jobs)}}), kNotifyQos);
}

void JobsMqtt::notify_next(const ThingName& thing, const std::optional<JobExecution>& next) {
  const bool presign = jobs_.options().presign_in_notify_next;
  const auto body = render_next(next, presign ? Document::kWithUrls : Document::kWithPlaceholders);
  if (!body) return;
  Json json{{"timestamp", stamp(clock_.now())}};
  json.update(*body);
  publisher_.publish(fmt::format("$aws/things/{}/jobs/notify-next", thing.str()),
                     text_for(thing, std::move(json)), kNotifyQos);
}

}  // namespace otasim::cloud
