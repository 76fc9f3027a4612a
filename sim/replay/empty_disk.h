// The drive that reverse debugging keeps its snapshot on: an empty qcow2 image, since QEMU's own tool for
// that is in a package that nothing else here needs.
#pragma once

#include <string>

#include "sim/base/result.h"

namespace otasim::replay {

/// @returns kEnvironment if it cannot be written
[[nodiscard]] Result<void> make_empty_disk(const std::string& path);

}  // namespace otasim::replay
