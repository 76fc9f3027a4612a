#include "sim/rest/operation.h"

#include "sim/cloud/uri_encoding.h"

namespace otasim::rest {

namespace {

/// Takes the next segment off a path that begins with a slash.
std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

}  // namespace

std::optional<UriValues> match_uri(std::string_view uri_template, std::string_view target) {
  std::string_view path = target.substr(0, target.find('?'));
  UriValues values;
  while (path.starts_with('/') && uri_template.starts_with('/')) {
    const std::string_view wanted = take_segment(uri_template);
    const std::string_view given = take_segment(path);
    auto decoded = cloud::uri_decode(given);
    if (!decoded) return std::nullopt;
    if (!wanted.starts_with('{')) {
      if (*decoded != wanted) return std::nullopt;
      continue;
    }
    if (decoded->empty()) return std::nullopt;
    values.emplace_back(std::string(wanted.substr(1, wanted.size() - 2)), *std::move(decoded));
  }
  if (!path.empty() || !uri_template.empty()) return std::nullopt;
  return values;
}

}  // namespace otasim::rest
