#include "sim/base/json_members.h"

#include <limits>

namespace otasim {
namespace {

const nlohmann::json* find(const nlohmann::json& value, const char* name) {
  if (!value.is_object()) return nullptr;
  const auto member = value.find(name);
  return member == value.end() ? nullptr : &*member;
}

}  // namespace

nlohmann::json parse_json(std::string_view text) {
  return nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
}

std::optional<std::string> text_member(const nlohmann::json& value, const char* name) {
  const auto* const member = find(value, name);
  if (member == nullptr || !member->is_string()) return std::nullopt;
  return member->get<std::string>();
}

std::optional<std::int64_t> integer_member(const nlohmann::json& value, const char* name) {
  const auto* const member = find(value, name);
  if (member == nullptr || !member->is_number_integer()) return std::nullopt;
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (member->is_number_unsigned() && member->get<std::uint64_t>() > kMax) return std::nullopt;
  return member->get<std::int64_t>();
}

std::optional<bool> flag_member(const nlohmann::json& value, const char* name) {
  const auto* const member = find(value, name);
  if (member == nullptr || !member->is_boolean()) return std::nullopt;
  return member->get<bool>();
}

std::string text_of(const nlohmann::json& value, const char* name) {
  return text_member(value, name).value_or("");
}

const nlohmann::json& object_of(const nlohmann::json& value, const char* name) {
  static const nlohmann::json kNothing = nlohmann::json::object();
  const auto* const member = find(value, name);
  return member != nullptr && member->is_object() ? *member : kNothing;
}

std::optional<std::vector<std::string>> texts_member(const nlohmann::json& value, const char* name) {
  const auto* const member = find(value, name);
  if (member == nullptr || !member->is_array()) return std::nullopt;
  std::vector<std::string> texts;
  for (const nlohmann::json& one : *member) {
    if (!one.is_string()) return std::nullopt;
    texts.push_back(one.get<std::string>());
  }
  return texts;
}

}  // namespace otasim
