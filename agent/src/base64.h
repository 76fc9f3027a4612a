// Base64 (RFC 4648, section 4), strictly: padded, no white space, no stray bits in the last group.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ota {

inline constexpr std::size_t kNotBase64 = SIZE_MAX;

/// @returns the number of bytes written to `out`, kNotBase64 if the text is not base64 or does not fit.
[[nodiscard]] std::size_t base64_decode(std::string_view text, std::span<std::uint8_t> out);

}  // namespace ota
