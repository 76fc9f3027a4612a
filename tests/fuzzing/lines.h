// Inputs of several lines, so that corpus entries can be read and written by hand.
#pragma once

#include <string_view>

namespace otasim::testing {

/// Takes the first line off `rest`, without its end; the whole of it if it is the last one.
inline std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

}  // namespace otasim::testing
