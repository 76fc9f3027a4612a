// Percent encoding as AWS signs it, and what a request's target consists of.
//
// AWS leaves letters, digits and `-._~` as they are and writes every other byte as %XX with upper-case
// digits; a plus sign is a plus sign, never a blank. Targets come from the network: any bytes, of any length.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otasim::cloud {

/// @param keep_slashes  for paths, whose slashes part the segments
[[nodiscard]] std::string uri_encode(std::string_view bytes, bool keep_slashes = false);

/// @returns nothing if a percent sign is not followed by two hexadecimal digits
[[nodiscard]] std::optional<std::string> uri_decode(std::string_view text);

struct QueryParameter {
  std::string name;
  std::string value;
  bool operator==(const QueryParameter&) const = default;
};

/// A request's target (`/path?query`), decoded.
struct RequestTarget {
  std::string path;                   ///< begins with a slash
  std::vector<QueryParameter> query;  ///< in the order they came; a name without "=" has an empty value
};

/// @returns nothing for a target that is not a path, or whose percent encoding is broken
[[nodiscard]] std::optional<RequestTarget> parse_request_target(std::string_view target);

}  // namespace otasim::cloud
