#include "sim/cloud/page.h"

#include <fmt/format.h>

#include <charconv>

namespace otasim::cloud {

std::int64_t PageStart::after_number() const {
  std::int64_t number = 0;
  const char* const end = after.data() + after.size();
  const auto [stop, error] = std::from_chars(after.data(), end, number);
  return error == std::errc{} && stop == end ? number : 0;
}

ServiceResult<PageStart> start_page(const PageRequest& request) {
  if (request.max_results < 1 || request.max_results > kMaxPageSize) {
    return refuse(ErrorCode::kInvalidRequest, fmt::format("maxResults must be 1 to {}.", kMaxPageSize));
  }
  return PageStart{request.max_results + 1, request.next_token};
}

}  // namespace otasim::cloud
