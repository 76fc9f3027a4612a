#include "sim/cloud/status_details.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/cloud/identifiers.h"

namespace otasim::cloud {

namespace {

bool is_key(const std::string& key) {
  return !key.empty() && key.size() <= kMaxDetailKey && std::ranges::all_of(key, detail::is_word_or_colon);
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

bool is_value(const std::string& value) {
  return !value.empty() && value.size() <= kMaxDetailValue && std::ranges::none_of(value, is_control);
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
