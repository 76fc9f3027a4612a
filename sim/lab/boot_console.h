// What a bootloader's console lines tell.
#pragma once

#include <string>
#include <string_view>

namespace otasim::lab {

/// The version in the bootloader's line about the image it starts, empty for any other line:
/// "boot: slot A 1.0.0 verified, starting", "boot: slot B 1.1.0 on trial (attempt 1 of 1)".
[[nodiscard]] std::string started_version(std::string_view line);

}  // namespace otasim::lab
