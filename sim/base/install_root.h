// Where otasim itself stands, so that it finds its firmware and plugins from any working directory.
#pragma once

#include <filesystem>

#include "sim/base/result.h"

namespace otasim {

/// otasim's own file, however it was started. @returns kEnvironment without /proc
[[nodiscard]] Result<std::filesystem::path> running_program();

/// The folder above the one that holds the running program: `build/<preset>` for `build/<preset>/bin/otasim`.
[[nodiscard]] Result<std::filesystem::path> install_root();

}  // namespace otasim
