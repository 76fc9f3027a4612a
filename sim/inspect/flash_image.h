// A flash file read into memory, to be looked at: the file may be read-only, and is never changed.
//
// What is no flash file of this layout is refused, and nothing of it is mended.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pal_sim/flash/flash_driver.h"
#include "sim/base/result.h"

namespace otasim::inspect {

struct FlashImage {
  std::vector<std::uint8_t> bytes;  ///< the whole window
  flash::Geometry part;
};

/// @returns kUsage, saying what is wrong, if the file cannot be read, has another size than a part, or its
///          registers are not those of a part that this otasim knows
[[nodiscard]] Result<FlashImage> read_flash_file(const std::string& path);

/// "controller" or "SPI NOR".
[[nodiscard]] std::string part_name(const flash::Geometry& part);

}  // namespace otasim::inspect
