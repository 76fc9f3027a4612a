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
// every operation; nor is the time that operations take, of which the first of a process is reported.
//
// What needs to see more than operations - instructions, stores, loads - is asked for at power_on() and holds
// for the process: whoever runs the guest must prepare for it before code is translated.
//
// A part that is recorded or replayed has a plan log: see plan_log.h. Then the processor is not held at a
// reset's instruction, because QEMU could not stop meanwhile; it runs on, with flash frozen, until it has
// stopped, and a replay runs the same instructions.
//
// Asked by the plugin for each operation of the guest: nothing here allocates or calls the system unless a
// fault is armed or marginal bits exist.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "pal_sim/flash/flash_controller.h"
#include "pal_sim/flash/nor_model.h"
#include "sim/base/strike.h"
#include "sim/flash/fault_file.h"
#include "sim/flash/plan_log.h"

namespace otasim::flash_file {

/// Of a process. Fewer than a fault file holds, so that they never displace a power cut's.
inline constexpr std::uint32_t kMaxStoreReports = 100;

class FaultInjector : public flash::FaultSource, public flash::OpObserver {
 public:
  /// @param file, model  outlive it
  /// @param wake  called after each report
  FaultInjector(FaultFile& file, flash::NorModel& model, std::function<void()> wake)
      : file_(file), model_(model), wake_(std::move(wake)) {}

  /// Before power_on(): who keeps the plans, or has kept them. Outlives the object; null: nobody.
  void record_plans(PlanLog* log) { recorded_ = log; }
  void replay_plans(PlanLog* log) { replayed_ = log; }

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

  /// How long commands take, as things stand; of several faults the last armed counts.
  [[nodiscard]] flash::BusyTimes busy_times() const { return busy_times_; }
  /// Whether stores are to be watched, or loads, in this process.
  [[nodiscard]] bool watches_stores() const { return strict_fault_ != 0; }
  [[nodiscard]] bool watches_reads() const { return watches_reads_; }
  /// A store that was no command was taken back. The first kMaxStoreReports of a process are reported.
  void report_store(std::uint32_t pc, std::uint32_t window_offset, std::uint32_t length);
  /// The guest has read bytes of the array. Calls `changed` for each byte that this disturbs.
  void count_read(std::uint32_t window_offset, const std::function<void(std::uint32_t offset)>& changed);

 private:
  struct Armed {
    std::size_t index;
    PlannedFault fault;
    Strike strike;
    std::uint32_t seen;
  };

  void take_plan();
  void adopt_plan(const FaultPlan& plan);
  void adopt_watches(const FaultPlan& plan);
  void disturb(const PlannedFault& fault, std::uint32_t sector, std::uint32_t reads,
               const std::function<void(std::uint32_t offset)>& changed);
  void report_busy(const flash::Operation& operation);
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
  PlanLog* recorded_ = nullptr;
  PlanLog* replayed_ = nullptr;
  std::uint64_t questions_ = 0;  ///< begin()s so far
  bool has_plan_ = false;
  std::optional<std::uint32_t> plan_sequence_;
  std::vector<Armed> armed_;  // in the order of their ids
  bool has_stuck_bits_ = false;
  bool has_marginal_bits_ = false;
  bool has_lost_cells_ = false;
  std::optional<StrikeReport> struck_;  // by the operation under way
  std::uint32_t reset_fault_ = 0;
  std::uint64_t reset_at_instruction_ = 0;
  std::optional<std::uint32_t> frozen_at_;  // the number of thaws
  flash::BusyTimes busy_times_;
  std::uint32_t busy_fault_ = 0;
  bool is_busy_reported_ = false;
  std::uint32_t strict_fault_ = 0;
  std::uint32_t store_reports_ = 0;
  bool watches_reads_ = false;
};

}  // namespace otasim::flash_file
