#include "sim/broker/iot_policy.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <nlohmann/json.hpp>  // not sim/base/json.h: CMakeLists.txt says why

#include "sim/base/text.h"

namespace otasim::broker {

namespace {

using nlohmann::json;

constexpr std::string_view kResourcePrefix = "arn:aws:iot:us-east-1:000000000000:";
constexpr std::array<std::string_view, 3> kServices{"iot:", "iotjobsdata:", "greengrass:"};
constexpr std::array<std::string_view, 2> kVersions{"2012-10-17", "2008-10-17"};
constexpr std::array<std::string_view, 3> kVariables{"iot:ClientId", "iot:Connection.Thing.ThingName",
                                                     "iot:Connection.Thing.IsAttached"};
constexpr std::array<std::string_view, 7> kOperations{
    "Bool",       "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase",
    "StringLike", "StringNotLike"};

/// A pattern's symbols: characters, and two that stand for others.
using Symbol = std::uint16_t;
constexpr Symbol kAnyText = 0x100;
constexpr Symbol kAnyCharacter = 0x101;
using Pattern = std::vector<Symbol>;

bool is_known(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

/// The value of a variable for a connection; nothing if it has none.
std::optional<std::string> value_of(std::string_view variable, const PolicyContext& context) {
  if (variable == "iot:ClientId" && !context.client_id.empty()) return context.client_id;
  if (variable == "iot:Connection.Thing.IsAttached") return context.thing.empty() ? "false" : "true";
  if (variable == "iot:Connection.Thing.ThingName" && !context.thing.empty()) return context.thing;
  return std::nullopt;
}

void append(Pattern& pattern, std::string_view text) {
  for (const char c : text) pattern.push_back(static_cast<unsigned char>(c));
}

/// @returns nothing if a variable has no value, or is not known
std::optional<Pattern> compile(std::string_view text, const PolicyContext& context) {
  Pattern pattern;
  while (!text.empty()) {
    if (text.starts_with("${")) {
      const std::size_t end = text.find('}');
      if (end == std::string_view::npos) return std::nullopt;
      const std::string_view name = text.substr(2, end - 2);
      text.remove_prefix(end + 1);
      if (name == "*" || name == "?" || name == "$") {
        append(pattern, name);
        continue;
      }
      const auto value = value_of(name, context);
      if (!value) return std::nullopt;
      append(pattern, *value);
      continue;
    }
    const char c = text.front();
    text.remove_prefix(1);
    pattern.push_back(c == '*' ? kAnyText : c == '?' ? kAnyCharacter : static_cast<unsigned char>(c));
  }
  return pattern;
}

/// Goes back to the last `*` only: at most |pattern| x |text| steps.
bool matches(const Pattern& pattern, std::string_view text) {
  std::size_t at = 0;
  std::size_t position = 0;
  std::optional<std::size_t> star;
  std::size_t star_position = 0;
  while (position < text.size()) {
    if (at < pattern.size() && pattern[at] == kAnyText) {
      star = at++;
      star_position = position;
    } else if (at < pattern.size() &&
               (pattern[at] == kAnyCharacter || pattern[at] == static_cast<unsigned char>(text[position]))) {
      ++at;
      ++position;
    } else if (star) {
      at = *star + 1;
      position = ++star_position;
    } else {
      return false;
    }
  }
  return std::all_of(pattern.begin() + static_cast<std::ptrdiff_t>(at), pattern.end(),
                     [](Symbol symbol) { return symbol == kAnyText; });
}

bool matches_any(const std::vector<std::string>& patterns, std::string_view text,
                 const PolicyContext& context) {
  return std::ranges::any_of(patterns, [&](const std::string& one) {
    const auto pattern = compile(one, context);
    return pattern && matches(*pattern, text);
  });
}

/// The first variable of a text that is not known, or broken; nothing if all are.
std::optional<std::string> unknown_variable(std::string_view text) {
  for (std::size_t at = text.find("${"); at != std::string_view::npos; at = text.find("${", at)) {
    const std::size_t end = text.find('}', at);
    if (end == std::string_view::npos) return std::string(text.substr(at));
    const std::string_view name = text.substr(at + 2, end - at - 2);
    if (name != "*" && name != "?" && name != "$" && !is_known(kVariables, name)) return std::string(name);
    at = end;
  }
  return std::nullopt;
}

}  // namespace

struct IotPolicy::Parser {
  using Failure = tl::unexpected<std::string>;
  template <typename T>
  using Parsed = tl::expected<T, std::string>;

