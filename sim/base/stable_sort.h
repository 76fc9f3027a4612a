// A stable sort. That of GCC 12's library asks for its buffer with a function of its own that is deprecated,
// which clang takes for an error of whoever sorts.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

namespace otasim {

/// Orders `values` by what `projection` makes of them; those that are equal keep their order.
template <typename T, typename Less = std::ranges::less, typename Projection = std::identity>
void stable_sort(std::vector<T>& values, Less less = {}, Projection projection = {}) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    if (std::invoke(less, std::invoke(projection, values[a]), std::invoke(projection, values[b])))
      return true;
    if (std::invoke(less, std::invoke(projection, values[b]), std::invoke(projection, values[a])))
      return false;
    return a < b;
  });
  std::vector<T> sorted;
  sorted.reserve(values.size());
  for (const std::size_t place : order) sorted.push_back(std::move(values[place]));
  values = std::move(sorted);
}

}  // namespace otasim
