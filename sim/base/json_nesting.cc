#include "sim/base/json_nesting.h"

#include <algorithm>

#include "sim/base/json_members.h"

namespace otasim {

std::size_t nesting_depth(std::string_view json) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool in_text = false;
  bool escaped = false;
  for (const char c : json) {
    if (in_text) {
      if (escaped) {
        escaped = false;
      } else if (c == '\\') {
        escaped = true;
      } else if (c == '"') {
        in_text = false;
      }
    } else if (c == '"') {
      in_text = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

nlohmann::json parse_shallow_json(std::string_view text) {
  if (nesting_depth(text) > kMaxNesting) return nlohmann::json::value_t::discarded;
  return parse_json(text);
}

nlohmann::json parse_shallow_json(std::span<const std::uint8_t> text) {
  return parse_shallow_json(std::string_view(reinterpret_cast<const char*>(text.data()), text.size()));
}

}  // namespace otasim
