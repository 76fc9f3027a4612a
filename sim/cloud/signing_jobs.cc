#include "sim/cloud/signing_jobs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/base/json.h"
#include "sim/cloud/arn.h"
#include "sim/cloud/base64.h"

namespace otasim::cloud {

namespace {

constexpr std::array kPlatforms{
    SigningPlatform{"AmazonFreeRTOS-Default", "Amazon FreeRTOS", "AmazonFreeRTOS", "SHA256-ECDSA", "SHA256",
                    "ECDSA"},
    SigningPlatform{"AmazonFreeRTOS-TI-CC3220SF", "TI CC3220SF - SimpleLink Wi-Fi", "TexasInstruments",
                    "SHA1-RSA-TISHA1", "SHA1", "RSA"}};

constexpr std::size_t kMinProfileName = 2;
constexpr std::size_t kMaxProfileName = 64;
constexpr std::size_t kVersionLength = 10;

bool is_profile_name(const std::string& name) {
  return name.size() >= kMinProfileName && name.size() <= kMaxProfileName &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
         });
}

std::string to_text(const std::map<std::string, std::string>& parameters) {
  return nlohmann::json(parameters).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::map<std::string, std::string> parameters_of(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  std::map<std::string, std::string> parameters;
  if (!json.is_object()) return parameters;
  for (const auto& [name, value] : json.items()) {
    if (value.is_string()) parameters[name] = value.get<std::string>();
  }
  return parameters;
}

// The columns that read_job() takes, in its order.
#define OTASIM_SELECT_SIGNING_JOB                                                                   \
  "SELECT job_id, bucket, key, version_id, profile, profile_version, platform, certificate_arn, "   \
  "parameters, succeeded, reason, signed_bucket, signed_key, signature, created_at, sequence FROM " \
  "signing_jobs "

SigningJob read_job(const Row& row) {
  SigningJob job{row.text(0), {row.text(1), row.text(2), row.text(3)}, {row.text(4), row.text(6)}};
  job.profile.version = row.text(5);
  job.profile.certificate_arn = row.text(7);
  job.profile.parameters = parameters_of(row.text(8));
  job.succeeded = row.integer(9) != 0;
  job.reason = row.text(10);
  job.signed_bucket = row.text(11);
  job.signed_key = row.text(12);
  job.signature = base64_decode(row.text(13)).value_or(std::vector<std::uint8_t>{});
  job.created_at = row.integer(14);
  return job;
}

SigningProfile read_profile(const Row& row) {
  SigningProfile profile{row.text(0), row.text(1), row.text(2), parameters_of(row.text(3)), row.text(4)};
  profile.canceled = row.integer(5) != 0;
  return profile;
}

/// AWS's form of a signature that is kept apart from what it signs.
std::string signed_object(const SigningJob& job, std::int64_t size) {
  const SigningPlatform* const platform = find_signing_platform(job.profile.platform);
  const nlohmann::ordered_json document{
      {"rawPayloadSize", size},
      {"signature", base64_encode(job.signature)},
      {"signatureAlgorithm", fmt::format("{}with{}", platform->hash, platform->signature)},
      {"payloadLocation",
       {{"s3",
         {{"bucketName", job.source.bucket}, {"key", job.source.key}, {"version", job.source.version}}}}}};
  return document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

std::span<const SigningPlatform> signing_platforms() {
  return kPlatforms;
}

const SigningPlatform* find_signing_platform(std::string_view id) {
  const auto* const found =
      std::ranges::find_if(kPlatforms, [id](const SigningPlatform& platform) { return platform.id == id; });
  return found == kPlatforms.end() ? nullptr : found;
}

std::string SigningProfile::arn() const {
  return fmt::format("arn:aws:signer:{}:{}:/signing-profiles/{}", kRegion, kAccount, name);
}

std::string SigningProfile::version_arn() const {
  return fmt::format("{}/{}", arn(), version);
}

SigningJobs::SigningJobs(Database& database, const Clock& clock, UuidSource uuid, ObjectStore& objects,
                         SigningCertificates& certificates, const Signer* lab_signer)
    : database_(database),
      clock_(clock),
      uuid_(std::move(uuid)),
      objects_(objects),
      certificates_(certificates),
      lab_signer_(lab_signer) {}

ServiceResult<void> SigningJobs::check_profile(const SigningProfile& profile) {
  const SigningPlatform* const platform = find_signing_platform(profile.platform);
  if (platform == nullptr) {
    return refuse(ErrorCode::kInvalidRequest,
                  fmt::format("There is no signing platform {}.", profile.platform));
  }
  crypto::KeyKind kind = crypto::KeyKind::kP256;
  if (!profile.certificate_arn.empty()) {
    const auto certificate = certificates_.describe(profile.certificate_arn);
    if (!certificate) return tl::unexpected(certificate.error());
    kind = certificate->key;
  } else if (lab_signer_ == nullptr) {
    return refuse(ErrorCode::kInvalidRequest, "The lab has no code-signing key: name a certificate.");
  }
  const bool needs_rsa = std::string_view(platform->signature) == "RSA";
  if (needs_rsa != (kind == crypto::KeyKind::kRsa)) {
    return refuse(ErrorCode::kInvalidRequest,
                  fmt::format("Platform {} signs with {}; the certificate's key is {}.", platform->id,
                              platform->signature, kind == crypto::KeyKind::kRsa ? "RSA" : "P-256"));
  }
  return {};
}

ServiceResult<SigningProfile> SigningJobs::put_profile(SigningProfile profile) {
  if (!is_profile_name(profile.name)) {
    return refuse(ErrorCode::kInvalidRequest,
                  fmt::format("A profile's name has {} to {} letters, digits and underscores.",
                              kMinProfileName, kMaxProfileName));
  }
  if (const auto valid = check_profile(profile); !valid) return tl::unexpected(valid.error());
  return database_.transaction([&]() -> ServiceResult<SigningProfile> {
    if (this->profile(profile.name)) {
      return refuse(ErrorCode::kResourceAlreadyExists,
                    fmt::format("Signing profile {} exists already.", profile.name));
    }
    profile.version.clear();
    for (const char c : uuid_()) {
      if (c != '-' && profile.version.size() < kVersionLength) profile.version += c;
    }
    const auto kept = database_.execute("INSERT INTO signing_profiles VALUES (?, ?, ?, ?, ?, 0)",
                                        {profile.name, profile.platform, profile.certificate_arn,
                                         to_text(profile.parameters), profile.version});
    if (!kept) return tl::unexpected(ServiceError(kept.error()));
    return profile;
  });
}

ServiceResult<SigningProfile> SigningJobs::profile(const std::string& name) {
  std::optional<SigningProfile> found;
  const auto read = database_.query(
      "SELECT name, platform, certificate_arn, parameters, version, canceled FROM signing_profiles WHERE "
      "name = ?",
      {name}, [&found](const Row& row) { found = read_profile(row); });
  if (!read) return tl::unexpected(ServiceError(read.error()));
  if (!found)
    return refuse(ErrorCode::kResourceNotFound, fmt::format("Signing profile {} does not exist.", name));
  return *std::move(found);
}

ServiceResult<Page<SigningProfile>> SigningJobs::list_profiles(const ListSigningProfilesRequest& request) {
  const auto start = start_page(request.page);
  if (!start) return tl::unexpected(start.error());
  std::vector<SigningProfile> all;
  const auto read = database_.query(
      "SELECT name, platform, certificate_arn, parameters, version, canceled FROM signing_profiles "
      "WHERE name > ?1 AND (?2 OR NOT canceled) AND (?3 = '' OR platform = ?3) ORDER BY name LIMIT ?4",
      {start->after, std::int64_t{request.include_canceled}, request.platform, start->limit},
      [&all](const Row& row) { all.push_back(read_profile(row)); });
  if (!read) return tl::unexpected(ServiceError(read.error()));
  return make_page(std::move(all), *start, [](const SigningProfile& one) { return one.name; });
}

ServiceResult<void> SigningJobs::cancel_profile(const std::string& name) {
  bool found = false;
  const auto set = database_.query("UPDATE signing_profiles SET canceled = 1 WHERE name = ? RETURNING 1",
                                   {name}, [&found](const Row&) { found = true; });
  if (!set) return tl::unexpected(ServiceError(set.error()));
  if (!found)
    return refuse(ErrorCode::kResourceNotFound, fmt::format("Signing profile {} does not exist.", name));
  return {};
}

ServiceResult<std::string> SigningJobs::start(const StartSigningJobRequest& request) {
  const auto found = profile(request.profile);
  if (!found) return tl::unexpected(found.error());
  if (found->canceled) {
    return refuse(ErrorCode::kInvalidRequest, fmt::format("Signing profile {} is canceled.", found->name));
  }
  return start(request, *found);
}

ServiceResult<std::string> SigningJobs::start(const StartSigningJobRequest& request,
                                              const SigningProfile& profile) {
  return database_.transaction([&]() -> ServiceResult<std::string> {
    std::optional<std::string> known;
    const auto read = database_.query("SELECT job_id FROM signing_jobs WHERE token = ? AND token <> ''",
                                      {request.token}, [&known](const Row& row) { known = row.text(0); });
    if (!read) return tl::unexpected(ServiceError(read.error()));
    if (known) return *known;
    SigningJob job{uuid_(), request.source, profile};
    job.created_at = clock_.now();
    const auto done = database_.attempt([&] { return carry_out(request, job); });
    // A store that fails is nobody's job.
    if (!done && done.error().code == ErrorCode::kInternalError) return tl::unexpected(done.error());
    job.succeeded = done.has_value();
    if (!done) job.reason = done.error().message;
    if (const auto kept = record(request, job); !kept) return tl::unexpected(kept.error());
    return job.id;
  });
}

ServiceResult<void> SigningJobs::carry_out(const StartSigningJobRequest& request, SigningJob& job) {
  if (const auto valid = check_profile(job.profile); !valid) return valid;
  const auto object = objects_.describe(request.source.bucket, request.source.key, request.source.version);
  if (!object) return tl::unexpected(object.error());
  if (object->size > kMaxSignedBytes) {
    return refuse(ErrorCode::kInvalidRequest, fmt::format("The object has {} bytes; up to {} are signed.",
                                                          object->size, kMaxSignedBytes));
  }
  job.source = object->location;
  const auto content = objects_.read_all(object->location);
  if (!content) return tl::unexpected(content.error());
  auto signature = sign(job.profile, *content);
  if (!signature) return tl::unexpected(signature.error());
  job.signature = *std::move(signature);
  if (request.bucket.empty()) return {};
  const std::string document = signed_object(job, object->size);
  const std::string key = fmt::format("{}{}", request.prefix, job.id);
  auto writer = objects_.begin_put(
      {.bucket = request.bucket, .key = key, .headers = {{"content-type", "application/json"}}});
  if (!writer) return tl::unexpected(writer.error().to_service_error());
  const auto added =
      writer->append({reinterpret_cast<const std::uint8_t*>(document.data()), document.size()});
  if (!added) return tl::unexpected(added.error().to_service_error());
  if (const auto kept = writer->finish(); !kept) return tl::unexpected(kept.error().to_service_error());
  job.signed_bucket = request.bucket;
  job.signed_key = key;
  return {};
}

ServiceResult<std::vector<std::uint8_t>> SigningJobs::sign(const SigningProfile& profile,
                                                           std::span<const std::uint8_t> content) {
  const auto signature = [&]() -> ServiceResult<Result<std::vector<std::uint8_t>>> {
    if (profile.certificate_arn.empty()) return lab_signer_->sign(content);
    const auto key = certificates_.key_of(profile.certificate_arn);
    if (!key) return tl::unexpected(key.error());
    const bool sha1 = std::string_view(find_signing_platform(profile.platform)->hash) == "SHA1";
    return key->sign(sha1 ? crypto::HashAlgorithm::kSha1 : crypto::HashAlgorithm::kSha256, content);
  }();
  if (!signature) return tl::unexpected(signature.error());
  if (!*signature) return tl::unexpected(ServiceError(signature->error()));
  return **signature;
}

ServiceResult<void> SigningJobs::record(const StartSigningJobRequest& request, const SigningJob& job) {
  const auto kept = database_.execute(
      "INSERT INTO signing_jobs(job_id, token, bucket, key, version_id, profile, profile_version, platform, "
      "certificate_arn, parameters, succeeded, reason, signed_bucket, signed_key, signature, created_at) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {job.id, request.token, job.source.bucket, job.source.key, job.source.version, job.profile.name,
       job.profile.version, job.profile.platform, job.profile.certificate_arn,
       to_text(job.profile.parameters), std::int64_t{job.succeeded}, job.reason, job.signed_bucket,
       job.signed_key, base64_encode(job.signature), job.created_at});
  if (!kept) return tl::unexpected(ServiceError(kept.error()));
  return {};
}

ServiceResult<SigningJob> SigningJobs::describe(const std::string& id) {
  std::optional<SigningJob> job;
  const auto read = database_.query(OTASIM_SELECT_SIGNING_JOB "WHERE job_id = ?", {id},
                                    [&job](const Row& row) { job = read_job(row); });
  if (!read) return tl::unexpected(ServiceError(read.error()));
  if (!job) return refuse(ErrorCode::kResourceNotFound, fmt::format("Signing job {} does not exist.", id));
  return *std::move(job);
}

ServiceResult<Page<SigningJob>> SigningJobs::list(const ListSigningJobsRequest& request) {
  const auto start = start_page(request.page);
  if (!start) return tl::unexpected(start.error());
  std::vector<SigningJob> all;
  std::vector<std::int64_t> sequences;
  const Value succeeded = request.succeeded ? Value(std::int64_t{*request.succeeded}) : Value(nullptr);
  const auto read = database_.query(
      OTASIM_SELECT_SIGNING_JOB
      "WHERE (?1 = 0 OR sequence < ?1) AND (?2 IS NULL OR succeeded = ?2) AND (?3 = '' OR platform = ?3) "
      "ORDER BY sequence DESC LIMIT ?4",
      {start->after_number(), succeeded, request.platform, start->limit}, [&](const Row& row) {
        all.push_back(read_job(row));
        sequences.push_back(row.integer(15));
      });
  if (!read) return tl::unexpected(ServiceError(read.error()));
  return make_page(std::move(all), *start, [&sequences](const SigningJob&) {
    return std::to_string(sequences[sequences.size() - 2]);
  });
}

#undef OTASIM_SELECT_SIGNING_JOB

}  // namespace otasim::cloud
