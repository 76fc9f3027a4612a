// The MQTT topics of Jobs and file streams.
#pragma once

#include <cstddef>
#include <cstdint>

#include "agent/include/ota_types.h"
#include "agent/src/job_document.h"
#include "agent/src/text.h"

namespace ota {

/// The longest is `$aws/things/T/jobs/J/update`.
inline constexpr std::size_t kMaxTopic = 32 + otaconfigMAX_THINGNAME_LEN + kMaxJobId;

enum class Topic : std::uint8_t {
  kNotifyNext,
  kGetNext,
  kStartNext,
  kUpdate,      ///< of a job
  kStreamData,  ///< of a stream, in a format
  kStreamGet,   ///< of a stream, in a format
};

/// @param name    the job's or the stream's, for the topics that have one
/// @param format  OTA_STREAM_CBOR, OTA_STREAM_JSON
inline void write_topic(TextWriter& out, Topic topic, const char* thing, const char* name,
                        std::uint32_t format) {
  static constexpr const char* kFormats[] = {"notify-next", "$next/get",  "start-next",
                                      "%s/update",   "%s/data/%s", "%s/get/%s"};
  const bool is_of_stream = topic >= Topic::kStreamData;
  const TextValue values[] = {thing, is_of_stream ? "streams" : "jobs", name,
                              format == OTA_STREAM_JSON ? "json" : "cbor"};
  out.format("$aws/things/%s/%s/", values);
  out.format(kFormats[static_cast<std::size_t>(topic)], values + 2);
}

}  // namespace ota
