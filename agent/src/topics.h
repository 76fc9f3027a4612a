// The MQTT topics of Jobs and file streams.
#pragma once

#include <string_view>

#include "agent/include/ota_types.h"
#include "agent/src/job_document.h"
#include "agent/src/text_builder.h"

namespace ota {

/// The longest is `$aws/things/T/jobs/J/update`.
inline constexpr std::size_t kMaxTopic = 32 + otaconfigMAX_THINGNAME_LEN + kMaxJobId;
using Topic = TextBuilder<kMaxTopic>;

inline Topic thing_topic(std::string_view thing, std::string_view branch) {
  Topic topic;
  topic.add("$aws/things/").add(thing).add(branch);
  return topic;
}

inline Topic notify_next_topic(std::string_view thing) {
  return thing_topic(thing, "/jobs/notify-next");
}
inline Topic get_next_topic(std::string_view thing) {
  return thing_topic(thing, "/jobs/$next/get");
}

inline Topic update_topic(std::string_view thing, std::string_view job_id) {
  return thing_topic(thing, "/jobs/").add(job_id).add("/update");
}
inline Topic stream_data_topic(std::string_view thing, std::string_view stream) {
  return thing_topic(thing, "/streams/").add(stream).add("/data/cbor");
}
inline Topic stream_get_topic(std::string_view thing, std::string_view stream) {
  return thing_topic(thing, "/streams/").add(stream).add("/get/cbor");
}

}  // namespace ota
