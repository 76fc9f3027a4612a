// A whole list of the cloud, page by page.
#pragma once

#include <utility>
#include <vector>

#include "sim/cloud/page.h"
#include "sim/cloud/service_error.h"

namespace otasim::control {

/// @param list  gives the page for a cloud::PageRequest
template <typename T, typename List>
[[nodiscard]] cloud::ServiceResult<std::vector<T>> all_pages(const List& list) {
  std::vector<T> all;
  cloud::PageRequest request{.max_results = cloud::kMaxPageSize};
  for (;;) {
    cloud::ServiceResult<cloud::Page<T>> page = list(request);
    if (!page) return tl::unexpected(page.error());
    for (T& item : page->items) all.push_back(std::move(item));
    if (page->next_token.empty()) return all;
    request.next_token = page->next_token;
  }
}

}  // namespace otasim::control
