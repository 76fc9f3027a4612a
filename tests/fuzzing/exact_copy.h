// An input in memory that ends where the input ends: a read beyond it is caught.
#pragma once

#include <cstdint>
#include <vector>

namespace otasim::testing {

inline std::vector<std::uint8_t> exact_copy(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint8_t> copy(data, data + size);
  copy.shrink_to_fit();
  return copy;
}

}  // namespace otasim::testing
