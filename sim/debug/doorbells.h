// Where programs ring the flash controller's doorbell: the places at which an operation is about to be done.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>

#include "sim/base/result.h"

namespace otasim::debug {

/// The doorbell instruction's bytes.
[[nodiscard]] std::string doorbell_code();

/// Addresses of all doorbells in a program (ELF); bytes in its data that look like one are among them.
/// @returns kUsage if it is no program
[[nodiscard]] Result<std::set<std::uint32_t>> doorbells_in(std::span<const std::uint8_t> elf);

}  // namespace otasim::debug
