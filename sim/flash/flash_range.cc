#include "sim/flash/flash_range.h"

#include <fmt/format.h>

#include <algorithm>

#include "pal_sim/flash/flash_map.h"

namespace otasim::flash_file {
namespace {

constexpr std::string_view kOtpName = "otp";
constexpr std::uint32_t kCellsEnd = flash::kOtpOffset + flash::kOtpSize;

Result<CellRange> find(const std::string& name) {
  if (name.empty()) return CellRange{0, kCellsEnd};
  if (name == kOtpName) return CellRange{flash::kOtpOffset, kCellsEnd};
  const auto found = std::ranges::find(flash::kPartitions, name, &flash::Partition::name);
  if (found != flash::kPartitions.end()) return CellRange{found->offset, found->end()};
  std::string names;
  for (const auto& partition : flash::kPartitions) names += fmt::format("{}, ", partition.name);
  return fail(ExitCode::kUsage, fmt::format("there is no partition '{}' in flash", name),
              fmt::format("Partitions are {}{}.", names, kOtpName));
}

}  // namespace

Result<CellRange> resolve(const FlashRange& range) {
  const auto whole = find(range.partition);
  if (!whole) return whole;
  const std::uint32_t offset = range.offset.value_or(0);
  const std::uint32_t left = whole->size() - std::min(offset, whole->size());
  const std::uint32_t length = range.length_bytes.value_or(left);
  if (length == 0 || length > left) {
    return fail(ExitCode::kUsage,
                fmt::format("{} bytes at offset {:#x} are not inside {}, which has {:#x}", length, offset,
                            range.partition.empty() ? "flash" : "'" + range.partition + "'", whole->size()));
  }
  return CellRange{whole->begin + offset, whole->begin + offset + length};
}

std::string_view partition_at(std::uint32_t window_offset) {
  if (window_offset >= flash::kOtpOffset && window_offset < kCellsEnd) return kOtpName;
  const auto found = std::ranges::find_if(flash::kPartitions, [window_offset](const auto& partition) {
    return partition.contains(window_offset, 1);
  });
  return found == flash::kPartitions.end() ? std::string_view{} : found->name;
}

}  // namespace otasim::flash_file
