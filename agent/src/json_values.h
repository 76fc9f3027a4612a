// Values of a JSON document's tokens: strings without escapes, unsigned numbers.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace ota {

/// Resolves the escapes of a JSON string and appends a NUL. @returns false if it does not fit, contains a
/// NUL, or has an unpaired surrogate.
[[nodiscard]] bool copy_string(std::string_view raw, std::span<std::uint8_t> out);

/// Reads an unsigned number, decimal without leading zeros or 0x-prefixed. @returns false if it is no such
/// number or exceeds 32 bits; `out` is then 0.
[[nodiscard]] bool parse_u32(std::string_view text, std::uint32_t& out);

}  // namespace ota
