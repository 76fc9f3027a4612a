#include "sim/inspect/cell_report.h"

#include <algorithm>
#include <filesystem>

#include "sim/flash/fault_file.h"
#include "sim/flash/flash_range.h"

namespace otasim::inspect {
namespace {

PartitionCells& entry_of(CellReport& report, std::uint32_t offset) {
  const std::string name(flash_file::partition_at(offset));
  const auto found = std::ranges::find(report.partitions, name, &PartitionCells::partition);
  return found != report.partitions.end() ? *found
                                          : report.partitions.emplace_back(PartitionCells{.partition = name});
}

}  // namespace

CellReport report_cells(const flash::CellState& cells, const flash::Geometry& part) {
  CellReport report{.power_ons = cells.power_ons};
  const std::size_t sectors = std::min<std::size_t>(cells.erase_counts.size(), part.size / part.sector_size);
  for (std::size_t sector = 0; sector < sectors; ++sector) {
    const std::uint32_t count = cells.erase_counts[sector];
    if (count == 0) continue;
    PartitionCells& entry = entry_of(report, static_cast<std::uint32_t>(sector) * part.sector_size);
    entry.erases += count;
    entry.most_erases = std::max(entry.most_erases, count);
  }
  for (const auto& [offset, bits] : cells.marginal) {
    PartitionCells& entry = entry_of(report, offset);
    if (entry.marginal_bytes++ == 0) entry.first_marginal = offset;
    entry.last_marginal = offset;
  }
  return report;
}

std::string fault_file_of(const std::string& flash_path) {
  return std::filesystem::path(flash_path).replace_extension(".faults").string();
}

Result<std::optional<flash::CellState>> read_cells_beside(const std::string& flash_path) {
  const std::string path = fault_file_of(flash_path);
  std::error_code ignored;  // then there is none
  if (path == flash_path || !std::filesystem::exists(path, ignored)) return std::nullopt;
  const auto file = flash_file::FaultFile::open(path);
  if (!file) return tl::unexpected(file.error());
  return file->load_cells();
}

}  // namespace otasim::inspect
