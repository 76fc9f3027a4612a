// The results of many runs, with links to the runs' own pages.
#pragma once

#include <string>

#include "sim/base/json.h"
#include "sim/base/result.h"

namespace otasim::report::html {

/// Reads a JSON object of the folder and gives each element of its list `list` whose `run` has a page a
/// `link`: relative to where the page with the links stands, so that a folder with its page in it can be
/// moved, archived or served as a whole.
/// @param page_folder  where that is
/// @returns kEnvironment if the file cannot be read; kUsage if it is no such object
[[nodiscard]] Result<nlohmann::json> read_linked_json(const std::string& folder, const std::string& file,
                                                      const std::string& list,
                                                      const std::string& page_folder);

}  // namespace otasim::report::html
