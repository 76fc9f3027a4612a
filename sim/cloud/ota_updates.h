// OTA updates: an image, its signature, the stream or URL that carries it and the job that announces it, in
// one call.
//
//   ota_updates.create({.id = ..., .targets = {thing},
//                       .files = {{.file_name = "/fw.bin", .location = object, .code_signing =
//                       LabSigning{...}}}});
//
// As with AWS a request that is well-formed makes an update in any case: what goes wrong later (no such
// object, a job id that is taken) leaves one that is CREATE_FAILED and says why, and neither stream nor job.
// AWS works in the background; here the update is complete, or failed, when the call returns. The job is
// `AFR_OTA-<id>`; its document is `afr_ota`, exact to the key.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sim/cloud/clock.h"
#include "sim/cloud/database.h"
#include "sim/cloud/identifiers.h"
#include "sim/cloud/jobs_service.h"
#include "sim/cloud/object_store.h"
#include "sim/cloud/ota_document.h"
#include "sim/cloud/page.h"
#include "sim/cloud/random_id.h"
#include "sim/cloud/service_error.h"
#include "sim/cloud/signer.h"
#include "sim/cloud/signing_jobs.h"
#include "sim/cloud/streams_service.h"

namespace otasim::cloud {

enum class Protocol { kMqtt, kHttp };
[[nodiscard]] std::string_view to_string(Protocol protocol);

/// A file of a stream the caller has made.
struct StreamFileLocation {
  StreamId stream;
  std::int64_t file_id = 0;
};

/// An object's version may be empty: the latest.
using FileLocation = std::variant<ObjectLocation, StreamFileLocation>;

/// No signature: the document has neither `certfile` nor a signature key.
struct Unsigned {};

/// The lab's signer signs the object (startSigningJobParameter), with its own key unless a profile or a
/// certificate says otherwise; then it is a signing job (signing_jobs.h), with a destination if one is named.
struct LabSigning {
  std::string certificate_path_on_device = {};  ///< may be empty with a profile that has one
  std::string profile = {};                     ///< signingProfileName
  std::string platform = {};                    ///< of signingProfileParameter; empty: AmazonFreeRTOS-Default
  std::string certificate_arn = {};             ///< of signingProfileParameter
  std::string bucket = {};                      ///< of the destination
  std::string prefix = {};
};

/// A signing job that has signed the object before (awsSignerJobId).
struct SignedByJob {
  std::string job_id;
};

/// The caller brings the signature (customCodeSigning): its bytes, or a stream's file that holds them.
struct CustomSigning {
  std::variant<std::vector<std::uint8_t>, StreamFileLocation> signature;
  std::string certificate_name;
  std::string hash_algorithm = "SHA256";
  std::string signature_algorithm = "ECDSA";
};

using CodeSigning = std::variant<Unsigned, LabSigning, CustomSigning, SignedByJob>;

struct OtaUpdateFile {
  std::string file_name;  ///< on the device
  FileLocation location;
  CodeSigning code_signing = Unsigned{};
  int file_type = 0;                                   ///< 0 to 255; 0 is firmware by default
  std::string file_version = {};                       ///< told by describe(), and otherwise without meaning
  std::map<std::string, std::string> attributes = {};  ///< the same
};

inline constexpr std::int64_t kDefaultOtaUrlExpiry = 1800;

struct CreateOtaUpdateRequest {
  OtaUpdateId id;
  std::vector<JobTarget> targets;
  std::vector<OtaUpdateFile> files;
  std::vector<Protocol> protocols = {Protocol::kMqtt};
  std::string description = {};
  TargetSelection target_selection = TargetSelection::kSnapshot;
  std::int64_t presigned_expires_sec = kDefaultOtaUrlExpiry;
  std::optional<std::int64_t> in_progress_timeout_minutes = {};
  RetryConfig retries = {};
  RolloutConfig rollout = {};
  AbortConfig abort = {};
  std::map<std::string, std::string> additional_parameters = {};  ///< told by describe()
};

enum class OtaUpdateStatus { kCreateComplete, kCreateFailed };
[[nodiscard]] std::string_view to_string(OtaUpdateStatus status);

struct OtaUpdateError {
  std::string code;
  std::string message;
};

struct OtaUpdate {
  OtaUpdateId id;
  JobId job_id;
  std::optional<StreamId> stream_id = {};  ///< none over HTTP alone, or if it failed
  OtaUpdateStatus status = OtaUpdateStatus::kCreateComplete;
  std::optional<OtaUpdateError> error = {};
  std::string description = {};
  std::vector<JobTarget> targets = {};
  TargetSelection target_selection = TargetSelection::kSnapshot;
  std::vector<Protocol> protocols = {};
  std::vector<OtaUpdateFile> files = {};
  std::int64_t created_at = 0;  ///< epoch seconds
  std::int64_t last_modified_at = 0;
  std::map<std::string, std::string> additional_parameters = {};
};

struct ListOtaUpdatesRequest {
  std::optional<OtaUpdateStatus> status = {};
  PageRequest page = {};
};

struct RemoveOtaUpdateRequest {
  bool delete_stream = false;     ///< the stream that the update made; never one the caller made
  bool force_delete_job = false;  ///< even if it is in progress
};

class OtaUpdates {
 public:
  /// @param signer  null if the lab has no code-signing key
  /// @param signing_jobs  who signs with a profile or a user's own key
  OtaUpdates(Database& database, const Clock& clock, UuidSource uuid, ObjectStore& objects,
             StreamsService& streams, JobsService& jobs, const Signer* signer, SigningJobs& signing_jobs);

