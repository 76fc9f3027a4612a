// A message's payload as an event tells it: docs/events.md, "Payloads".
#pragma once

#include <string_view>

#include "sim/base/json.h"

namespace otasim::cloud {

/// Of text so much is told; it may be anybody's.
inline constexpr std::size_t kMostToldText = 1024;
/// Of other payloads that are longer than that, which are an image's blocks, so much is told.
inline constexpr std::size_t kMostToldOfLong = 64;

/// Adds `payload`, of printable ASCII, or `payload_hex`; and `payload_bytes` if it is more than what is told.
void tell_payload(nlohmann::json& event, std::string_view payload);

}  // namespace otasim::cloud
