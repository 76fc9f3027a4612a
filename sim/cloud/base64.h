// Base64 (RFC 4648, padded, one line): signatures in job documents, blocks in JSON streams.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace otasim::cloud {

[[nodiscard]] std::string base64_encode(std::span<const std::uint8_t> bytes);
/// @returns nothing for text that is not exactly what base64_encode() writes
[[nodiscard]] std::optional<std::vector<std::uint8_t>> base64_decode(std::string_view text);

}  // namespace otasim::cloud