  /// @returns the update, which may be kCreateFailed
  ///          kResourceAlreadyExists, kInvalidRequest for an id whose job id would be too long, no file or
  ///          too many, a bad file name or type, no protocol or one twice, locations of different kinds, or a
  ///          rollout, abort or retry configuration out of range
  ServiceResult<OtaUpdate> create(const CreateOtaUpdateRequest& request);
  /// @returns kResourceNotFound
  [[nodiscard]] ServiceResult<OtaUpdate> describe(const OtaUpdateId& id);
  /// In order of their ids. @returns kInvalidRequest for a bad page
  [[nodiscard]] ServiceResult<Page<OtaUpdate>> list(const ListOtaUpdatesRequest& request = {});
  /// Takes the update and its job away. @returns kResourceNotFound, kInvalidRequest while the job is in
  /// progress
  ServiceResult<void> remove(const OtaUpdateId& id, const RemoveOtaUpdateRequest& request = {});

 private:
  struct Source;
  struct Made;
  [[nodiscard]] ServiceResult<Made> make(const CreateOtaUpdateRequest& request, const JobId& job_id);
  [[nodiscard]] ServiceResult<std::vector<Source>> find_sources(const CreateOtaUpdateRequest& request);
  [[nodiscard]] ServiceResult<std::optional<StreamId>> make_stream(const std::vector<Source>& sources);
  [[nodiscard]] ServiceResult<std::string> make_document(const CreateOtaUpdateRequest& request,
                                                         const std::vector<Source>& sources,
                                                         const std::optional<StreamId>& stream);
  [[nodiscard]] ServiceResult<std::vector<std::uint8_t>> signature_of(const CustomSigning& signing);
  [[nodiscard]] ServiceResult<std::optional<FileSignature>> sign(const CodeSigning& signing,
                                                                 const ObjectInfo& object);
  [[nodiscard]] ServiceResult<FileSignature> sign_by_lab(const LabSigning& signing, const ObjectInfo& object);
  [[nodiscard]] ServiceResult<FileSignature> sign_by_job(const LabSigning& signing, const ObjectInfo& object);
  [[nodiscard]] ServiceResult<FileSignature> signature_of_job(const std::string& job_id,
                                                              const ObjectInfo& object,
                                                              const std::string& path_on_device);

  Database& database_;
  const Clock& clock_;
  UuidSource uuid_;
  ObjectStore& objects_;
  StreamsService& streams_;
  JobsService& jobs_;
  const Signer* signer_;
  SigningJobs& signing_jobs_;
};

}  // namespace otasim::cloud
