// Where the keys come from that the flash inspector opens things with: a build's folder of keys.
#pragma once

#include <string>

#include "sim/base/result.h"
#include "sim/inspect/keys.h"

namespace otasim::cli {

/// @param folder  with files named as in build/<preset>/keys; empty: otasim's own build's, as far as there
///                are any
/// @returns kUsage if the folder was given and holds none of them, or one that is no key
[[nodiscard]] Result<inspect::Keys> load_flash_keys(const std::string& folder);

}  // namespace otasim::cli
