// The results of many runs, with links to the runs' own pages.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "sim/base/result.h"

namespace otasim::report::html {

/// Reads a JSON object and gives each element of its list `list` whose `run` has a page a `link`: relative to
/// the folder, so that the folder can be moved, archived or served as a whole.
/// @returns kEnvironment if the file cannot be read; kUsage if it is no such object
[[nodiscard]] Result<nlohmann::json> read_linked_json(const std::string& folder, const std::string& file,
                                                      const std::string& list);

}  // namespace otasim::report::html
