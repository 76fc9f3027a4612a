#include "sim/cloud/ota_updates.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "sim/cloud/ota_document.h"

namespace otasim::cloud {

namespace {

constexpr const char* kPrefix = "AFR_OTA-";
constexpr const char* kCreateComplete = "CREATE_COMPLETE";
constexpr int kMaxFileType = 255;

std::vector<std::string> names(const std::vector<Protocol>& protocols) {
  std::vector<std::string> all;
  for (const Protocol protocol : protocols) all.emplace_back(protocol == Protocol::kMqtt ? "MQTT" : "HTTP");
  return all;
}

ServiceResult<void> check_request(const CreateOtaUpdateRequest& request) {
  if (request.files.empty()) return refuse(ErrorCode::kInvalidRequest, "An update needs a file.");
  if (request.protocols != std::vector{Protocol::kMqtt}) {
    return refuse(ErrorCode::kInvalidRequest, "Updates are served over MQTT only: give that protocol.");
  }
  for (const OtaUpdateFile& file : request.files) {
    if (file.file_name.empty())
      return refuse(ErrorCode::kInvalidRequest, "A file needs a name on the device.");
    if (file.file_type < 0 || file.file_type > kMaxFileType) {
      return refuse(ErrorCode::kInvalidRequest, fmt::format("A file type must be 0 to {}.", kMaxFileType));
    }
  }
  return {};
}

}  // namespace

OtaUpdates::OtaUpdates(Database& database, const Clock& clock, UuidSource uuid, ObjectStore& objects,
                       StreamsService& streams, JobsService& jobs, const Signer* signer)
    : database_(database),
      clock_(clock),
      uuid_(std::move(uuid)),
      objects_(objects),
      streams_(streams),
      jobs_(jobs),
      signer_(signer) {}

ServiceResult<OtaUpdate> OtaUpdates::create(const CreateOtaUpdateRequest& request) {
  if (const auto valid = check_request(request); !valid) return tl::unexpected(valid.error());
  const auto job_id = JobId::parse(kPrefix + request.id.str());
  if (!job_id) {
    return refuse(ErrorCode::kInvalidRequest,
                  fmt::format("The job id '{}{}' would be longer than {} characters.", kPrefix,
                              request.id.str(), JobIdRule::kMaxLength));
  }
  return database_.transaction([&] { return create_all(request, *job_id); });
}

ServiceResult<OtaUpdate> OtaUpdates::create_all(const CreateOtaUpdateRequest& request, const JobId& job_id) {
  if (describe(request.id)) {
    return refuse(ErrorCode::kResourceAlreadyExists,
                  fmt::format("OTA update {} exists already.", request.id.str()));
  }
  const StreamId stream_id = StreamId::trusted(kPrefix + uuid_());
  CreateStreamRequest stream{.id = stream_id, .files = {}};
  for (const OtaUpdateFile& file : request.files) {
    stream.files.push_back({static_cast<std::int64_t>(stream.files.size()), file.object});
  }
  if (const auto made = streams_.create(stream); !made) return tl::unexpected(made.error());
  const auto document = make_document(request, stream_id);
  if (!document) return tl::unexpected(document.error());
  const auto job = jobs_.create({.id = job_id,
                                 .document = *document,
                                 .targets = request.targets,
                                 .description = request.description,
                                 .target_selection = request.target_selection});
  if (!job) return tl::unexpected(job.error());

  const std::int64_t now = clock_.now();
  const auto files = nlohmann::json::parse(*document, nullptr, false)["afr_ota"]["files"].dump();
  const auto recorded = database_.execute(
      "INSERT INTO ota_updates(ota_update_id, status, description, job_id, stream_id, protocols, files, "
      "created_at, last_modified_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {request.id.str(), kCreateComplete, request.description, job_id.str(), stream_id.str(),
       nlohmann::json(names(request.protocols)).dump(), files, now, now});
  if (!recorded) return tl::unexpected(ServiceError(recorded.error()));
  return OtaUpdate{request.id, job_id, stream_id, kCreateComplete, now};
}

ServiceResult<std::string> OtaUpdates::make_document(const CreateOtaUpdateRequest& request,
                                                     const StreamId& stream_id) {
  OtaDocument document{names(request.protocols), stream_id.str(), {}};
  for (const OtaUpdateFile& file : request.files) {
    const auto object = objects_.describe(file.object.bucket, file.object.key, file.object.version);
    if (!object) return tl::unexpected(object.error());
    OtaDocumentFile entry{file.file_name, object->size, static_cast<std::int64_t>(document.files.size()),
                          file.file_type};
    if (const auto* custom = std::get_if<CustomSigning>(&file.code_signing)) {
      entry.signature = FileSignature{custom->certificate_name, custom->hash_algorithm,
                                      custom->signature_algorithm, custom->signature};
    } else if (const auto* lab = std::get_if<LabSigning>(&file.code_signing)) {
      if (signer_ == nullptr) return refuse(ErrorCode::kInvalidRequest, "The lab has no code-signing key.");
      const auto content = objects_.read_all(object->location);
      if (!content) return tl::unexpected(content.error());
      auto signature = signer_->sign(*content);
      if (!signature) return tl::unexpected(ServiceError(signature.error()));
      entry.signature =
          FileSignature{lab->certificate_path_on_device, "SHA256", "ECDSA", std::move(*signature)};
    }
    document.files.push_back(std::move(entry));
  }
  return render(document);
}

ServiceResult<OtaUpdate> OtaUpdates::describe(const OtaUpdateId& id) {
  std::optional<OtaUpdate> update;
  const auto read =
      database_.query("SELECT job_id, stream_id, status, created_at FROM ota_updates WHERE ota_update_id = ?",
                      {id.str()}, [&](const Row& row) {
                        update = OtaUpdate{id, JobId::trusted(row.text(0)), StreamId::trusted(row.text(1)),
                                           row.text(2), row.integer(3)};
                      });
  if (!read) return tl::unexpected(ServiceError(read.error()));
  if (!update)
    return refuse(ErrorCode::kResourceNotFound, fmt::format("OTA update {} does not exist.", id.str()));
  return *update;
}

}  // namespace otasim::cloud
