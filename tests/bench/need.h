// A result a benchmark cannot do without: an error ends the program with its message.
#pragma once

#include <fmt/format.h>

#include <cstdlib>
#include <tl/expected.hpp>
#include <type_traits>

namespace otasim::bench {

template <typename T, typename E>
T need(tl::expected<T, E> result) {
  if (!result) {
    fmt::print(stderr, "bench: {}\n", result.error().message);
    std::_Exit(3);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace otasim::bench
