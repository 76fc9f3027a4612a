#include "sim/scenario/shape.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "sim/base/text.h"

namespace otasim::scenario {
namespace {

using nlohmann::json;

/// Where a value stands, and how to complain about it.
using Complain = std::function<Error(const std::string& pointer, std::string message, std::string hint)>;

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::kText:
      return "a text";
    case Kind::kInteger:
      return "a whole number";
    case Kind::kNumber:
      return "a number";
    case Kind::kFlag:
      return "true or false";
    case Kind::kScalar:
      return "a text, a number, true, false or null";
    case Kind::kAny:
      return "a value";
    case Kind::kObject:
    case Kind::kMap:
    case Kind::kScalars:
      return "an object {...}";
    case Kind::kList:
      return "a list [...] of objects";
    case Kind::kTexts:
      return "a list [...] of texts";
  }
  return "something else";
}

bool is_scalar(const json& value) {
  return value.is_primitive() && !value.is_binary();
}

bool has_kind(const json& value, Kind kind) {
  switch (kind) {
    case Kind::kText:
      return value.is_string();
    case Kind::kInteger:
      return value.is_number_integer();
    case Kind::kNumber:
      return value.is_number();
    case Kind::kFlag:
      return value.is_boolean();
    case Kind::kScalar:
      return is_scalar(value);
    case Kind::kAny:
      return true;
    case Kind::kObject:
    case Kind::kMap:
      return value.is_object();
    case Kind::kScalars:
      return value.is_object() && std::ranges::all_of(value, is_scalar);
    case Kind::kList:
      return value.is_array() &&
             std::ranges::all_of(value, [](const json& item) { return item.is_object(); });
    case Kind::kTexts:
      return value.is_array() &&
             std::ranges::all_of(value, [](const json& item) { return item.is_string(); });
  }
  return false;
}

std::string suggestion(std::string_view word, const std::vector<std::string_view>& names) {
  const std::string near = nearest(word, names);
  return near.empty() ? fmt::format("It may be: {}.", fmt::join(names, ", "))
                      : fmt::format("Did you mean '{}'?", near);
}

class Checker {
 public:
  explicit Checker(Complain complain) : complain_(std::move(complain)) {}

  std::optional<Error> object(const json& value, const std::string& pointer, const Shape& shape) {
    if (!value.is_object()) {
      return complain_(pointer, fmt::format("{} must be an object {{...}}", shape.name), "");
    }
    std::vector<std::string_view> names;
    for (const Member& member : shape.members) names.push_back(member.name);
    for (const Member& member : shape.common) names.push_back(member.name);
    int chosen = 0;
    for (const auto& [name, inner] : value.items()) {
      const Member* const member = find(shape, name);
      const std::string child = child_of(pointer, name);
      if (member == nullptr) {
        if (shape.is_open) continue;
        return complain_(child, fmt::format("{} has no member '{}'", shape.name, name),
                         suggestion(name, names));
      }
      if (is_among(shape.members, name)) ++chosen;
      if (auto error = this->member(inner, child, *member)) return error;
    }
    if (shape.is_choice && chosen != 1) {
      std::vector<std::string_view> choices;
      for (const Member& member : shape.members) choices.push_back(member.name);
      return complain_(
          pointer,
          fmt::format("{} must have exactly one of its members, this one has {}", shape.name, chosen),
          fmt::format("It may be: {}.", fmt::join(choices, ", ")));
    }
    for (const auto* members : {&shape.members, &shape.common}) {
      for (const Member& member : *members) {
        if (!member.is_required || value.contains(member.name)) continue;
        return complain_(pointer, fmt::format("{} needs the member '{}'", shape.name, member.name),
                         fmt::format("{}: {}", member.name, member.doc));
      }
    }
    return std::nullopt;
  }

 private:
  static std::string child_of(const std::string& pointer, std::string_view name) {
    return (json::json_pointer(pointer) / std::string(name)).to_string();
  }
  static bool is_among(const std::vector<Member>& members, std::string_view name) {
    return std::ranges::find(members, name, &Member::name) != members.end();
  }
  static const Member* find(const Shape& shape, std::string_view name) {
    for (const auto* members : {&shape.members, &shape.common}) {
      const auto found = std::ranges::find(*members, name, &Member::name);
      if (found != members->end()) return &*found;
    }
    return nullptr;
  }

  std::optional<Error> member(const json& value, const std::string& pointer, const Member& member) {
    if (!has_kind(value, member.kind)) {
      return complain_(pointer, fmt::format("'{}' must be {}", member.name, kind_name(member.kind)),
                       fmt::format("{}: {}", member.name, member.doc));
    }
    if (value.is_number()) {
      const double number = value.get<double>();
      if (!(number >= member.min && number <= member.max)) {
        return complain_(pointer,
                         fmt::format("'{}' is {}, but must be from {} to {}", member.name, value.dump(),
                                     member.min, member.max),
                         fmt::format("{}: {}", member.name, member.doc));
      }
    }
    if (value.is_string()) return text(value, pointer, member);
    if (member.kind == Kind::kTexts) {
      for (std::size_t i = 0; i < value.size(); ++i) {
        if (auto error = text(value[i], fmt::format("{}/{}", pointer, i), member)) return error;
      }
    }
    return nested(value, pointer, member);
  }

