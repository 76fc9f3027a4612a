// Bytes of flash as text: whoever wrote them, they break neither a terminal nor a JSON document.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace otasim::inspect {

/// Printable ASCII as it is, everything else (and the backslash) as \xNN.
[[nodiscard]] std::string printable(std::string_view bytes);

/// "2026-01-31T12:00:00Z"; times that a calendar of four-digit years does not have are "N s since 1970".
[[nodiscard]] std::string utc(std::int64_t epoch_seconds);

[[nodiscard]] bool is_erased(std::span<const std::uint8_t> bytes);

/// How many bytes are left when what is erased at the end is taken off.
[[nodiscard]] std::uint32_t used_size(std::span<const std::uint8_t> bytes);

}  // namespace otasim::inspect
