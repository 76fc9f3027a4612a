// What requests of jobs and of job templates have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sim/cloud/job_config.h"
#include "sim/rest/iot_api.h"

namespace otasim::rest {

struct JobSettings {
  std::optional<std::int64_t> presigned_expires_sec = {};
  std::optional<std::int64_t> in_progress_timeout_minutes = {};
  std::optional<cloud::RolloutConfig> rollout = {};
  std::optional<cloud::AbortConfig> abort = {};
  std::optional<cloud::RetryConfig> retries = {};
};
/// presignedUrlConfig, timeoutConfig, jobExecutionsRolloutConfig, abortConfig, jobExecutionsRetryConfig.
[[nodiscard]] JobSettings job_settings(const MemberReader& body);

struct JobDocumentMembers {
  std::string document = {};  ///< also if it was read from its source
  std::string source = {};
};
/// document or documentSource; both may be absent.
[[nodiscard]] JobDocumentMembers job_document(IotServices& iot, const MemberReader& body);
[[nodiscard]] std::string read_document(IotServices& iot, const MemberReader& body,
                                        const std::string& source);

}  // namespace otasim::rest
