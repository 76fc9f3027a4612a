// What a device's request topic asks for.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "sim/cloud/identifiers.h"

namespace otasim::cloud {

enum class JobsCall { kGetPending, kStartNext, kDescribe, kUpdate };
/// `get`, `start-next`, `describe`, `update`
[[nodiscard]] std::string_view to_string(JobsCall call);
[[nodiscard]] std::optional<JobsCall> jobs_call(std::string_view name);
/// The job id that means whichever comes next.
inline constexpr std::string_view kNextJob = "$next";

struct JobsTopic {
  std::optional<JobsCall> call;  ///< none: no API of the service
  std::string job;               ///< the topic's level: an id, `$next`, or anything
};

enum class StreamsCall { kDescribe, kGet };
enum class Encoding { kCbor, kJson };
[[nodiscard]] std::string_view to_string(Encoding encoding);

struct StreamsTopic {
  std::optional<StreamsCall> call;  ///< none: no API of the service
  std::string stream;
  Encoding encoding = Encoding::kJson;
};

struct RequestTopic {
  ThingName thing;
  std::variant<JobsTopic, StreamsTopic> service;
};

/// @returns nothing for a topic that is not below a thing's `jobs` or `streams`
[[nodiscard]] std::optional<RequestTopic> parse_device_topic(std::string_view topic);

}  // namespace otasim::cloud