  static Failure wrong(std::string message) { return Failure(std::move(message)); }

  /// A text, or a list of texts that is not empty.
  static Parsed<std::vector<std::string>> texts(const json& value, const std::string& name) {
    const auto as_text = [](const json& one) {
      return one.is_boolean() ? one.dump() : one.get<std::string>();
    };
    const auto is_text = [](const json& one) { return one.is_string() || one.is_boolean(); };
    if (is_text(value)) return std::vector<std::string>{as_text(value)};
    if (!value.is_array() || value.empty() || !std::ranges::all_of(value, is_text)) {
      return wrong(name + " must be a text or a list of texts.");
    }
    std::vector<std::string> all;
    for (const json& one : value) all.push_back(as_text(one));
    return all;
  }

  static Parsed<std::vector<std::string>> actions(const json& value) {
    auto all = texts(value, "Action");
    if (!all) return all;
    for (const std::string& action : *all) {
      const bool known = std::ranges::any_of(
          kServices, [&action](std::string_view service) { return action.starts_with(service); });
      if (action != "*" && !known) {
        return wrong("Action '" + action +
                     "' is none of AWS IoT's: iot:Connect, iot:Publish, iotjobsdata:UpdateJobExecution, ...");
      }
    }
    return all;
  }

  static Parsed<std::vector<std::string>> resources(const json& value) {
    auto all = texts(value, "Resource");
    if (!all) return all;
    for (const std::string& resource : *all) {
      if (resource != "*" && !resource.starts_with("arn:")) {
        return wrong("Resource '" + resource + "' is neither * nor an ARN.");
      }
      if (const auto unknown = unknown_variable(resource)) {
        return wrong("The policy variable '" + *unknown + "' is not supported.");
      }
    }
    return all;
  }

  static Parsed<std::vector<Condition>> conditions(const json& value) {
    if (!value.is_object()) return wrong("Condition must be an object.");
    std::vector<Condition> all;
    for (const auto& [operation, keys] : value.items()) {
      if (!is_known(kOperations, operation)) {
        return wrong("The condition operator '" + operation + "' is not supported.");
      }
      if (!keys.is_object()) return wrong("Condition " + operation + " must be an object.");
      for (const auto& [key, values] : keys.items()) {
        if (!is_known(kVariables, key)) return wrong("The condition key '" + key + "' is not supported.");
        auto wanted = texts(values, "Condition " + operation + " " + key);
        if (!wanted) return wrong(wanted.error());
        all.push_back({operation, key, std::move(*wanted)});
      }
    }
    return all;
  }

