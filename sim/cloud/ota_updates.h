// OTA updates: an image, its signature, the stream that carries it and the job that announces it, in one
// call.
//
//   ota_updates.create({.id = ..., .targets = {thing},
//                       .files = {{.file_name = "/fw.bin", .object = ..., .code_signing =
//                       LabSigning{...}}}});
//
// AWS creates an update in the background; here it is complete when the call returns. Stream, job and update
// are made together or not at all. The job is `AFR_OTA-<id>`; its document is `afr_ota`, exact to the key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sim/cloud/clock.h"
#include "sim/cloud/database.h"
#include "sim/cloud/identifiers.h"
#include "sim/cloud/jobs_service.h"
#include "sim/cloud/object_store.h"
#include "sim/cloud/random_id.h"
#include "sim/cloud/service_error.h"
#include "sim/cloud/signer.h"
#include "sim/cloud/streams_service.h"

namespace otasim::cloud {

enum class Protocol { kMqtt, kHttp };

/// No signature: the document has neither `certfile` nor a signature key.
struct Unsigned {};

/// The lab's signer signs the object (startSigningJobParameter).
struct LabSigning {
  std::string certificate_path_on_device;
};

/// The caller brings the signature (customCodeSigning).
struct CustomSigning {
  std::vector<std::uint8_t> signature;
  std::string certificate_name;
  std::string hash_algorithm = "SHA256";
  std::string signature_algorithm = "ECDSA";
};

using CodeSigning = std::variant<Unsigned, LabSigning, CustomSigning>;

struct OtaUpdateFile {
  std::string file_name;  ///< on the device
  ObjectLocation object;  ///< version empty: the latest
  CodeSigning code_signing = Unsigned{};
  int file_type = 0;  ///< 0 to 255; 0 is firmware by default
};

struct CreateOtaUpdateRequest {
  OtaUpdateId id;
  std::vector<ThingName> targets;
  std::vector<OtaUpdateFile> files;
  std::vector<Protocol> protocols = {Protocol::kMqtt};
  std::string description = {};
  TargetSelection target_selection = TargetSelection::kSnapshot;
};

struct OtaUpdate {
  OtaUpdateId id;
  JobId job_id;
  StreamId stream_id;
  std::string status;  ///< CREATE_COMPLETE
  std::int64_t created_at = 0;
};

class OtaUpdates {
 public:
  /// @param signer  null if the lab has no code-signing key
  OtaUpdates(Database& database, const Clock& clock, UuidSource uuid, ObjectStore& objects,
             StreamsService& streams, JobsService& jobs, const Signer* signer);

  /// @returns kResourceAlreadyExists, kResourceNotFound for an object or a target, kInvalidRequest for an id
  ///          whose job id would be too long, no file, a bad file type, HTTP (not served yet), or LabSigning
  ///          without a key
  ServiceResult<OtaUpdate> create(const CreateOtaUpdateRequest& request);
  /// @returns kResourceNotFound
  [[nodiscard]] ServiceResult<OtaUpdate> describe(const OtaUpdateId& id);

 private:
  [[nodiscard]] ServiceResult<OtaUpdate> create_all(const CreateOtaUpdateRequest& request,
                                                    const JobId& job_id);
  [[nodiscard]] ServiceResult<std::string> make_document(const CreateOtaUpdateRequest& request,
                                                         const StreamId& stream_id);

  Database& database_;
  const Clock& clock_;
  UuidSource uuid_;
  ObjectStore& objects_;
  StreamsService& streams_;
  JobsService& jobs_;
  const Signer* signer_;
};

}  // namespace otasim::cloud
