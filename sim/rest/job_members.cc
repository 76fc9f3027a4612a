#include "sim/rest/job_members.h"

#include <fmt/format.h>

#include "sim/cloud/job_document.h"

namespace otasim::rest {

JobSettings job_settings(const MemberReader& body) {
  JobSettings settings;
  if (const auto urls = body.object("presignedUrlConfig")) {
    static_cast<void>(urls->text("roleArn", {.min = 20, .max = 2048}));
    settings.presigned_expires_sec =
        urls->integer("expiresInSec", cloud::kMinPresignedExpiry, cloud::kMaxPresignedExpiry);
  }
  if (const auto timeout = body.object("timeoutConfig")) {
    settings.in_progress_timeout_minutes =
        timeout->integer("inProgressTimeoutInMinutes", 1, cloud::kMaxTimeoutMinutes);
  }
  settings.rollout =
      config_of<cloud::RolloutConfig>(body, "jobExecutionsRolloutConfig", &cloud::rollout_config_from_json);
  settings.abort = config_of<cloud::AbortConfig>(body, "abortConfig", &cloud::abort_config_from_json);
  settings.retries =
      config_of<cloud::RetryConfig>(body, "jobExecutionsRetryConfig", &cloud::retry_config_from_json);
  return settings;
}

JobDocumentMembers job_document(IotServices& iot, const MemberReader& body) {
  JobDocumentMembers members;
  members.document = body.text("document", {.max = 32'768}).value_or("");
  members.source = body.text("documentSource", {.min = 1, .max = 1350}).value_or("");
  if (!members.document.empty() && !members.source.empty()) {
    body.fail(invalid_request("Only one of document and documentSource may be given."));
  }
  if (!members.source.empty()) members.document = read_document(iot, body, members.source);
  return members;
}

std::string read_document(IotServices& iot, const MemberReader& body, const std::string& source) {
  constexpr std::int64_t kMaxDocument = 32'768;
  const auto location = cloud::parse_s3_url(source);
  if (!location) {
    body.fail_constraint("documentSource", source, "Member must be the link of an object in S3");
    return {};
  }
  const auto object = iot.cloud.objects().describe(location->bucket, location->key, location->version);
  if (!object || object->size > kMaxDocument) {
    body.fail(invalid_request(
        object ? fmt::format("A job document may have {} bytes; '{}' has {}.", kMaxDocument, source,
                             object->size)
               : fmt::format("The document '{}' cannot be read: {}", source, object.error().message)));
    return {};
  }
  const auto content = iot.cloud.objects().read_all(object->location);
  if (!content) {
    body.fail(api_error(content.error(), ApiStyle::kIot));
    return {};
  }
  return {content->begin(), content->end()};
}

}  // namespace otasim::rest
