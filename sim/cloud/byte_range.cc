#include "sim/cloud/byte_range.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "sim/base/text.h"

namespace otasim::cloud {

namespace {

constexpr std::string_view kUnit = "bytes=";

bool begins_with_unit(std::string_view value) {
  return value.size() >= kUnit.size() &&
         std::ranges::equal(value.substr(0, kUnit.size()), kUnit,
                            [](char c, char unit) { return to_lower(c) == unit; });
}

/// @returns nothing if `text` is not digits only
std::optional<std::int64_t> parse_position(std::string_view text) {
  if (text.empty() || text.front() == '-') return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) return std::nullopt;
  return error == std::errc{} ? value : std::numeric_limits<std::int64_t>::max();
}

}  // namespace

std::optional<RangeRequest> parse_range(std::string_view value) {
  if (!begins_with_unit(value)) return std::nullopt;
  const std::string_view spec = trim(value.substr(kUnit.size()));
  const std::size_t dash = spec.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::string_view before = spec.substr(0, dash);
  const std::string_view after = spec.substr(dash + 1);
  const auto last = parse_position(after);
  if (!last && !after.empty()) return std::nullopt;
  if (before.empty()) {
    if (!last) return std::nullopt;
    return RangeRequest{std::nullopt, std::nullopt, *last};
  }
  const auto first = parse_position(before);
  if (!first || (last && *last < *first)) return std::nullopt;
  return RangeRequest{first, last, 0};
}

std::optional<ByteRange> RangeRequest::within(std::int64_t size) const {
  if (!first) {
    if (suffix_length == 0 || size == 0) return std::nullopt;
    return ByteRange{size - std::min(suffix_length, size), size - 1};
  }
  if (*first >= size) return std::nullopt;
  return ByteRange{*first, std::min(last.value_or(size - 1), size - 1)};
}

std::string content_range(const ByteRange& range, std::int64_t size) {
  return fmt::format("bytes {}-{}/{}", range.first, range.last, size);
}

}  // namespace otasim::cloud
