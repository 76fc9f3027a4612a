#include "sim/scenario/event_pattern.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <regex>
#include <vector>

#include "sim/report/event_names.h"
#include "sim/scenario/shape.h"

namespace otasim::scenario {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 7> kOperators{"contains", "matches", "any_of", "not",
                                                     "at_least", "at_most", "exists"};

/// Longer ones are no regular expressions for people.
constexpr std::size_t kMaxRegexBytes = 512;
constexpr std::size_t kMaxCountDigits = 3;

/// Without going back over the text: time and stack are bounded whatever the expression and the text are.
std::regex compiled(const std::string& expression) {
  return std::regex(expression, std::regex::ECMAScript | std::regex_constants::__polynomial);
}

bool is_operator_name(const std::string& name) {
  return std::ranges::find(kOperators, name) != kOperators.end();
}

std::ptrdiff_t count_operators(const json& wanted) {
  const auto members = wanted.items();
  return std::count_if(members.begin(), members.end(),
                       [](const auto& member) { return is_operator_name(member.key()); });
}

/// One operator, or several, all of which must hold.
bool is_operator(const json& wanted) {
  return wanted.is_object() && !wanted.empty() &&
         count_operators(wanted) == static_cast<std::ptrdiff_t>(wanted.size());
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
  return std::regex_match(text, compiled(operand.get_ref<const std::string&>()));
}

/// Whether a number of repetitions or of a group has too many digits: the library computes it without a
/// limit.
bool has_large_count(const std::string& expression) {
  bool counts = false;
  std::size_t digits = 0;
  for (const char c : expression) {
    if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
      if (counts && ++digits > kMaxCountDigits) return true;
      continue;
    }
    counts = c == '{' || c == '\\' || (counts && c == ',');
    digits = 0;
  }
  return false;
}

std::string problem_with_expression(const std::string& expression) {
  if (expression.size() > kMaxRegexBytes) {
    return fmt::format("'matches' takes a regular expression of at most {} characters", kMaxRegexBytes);
  }
  if (has_large_count(expression)) return "'matches' takes a regular expression with counts below 1000";
  try {
    static_cast<void>(compiled(expression));
  } catch (const std::regex_error& error) {
    return fmt::format("'matches' takes a regular expression: {}", error.what());
  }
  return {};
}

std::string problem_with_operand(const std::string& name, const json& operand) {
  if (name == "not") return problem_with(operand);
  if (name == "any_of") {
    if (!operand.is_array()) return "'any_of' takes a list of values";
    for (const json& one : operand) {
      if (std::string problem = problem_with(one); !problem.empty()) return problem;
    }
    return {};
  }
  if (name == "at_least" || name == "at_most") {
    return operand.is_number() ? "" : fmt::format("'{}' takes a number", name);
  }
  if (name == "exists") return operand.is_boolean() ? "" : "'exists' takes true or false";
  if (!operand.is_string()) return fmt::format("'{}' takes a text", name);
  return name == "matches" ? problem_with_expression(operand.get<std::string>()) : "";
}

constexpr std::string_view kBootSource = "boot.";

bool is_listed_event(std::string_view name) {
  const auto known = report::event_names();
  return std::ranges::find(known, name) != known.end();
}

/// A bootloader of the user's own may report stages that ours has not.
bool is_known_event(const std::string& name) {
  return name.starts_with(kBootSource) || is_listed_event(name);
}

tl::unexpected<Error> unknown_stage(const std::string& name) {
  std::vector<std::string_view> stages;
  std::ranges::copy_if(report::event_names(), std::back_inserter(stages),
                       [](std::string_view known) { return known.starts_with(kBootSource); });
  const std::string near = nearest(name, stages);
  return fail(ExitCode::kUsage, fmt::format("there is no stage of the boot '{}'", name),
              near.empty() ? fmt::format("There are {}; what a bootloader of your own says is an uart.line.",
                                         fmt::join(stages, ", "))
                           : fmt::format("Did you mean '{}'?", near));
}

/// Whether a wanted member may be missing.
bool allows_absence(const json& wanted) {
  return is_operator(wanted) && wanted.contains("exists") && wanted.at("exists") == false;
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
  if (is_operator(wanted)) {
    const auto operators = wanted.items();
    return std::all_of(operators.begin(), operators.end(),
                       [&](const auto& one) { return operator_matches(value, one.key(), one.value()); });
  }
  if (wanted.is_object()) return value.is_object() && members_match(value, wanted, "");
  return value == wanted;
}

std::string problem_with(const json& wanted) {
  if (!wanted.is_object()) return {};
  const bool holds_operators = is_operator(wanted);
  for (const auto& [name, inner] : wanted.items()) {
    if (!holds_operators && is_operator_name(name)) {
      return fmt::format("'{}' is an operator, and operators stand beside operators only", name);
    }
    std::string problem = holds_operators ? problem_with_operand(name, inner) : problem_with(inner);
    if (!problem.empty()) return problem;
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
  if (const auto& text = name->get_ref<const std::string&>(); !is_known_event(text)) {
    const auto known = report::event_names();
    const std::string near = nearest(text, {known.begin(), known.end()});
    return fail(ExitCode::kUsage, fmt::format("there is no event '{}'", text),
                near.empty() ? "docs/events.md lists the events." : fmt::format("Did you mean '{}'?", near));
  }
  if (const std::string problem = problem_with(pattern); !problem.empty()) {
    return fail(ExitCode::kUsage, problem,
                "Operators are contains, matches, any_of, not, at_least, at_most and exists.");
  }
  return EventPattern(pattern);
}

Result<EventPattern> EventPattern::parse_trigger(const json& pattern) {
  auto parsed = parse(pattern);
  if (!parsed) return parsed;
  const auto& name = pattern.at("event").get_ref<const std::string&>();
  if (!is_listed_event(name)) return unknown_stage(name);
  return parsed;
}

bool EventPattern::matches(const json& event) const {
  const auto& name = pattern_.at("event").get_ref<const std::string&>();
  const auto source = event.find("source");
  const auto kind = event.find("event");
  if (source == event.end() || kind == event.end() || !source->is_string() || !kind->is_string())
    return false;
  const std::string own = source->get<std::string>() + '.' + kind->get<std::string>();
  return own == name && members_match(event, pattern_, "event");
}

}  // namespace otasim::scenario
