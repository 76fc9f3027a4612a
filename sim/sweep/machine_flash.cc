#include "sim/sweep/machine_flash.h"

#include <fmt/format.h>

#include <cerrno>
#include <utility>

#include "pal_sim/flash/nor_model.h"

namespace otasim::sweep {
namespace {

tl::unexpected<Error> op_log_failure(const char* tried, const std::string& path, int error) {
  return fail(ExitCode::kEnvironment,
              fmt::format("cannot {} the op log {}: {}.", tried, path, flash::op_log_problem(error)));
}

tl::unexpected<Error> too_many_cells(std::string_view kind, std::size_t count, std::size_t limit) {
  return fail(ExitCode::kUsage, fmt::format("the case has {} bytes with {} bits; a machine takes at most {}.",
                                            count, kind, limit));
}

}  // namespace

Result<MachineFlash> MachineFlash::create(const flash::Geometry& part, const std::string& folder) {
  auto file = flash_file::FlashFile::create(folder + "/flash.bin", part);
  if (!file) return tl::unexpected(file.error());
  auto faults = flash_file::FaultFile::prepare(folder + "/flash.faults");
  if (!faults) return tl::unexpected(faults.error());
  faults->serve_boots_only();
  const std::string op_log_path = folder + "/flash.ops";
  if (!flash::OpLogWriter::open(op_log_path)) return op_log_failure("make", op_log_path, errno);
  return MachineFlash(std::move(*file), std::move(*faults), op_log_path);
}

flash_file::FlashPartFiles MachineFlash::files(std::uint64_t seed) const {
  return {.window_path = file_.path(),
          .op_log_path = op_log_path_,
          .fault_path = faults_.path(),
          .wake_path = {},
          .seed = seed};
}

Result<void> MachineFlash::prepare(const flash::CellState& cells) {
  if (!flash::empty_op_log(op_log_path_)) return op_log_failure("empty", op_log_path_, errno);
  if (auto armed = arm_stuck(cells); !armed) return armed;
  if (!faults_.store_cells(cells))
    return too_many_cells("marginal", cells.marginal.size(), flash_file::kMaxMarginalBytes);
  faults_.set_handed_over(false);
  return {};
}

/// What holds cells at a value is an armed fault to the part.
Result<void> MachineFlash::arm_stuck(const flash::CellState& cells) {
  if (cells.stuck == stuck_) return {};
  if (cells.stuck.size() > flash_file::kMaxFaults)
    return too_many_cells("stuck", cells.stuck.size(), flash_file::kMaxFaults);
  for (std::uint32_t id = first_id_; id < next_id_; ++id) faults_.clear(id);
  first_id_ = next_id_;
  for (const auto& [offset, stuck] : cells.stuck) {
    const flash_file::PlannedFault fault{.id = next_id_++,
                                         .action = flash_file::FaultAction::kStuck,
                                         .begin = offset,
                                         .end = offset + 1,
                                         .stuck_bits = stuck.bits,
                                         .stuck_values = stuck.values};
    if (!faults_.arm(fault)) return fail(ExitCode::kInternal, "the fault file has no room for a stuck byte");
  }
  stuck_ = cells.stuck;
  return {};
}

Result<void> MachineFlash::power_on(flash::CellState& cells, std::uint64_t seed) {
  flash::NorModel part(file_.bytes(), seed, file_.part());
  part.set_cell_state(cells);
  part.power_on();
  for (const auto& [offset, stuck] : cells.stuck) part.stick(offset, stuck);
  if (auto prepared = prepare(part.cell_state()); !prepared) return prepared;
  cells = part.cell_state();
  faults_.power_on(seed);
  return {};
}

Result<std::vector<flash::LoggedOperation>> MachineFlash::take(flash::CellState& cells) const {
  auto log = flash::read_op_log(op_log_path_);
  if (!log) return op_log_failure("read", op_log_path_, errno);
  if (log->torn)
    return fail(ExitCode::kEnvironment, fmt::format("the op log {} has a torn end.", op_log_path_));
  auto stuck = std::move(cells.stuck);
  cells = faults_.load_cells();
  cells.stuck = std::move(stuck);
  return std::move(log->operations);
}

}  // namespace otasim::sweep
