#include "sim/rest/signer_api.h"

#include <array>

#include "sim/cloud/arn.h"

namespace otasim::rest {

namespace {

using cloud::ErrorCode;
using cloud::SigningJobs;
using cloud::SigningPlatform;

constexpr std::string_view kSigner = "signer";
constexpr std::string_view kAtOnce = "Done when the call returns; AWS works in the background.";
constexpr std::string_view kPlatforms = "The two platforms of FreeRTOS, without overrides.";
constexpr std::string_view kNoOwners = "There is one account; owners and invokers are not looked at.";
constexpr std::string_view kLabKey =
    "Without signingMaterial the lab's code-signing key signs. A name is taken for good; tags are not kept.";
constexpr std::string_view kNoFilters = "By status and platformId alone.";
constexpr double kRate = 25;
constexpr int kMaxSizeMb = static_cast<int>(cloud::kMaxSignedBytes >> 20);

/// Signer words two errors in its own way.
tl::unexpected<ApiError> refused(const cloud::ServiceError& error) {
  switch (error.code) {
    case ErrorCode::kResourceNotFound:
      return tl::unexpected(ApiError{404, "ResourceNotFoundException", error.message, {}, {}});
    case ErrorCode::kInternalError:
      return tl::unexpected(ApiError{500, "InternalServiceErrorException", error.message, {}, {}});
    default:
      return tl::unexpected(ApiError{400, "ValidationException", error.message, {}, {}});
  }
}

/// The same for a member that is wrong.
tl::unexpected<ApiError> invalid(const ApiCall& call) {
  ApiError error = call.error().value();
  if (error.name == "InvalidRequestException") error.name = "ValidationException";
  return tl::unexpected(std::move(error));
}

Json platform_json(const SigningPlatform& platform) {
  return Json{
      {"platformId", platform.id},
      {"displayName", platform.display_name},
      {"partner", platform.partner},
      {"target", platform.target},
      {"category", "AWSIoT"},
      {"signingConfiguration",
       {{"encryptionAlgorithmOptions",
         {{"allowedValues", {platform.signature}}, {"defaultValue", platform.signature}}},
        {"hashAlgorithmOptions", {{"allowedValues", {platform.hash}}, {"defaultValue", platform.hash}}}}},
      {"signingImageFormat", {{"supportedFormats", {"JSONDetached"}}, {"defaultFormat", "JSONDetached"}}},
      {"maxSizeInMB", kMaxSizeMb},
      {"revocationSupported", false}};
}

/// What profiles and jobs tell of how they sign.
void add_signing(Json& json, const cloud::SigningProfile& profile) {
  if (!profile.certificate_arn.empty()) {
    json["signingMaterial"] = {{"certificateArn", profile.certificate_arn}};
  }
  json["platformId"] = profile.platform;
  if (const SigningPlatform* const platform = cloud::find_signing_platform(profile.platform)) {
    json["platformDisplayName"] = platform->display_name;
  }
  if (!profile.parameters.empty()) json["signingParameters"] = profile.parameters;
}

Json profile_json(const cloud::SigningProfile& profile) {
  Json json{{"profileName", profile.name},
            {"profileVersion", profile.version},
            {"profileVersionArn", profile.version_arn()}};
  add_signing(json, profile);
  json["status"] = profile.canceled ? "Canceled" : "Active";
  json["arn"] = profile.arn();
  return json;
}

/// @param whole  as DescribeSigningJob tells it, else as a list does
Json job_json(const cloud::SigningJob& job, bool whole) {
  Json source{{"bucketName", job.source.bucket}, {"key", job.source.key}, {"version", job.source.version}};
  Json json{{"jobId", job.id}, {"source", {{"s3", std::move(source)}}}};
  if (!job.signed_key.empty()) {
    json["signedObject"] = {{"s3", {{"bucketName", job.signed_bucket}, {"key", job.signed_key}}}};
  }
  add_signing(json, job.profile);
  if (!job.profile.name.empty()) {
    json["profileName"] = job.profile.name;
    json["profileVersion"] = job.profile.version;
  }
  json["createdAt"] = job.created_at;
  json["status"] = job.succeeded ? "Succeeded" : "Failed";
  json["jobOwner"] = cloud::kAccount;
  json["jobInvoker"] = cloud::kAccount;
  if (!whole) {
    json.erase("signingParameters");
    json["isRevoked"] = false;
    return json;
  }
  json["completedAt"] = job.created_at;
  json["requestedBy"] = "arn:aws:iam::" + std::string(cloud::kAccount) + ":root";
  if (!job.succeeded) json["statusReason"] = job.reason;
  return json;
}

ApiResult<Json> put_signing_profile(SigningJobs& jobs, ApiCall& call) {
  cloud::SigningProfile profile{.name = call.uri.required_text("profileName", {.min = 2, .max = 64}),
                                .platform = call.body.required_text("platformId", {.min = 1}),
                                .parameters = call.body.text_map("signingParameters", {.max = 4096})};
  if (const auto material = call.body.object("signingMaterial")) {
    profile.certificate_arn = material->required_text("certificateArn", {.min = 1});
  }
  if (call.body.has("overrides")) {
    call.body.fail(ApiError{400, "ValidationException", "A profile's overrides are not supported.", {}, {}});
  }
  if (call.failed()) return invalid(call);
  const auto put = jobs.put_profile(std::move(profile));
  if (!put) return refused(put.error());
  return Json{
      {"arn", put->arn()}, {"profileVersion", put->version}, {"profileVersionArn", put->version_arn()}};
}

ApiResult<Json> get_signing_profile(SigningJobs& jobs, ApiCall& call) {
  const auto name = call.uri.required_text("profileName");
  if (call.failed()) return invalid(call);
  const auto profile = jobs.profile(name);
  if (!profile) return refused(profile.error());
  return profile_json(*profile);
}

ApiResult<Json> list_signing_profiles(SigningJobs& jobs, ApiCall& call) {
  const cloud::ListSigningProfilesRequest request{.include_canceled = call.uri.boolean("includeCanceled"),
                                                  .platform = call.uri.text("platformId").value_or(""),
                                                  .page = call.page()};
  if (call.failed()) return invalid(call);
  const auto page = jobs.list_profiles(request);
  if (!page) return refused(page.error());
  Json answer{{"profiles", Json::array()}};
  for (const auto& profile : page->items) answer["profiles"].push_back(profile_json(profile));
  add_next_token(answer, page->next_token);
  return answer;
}

ApiResult<Json> cancel_signing_profile(SigningJobs& jobs, ApiCall& call) {
  const auto name = call.uri.required_text("profileName");
  if (call.failed()) return invalid(call);
  if (const auto canceled = jobs.cancel_profile(name); !canceled) return refused(canceled.error());
  return Json::object();
}

ApiResult<Json> start_signing_job(SigningJobs& jobs, ApiCall& call) {
  cloud::StartSigningJobRequest request{
      .source = {},
      .profile = call.body.required_text("profileName", {.min = 2, .max = 64}),
      .token = call.body.required_text("clientRequestToken", {.min = 1, .max = 256})};
  const auto source = call.body.object("source");
  if (const auto object = source ? source->object("s3") : std::nullopt) {
    request.source = {object->required_text("bucketName", {.min = 1}),
                      object->required_text("key", {.min = 1}), object->required_text("version", {.min = 1})};
  } else {
    call.body.fail_missing("source.s3");
  }
  const auto destination = call.body.object("destination");
  if (const auto place = destination ? destination->object("s3") : std::nullopt) {
    request.bucket = place->required_text("bucketName", {.min = 1});
    request.prefix = place->text("prefix").value_or("");
  } else {
    call.body.fail_missing("destination.s3");
  }
  if (call.failed()) return invalid(call);
  const auto job = jobs.start(request);
  if (!job) return refused(job.error());
  return Json{{"jobId", *job}, {"jobOwner", cloud::kAccount}};
}

ApiResult<Json> describe_signing_job(SigningJobs& jobs, ApiCall& call) {
  const auto id = call.uri.required_text("jobId");
  if (call.failed()) return invalid(call);
  const auto job = jobs.describe(id);
  if (!job) return refused(job.error());
  return job_json(*job, true);
}

ApiResult<Json> list_signing_jobs(SigningJobs& jobs, ApiCall& call) {
  cloud::ListSigningJobsRequest request{.platform = call.uri.text("platformId").value_or(""),
                                        .page = call.page()};
  const auto status = call.uri.one_of("status", {"InProgress", "Failed", "Succeeded"});
  if (call.failed()) return invalid(call);
  Json answer{{"jobs", Json::array()}};
  if (status == "InProgress") return answer;  // none ever is
  if (status) request.succeeded = *status == "Succeeded";
  const auto page = jobs.list(request);
  if (!page) return refused(page.error());
  for (const auto& job : page->items) answer["jobs"].push_back(job_json(job, false));
  add_next_token(answer, page->next_token);
  return answer;
}

ApiResult<Json> list_signing_platforms(SigningJobs& /*jobs*/, ApiCall& call) {
  const std::string partner = call.uri.text("partner").value_or("");
  const std::string target = call.uri.text("target").value_or("");
  const std::string category = call.uri.text("category").value_or("AWSIoT");
  if (call.failed()) return invalid(call);
  Json answer{{"platforms", Json::array()}};
  for (const SigningPlatform& platform : cloud::signing_platforms()) {
    if ((partner.empty() || partner == platform.partner) && (target.empty() || target == platform.target) &&
        category == "AWSIoT") {
      answer["platforms"].push_back(platform_json(platform));
    }
  }
  return answer;
}

ApiResult<Json> get_signing_platform(SigningJobs& /*jobs*/, ApiCall& call) {
  const auto id = call.uri.required_text("platformId");
  if (call.failed()) return invalid(call);
  const SigningPlatform* const platform = cloud::find_signing_platform(id);
  if (platform == nullptr) {
    return refused({ErrorCode::kResourceNotFound, "There is no signing platform " + id + "."});
  }
  return platform_json(*platform);
}

struct SignerOperation {
  Operation operation;
  ApiResult<Json> (*run)(SigningJobs& jobs, ApiCall& call);
};

constexpr std::array kOperations{
    SignerOperation{{kSigner, "PutSigningProfile", "PUT", "/signing-profiles/{profileName}", kLabKey, kRate},
                    &put_signing_profile},
    SignerOperation{
        {kSigner, "GetSigningProfile", "GET", "/signing-profiles/{profileName}", kNoOwners, kRate},
        &get_signing_profile},
    SignerOperation{{kSigner, "ListSigningProfiles", "GET", "/signing-profiles", "", kRate},
                    &list_signing_profiles},
    SignerOperation{{kSigner, "CancelSigningProfile", "DELETE", "/signing-profiles/{profileName}", "", kRate},
                    &cancel_signing_profile},
    SignerOperation{{kSigner, "StartSigningJob", "POST", "/signing-jobs", kAtOnce, kRate},
                    &start_signing_job},
    SignerOperation{{kSigner, "DescribeSigningJob", "GET", "/signing-jobs/{jobId}", "", kRate},
                    &describe_signing_job},
    SignerOperation{{kSigner, "ListSigningJobs", "GET", "/signing-jobs", kNoFilters, kRate},
                    &list_signing_jobs},
    SignerOperation{{kSigner, "ListSigningPlatforms", "GET", "/signing-platforms", kPlatforms, kRate},
                    &list_signing_platforms},
    SignerOperation{
        {kSigner, "GetSigningPlatform", "GET", "/signing-platforms/{platformId}", kPlatforms, kRate},
        &get_signing_platform},
};

}  // namespace

std::vector<Route> signer_routes(cloud::SigningJobs& jobs) {
  std::vector<Route> routes;
  for (const SignerOperation& one : kOperations) {
    routes.push_back({one.operation, [run = one.run, &jobs](ApiCall& call) { return run(jobs, call); }});
  }
  return routes;
}

std::vector<Operation> signer_operations() {
  std::vector<Operation> operations;
  for (const SignerOperation& one : kOperations) operations.push_back(one.operation);
  return operations;
}

}  // namespace otasim::rest
