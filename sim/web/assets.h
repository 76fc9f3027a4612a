// What the server has to give: the page, its style sheet and its script, and what stands there instead for
// somebody who may not come in.
//
// The script is the reports' own (sim/report/html) with the live page's behind it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sim/rest/http_message.h"

namespace otasim::web {

struct Asset {
  std::string_view type;  ///< Content-Type
  std::string body;
};

/// @param target  "/", "/live.css", "/live.js"
/// @returns nothing for what there is not
[[nodiscard]] std::optional<Asset> find_asset(std::string_view target);

/// A page of a few words. @param hint  what to do, a command
[[nodiscard]] std::string refusal_page(std::string_view title, std::string_view text, std::string_view hint);

/// What every answer says besides: what a page may do, and that nothing is kept.
[[nodiscard]] rest::HeaderFields security_headers(std::uint16_t port);

}  // namespace otasim::web
