#include "sim/cloud/ota_updates.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "sim/base/json.h"
#include "sim/cloud/ota_document.h"
#include "sim/cloud/ota_update_json.h"

namespace otasim::cloud {

namespace {

constexpr const char* kPrefix = "AFR_OTA-";
constexpr int kMaxFileType = 255;
/// More than devices' signatures are long; a larger file is no signature.
constexpr std::int64_t kMaxSignature = 4096;

bool has(const std::vector<Protocol>& protocols, Protocol protocol) {
  return std::ranges::find(protocols, protocol) != protocols.end();
}

/// The document's key is made of it.
bool is_algorithm(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, detail::is_word);
}

ServiceResult<void> check_file(const OtaUpdateFile& file) {
  if (file.file_name.empty()) {
    return refuse(ErrorCode::kInvalidRequest, "A file needs a name on the device.");
  }
  if (file.file_type < 0 || file.file_type > kMaxFileType) {
    return refuse(ErrorCode::kInvalidRequest, fmt::format("A file type must be 0 to {}.", kMaxFileType));
  }
  const auto* const custom = std::get_if<CustomSigning>(&file.code_signing);
  if (custom != nullptr &&
      (!is_algorithm(custom->hash_algorithm) || !is_algorithm(custom->signature_algorithm))) {
    return refuse(ErrorCode::kInvalidRequest, "A signing algorithm is named by letters and digits.");
  }
  return {};
}

/// A document names one stream: files come from objects, or all from one stream.
ServiceResult<void> check_locations(const std::vector<OtaUpdateFile>& files) {
  const auto* const first = std::get_if<StreamFileLocation>(&files.front().location);
  for (const OtaUpdateFile& file : files) {
    const auto* const here = std::get_if<StreamFileLocation>(&file.location);
    const bool same = first == nullptr ? here == nullptr : here != nullptr && here->stream == first->stream;
    if (!same) {
      return refuse(ErrorCode::kInvalidRequest, "All files must be objects, or files of one stream.");
    }
  }
  return {};
}

ServiceResult<void> check_request(const CreateOtaUpdateRequest& request) {
  if (request.files.empty() || request.files.size() > kMaxStreamFiles) {
    return refuse(ErrorCode::kInvalidRequest, fmt::format("An update has 1 to {} files.", kMaxStreamFiles));
  }
  const auto& protocols = request.protocols;
  if (protocols.empty() || protocols.size() > 2 || (protocols.size() == 2 && protocols[0] == protocols[1])) {
    return refuse(ErrorCode::kInvalidRequest, "The protocols are MQTT, HTTP, or both.");
  }
  for (const OtaUpdateFile& file : request.files) {
    if (auto valid = check_file(file); !valid) return valid;
  }
  if (auto valid = check(request.rollout); !valid) return valid;
  if (auto valid = check(request.abort); !valid) return valid;
  if (auto valid = check(request.retries); !valid) return valid;
  return check_locations(request.files);
}

// The columns that read_update() takes, in its order.
#define OTASIM_SELECT_UPDATE                                                                  \
  "SELECT ota_update_id, status, error_code, error_message, description, job_id, stream_id, " \
  "target_selection, targets, protocols, files, created_at, last_modified_at, "               \
  "additional_parameters FROM ota_updates "

OtaUpdate read_update(const Row& row) {
  OtaUpdate update{OtaUpdateId::trusted(row.text(0)), JobId::trusted(row.text(5))};
  if (row.text(1) == to_string(OtaUpdateStatus::kCreateFailed)) {
    update.status = OtaUpdateStatus::kCreateFailed;
    update.error = OtaUpdateError{row.text(2), row.text(3)};
  }
  update.description = row.text(4);
  if (std::string stream = row.text(6); !stream.empty())
    update.stream_id = StreamId::trusted(std::move(stream));
  update.target_selection = target_selection(row.text(7)).value_or(TargetSelection::kSnapshot);
  const auto json = [&row](int column) { return nlohmann::json::parse(row.text(column), nullptr, false); };
  update.targets = targets_from_json(json(8)).value_or(std::vector<JobTarget>{});
  update.protocols = protocols_from_json(json(9)).value_or(std::vector<Protocol>{});
  update.files = files_from_json(json(10)).value_or(std::vector<OtaUpdateFile>{});
  update.created_at = row.integer(11);
  update.last_modified_at = row.integer(12);
  update.additional_parameters = texts_from_json(json(13));
  return update;
}

std::string to_text(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

/// A file to be sent, and where its bytes are.
struct OtaUpdates::Source {
  const OtaUpdateFile* file;
  ObjectInfo object;
  std::int64_t file_id;
};

struct OtaUpdates::Made {
  std::optional<StreamId> stream;
  bool owns_stream;
};

std::string_view to_string(Protocol protocol) {
  return protocol == Protocol::kMqtt ? "MQTT" : "HTTP";
}

std::string_view to_string(OtaUpdateStatus status) {
  return status == OtaUpdateStatus::kCreateComplete ? "CREATE_COMPLETE" : "CREATE_FAILED";
}

OtaUpdates::OtaUpdates(Database& database, const Clock& clock, UuidSource uuid, ObjectStore& objects,
                       StreamsService& streams, JobsService& jobs, const Signer* signer,
                       SigningJobs& signing_jobs)
    : database_(database),
      clock_(clock),
      uuid_(std::move(uuid)),
      objects_(objects),
      streams_(streams),
      jobs_(jobs),
      signer_(signer),
      signing_jobs_(signing_jobs) {}

ServiceResult<OtaUpdate> OtaUpdates::create(const CreateOtaUpdateRequest& request) {
  if (const auto valid = check_request(request); !valid) return tl::unexpected(valid.error());
  const auto job_id = JobId::parse(kPrefix + request.id.str());
  if (!job_id) {
    return refuse(ErrorCode::kInvalidRequest,
                  fmt::format("The job id '{}{}' would be longer than {} characters.", kPrefix,
                              request.id.str(), JobIdRule::kMaxLength));
  }
  return database_.transaction([&]() -> ServiceResult<OtaUpdate> {
    if (describe(request.id)) {
      return refuse(ErrorCode::kResourceAlreadyExists,
                    fmt::format("OTA update {} exists already.", request.id.str()));
    }
    const auto made = database_.attempt([&] { return make(request, *job_id); });
    // A store that fails is nobody's update.
    if (!made && made.error().code == ErrorCode::kInternalError) return tl::unexpected(made.error());
    const auto status = made ? OtaUpdateStatus::kCreateComplete : OtaUpdateStatus::kCreateFailed;
    const bool has_stream = made && made->stream;
    const std::int64_t now = clock_.now();
    const auto recorded = database_.execute(
        "INSERT INTO ota_updates(ota_update_id, status, error_code, error_message, description, job_id, "
        "stream_id, owns_stream, target_selection, targets, protocols, files, created_at, last_modified_at, "
        "additional_parameters) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        {request.id.str(), to_string(status), made ? Value{nullptr} : Value{to_string(made.error().code)},
         made ? Value{nullptr} : Value{made.error().message}, request.description, job_id->str(),
         has_stream ? Value{made->stream->str()} : Value{nullptr},
         static_cast<std::int64_t>(made && made->owns_stream), to_string(request.target_selection),
         to_text(targets_to_json(request.targets)), to_text(protocols_to_json(request.protocols)),
         to_text(files_to_json(request.files)), now, now, to_text(request.additional_parameters)});
    if (!recorded) return tl::unexpected(ServiceError(recorded.error()));
    return describe(request.id);
  });
}

/// Makes what an update consists of.
ServiceResult<OtaUpdates::Made> OtaUpdates::make(const CreateOtaUpdateRequest& request, const JobId& job_id) {
  const auto sources = find_sources(request);
  if (!sources) return tl::unexpected(sources.error());
  Made made{std::nullopt, false};
  if (has(request.protocols, Protocol::kMqtt)) {
    const auto* const own = std::get_if<StreamFileLocation>(&request.files.front().location);
    made.owns_stream = own == nullptr;
    if (own != nullptr) {
      made.stream = own->stream;
    } else {
      auto stream = make_stream(*sources);
      if (!stream) return tl::unexpected(stream.error());
      made.stream = std::move(*stream);
    }
  }
  const auto document = make_document(request, *sources, made.stream);
  if (!document) return tl::unexpected(document.error());
  const auto job = jobs_.create({.id = job_id,
                                 .document = *document,
                                 .targets = request.targets,
                                 .description = request.description,
                                 .target_selection = request.target_selection,
                                 .presigned_expires_sec = request.presigned_expires_sec,
                                 .in_progress_timeout_minutes = request.in_progress_timeout_minutes,
                                 .retries = request.retries,
                                 .rollout = request.rollout,
                                 .abort = request.abort});
  if (!job) return tl::unexpected(job.error());
  return made;
}

ServiceResult<std::vector<OtaUpdates::Source>> OtaUpdates::find_sources(
    const CreateOtaUpdateRequest& request) {
  std::vector<Source> sources;
  for (const OtaUpdateFile& file : request.files) {
    const auto* const in_stream = std::get_if<StreamFileLocation>(&file.location);
    const auto* const object = std::get_if<ObjectLocation>(&file.location);
    auto found = in_stream != nullptr ? streams_.object_of(in_stream->stream, in_stream->file_id)
                                      : objects_.describe(object->bucket, object->key, object->version);
    if (!found) return tl::unexpected(found.error());
    const std::int64_t file_id =
        in_stream != nullptr ? in_stream->file_id : static_cast<std::int64_t>(sources.size());
    sources.push_back({&file, std::move(*found), file_id});
  }
  return sources;
}

ServiceResult<std::optional<StreamId>> OtaUpdates::make_stream(const std::vector<Source>& sources) {
  CreateStreamRequest stream{.id = StreamId::trusted(kPrefix + uuid_()), .files = {}};
  for (const Source& source : sources) stream.files.push_back({source.file_id, source.object.location});
  if (const auto made = streams_.create(stream); !made) return tl::unexpected(made.error());
  return stream.id;
}

ServiceResult<std::string> OtaUpdates::make_document(const CreateOtaUpdateRequest& request,
                                                     const std::vector<Source>& sources,
                                                     const std::optional<StreamId>& stream) {
  OtaDocument document{{}, stream ? stream->str() : std::string{}, {}};
  for (const Protocol protocol : request.protocols) document.protocols.emplace_back(to_string(protocol));
  for (const Source& source : sources) {
    OtaDocumentFile entry{source.file->file_name, source.object.size, source.file_id, source.file->file_type};
    if (has(request.protocols, Protocol::kHttp)) {
      entry.update_data_url = presigned_placeholder(source.object.location);
    }
    auto signature = sign(source.file->code_signing, source.object);
    if (!signature) return tl::unexpected(signature.error());
    entry.signature = std::move(*signature);
    document.files.push_back(std::move(entry));
  }
  return render(document);
}

ServiceResult<std::vector<std::uint8_t>> OtaUpdates::signature_of(const CustomSigning& signing) {
  if (const auto* bytes = std::get_if<std::vector<std::uint8_t>>(&signing.signature)) return *bytes;
  const auto& file = std::get<StreamFileLocation>(signing.signature);
  const auto object = streams_.object_of(file.stream, file.file_id);
  if (!object) return tl::unexpected(object.error());
  if (object->size > kMaxSignature) {
    return refuse(ErrorCode::kInvalidRequest,
                  fmt::format("A signature has at most {} bytes; the stream's file has {}.", kMaxSignature,
                              object->size));
  }
  return objects_.read_all(object->location);
}

ServiceResult<std::optional<FileSignature>> OtaUpdates::sign(const CodeSigning& signing,
                                                             const ObjectInfo& object) {
  const auto made = [&]() -> ServiceResult<FileSignature> {
    if (const auto* custom = std::get_if<CustomSigning>(&signing)) {
      auto signature = signature_of(*custom);
      if (!signature) return tl::unexpected(signature.error());
      return FileSignature{custom->certificate_name, custom->hash_algorithm, custom->signature_algorithm,
                           std::move(*signature)};
    }
    if (const auto* job = std::get_if<SignedByJob>(&signing))
      return signature_of_job(job->job_id, object, {});
    const auto& lab = std::get<LabSigning>(signing);
    const bool by_job =
        !lab.profile.empty() || !lab.certificate_arn.empty() || !lab.platform.empty() || !lab.bucket.empty();
    return by_job ? sign_by_job(lab, object) : sign_by_lab(lab, object);
  };
  if (std::holds_alternative<Unsigned>(signing)) return std::nullopt;
  auto signature = made();
  if (!signature) return tl::unexpected(signature.error());
  return std::move(*signature);
}

ServiceResult<FileSignature> OtaUpdates::sign_by_lab(const LabSigning& signing, const ObjectInfo& object) {
  if (signer_ == nullptr) return refuse(ErrorCode::kInvalidRequest, "The lab has no code-signing key.");
  const auto content = objects_.read_all(object.location);
  if (!content) return tl::unexpected(content.error());
  auto signature = signer_->sign(*content);
  if (!signature) return tl::unexpected(ServiceError(signature.error()));
  return FileSignature{signing.certificate_path_on_device, "SHA256", "ECDSA", std::move(*signature)};
}

ServiceResult<FileSignature> OtaUpdates::sign_by_job(const LabSigning& signing, const ObjectInfo& object) {
  const StartSigningJobRequest request{.source = object.location,
                                       .bucket = signing.bucket,
                                       .prefix = signing.prefix,
                                       .profile = signing.profile};
  const auto job = [&] {
    if (!signing.profile.empty()) return signing_jobs_.start(request);
    SigningProfile profile{
        .name = {},
        .platform = signing.platform.empty() ? signing_platforms().front().id : signing.platform,
        .certificate_arn = signing.certificate_arn};
    return signing_jobs_.start(request, profile);
  }();
  if (!job) return tl::unexpected(job.error());
  return signature_of_job(*job, object, signing.certificate_path_on_device);
}

ServiceResult<FileSignature> OtaUpdates::signature_of_job(const std::string& job_id, const ObjectInfo& object,
                                                          const std::string& path_on_device) {
  auto job = signing_jobs_.describe(job_id);
  if (!job) return tl::unexpected(job.error());
  if (!job->succeeded) {
    return refuse(ErrorCode::kInvalidRequest, fmt::format("Signing job {} failed: {}", job_id, job->reason));
  }
  const bool same = job->source.bucket == object.location.bucket && job->source.key == object.location.key &&
                    job->source.version == object.location.version;
  if (!same) {
    return refuse(ErrorCode::kInvalidRequest,
                  fmt::format("Signing job {} signed another object: {}/{} {}.", job_id, job->source.bucket,
                              job->source.key, job->source.version));
  }
  std::string path = path_on_device;
  if (path.empty()) path = job->profile.parameters[kCertificatePathParameter];
  if (path.empty()) {
    return refuse(
        ErrorCode::kInvalidRequest,
        fmt::format("Nothing says where devices have the certificate: give a certificatePathOnDevice, or "
                    "the profile a signing parameter {}.",
                    kCertificatePathParameter));
  }
  const SigningPlatform* const platform = find_signing_platform(job->profile.platform);
  return FileSignature{std::move(path), platform->hash, platform->signature, std::move(job->signature)};
}

ServiceResult<OtaUpdate> OtaUpdates::describe(const OtaUpdateId& id) {
  std::optional<OtaUpdate> update;
  const auto read = database_.query(OTASIM_SELECT_UPDATE "WHERE ota_update_id = ?", {id.str()},
                                    [&update](const Row& row) { update = read_update(row); });
  if (!read) return tl::unexpected(ServiceError(read.error()));
  if (!update)
    return refuse(ErrorCode::kResourceNotFound, fmt::format("OTA update {} does not exist.", id.str()));
  return std::move(*update);
}

ServiceResult<Page<OtaUpdate>> OtaUpdates::list(const ListOtaUpdatesRequest& request) {
  const auto start = start_page(request.page);
  if (!start) return tl::unexpected(start.error());
  const Value status = request.status ? Value{to_string(*request.status)} : Value{nullptr};
  std::vector<OtaUpdate> all;
  const auto read = database_.query(
      OTASIM_SELECT_UPDATE
      "WHERE ota_update_id > ?1 AND (?2 IS NULL OR status = ?2) ORDER BY ota_update_id LIMIT ?3",
      {start->after, status, start->limit}, [&all](const Row& row) { all.push_back(read_update(row)); });
  if (!read) return tl::unexpected(ServiceError(read.error()));
  return make_page(std::move(all), *start, [](const OtaUpdate& update) { return update.id.str(); });
}

ServiceResult<void> OtaUpdates::remove(const OtaUpdateId& id, const RemoveOtaUpdateRequest& request) {
  return database_.transaction([&]() -> ServiceResult<void> {
    const auto update = describe(id);
    if (!update) return tl::unexpected(update.error());
    const bool made = update->status == OtaUpdateStatus::kCreateComplete;
    if (const auto job = jobs_.describe_job(update->job_id); made && job) {
      if (!is_over(job->status) && !request.force_delete_job) {
        return refuse(
            ErrorCode::kInvalidRequest,
            fmt::format("Job {} is in progress: cancel it first, or delete it with force.", job->id.str()));
      }
      const bool going = job->status == JobStatus::kDeletionInProgress;
      if (auto removed = going ? ServiceResult<void>{} : jobs_.remove_job(job->id, true); !removed) {
        return removed;
      }
    }
    bool owns_stream = false;
    const auto removed =
        database_.query("DELETE FROM ota_updates WHERE ota_update_id = ? RETURNING owns_stream", {id.str()},
                        [&owns_stream](const Row& row) { owns_stream = row.integer(0) != 0; });
    if (!removed) return tl::unexpected(ServiceError(removed.error()));
    if (!request.delete_stream || !owns_stream || !update->stream_id) return {};
    // The operator may have deleted it before.
    auto gone = streams_.remove(*update->stream_id);
    if (!gone && gone.error().code != ErrorCode::kResourceNotFound) return gone;
    return {};
  });
}

#undef OTASIM_SELECT_UPDATE

}  // namespace otasim::cloud
