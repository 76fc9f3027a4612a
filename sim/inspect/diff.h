// How two flashes differ: what they mean differently, and in which bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/base/json.h"

namespace otasim::inspect {

/// A member of a report that is not the same in both.
struct Change {
  std::string what;     ///< "slots.slot-b.image.version"
  nlohmann::json from;  ///< null: it was not there
  nlohmann::json to;
};

/// Compares two reports (flash_report.h), member by member, in the order of their names.
[[nodiscard]] std::vector<Change> changes_between(const nlohmann::json& from, const nlohmann::json& to);

struct ByteRange {
  std::uint32_t offset = 0;  ///< in the window
  std::uint32_t length = 0;
};

/// Ranges of a partition (or "otp", or "" for what belongs to none) that are not the same.
struct PartitionDifference {
  /// Ranges kept; further ones are counted only.
  static constexpr std::size_t kMostRanges = 256;

  std::string partition = {};
  std::uint32_t differing_bytes = 0;
  std::vector<ByteRange> ranges = {};  ///< with fewer than kMergedGap equal bytes between, one range
  std::uint32_t left_off = 0;
};
inline constexpr std::uint32_t kMergedGap = 16;

/// Compares the cells of two windows; registers and page buffer are no cells.
[[nodiscard]] std::vector<PartitionDifference> byte_differences(std::span<const std::uint8_t> from,
                                                                std::span<const std::uint8_t> to);

}  // namespace otasim::inspect
