// Operations of AWS's REST services as data: what docs/aws-conformance.md lists, and how requests find them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace otasim::rest {

struct Operation {
  std::string_view service;    ///< the signing name: `iot`
  std::string_view name;       ///< `DescribeThing`
  std::string_view verb;       ///< `GET`
  std::string_view uri;        ///< `/things/{thingName}`
  std::string_view deviation;  ///< what is not as with AWS; empty: nothing known
  double requests_per_second;  ///< AWS's default rate, for throttling
};

/// Names and values that a URI template's braces stand for.
using UriValues = std::vector<std::pair<std::string, std::string>>;

/// Matches the path of a target as it came, segment by segment; values are decoded.
/// @param target  may have a query, which is ignored
/// @returns nothing if it does not match, or a segment's percent encoding is broken
[[nodiscard]] std::optional<UriValues> match_uri(std::string_view uri_template, std::string_view target);

/// Whether braces stand in a template: those without any come first.
[[nodiscard]] constexpr bool has_values(std::string_view uri_template) {
  return uri_template.find('{') != std::string_view::npos;
}

}  // namespace otasim::rest
