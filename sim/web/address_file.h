// Where the address of the lab's page stands, with its token: `web.url` in the lab's folder, for its user's
// eyes only (mode 0600). It is there as long as the lab runs; a lab that was killed leaves it, of no use.
#pragma once

#include <string>

#include "sim/base/result.h"

namespace otasim::web {

inline constexpr const char* kAddressFile = "web.url";

/// @returns kEnvironment if it cannot be written
[[nodiscard]] Result<void> write_address(const std::string& lab_folder, const std::string& way_in);
void forget_address(const std::string& lab_folder);
/// @returns kEnvironment if it cannot be read
[[nodiscard]] Result<std::string> read_address(const std::string& lab_folder);

}  // namespace otasim::web
