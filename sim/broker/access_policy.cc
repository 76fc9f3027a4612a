#include "sim/broker/access_policy.h"

#include <algorithm>
#include <array>
#include <optional>

namespace otasim::broker {

namespace {

constexpr std::size_t kMaxThingName = 128;
constexpr std::string_view kThings = "$aws/things/";

bool is_thing_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' || c == '_' ||
         c == '-';
}

struct ServiceTopic {
  bool jobs;              ///< else streams
  std::string_view rest;  ///< what follows `jobs/` or `streams/`
};

std::optional<ServiceTopic> own_service_topic(std::string_view thing, std::string_view topic) {
  if (topic.size() > kMaxTopic || !topic.starts_with(kThings)) return std::nullopt;
  topic.remove_prefix(kThings.size());
  if (!topic.starts_with(thing)) return std::nullopt;
  topic.remove_prefix(thing.size());
  for (const auto& [level, jobs] : {std::pair{"/jobs/", true}, std::pair{"/streams/", false}}) {
    const std::string_view prefix = level;
    if (topic.size() > prefix.size() && topic.starts_with(prefix)) {
      return ServiceTopic{jobs, topic.substr(prefix.size())};
    }
  }
  return std::nullopt;
}

bool is_jobs_answer(std::string_view rest) {
  return rest == "notify" || rest == "notify-next" || rest.ends_with("/accepted") ||
         rest.ends_with("/rejected");
}

bool is_streams_answer(std::string_view rest) {
  constexpr std::array<std::string_view, 3> kAnswers{"data", "description", "rejected"};
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view operation = rest.substr(slash + 1, rest.find('/', slash + 1) - slash - 1);
  return std::ranges::find(kAnswers, operation) != kAnswers.end();
}

}  // namespace

bool is_thing_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxThingName && std::ranges::all_of(name, is_thing_name_character);
}

bool may_subscribe(std::string_view thing, std::string_view filter) {
  return own_service_topic(thing, filter).has_value();
}

bool may_receive(std::string_view thing, std::string_view topic) {
  return own_service_topic(thing, topic).has_value();
}

bool may_request(std::string_view thing, std::string_view topic) {
  const auto own = own_service_topic(thing, topic);
  if (!own) return false;
  return own->jobs ? !is_jobs_answer(own->rest) : !is_streams_answer(own->rest);
}

}  // namespace otasim::broker
