// What a piece of memory holds beyond what is known of it: the pages that differ, in a file.
//
//   write_page_delta(path, base, now);    // both of one size
//   apply_page_delta(path, content);      // content holds the base; then it holds `now`
//
// A flash window of 16 MiB of which an update writes one, or RAM that is mostly zero, is thus stored at the
// size of what happened. docs/record-replay.md has the bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/base/result.h"

namespace otasim::replay {

/// @param base, now  of one size. @returns kEnvironment if the file cannot be written
[[nodiscard]] Result<void> write_page_delta(const std::string& path, std::span<const std::uint8_t> base,
                                            std::span<const std::uint8_t> now);

/// @returns kUsage if it is no such file, or one of something of another size; kEnvironment if it cannot be
///          read
[[nodiscard]] Result<void> apply_page_delta(const std::string& path, std::span<std::uint8_t> content);

/// Writes a file whose zero pages take no room on the disk.
[[nodiscard]] Result<void> write_sparse_file(const std::string& path, std::span<const std::uint8_t> content);

}  // namespace otasim::replay
