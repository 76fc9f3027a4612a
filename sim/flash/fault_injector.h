// Carries out on a NOR model what a fault file has armed, and keeps the part's cells in that file.
//
//   FaultInjector injector(file, model, wake);
//   model.set_fault_source(&injector); model.set_observer(&injector);   // or call its on_operation()
//   injector.power_on();                       // once, before the device runs
//   if (injector.begin()) controller.ring();   // for each doorbell
//
// Faults see accepted operations only. One operation is struck by one fault: power cuts are asked first, then
// the others in the order in which they were armed; those that are not asked do not count it. A worn sector
// comes before both, as the part itself would have it. Stuck bits are no strike of that kind: they hold for
// every operation.
//
// Asked by the plugin for each operation of the guest: nothing here allocates or calls the system unless a
// fault is armed or marginal bits exist.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "pal_sim/flash/nor_model.h"
#include "sim/base/strike.h"
#include "sim/flash/fault_file.h"

namespace otasim::flash_file {

class FaultInjector : public flash::FaultSource, public flash::OpObserver {
 public:
  /// @param file, model  outlive it
  /// @param wake  called after each report
  FaultInjector(FaultFile& file, flash::NorModel& model, std::function<void()> wake)
      : file_(file), model_(model), wake_(std::move(wake)) {}

  /// Gives the model the cells that the file keeps, and draws what marginal ones read.
  void power_on();
  /// The same where the host has drawn already.
  void take_cells();

  /// Takes over what was armed or cleared. @returns false while flash is frozen: the operation is to be
  /// discarded
  [[nodiscard]] bool begin();

  std::optional<flash::OperationFault> fault_of(const flash::Request& request,
                                                std::uint32_t sequence) override;
  void on_operation(const flash::Operation& operation) override;

  /// The instruction, counted from 1, before which a reset was planned at power_on(); 0 if none was.
  [[nodiscard]] std::uint64_t reset_at_instruction() const { return reset_at_instruction_; }
  /// That instruction is about to run: freezes flash until the reset, reports, and holds the processor there
  /// until the machine stops.
  void strike_reset();

 private:
  struct Armed {
    std::size_t index;
    PlannedFault fault;
    Strike strike;
    std::uint32_t seen;
  };

  void adopt_plan();
  [[nodiscard]] Armed* find(std::uint32_t id);
  [[nodiscard]] bool strikes(Armed& armed, const flash::Request& request);
  [[nodiscard]] bool is_worn_out(const PlannedFault& fault, const flash::Request& request) const;
  void hold_stuck_bits();
  void keep_cells(const flash::Operation& operation);
  void report(const StrikeReport& report);
  void report_stuck(const flash::Operation& operation);

  FaultFile& file_;
  flash::NorModel& model_;
  std::function<void()> wake_;
  std::optional<std::uint32_t> plan_sequence_;
  std::vector<Armed> armed_;  // in the order of their ids
  bool has_stuck_bits_ = false;
  bool has_marginal_bits_ = false;
  bool has_lost_cells_ = false;
  std::optional<StrikeReport> struck_;  // by the operation under way
  std::uint32_t reset_fault_ = 0;
  std::uint64_t reset_at_instruction_ = 0;
  std::optional<std::uint32_t> frozen_at_;  // the number of thaws
};

}  // namespace otasim::flash_file
