// How deep a JSON text is nested, found before it is parsed: what walks a document calls itself for each
// level, so a text from outside is refused first if it is deeper than kMaxNesting.
#pragma once

#include <cstddef>
#include <string_view>

namespace otasim::cloud {

inline constexpr std::size_t kMaxNesting = 64;

/// The most arrays and objects that are open at one place. Of what is no JSON: some number, at most its size.
[[nodiscard]] std::size_t nesting_depth(std::string_view json);

}  // namespace otasim::cloud
