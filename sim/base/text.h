// Texts of protocols: they know ASCII only, and no locale changes what these do.
#pragma once

#include <string>
#include <string_view>

namespace otasim {

/// Without the blanks and tabs around it.
[[nodiscard]] std::string_view trim(std::string_view text);

[[nodiscard]] constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
[[nodiscard]] std::string to_lower(std::string_view text);

/// How many characters must be put in, left out or exchanged to make one of the other.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// As HTML and XML take it, between tags and in an attribute: no character of it is markup.
[[nodiscard]] std::string escape_markup(std::string_view text);

}  // namespace otasim
