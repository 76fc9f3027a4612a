// Members of a JSON value that may be anything: read as the type wanted, or not there.
//
//   const nlohmann::json value = parse_json(text);              // discarded if it is no JSON
//   if (const auto name = text_member(value, "name")) ...
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/json.h"

namespace otasim {

/// @returns a value of type `discarded` for what is no JSON
[[nodiscard]] nlohmann::json parse_json(std::string_view text);

/// Each returns nothing if `value` is no object, or has no such member of that type.
[[nodiscard]] std::optional<std::string> text_member(const nlohmann::json& value, const char* name);
[[nodiscard]] std::optional<std::int64_t> integer_member(const nlohmann::json& value, const char* name);
[[nodiscard]] std::optional<bool> flag_member(const nlohmann::json& value, const char* name);
/// The text, or an empty one: what a view of an event shows of a member that is missing.
[[nodiscard]] std::string text_of(const nlohmann::json& value, const char* name);
/// The object, or an empty one. What it refers to lives as long as `value`.
[[nodiscard]] const nlohmann::json& object_of(const nlohmann::json& value, const char* name);
/// An array of texts, and nothing else.
[[nodiscard]] std::optional<std::vector<std::string>> texts_member(const nlohmann::json& value,
                                                                   const char* name);

}  // namespace otasim
