// The MQTT topics of Jobs and file streams; formats for TextWriter.
#pragma once

#include <cstddef>

#include "agent/include/ota_types.h"
#include "agent/src/job_document.h"

namespace ota {

/// The longest is `$aws/things/T/jobs/J/update`.
inline constexpr std::size_t kMaxTopic = 32 + otaconfigMAX_THINGNAME_LEN + kMaxJobId;

// [thing name]
inline constexpr const char* kNotifyNextTopic = "$aws/things/%s/jobs/notify-next";
inline constexpr const char* kGetNextTopic = "$aws/things/%s/jobs/$next/get";
inline constexpr const char* kStartNextTopic = "$aws/things/%s/jobs/start-next";

/// [thing name, job id]
inline constexpr const char* kUpdateTopic = "$aws/things/%s/jobs/%s/update";

/// [thing name, stream name, kGet or kData, kCbor or kJson]
inline constexpr const char* kStreamTopic = "$aws/things/%s/streams/%s/%s/%s";
inline constexpr const char* kGet = "get";
inline constexpr const char* kData = "data";
inline constexpr const char* kCbor = "cbor";
inline constexpr const char* kJson = "json";

}  // namespace ota
