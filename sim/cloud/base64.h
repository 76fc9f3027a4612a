// Base64 (RFC 4648, padded, one line): signatures in job documents, blocks in JSON streams.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace otasim::cloud {

[[nodiscard]] std::string base64_encode(std::span<const std::uint8_t> bytes);

}  // namespace otasim::cloud
