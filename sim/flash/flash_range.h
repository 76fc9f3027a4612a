// A part of flash as a user names it: a partition, a stretch of one, or a stretch of the window.
//
//   {.partition = "slot-b"}                                the whole of it
//   {.partition = "slot-b", .offset = 0x200, .length_bytes = 256}   counted from its start
//   {.offset = 0x400000, .length_bytes = 4096}             counted from the start of the window
//   {}                                                     everything
//
// "otp" is the OTP bank.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sim/base/result.h"

namespace otasim::flash_file {

struct FlashRange {
  std::string partition = {};
  std::optional<std::uint32_t> offset = {};
  std::optional<std::uint32_t> length_bytes = {};  ///< none: to the partition's or the part's end
};

/// Cells, as offsets of the window; [begin, end).
struct CellRange {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  [[nodiscard]] std::uint32_t size() const { return end - begin; }
};

/// @returns kUsage if there is no such partition, or the range is empty or leaves it, or is not all cells
[[nodiscard]] Result<CellRange> resolve(const FlashRange& range);

/// The partition that holds the byte, "otp", or nothing.
[[nodiscard]] std::string_view partition_at(std::uint32_t window_offset);

}  // namespace otasim::flash_file
