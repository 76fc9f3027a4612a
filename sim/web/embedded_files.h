// The page's own style sheet and script: files of sim/web/page that the build puts into the program. What the
// page shares with the reports comes from sim/report/html.
#pragma once

#include <string_view>

namespace otasim::web {

/// @param name  "live.js"
/// @returns nothing for a file that was not embedded
[[nodiscard]] std::string_view embedded_file(std::string_view name);

}  // namespace otasim::web
