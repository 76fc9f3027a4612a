// How deep a JSON text is nested, found before it is parsed: what walks a document calls itself for each
// level, so a text from outside is refused first if it is deeper than kMaxNesting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "sim/base/json.h"

namespace otasim {

inline constexpr std::size_t kMaxNesting = 64;

/// The most arrays and objects that are open at one place. Of what is no JSON: some number, at most its size.
[[nodiscard]] std::size_t nesting_depth(std::string_view json);

/// @returns a value of type `discarded` for what is no JSON, or is nested too deep to be walked
[[nodiscard]] nlohmann::json parse_shallow_json(std::string_view text);
[[nodiscard]] nlohmann::json parse_shallow_json(std::span<const std::uint8_t> text);

}  // namespace otasim
