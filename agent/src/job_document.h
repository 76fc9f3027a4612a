// The job document: what AWS IoT Jobs tells a device to do, read out of the answer to $next/get or of a
// notify-next message.
//
// parse_job_document() is a pure function over hostile bytes. It trusts no length, bounds every value, and
// accepts a job id or stream name only from the characters AWS allows, because both become part of topics.
#pragma once

#include <cstdint>
#include <string_view>

#include "agent/include/ota_types.h"

namespace ota {

inline constexpr std::size_t kMaxJobId = OTA_JOB_ID_MAX_SIZE - 1;
inline constexpr std::size_t kMaxStreamName = 44;

/// `statusDetails.self_test`.
enum class SelfTest { kAbsent, kReady, kActive, kOther };

/// Views are into the parsed text; strings may still hold JSON escapes, see copy_string().
struct JobDocument {
  std::string_view client_token;  ///< holds unless the document is malformed; empty in a notification
  std::string_view job_id;
  std::string_view status;
  SelfTest self_test = SelfTest::kAbsent;
  std::uint32_t updated_by = 0;
  std::string_view stream_name;
  std::string_view protocols_text;
  std::uint32_t protocols = 0;  ///< OTA_DATA_OVER_MQTT, OTA_DATA_OVER_HTTP
  std::string_view file_path;
  std::string_view certificate;
  std::string_view url;
  std::string_view auth_scheme;
  std::uint32_t file_size = 0;
  std::uint32_t file_id = 0;
  std::uint32_t file_attributes = 0;
  std::uint32_t file_type = 0;
  Sig_t signature{};  ///< size 0: none under the key asked for
};

enum class JobDocumentStatus {
  kOk,             ///< an OTA job; every field holds
  kMalformed,      ///< not one JSON object within the parser's limits; no field holds
  kNoJob,          ///< well-formed, but without a job id or document: the queue is empty
  kNotOta,         ///< a job whose document is not an OTA one, or lacks a required field; only job_id holds
  kNonConforming,  ///< an OTA job with a field of wrong type or value; only job_id holds
};

/// @param signature_key  the `sig-...` key this device can verify
[[nodiscard]] JobDocumentStatus parse_job_document(std::string_view text, const char* signature_key,
                                                   JobDocument& out);

}  // namespace ota
