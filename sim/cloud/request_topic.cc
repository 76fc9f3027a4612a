#include "sim/cloud/request_topic.h"

#include <algorithm>
#include <array>
#include <vector>

namespace otasim::cloud {

namespace {

constexpr std::string_view kThings = "$aws/things/";
constexpr std::array kJobsCalls{JobsCall::kGetPending, JobsCall::kStartNext, JobsCall::kDescribe,
                                JobsCall::kUpdate};

std::vector<std::string_view> split(std::string_view topic) {
  std::vector<std::string_view> levels;
  for (;;) {
    const std::size_t slash = topic.find('/');
    levels.push_back(topic.substr(0, slash));
    if (slash == std::string_view::npos) return levels;
    topic.remove_prefix(slash + 1);
  }
}

JobsTopic parse_jobs(const std::vector<std::string_view>& levels) {
  if (levels.size() == 1 && levels[0] == "get") return {JobsCall::kGetPending, {}};
  if (levels.size() == 1 && levels[0] == "start-next") return {JobsCall::kStartNext, {}};
  if (levels.size() == 2 && levels[1] == "get") return {JobsCall::kDescribe, std::string{levels[0]}};
  if (levels.size() == 2 && levels[1] == "update" && levels[0] != kNextJob) {
    return {JobsCall::kUpdate, std::string{levels[0]}};
  }
  return {};
}

StreamsTopic parse_streams(const std::vector<std::string_view>& levels) {
  StreamsTopic topic{std::nullopt, std::string{levels[0]}};
  if (levels.size() != 3) return topic;
  if (levels[2] == "cbor") {
    topic.encoding = Encoding::kCbor;
  } else if (levels[2] != "json") {
    return topic;
  }
  if (levels[1] == "get") topic.call = StreamsCall::kGet;
  if (levels[1] == "describe") topic.call = StreamsCall::kDescribe;
  return topic;
}

}  // namespace

std::string_view to_string(JobsCall call) {
  switch (call) {
    case JobsCall::kGetPending:
      return "get";
    case JobsCall::kStartNext:
      return "start-next";
    case JobsCall::kDescribe:
      return "describe";
    case JobsCall::kUpdate:
      return "update";
  }
  return "";
}

std::optional<JobsCall> jobs_call(std::string_view name) {
  const auto* const found = std::find_if(kJobsCalls.begin(), kJobsCalls.end(),
                                         [&](JobsCall call) { return to_string(call) == name; });
  if (found == kJobsCalls.end()) return std::nullopt;
  return *found;
}

std::string_view to_string(Encoding encoding) {
  return encoding == Encoding::kCbor ? "cbor" : "json";
}

std::optional<RequestTopic> parse_device_topic(std::string_view topic) {
  if (!topic.starts_with(kThings)) return std::nullopt;
  auto levels = split(topic.substr(kThings.size()));
  if (levels.size() < 3) return std::nullopt;
  auto thing = ThingName::parse(levels[0]);
  if (!thing) return std::nullopt;
  const std::vector<std::string_view> rest(levels.begin() + 2, levels.end());
  if (levels[1] == "jobs") return RequestTopic{std::move(*thing), parse_jobs(rest)};
  if (levels[1] == "streams") return RequestTopic{std::move(*thing), parse_streams(rest)};
  return std::nullopt;
}

}  // namespace otasim::cloud
