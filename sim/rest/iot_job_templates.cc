// Job templates, and which events are published.
#include "sim/cloud/arn.h"
#include "sim/rest/iot_api.h"
#include "sim/rest/job_members.h"

namespace otasim::rest {

namespace {

constexpr std::size_t kMaxWindows = cloud::kMaxMaintenanceWindows;

cloud::JobTemplateId template_id(const MemberReader& from) {
  return from.required_identifier<cloud::JobTemplateId>("jobTemplateId", kWordPattern);
}

Json summary(const cloud::JobTemplate& one) {
  return {{"jobTemplateArn", cloud::iot_arn("jobtemplate", one.id.str())},
          {"jobTemplateId", one.id.str()},
          {"description", one.description},
          {"createdAt", one.created_at}};
}

std::vector<cloud::MaintenanceWindow> windows_of(const MemberReader& body) {
  std::vector<cloud::MaintenanceWindow> windows;
  for (const MemberReader& window : body.objects("maintenanceWindows", 0, kMaxWindows)) {
    windows.push_back({window.required_text("startTime", {.min = 1, .max = 256}),
                       window.required_integer("durationInMinutes", 1, cloud::kMaxWindowMinutes)});
  }
  return windows;
}

}  // namespace

ApiResult<Json> create_job_template(IotServices& iot, ApiCall& call) {
  cloud::CreateJobTemplateRequest request{.id = template_id(call.uri)};
  request.description = call.body.required_text("description", {.max = kMaxDescription});
  if (const auto arn = call.body.text("jobArn")) {
    const auto name = cloud::name_in_arn(*arn, "job");
    request.job = name ? cloud::JobId::parse(*name) : std::nullopt;
    if (!request.job)
      call.body.fail_constraint("jobArn", *arn, "Member must be the ARN of a job of this account");
  }
  auto document = job_document(iot, call.body);
  request.document = std::move(document.document);
  request.document_source = std::move(document.source);
  JobSettings settings = job_settings(call.body);
  request.presigned_expires_sec = settings.presigned_expires_sec;
  request.in_progress_timeout_minutes = settings.in_progress_timeout_minutes;
  request.rollout = std::move(settings.rollout);
  request.abort = std::move(settings.abort);
  request.retries = settings.retries;
  request.maintenance_windows = windows_of(call.body);
  const auto tags = tags_of(call.body);
  if (call.failed()) return call.error();
  const auto made = create_tagged(iot, {"jobtemplate", request.id.str()}, tags,
                                  [&] { return iot.cloud.job_templates().create(request); });
  if (!made) return call.refused(made.error());
  return Json{{"jobTemplateArn", cloud::iot_arn("jobtemplate", made->id.str())},
              {"jobTemplateId", made->id.str()}};
}

ApiResult<Json> describe_job_template(IotServices& iot, ApiCall& call) {
  const auto id = template_id(call.uri);
  if (call.failed()) return call.error();
  const auto one = iot.cloud.job_templates().describe(id);
  if (!one) return call.refused(one.error());
  Json answer = summary(*one);
  if (!one->document_source.empty()) answer["documentSource"] = one->document_source;
  answer["document"] = one->document;
  answer["presignedUrlConfig"] = Json::object();
  if (one->presigned_expires_sec) answer["presignedUrlConfig"]["expiresInSec"] = *one->presigned_expires_sec;
  answer["jobExecutionsRolloutConfig"] = to_json(one->rollout);
  if (!one->abort.criteria.empty()) answer["abortConfig"] = to_json(one->abort);
  answer["timeoutConfig"] = Json::object();
  if (one->in_progress_timeout_minutes) {
    answer["timeoutConfig"]["inProgressTimeoutInMinutes"] = *one->in_progress_timeout_minutes;
  }
  if (one->retries != cloud::RetryConfig{}) answer["jobExecutionsRetryConfig"] = to_json(one->retries);
  for (const cloud::MaintenanceWindow& window : one->maintenance_windows) {
    answer["maintenanceWindows"].push_back(
        {{"startTime", window.start_time}, {"durationInMinutes", window.duration_minutes}});
  }
  return answer;
}

ApiResult<Json> list_job_templates(IotServices& iot, ApiCall& call) {
  const auto page = call.page();
  if (call.failed()) return call.error();
  const auto all = iot.cloud.job_templates().list(page);
  if (!all) return call.refused(all.error());
  Json answer{{"jobTemplates", Json::array()}};
  for (const cloud::JobTemplate& one : all->items) answer["jobTemplates"].push_back(summary(one));
  add_next_token(answer, all->next_token);
  return answer;
}

ApiResult<Json> delete_job_template(IotServices& iot, ApiCall& call) {
  const auto id = template_id(call.uri);
  if (call.failed()) return call.error();
  const auto removed = iot.cloud.job_templates().remove(id);
  if (!removed) return call.refused(removed.error());
  return Json();
}

ApiResult<Json> describe_event_configurations(IotServices& iot, ApiCall& call) {
  const auto described = iot.cloud.event_configurations().describe();
  if (!described) return call.refused(described.error());
  Json answer{{"eventConfigurations", Json::object()}};
  for (const auto& [type, enabled] : described->enabled) {
    answer["eventConfigurations"][std::string(to_string(type))] = {{"Enabled", enabled}};
  }
  if (described->created_at) answer["creationDate"] = *described->created_at;
  if (described->last_modified_at) answer["lastModifiedDate"] = *described->last_modified_at;
  return answer;
}

ApiResult<Json> update_event_configurations(IotServices& iot, ApiCall& call) {
  std::map<cloud::EventType, bool> changes;
  if (const auto configurations = call.body.object("eventConfigurations")) {
    for (const auto& [name, value] : call.body.raw("eventConfigurations")->items()) {
      const auto type = cloud::event_type(name);
      const auto configuration = configurations->object(name.c_str());
      if (!type) {
        configurations->fail_constraint(name, name, "Member must be the name of an event type");
      } else if (configuration) {
        changes[*type] = configuration->boolean("Enabled");
      }
    }
  }
  if (call.failed()) return call.error();
  const auto done = iot.cloud.event_configurations().update(changes);
  if (!done) return call.refused(done.error());
  return Json::object();
}

}  // namespace otasim::rest
