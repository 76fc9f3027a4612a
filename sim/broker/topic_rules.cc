#include "sim/broker/topic_rules.h"

#include <algorithm>
#include <array>
#include <optional>

#include "sim/broker/private_topics.h"

namespace otasim::broker {

namespace {

constexpr std::size_t kMaxThingName = 128;
constexpr std::string_view kThings = "$aws/things/";
constexpr std::string_view kShare = "$share/";

bool is_thing_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' || c == '_' ||
         c == '-';
}

bool is_within_limits(std::string_view topic) {
  return !topic.empty() && topic.size() <= kMaxTopic && std::ranges::count(topic, '/') <= kMaxTopicSlashes;
}

/// What follows `$aws/things/<thing>/`, for a well-formed name.
std::optional<std::string_view> after_thing(std::string_view topic) {
  topic.remove_prefix(kThings.size());
  const std::size_t slash = topic.find('/');
  if (slash == std::string_view::npos || !is_thing_name(topic.substr(0, slash))) return std::nullopt;
  return topic.substr(slash + 1);
}

bool is_jobs_request(std::string_view rest) {
  return !rest.empty() && rest != "notify" && rest != "notify-next" && !rest.ends_with("/accepted") &&
         !rest.ends_with("/rejected");
}

bool is_streams_request(std::string_view rest) {
  constexpr std::array<std::string_view, 3> kAnswers{"data", "description", "rejected"};
  if (rest.empty()) return false;
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return true;
  const std::string_view operation = rest.substr(slash + 1, rest.find('/', slash + 1) - slash - 1);
  return std::ranges::find(kAnswers, operation) == kAnswers.end();
}

bool is_request(std::string_view topic) {
  constexpr std::string_view kJobs = "jobs/";
  constexpr std::string_view kStreams = "streams/";
  if (!topic.starts_with(kThings)) return false;
  const auto rest = after_thing(topic);
  if (!rest) return false;
  if (rest->starts_with(kJobs)) return is_jobs_request(rest->substr(kJobs.size()));
  if (rest->starts_with(kStreams)) return is_streams_request(rest->substr(kStreams.size()));
  return false;
}

}  // namespace

TopicKind kind_of(std::string_view topic) {
  if (topic.starts_with(kPrivatePrefix)) return TopicKind::kPrivate;
  if (!is_within_limits(topic)) return TopicKind::kTooLong;
  if (!topic.starts_with('$')) return TopicKind::kApplication;
  if (is_request(topic)) return TopicKind::kRequest;
  return topic.starts_with("$aws/") ? TopicKind::kReserved : TopicKind::kPrivate;
}

std::string_view without_share(std::string_view filter) {
  if (!filter.starts_with(kShare)) return filter;
  const std::size_t group_end = filter.find('/', kShare.size());
  return group_end == std::string_view::npos ? std::string_view() : filter.substr(group_end + 1);
}

bool is_fit_for_subscription(std::string_view filter) {
  filter = without_share(filter);
  if (!is_within_limits(filter) || filter.starts_with(kPrivatePrefix)) return false;
  return !filter.starts_with('$') || filter.starts_with("$aws/");
}

bool is_fit_for_delivery(std::string_view topic) {
  return !topic.starts_with(kPrivatePrefix) && (!topic.starts_with('$') || topic.starts_with("$aws/"));
}

bool is_thing_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxThingName && std::ranges::all_of(name, is_thing_name_character);
}

}  // namespace otasim::broker
