#include "sim/scenario/event_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <regex>

namespace otasim::scenario {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 7> kOperators{"contains", "matches", "any_of", "not",
                                                     "at_least", "at_most", "exists"};

bool is_operator(const json& wanted) {
  return wanted.is_object() && wanted.size() == 1 &&
         std::ranges::find(kOperators, wanted.begin().key()) != kOperators.end();
}

bool operator_matches(const json& value, const std::string& name, const json& operand) {
  if (name == "not") return !value_matches(value, operand);
  if (name == "any_of") {
    return std::ranges::any_of(operand, [&](const json& one) { return value_matches(value, one); });
  }
  if (name == "at_least") return value.is_number() && value.get<double>() >= operand.get<double>();
  if (name == "at_most") return value.is_number() && value.get<double>() <= operand.get<double>();
  if (name == "exists") return operand.get<bool>();  // a member that is missing never gets here
  if (!value.is_string()) return false;
  const auto& text = value.get_ref<const std::string&>();
  if (name == "contains") return text.find(operand.get_ref<const std::string&>()) != std::string::npos;
  return std::regex_match(text, std::regex(operand.get_ref<const std::string&>()));
}

std::string problem_with_operand(const std::string& name, const json& operand) {
  if (name == "not") return problem_with(operand);
  if (name == "any_of") return operand.is_array() ? "" : "'any_of' takes a list of values";
  if (name == "at_least" || name == "at_most") {
    return operand.is_number() ? "" : fmt::format("'{}' takes a number", name);
  }
  if (name == "exists") return operand.is_boolean() ? "" : "'exists' takes true or false";
  if (!operand.is_string()) return fmt::format("'{}' takes a text", name);
  if (name == "contains") return {};
  try {
    static_cast<void>(std::regex(operand.get<std::string>()));
  } catch (const std::regex_error& error) {
    return fmt::format("'matches' takes a regular expression: {}", error.what());
  }
  return {};
}

/// Whether a wanted member may be missing.
bool allows_absence(const json& wanted) {
  return is_operator(wanted) && wanted.begin().key() == "exists" && wanted.begin().value() == false;
}

bool members_match(const json& value, const json& wanted, std::string_view skipped) {
  for (const auto& [name, inner] : wanted.items()) {
    if (name == skipped) continue;
    const auto found = value.find(name);
    if (found == value.end()) {
      if (allows_absence(inner)) continue;
      return false;
    }
    if (allows_absence(inner) || !value_matches(*found, inner)) return false;
  }
  return true;
}

}  // namespace

bool value_matches(const json& value, const json& wanted) {
  if (is_operator(wanted)) return operator_matches(value, wanted.begin().key(), wanted.begin().value());
  if (wanted.is_object()) return value.is_object() && members_match(value, wanted, "");
  return value == wanted;
}

std::string problem_with(const json& wanted) {
  if (is_operator(wanted)) return problem_with_operand(wanted.begin().key(), wanted.begin().value());
  if (!wanted.is_object()) return {};
  for (const auto& inner : wanted) {
    if (std::string problem = problem_with(inner); !problem.empty()) return problem;
  }
  return {};
}

Result<EventPattern> EventPattern::parse(const json& pattern) {
  const auto name = pattern.is_object() ? pattern.find("event") : pattern.end();
  if (name == pattern.end() || !name->is_string() ||
      name->get_ref<const std::string&>().find('.') == std::string::npos) {
    return fail(ExitCode::kUsage,
                "a pattern of events needs the member 'event', as in \"cloud.job_execution\"",
                "docs/events.md lists the events.");
  }
  if (const std::string problem = problem_with(pattern); !problem.empty()) {
    return fail(ExitCode::kUsage, problem,
                "Operators are contains, matches, any_of, not, at_least, at_most and exists.");
  }
  return EventPattern(pattern);
}

bool EventPattern::matches(const json& event) const {
  const auto& name = pattern_.at("event").get_ref<const std::string&>();
  const auto source = event.find("source");
  const auto kind = event.find("event");
  if (source == event.end() || kind == event.end()) return false;
  const std::string own = source->get<std::string>() + '.' + kind->get<std::string>();
  return own == name && members_match(event, pattern_, "event");
}

}  // namespace otasim::scenario
