// Where a run's files go.
#pragma once

#include <string>

#include "sim/base/result.h"

namespace otasim::cli {

/// Makes a run's folder: the one asked for, which must be new, or `otasim-runs/TIME-NAME`.
/// @returns its absolute path; kUsage if the one asked for exists or cannot be made; kEnvironment
[[nodiscard]] Result<std::string> make_run_folder(const std::string& wanted, const std::string& name);

/// Whether a file that is written at the end can be: found out before the work begins. Empty: none is wanted.
/// @returns kUsage if its folder is not there or may not be written to
[[nodiscard]] Result<void> check_result_file(const std::string& option, const std::string& path);

}  // namespace otasim::cli
