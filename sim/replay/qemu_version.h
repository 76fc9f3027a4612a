// Which QEMU is installed: a recording is replayed by the one that made it.
#pragma once

#include <string>

#include "sim/base/result.h"

namespace otasim::replay {

/// The first line of `qemu-system-arm --version`. @returns kEnvironment if there is none
[[nodiscard]] Result<std::string> qemu_version();

}  // namespace otasim::replay