  std::optional<Error> text(const json& value, const std::string& pointer, const Member& member) {
    const auto word = value.get<std::string>();
    if (member.values.empty() || std::ranges::find(member.values, word) != member.values.end())
      return std::nullopt;
    return complain_(pointer, fmt::format("'{}' cannot be '{}'", member.name, word),
                     suggestion(word, member.values));
  }

  std::optional<Error> nested(const json& value, const std::string& pointer, const Member& member) {
    if (member.kind == Kind::kObject) return object(value, pointer, *member.shape);
    if (member.kind == Kind::kList) {
      for (std::size_t i = 0; i < value.size(); ++i) {
        if (auto error = object(value[i], fmt::format("{}/{}", pointer, i), *member.shape)) return error;
      }
    }
    if (member.kind == Kind::kMap) {
      for (const auto& [name, inner] : value.items()) {
        if (auto error = object(inner, child_of(pointer, name), *member.shape)) return error;
      }
    }
    return std::nullopt;
  }

  Complain complain_;
};

/// Makes the schema; each shape becomes a definition once.
class SchemaWriter {
 public:
  json write(const Shape& root) {
    json schema = object(root);
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
    schema["title"] = std::string(root.name);
    definitions_["parameter"] = {{"type", "string"},
                                 {"pattern", "\\$\\{[^}]+\\}"},
                                 {"description", "A text with ${NAME} in it: a parameter's value"}};
    schema["$defs"] = std::move(definitions_);
    return schema;
  }

 private:
  json object(const Shape& shape) {
    json properties = json::object();
    json required = json::array();
    for (const auto* members : {&shape.members, &shape.common}) {
      for (const Member& member : *members) {
        properties[std::string(member.name)] = this->member(member);
        if (member.is_required) required.push_back(std::string(member.name));
      }
    }
    json schema{{"type", "object"},
                {"description", std::string(shape.doc)},
                {"properties", std::move(properties)},
                {"additionalProperties", shape.is_open}};
    if (!required.empty()) schema["required"] = std::move(required);
    if (shape.is_choice) {
      schema["oneOf"] = json::array();
      for (const Member& member : shape.members) {
        schema["oneOf"].push_back({{"required", json::array({std::string(member.name)})}});
      }
    }
    return schema;
  }

  json reference(const Shape& shape) {
    const std::string name(shape.name);
    if (!definitions_.contains(name)) {
      definitions_[name] = nullptr;  // a shape may contain itself
      definitions_[name] = object(shape);
    }
    return {{"$ref", "#/$defs/" + name}};
  }

  json member(const Member& member) {
    json schema = type_of(member);
    schema["description"] = std::string(member.doc);
    return schema;
  }

  json type_of(const Member& member) {
    switch (member.kind) {
      case Kind::kText:
        return text(member);
      case Kind::kInteger:
        return number("integer", member);
      case Kind::kNumber:
        return number("number", member);
      case Kind::kFlag:
        return or_parameter({{"type", "boolean"}});
      case Kind::kScalar:
        return scalar();
      case Kind::kAny:
        return json::object();
      case Kind::kObject:
        return reference(*member.shape);
      case Kind::kList:
        return {{"type", "array"}, {"items", reference(*member.shape)}};
      case Kind::kMap:
        return {{"type", "object"}, {"additionalProperties", reference(*member.shape)}};
      case Kind::kTexts:
        return {{"type", "array"}, {"items", text(member)}};
      case Kind::kScalars:
        return {{"type", "object"}, {"additionalProperties", scalar()}};
    }
    return json::object();
  }

  static json scalar() { return {{"type", {"string", "number", "boolean", "null"}}}; }
  /// A file is checked when its parameters are in; an editor sees it before.
  static json or_parameter(json schema) {
    return {{"anyOf", json::array({std::move(schema), {{"$ref", "#/$defs/parameter"}}})}};
  }
  static json text(const Member& member) {
    json schema{{"type", "string"}};
    if (member.values.empty()) return schema;
    for (const std::string_view value : member.values) schema["enum"].push_back(std::string(value));
    return or_parameter(std::move(schema));
  }
  static json number(const char* type, const Member& member) {
    json schema{{"type", type}};
    if (std::isfinite(member.min)) schema["minimum"] = member.min;
    if (std::isfinite(member.max)) schema["maximum"] = member.max;
    return or_parameter(std::move(schema));
  }

  json definitions_ = json::object();
};

}  // namespace

Result<void> check(const JsonText& text, const std::string& pointer, const Shape& shape) {
  Checker checker([&text](const std::string& at, const std::string& message, std::string hint) {
    return text.error_at(at, message, std::move(hint));
  });
  if (auto error = checker.object(text.value().at(json::json_pointer(pointer)), pointer, shape)) {
    return tl::unexpected(std::move(*error));
  }
  return {};
}

Result<void> check_value(const json& value, const std::string& where, const Shape& shape) {
  Checker checker([&where](const std::string&, const std::string& message, std::string hint) {
    return Error{ExitCode::kUsage, fmt::format("{}: {}", where, message), std::move(hint)};
  });
  if (auto error = checker.object(value, "", shape)) return tl::unexpected(std::move(*error));
  return {};
}

json json_schema(const Shape& root) {
  return SchemaWriter().write(root);
}

std::string nearest(std::string_view word, const std::vector<std::string_view>& names) {
  std::string best;
  std::size_t distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string_view name : names) {
    const std::size_t d = edit_distance(word, name);
    if (d >= distance) continue;
    distance = d;
    best = name;
  }
  return best;
}

}  // namespace otasim::scenario
