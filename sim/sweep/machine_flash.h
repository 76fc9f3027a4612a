// The flash of a machine in QEMU that is only booted: the flash file, the fault file through which its part
// is told of power-ons and cells, and the op log.
//
//   auto flash = MachineFlash::create(part, folder);
//   flash->prepare(cells) or flash->power_on(cells, seed);     // before each boot, while the machine is off
//   auto operations = flash->take(cells);                      // after it
//
// prepare() leaves the power-on to whoever plays the part: a new process, which draws what marginal bits
// read. power_on() is for a part that stays in its process. It draws them here, because the device reads
// flash before the part hears of its first operation, and the part takes over the rest at that operation.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "pal_sim/flash/cell_state.h"
#include "pal_sim/flash/op_log.h"
#include "sim/base/result.h"
#include "sim/flash/fault_file.h"
#include "sim/flash/flash_file.h"
#include "sim/flash/flash_part.h"

namespace otasim::sweep {

class MachineFlash {
 public:
  /// Makes a blank part in `folder`, which holds none.
  /// @returns kEnvironment if a file cannot be made
  [[nodiscard]] static Result<MachineFlash> create(const flash::Geometry& part, const std::string& folder);

  [[nodiscard]] std::span<std::uint8_t> window() const { return file_.bytes(); }
  [[nodiscard]] flash_file::FlashFile& file() { return file_; }
  [[nodiscard]] flash_file::FlashPartFiles files(std::uint64_t seed) const;

  /// @returns kEnvironment if the op log cannot be emptied; kUsage if there are more damaged cells than the
  ///          fault file holds
  [[nodiscard]] Result<void> prepare(const flash::CellState& cells);
  [[nodiscard]] Result<void> power_on(flash::CellState& cells, std::uint64_t seed);
  /// The bootloader has handed over, or is at work again. Parts with locks see it themselves.
  void set_handed_over(bool is_over) { faults_.set_handed_over(is_over); }

  /// What the part received since, and what its cells are like now.
  /// @returns kEnvironment if the op log cannot be read, or has a torn end
  [[nodiscard]] Result<std::vector<flash::LoggedOperation>> take(flash::CellState& cells) const;

 private:
  MachineFlash(flash_file::FlashFile file, flash_file::FaultFile faults, std::string op_log_path)
      : file_(std::move(file)), faults_(std::move(faults)), op_log_path_(std::move(op_log_path)) {}

  [[nodiscard]] Result<void> arm_stuck(const flash::CellState& cells);

  flash_file::FlashFile file_;
  flash_file::FaultFile faults_;
  std::string op_log_path_;
  std::map<std::uint32_t, flash::StuckBits> stuck_;  // as armed
  std::uint32_t first_id_ = 1;                       // of those
  std::uint32_t next_id_ = 1;
};

}  // namespace otasim::sweep
