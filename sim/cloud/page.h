// Long lists, a page at a time: what AWS calls maxResults and nextToken.
//
// A token is the key of the last item given out: lists may change between two pages without an item that
// stays being missed or told twice. To callers it is opaque.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sim/cloud/service_error.h"

namespace otasim::cloud {

inline constexpr int kMaxPageSize = 250;

struct PageRequest {
  int max_results = 100;  ///< 1 to kMaxPageSize
  std::string next_token = {};
};

template <typename T>
struct Page {
  std::vector<T> items;
  std::string next_token;  ///< empty on the last page
};

/// A page request as a query needs it.
struct PageStart {
  std::int64_t limit = 0;  ///< rows to read: one more than fit, to know whether there is a next page
  std::string after;       ///< the key to go on behind; empty: from the start

  /// The key as a number, for lists in the order of a sequence; 0 for none and for what is no number.
  [[nodiscard]] std::int64_t after_number() const;
};

/// @returns kInvalidRequest for a size out of range
[[nodiscard]] ServiceResult<PageStart> start_page(const PageRequest& request);

/// Makes the page of the rows that were read. @param key_of  gives an item's key as text
template <typename T, typename KeyOf>
[[nodiscard]] Page<T> make_page(std::vector<T> rows, const PageStart& start, const KeyOf& key_of) {
  Page<T> page{std::move(rows), {}};
  if (static_cast<std::int64_t>(page.items.size()) == start.limit) {
    page.items.pop_back();
    page.next_token = key_of(page.items.back());
  }
  return page;
}

}  // namespace otasim::cloud
