// The style sheets and scripts of the reports: files of this folder that the build puts into the program
// (EmbedFiles.cmake).
#pragma once

#include <string_view>

namespace otasim::report::html {

/// @param name  "run.js"
/// @returns nothing for a file that was not embedded
[[nodiscard]] std::string_view embedded_file(std::string_view name);

}  // namespace otasim::report::html
