// OTA updates.
#include <fmt/format.h>

#include "sim/cloud/arn.h"
#include "sim/cloud/base64.h"
#include "sim/cloud/ota_update_json.h"
#include "sim/rest/iot_api.h"

namespace otasim::rest {

namespace {

constexpr std::int64_t kMaxFileId = 255;
constexpr std::int64_t kMaxFileType = 255;

cloud::OtaUpdateId ota_update_id(const MemberReader& from) {
  return from.required_identifier<cloud::OtaUpdateId>("otaUpdateId", kWordPattern);
}

cloud::StreamFileLocation stream_file(const MemberReader& from) {
  return {from.required_identifier<cloud::StreamId>("streamId", kWordPattern),
          from.required_integer("fileId", 0, kMaxFileId)};
}

cloud::FileLocation location_of(const MemberReader& file) {
  const auto location = file.object("fileLocation");
  const auto stream = location ? location->object("stream") : std::nullopt;
  const auto object = location ? location->object("s3Location") : std::nullopt;
  if (stream && !object) return stream_file(*stream);
  if (!object || stream) {
    file.fail(invalid_request("A file's fileLocation must be a stream or an s3Location."));
    return cloud::ObjectLocation{};
  }
  return cloud::ObjectLocation{object->required_text("bucket", {.min = 1}),
                               object->required_text("key", {.min = 1}),
                               object->text("version").value_or("")};
}

cloud::CodeSigning custom_signing(const MemberReader& custom) {
  cloud::CustomSigning signing;
  const auto signature = custom.object("signature");
  const auto stream = signature ? signature->object("stream") : std::nullopt;
  const auto document = signature ? signature->text("inlineDocument") : std::nullopt;
  if (stream && !document) {
    signing.signature = stream_file(*stream);
  } else if (document && !stream) {
    auto bytes = cloud::base64_decode(*document);
    if (!bytes) signature->fail_constraint("inlineDocument", *document, "Member must be base64");
    signing.signature = bytes.value_or(std::vector<std::uint8_t>{});
  } else {
    custom.fail(invalid_request("A signature must be an inlineDocument or a stream's file."));
  }
  if (const auto chain = custom.object("certificateChain")) {
    signing.certificate_name = chain->text("certificateName").value_or("");
    static_cast<void>(chain->text("inlineDocument"));
  }
  signing.hash_algorithm = custom.text("hashAlgorithm").value_or("SHA256");
  signing.signature_algorithm = custom.text("signatureAlgorithm").value_or("ECDSA");
  return signing;
}

cloud::CodeSigning signer_job(const MemberReader& start) {
  cloud::LabSigning signing;
  if (const auto profile = start.object("signingProfileParameter")) {
    signing.certificate_arn = profile->text("certificateArn").value_or("");
    signing.platform = profile->text("platform").value_or("");
    signing.certificate_path_on_device = profile->text("certificatePathOnDevice").value_or("");
  }
  signing.profile = start.text("signingProfileName", {.max = 64}).value_or("");
  if (const auto destination = start.object("destination")) {
    if (const auto object = destination->object("s3Destination")) {
      signing.bucket = object->text("bucket").value_or("");
      signing.prefix = object->text("prefix").value_or("");
    }
  }
  if (signing.certificate_path_on_device.empty() && signing.profile.empty()) {
    start.fail(
        invalid_request("startSigningJobParameter needs a signingProfileName, or a "
                        "signingProfileParameter with a certificatePathOnDevice."));
  }
  return signing;
}

cloud::CodeSigning signing_of(const MemberReader& file) {
  const auto signing = file.object("codeSigning");
  if (!signing) return cloud::Unsigned{};
  const auto job = signing->text("awsSignerJobId");
  const auto start = signing->object("startSigningJobParameter");
  const auto custom = signing->object("customCodeSigning");
  if (job.has_value() + start.has_value() + custom.has_value() > 1) {
    signing->fail(invalid_request("A file is signed in one way only."));
  }
  if (job) return cloud::SignedByJob{*job};
  if (start) return signer_job(*start);
  if (custom) return custom_signing(*custom);
  return cloud::Unsigned{};
}

std::vector<cloud::OtaUpdateFile> files_of(const MemberReader& body) {
  std::vector<cloud::OtaUpdateFile> files;
  for (const MemberReader& file : body.objects("files", 1, cloud::kMaxStreamFiles)) {
    cloud::OtaUpdateFile read{.file_name = file.text("fileName").value_or(""),
                              .location = location_of(file),
                              .code_signing = signing_of(file)};
    read.file_type = static_cast<int>(file.integer("fileType", 0, kMaxFileType).value_or(0));
    read.file_version = file.text("fileVersion").value_or("");
    read.attributes = file.text_map("attributes", {.max = 4096});
    files.push_back(std::move(read));
  }
  return files;
}

std::vector<cloud::Protocol> protocols_of(const MemberReader& body) {
  if (!body.has("protocols")) return {cloud::Protocol::kMqtt};
  std::vector<cloud::Protocol> protocols;
  for (const std::string& name : body.texts("protocols", 1, 2)) {
    if (name != "MQTT" && name != "HTTP") {
      body.fail_constraint("protocols", name, "Member must satisfy enum value set: [MQTT, HTTP]");
    }
    protocols.push_back(name == "HTTP" ? cloud::Protocol::kHttp : cloud::Protocol::kMqtt);
  }
  return protocols;
}

void add_job_configs(IotServices& iot, const cloud::OtaUpdate& update, Json& info) {
  const auto job = iot.cloud.jobs().describe_job(update.job_id);
  if (!job) return;
  info["awsJobExecutionsRolloutConfig"] = to_json(job->rollout);
  info["awsJobPresignedUrlConfig"] = {{"expiresInSec", job->presigned_expires_sec}};
}

}  // namespace

ApiResult<Json> create_ota_update(IotServices& iot, ApiCall& call) {
  const MemberReader& body = call.body;
  cloud::CreateOtaUpdateRequest request{
      .id = ota_update_id(call.uri), .targets = targets_of(body), .files = files_of(body)};
  request.protocols = protocols_of(body);
  request.description = body.text("description", {.max = kMaxDescription}).value_or("");
  if (const auto selection = body.one_of("targetSelection", {"CONTINUOUS", "SNAPSHOT"})) {
    request.target_selection =
        cloud::target_selection(*selection).value_or(cloud::TargetSelection::kSnapshot);
  }
  if (const auto urls = body.object("awsJobPresignedUrlConfig")) {
    request.presigned_expires_sec =
        urls->integer("expiresInSec", cloud::kMinPresignedExpiry, cloud::kMaxPresignedExpiry)
            .value_or(cloud::kDefaultOtaUrlExpiry);
  }
  if (const auto timeout = body.object("awsJobTimeoutConfig")) {
    request.in_progress_timeout_minutes =
        timeout->integer("inProgressTimeoutInMinutes", 1, cloud::kMaxTimeoutMinutes);
  }
  request.rollout =
      config_of<cloud::RolloutConfig>(body, "awsJobExecutionsRolloutConfig", &cloud::rollout_config_from_json)
          .value_or(cloud::RolloutConfig{});
  request.abort = config_of<cloud::AbortConfig>(body, "awsJobAbortConfig", &cloud::ota_abort_config_from_json)
                      .value_or(cloud::AbortConfig{});
  request.additional_parameters = body.text_map("additionalParameters", {.max = 4096});
  static_cast<void>(body.required_text("roleArn", {.min = 20, .max = 2048}));
  const auto tags = tags_of(body);
  if (call.failed()) return call.error();
  const auto update = create_tagged(iot, {"otaupdate", request.id.str()}, tags,
                                    [&] { return iot.cloud.ota_updates().create(request); });
  if (!update) return call.refused(update.error(), "otaupdate", request.id.str());
  return Json{{"otaUpdateId", update->id.str()},
              {"awsIotJobId", update->job_id.str()},
              {"otaUpdateArn", cloud::iot_arn("otaupdate", update->id.str())},
              {"awsIotJobArn", cloud::iot_arn("job", update->job_id.str())},
              {"otaUpdateStatus", to_string(update->status)}};
}

ApiResult<Json> get_ota_update(IotServices& iot, ApiCall& call) {
  const auto id = ota_update_id(call.uri);
  if (call.failed()) return call.error();
  const auto update = iot.cloud.ota_updates().describe(id);
  if (!update) return call.refused(update.error());
  Json info{{"otaUpdateId", id.str()},
            {"otaUpdateArn", cloud::iot_arn("otaupdate", id.str())},
            {"creationDate", update->created_at},
            {"lastModifiedDate", update->last_modified_at}};
  if (!update->description.empty()) info["description"] = update->description;
  info["targets"] = Json::array();
  for (const auto& target : update->targets) info["targets"].push_back(arn_of(target));
  info["protocols"] = Json::array();
  for (const auto protocol : update->protocols) info["protocols"].push_back(to_string(protocol));
  add_job_configs(iot, *update, info);
  info["targetSelection"] = to_string(update->target_selection);
  info["otaUpdateFiles"] = Json(cloud::files_to_json(update->files));
  info["otaUpdateStatus"] = to_string(update->status);
  info["awsIotJobId"] = update->job_id.str();
  info["awsIotJobArn"] = cloud::iot_arn("job", update->job_id.str());
  if (update->error) info["errorInfo"] = {{"code", update->error->code}, {"message", update->error->message}};
  if (!update->additional_parameters.empty()) info["additionalParameters"] = update->additional_parameters;
  return Json{{"otaUpdateInfo", std::move(info)}};
}

ApiResult<Json> list_ota_updates(IotServices& iot, ApiCall& call) {
  cloud::ListOtaUpdatesRequest request{.page = call.page()};
  const auto status =
      call.uri.one_of("otaUpdateStatus", {"CREATE_PENDING", "CREATE_IN_PROGRESS", "CREATE_COMPLETE",
                                          "CREATE_FAILED", "DELETE_IN_PROGRESS", "DELETE_FAILED"});
  if (call.failed()) return call.error();
  Json answer{{"otaUpdates", Json::array()}};
  if (status) {
    for (const auto known :
         {cloud::OtaUpdateStatus::kCreateComplete, cloud::OtaUpdateStatus::kCreateFailed}) {
      if (*status == to_string(known)) request.status = known;
    }
    if (!request.status) return answer;  // no update ever is in another
  }
  const auto page = iot.cloud.ota_updates().list(request);
  if (!page) return call.refused(page.error());
  for (const cloud::OtaUpdate& update : page->items) {
    answer["otaUpdates"].push_back({{"otaUpdateId", update.id.str()},
                                    {"otaUpdateArn", cloud::iot_arn("otaupdate", update.id.str())},
                                    {"creationDate", update.created_at}});
  }
  add_next_token(answer, page->next_token);
  return answer;
}

ApiResult<Json> delete_ota_update(IotServices& iot, ApiCall& call) {
  const auto id = ota_update_id(call.uri);
  const cloud::RemoveOtaUpdateRequest request{.delete_stream = call.uri.boolean("deleteStream"),
                                              .force_delete_job = call.uri.boolean("forceDeleteAWSJob")};
  if (call.failed()) return call.error();
  const auto removed = iot.cloud.ota_updates().remove(id, request);
  if (!removed) return call.refused(removed.error());
  return Json::object();
}

}  // namespace otasim::rest
