#include "sim/cloud/attributes.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/json.h"

namespace otasim::cloud {

namespace {

constexpr std::size_t kMaxName = 128;
constexpr std::size_t kMaxValue = 800;

bool is_allowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_.,@/:#-").find(c) != std::string_view::npos;
}

}  // namespace

ServiceResult<void> check_attributes(const Attributes& attributes) {
  if (attributes.size() > kMaxAttributes) {
    return refuse(ErrorCode::kInvalidRequest,
                  fmt::format("The number of attributes exceeds the limit of {}.", kMaxAttributes));
  }
  for (const auto& [name, value] : attributes) {
    const bool good = !name.empty() && name.size() <= kMaxName && value.size() <= kMaxValue &&
                      std::ranges::all_of(name, is_allowed) && std::ranges::all_of(value, is_allowed);
    if (good) continue;
    return refuse(
        ErrorCode::kInvalidRequest,
        fmt::format("The attribute '{}' must match [a-zA-Z0-9_.,@/:#-]+ with at most {} characters, "
                    "its value at most {}.",
                    name, kMaxName, kMaxValue));
  }
  return {};
}

Attributes updated_attributes(const Attributes& old, const Attributes& changes, bool merge) {
  Attributes result = merge ? old : Attributes{};
  for (const auto& [name, value] : changes) result[name] = value;
  std::erase_if(result, [](const auto& attribute) { return attribute.second.empty(); });
  return result;
}

std::string attributes_to_text(const Attributes& attributes) {
  return nlohmann::json(attributes).dump();
}

Attributes attributes_from_text(const std::string& text) {
  Attributes attributes;
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return attributes;
  for (const auto& [name, value] : json.items()) {
    if (value.is_string()) attributes.emplace(name, value.get<std::string>());
  }
  return attributes;
}

}  // namespace otasim::cloud
