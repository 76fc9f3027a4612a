#include "sim/cloud/told_payload.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>

namespace otasim::cloud {

void tell_payload(nlohmann::json& event, std::string_view payload) {
  if (payload.size() > kMostToldText) event["payload_bytes"] = payload.size();
  std::string_view told = payload.substr(0, kMostToldText);
  const bool is_text = std::ranges::all_of(told, [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7F;
  });
  if (is_text) {
    event["payload"] = told;
    return;
  }
  if (payload.size() > kMostToldText) told = told.substr(0, kMostToldOfLong);
  std::string digits;
  digits.reserve(2 * told.size());
  for (const char c : told)
    fmt::format_to(std::back_inserter(digits), "{:02x}", static_cast<std::uint8_t>(c));
  event["payload_hex"] = std::move(digits);
}

}  // namespace otasim::cloud
