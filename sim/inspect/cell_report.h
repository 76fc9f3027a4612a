// Wear and marginal cells, told by partition. They are not in the flash file but in the fault file beside it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pal_sim/flash/cell_state.h"
#include "pal_sim/flash/flash_driver.h"
#include "sim/base/result.h"

namespace otasim::inspect {

struct PartitionCells {
  std::string partition = {};  ///< empty: what no partition covers
  std::uint64_t erases = 0;
  std::uint32_t most_erases = 0;  ///< of one sector
  std::uint32_t marginal_bytes = 0;
  std::uint32_t first_marginal = 0;  ///< offsets in the window; meaningful if there are marginal bytes
  std::uint32_t last_marginal = 0;
};

struct CellReport {
  std::uint32_t power_ons = 0;
  std::vector<PartitionCells> partitions = {};  ///< those that were erased or hold marginal cells
};

[[nodiscard]] CellReport report_cells(const flash::CellState& cells, const flash::Geometry& part);

/// The fault file that belongs to a flash file: flash.bin's is flash.faults.
[[nodiscard]] std::string fault_file_of(const std::string& flash_path);

/// What the fault file beside a flash file keeps; nothing if there is none.
/// @returns kEnvironment if there is one that cannot be read
[[nodiscard]] Result<std::optional<flash::CellState>> read_cells_beside(const std::string& flash_path);

}  // namespace otasim::inspect
