// A flash report, a comparison of two and a dump, for people.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/inspect/diff.h"
#include "sim/inspect/flash_report.h"

namespace otasim::cli {

/// Lines, each with its end.
[[nodiscard]] std::string flash_report_text(const inspect::FlashReport& report);
[[nodiscard]] std::string changes_text(const std::vector<inspect::Change>& changes);
[[nodiscard]] std::string byte_differences_text(const std::vector<inspect::PartitionDifference>& differences);

/// Sixteen bytes a line, with their offset in the window; "*" stands for lines equal to the one before.
[[nodiscard]] std::string hex_dump(std::span<const std::uint8_t> bytes, std::uint32_t first_offset);

}  // namespace otasim::cli
