#include "sim/scenario/fault_text.h"

#include <fmt/format.h>

#include <functional>

#include "sim/scenario/event_pattern.h"
#include "sim/scenario/scenario.h"

namespace otasim::scenario {
namespace {

using nlohmann::json;

Result<json> parse_short(const std::string& text) {
  json members = json::object();
  std::size_t at = std::min(text.find(','), text.size());
  const std::string name = text.substr(0, at);
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(',', at + 1), text.size());
    const std::string member = text.substr(at + 1, end - at - 1);
    const std::size_t equals = member.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return fail(ExitCode::kUsage, fmt::format("--fault '{}': '{}' is not MEMBER=VALUE", text, member),
                  "Write NAME,MEMBER=VALUE,... or JSON.");
    }
    const std::string value = member.substr(equals + 1);
    const json parsed = json::parse(value, nullptr, false);
    members[member.substr(0, equals)] =
        parsed.is_primitive() && !parsed.is_discarded() ? parsed : json(value);
    at = end;
  }
  return json{{name, std::move(members)}};
}

Result<void> check_triggers(const json& arguments, const std::string& where) {
  for (const char* trigger : {"when", "until"}) {
    if (!arguments.contains(trigger)) continue;
    if (const auto pattern = EventPattern::parse_trigger(arguments.at(trigger)); !pattern) {
      return fail(ExitCode::kUsage, fmt::format("{}: '{}': {}", where, trigger, pattern.error().message),
                  pattern.error().hint);
    }
  }
  return {};
}

}  // namespace

Result<json> parse_fault(const std::string& text) {
  const std::string where = fmt::format("--fault '{}'", text);
  Result<json> fault = [&]() -> Result<json> {
    if (!text.starts_with('{')) return parse_short(text);
    const auto parsed = JsonText::parse(text, where);
    if (!parsed) return tl::unexpected(parsed.error());
    return parsed->value();
  }();
  if (!fault) return fault;
  if (auto checked = check_fault(*fault, where); !checked) return tl::unexpected(checked.error());
  if (auto checked = check_triggers(fault->begin().value(), where); !checked) {
    return tl::unexpected(checked.error());
  }
  return fault;
}

}  // namespace otasim::scenario
