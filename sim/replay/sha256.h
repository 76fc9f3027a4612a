// What a recording knows programs by.
#pragma once

#include <string>

#include "sim/base/result.h"

namespace otasim::replay {

/// Of a file, in hex. @returns kEnvironment if it cannot be read, or is no regular file
[[nodiscard]] Result<std::string> sha256_of_file(const std::string& path);

}  // namespace otasim::replay
