#include "sim/debug/stop_place.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "sim/base/json_members.h"

namespace otasim::debug {
namespace {

using nlohmann::json;

constexpr const char* kForms =
    "It is an event (boot.verify, cloud.job_execution:SUCCEEDED, boot.verify:slot=B), op:N or line:TEXT.";
constexpr std::string_view kOperation = "op:";
constexpr std::string_view kLine = "line:";

tl::unexpected<Error> refuse(const std::string& text, const std::string& why) {
  return fail(ExitCode::kUsage, fmt::format("'{}' is no place to stop at: {}", text, why), kForms);
}

/// A number, true or false is one; anything else a text.
json value_of(const std::string& text) {
  const json parsed = json::parse(text, nullptr, false);
  return parsed.is_number() || parsed.is_boolean() ? parsed : json(text);
}

}  // namespace

Result<StopPlace> StopPlace::parse(const std::string& text) {
  StopPlace place(text);
  if (text.starts_with(kOperation)) {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + kOperation.size(), end, number);
    if (error != std::errc{} || stop != end || number == 0)
      return refuse(text, "operations are counted from 1");
    place.operation_ = number;
    return place;
  }
  json pattern = json::object();
  if (text.starts_with(kLine)) {
    const std::string wanted = text.substr(kLine.size());
    if (wanted.empty()) return refuse(text, "every line holds the empty text");
    pattern = {{"event", "uart.line"}, {"text", {{"contains", wanted}}}};
  } else if (text.starts_with('{')) {
    pattern = json::parse(text, nullptr, false);
    if (!pattern.is_object()) return refuse(text, "it is no JSON object");
  } else {
    const std::size_t colon = text.find(':');
    const std::string event = text.substr(0, colon);
    const std::size_t dot = event.find('.');
    if (dot == 0 || dot == std::string::npos || dot + 1 == event.size())
      return refuse(text, "an event is SOURCE.NAME");
    pattern["event"] = event;
    const std::string value = colon == std::string::npos ? "" : text.substr(colon + 1);
    const std::size_t equals = value.find('=');
    if (colon != std::string::npos && (value.empty() || equals == 0))
      return refuse(text, "the value is missing");
    if (equals != std::string::npos) {
      pattern[value.substr(0, equals)] = value_of(value.substr(equals + 1));
    } else {
      place.any_value_ = value;
    }
  }
  auto parsed = scenario::EventPattern::parse_trigger(pattern);
  if (!parsed) return refuse(text, parsed.error().message);
  place.pattern_ = std::move(*parsed);
  return place;
}

bool StopPlace::matches(const json& event, const std::string& device) const {
  if (!pattern_ || !pattern_->matches(event)) return false;
  const auto its = text_member(event, "device");
  if (its && *its != device) return false;
  if (any_value_.empty()) return true;
  return std::ranges::any_of(event, [this](const json& value) {
    return value.is_string() ? value.get<std::string>() == any_value_ : value.dump() == any_value_;
  });
}

}  // namespace otasim::debug
