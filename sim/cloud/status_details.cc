#include "sim/cloud/status_details.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "sim/cloud/identifiers.h"

namespace otasim::cloud {

namespace {

bool is_key(const std::string& key) {
  return !key.empty() && key.size() <= kMaxDetailKey && std::ranges::all_of(key, detail::is_word_or_colon);
}

/// Of UTF-8, all bytes but these begin a character.
bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

/// C0 and DEL, and C1 (U+0080 to U+009F).
bool has_control_character(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    if (byte < 0x20 || byte == 0x7F || (byte == 0xC2 && next >= 0x80 && next < 0xA0)) return true;
  }
  return false;
}

bool is_value(const std::string& value) {
  const auto continuations = static_cast<std::size_t>(std::ranges::count_if(value, is_continuation));
  return !value.empty() && value.size() - continuations <= kMaxDetailValue && !has_control_character(value);
}

}  // namespace

ServiceResult<void> check_details(const StatusDetails& details) {
  if (details.size() > kMaxDetails) {
    return refuse(ErrorCode::kInvalidRequest,
                  fmt::format("statusDetails has more than {} pairs.", kMaxDetails));
  }
  for (const auto& [key, value] : details) {
    if (!is_key(key)) {
      return refuse(ErrorCode::kInvalidRequest,
                    "A key of statusDetails must have 1 to 128 letters, digits, ':', '_' or '-'.");
    }
    if (!is_value(value)) {
      return refuse(ErrorCode::kInvalidRequest,
                    fmt::format("statusDetails.{} must have 1 to {} characters, none a control character.",
                                key, kMaxDetailValue));
    }
  }
  return {};
}

}  // namespace otasim::cloud
