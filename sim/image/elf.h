// Turns an application's ELF file into the bytes that stand behind an image header.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/base/result.h"

namespace otasim::image {

/// Lays out the loadable segments of a 32-bit little-endian ARM ELF by physical address, from `base` on. Gaps
/// are zero.
///
/// @param base      where the payload (its vector table) stands in memory
/// @param max_size  the most bytes the payload may have
/// @returns kUsage if it is no such ELF, a segment lies below `base` or the whole exceeds `max_size`
[[nodiscard]] Result<std::vector<std::uint8_t>> payload_from_elf(std::span<const std::uint8_t> elf,
                                                                 std::uint32_t base, std::uint32_t max_size);

/// Addresses.
struct LoadedRange {
  std::uint32_t begin = 0;
  std::uint64_t end = 0;
};

/// From the first to the last byte that is loaded of a program, by physical address.
/// @returns kUsage if it is no such ELF, or has nothing to load
[[nodiscard]] Result<LoadedRange> loaded_range(std::span<const std::uint8_t> elf);

/// @returns whether the file starts with ELF's magic.
[[nodiscard]] bool is_elf(std::span<const std::uint8_t> file);

}  // namespace otasim::image