  static Parsed<Statement> statement(const json& value) {
    constexpr std::array<std::string_view, 5> kMembers{"Sid", "Effect", "Action", "Resource", "Condition"};
    if (!value.is_object()) return wrong("A statement must be an object.");
    for (const auto& [name, ignored] : value.items()) {
      if (!is_known(kMembers, name)) return wrong("A statement cannot have '" + name + "'.");
    }
    Statement made;
    const json effect = value.value("Effect", json());
    if (effect != "Allow" && effect != "Deny") return wrong("Effect must be Allow or Deny.");
    made.effect = effect == "Allow" ? PolicyEffect::kAllow : PolicyEffect::kDeny;
    if (!value.contains("Action") || !value.contains("Resource")) {
      return wrong("A statement needs Effect, Action and Resource.");
    }
    auto allowed = actions(value["Action"]);
    if (!allowed) return wrong(allowed.error());
    made.actions = std::move(*allowed);
    auto places = resources(value["Resource"]);
    if (!places) return wrong(places.error());
    made.resources = std::move(*places);
    if (const auto condition = value.find("Condition"); condition != value.end()) {
      auto parsed = conditions(*condition);
      if (!parsed) return wrong(parsed.error());
      made.conditions = std::move(*parsed);
    }
    return made;
  }
};

tl::expected<IotPolicy, std::string> IotPolicy::parse(std::string_view document) {
  const std::string text = compact(document);
  if (text.size() > kMaxPolicyCharacters) return Parser::wrong("The policy has more than 2048 characters.");
  const json policy = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!policy.is_object()) return Parser::wrong("The policy is not a JSON object.");
  const json version = policy.value("Version", json("2008-10-17"));
  if (!version.is_string() || !is_known(kVersions, version.get_ref<const std::string&>())) {
    return Parser::wrong("Version must be 2012-10-17.");
  }
  const auto statements = policy.find("Statement");
  if (statements == policy.end()) return Parser::wrong("The policy has no Statement.");
  const json all = statements->is_array() ? *statements : json::array({*statements});
  if (all.empty()) return Parser::wrong("The policy has no Statement.");
  IotPolicy made;
  for (const json& one : all) {
    auto statement = Parser::statement(one);
    if (!statement) return Parser::wrong(statement.error());
    made.statements_.push_back(std::move(*statement));
  }
  return made;
}

bool IotPolicy::holds(const Condition& condition, const PolicyContext& context) {
  const auto value = value_of(condition.key, context);
  const bool negated = condition.operation.starts_with("StringNot");
  if (!value) return negated;  // what has no value differs from all
  const std::string_view operation = std::string_view(condition.operation);
  bool found = false;
  if (operation.ends_with("Like")) {
    found = matches_any(condition.values, *value, context);
  } else {
    const bool ignores_case = operation == "Bool" || operation.ends_with("IgnoreCase");
    found = std::ranges::any_of(condition.values, [&](const std::string& wanted) {
      return ignores_case ? to_lower(wanted) == to_lower(*value) : wanted == *value;
    });
  }
  return found != negated;
}

bool IotPolicy::applies(const Statement& statement, std::string_view action, std::string_view resource,
                        const PolicyContext& context) {
  return matches_any(statement.actions, action, context) &&
         matches_any(statement.resources, resource, context) &&
         std::ranges::all_of(statement.conditions,
                             [&](const Condition& condition) { return holds(condition, context); });
}

PolicyEffect IotPolicy::effect(std::string_view action, std::string_view resource,
                               const PolicyContext& context) const {
  PolicyEffect effect = PolicyEffect::kNone;
  for (const Statement& statement : statements_) {
    if (!applies(statement, action, resource, context)) continue;
    if (statement.effect == PolicyEffect::kDeny) return PolicyEffect::kDeny;
    effect = PolicyEffect::kAllow;
  }
  return effect;
}

bool allows(std::span<const IotPolicy> policies, std::string_view action, std::string_view resource,
            const PolicyContext& context) {
  bool allowed = false;
  for (const IotPolicy& policy : policies) {
    const PolicyEffect effect = policy.effect(action, resource, context);
    if (effect == PolicyEffect::kDeny) return false;
    allowed |= effect == PolicyEffect::kAllow;
  }
  return allowed;
}

std::string compact(std::string_view document) {
  std::string text;
  bool in_string = false;
  bool escaped = false;
  for (const char c : document) {
    if (!in_string && std::isspace(static_cast<unsigned char>(c)) != 0) continue;
    text += c;
    if (c == '"' && !escaped) in_string = !in_string;
    escaped = in_string && c == '\\' && !escaped;
  }
  return text;
}

std::string client_resource(std::string_view client_id) {
  return std::string(kResourcePrefix) + "client/" + std::string(client_id);
}

std::string thing_resource(std::string_view thing) {
  return std::string(kResourcePrefix) + "thing/" + std::string(thing);
}

std::string topic_resource(std::string_view topic) {
  return std::string(kResourcePrefix) + "topic/" + std::string(topic);
}

std::string topic_filter_resource(std::string_view filter) {
  return std::string(kResourcePrefix) + "topicfilter/" + std::string(filter);
}

std::string ota_device_policy() {
  const std::string thing = "${iot:Connection.Thing.ThingName}";
  const auto allow = [](json actions, json resources) {
    return json{{"Effect", "Allow"}, {"Action", std::move(actions)}, {"Resource", std::move(resources)}};
  };
  const auto own = [&thing](const char* service) { return "$aws/things/" + thing + "/" + service + "/*"; };
  return json{
      {"Version", "2012-10-17"},
      {"Statement",
       {allow("iot:Connect", client_resource(thing)),
        allow("iot:Subscribe", {topic_filter_resource(own("jobs")), topic_filter_resource(own("streams"))}),
        allow({"iot:Publish", "iot:Receive"}, {topic_resource(own("jobs")), topic_resource(own("streams"))}),
        allow({"iotjobsdata:DescribeJobExecution", "iotjobsdata:GetPendingJobExecutions",
               "iotjobsdata:StartNextPendingJobExecution", "iotjobsdata:UpdateJobExecution"},
              thing_resource(thing))}}}
      .dump();
}

std::string open_policy() {
  return json{{"Version", "2012-10-17"},
              {"Statement", json::array({{{"Effect", "Allow"}, {"Action", "iot:*"}, {"Resource", "*"}}})}}
      .dump();
}

}  // namespace otasim::broker
