#include "sim/flash/fault_injector.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <utility>

#include "pal_sim/flash/splitmix64.h"

namespace otasim::flash_file {
namespace {

using flash::Operation;
using flash::OperationFault;
using flash::OpKind;
using flash::Request;

Strike strike_of(const PlannedFault& fault, std::uint32_t seen) {
  Strike strike(
      {.after = fault.after, .times = fault.times, .probability = fault.probability, .seed = fault.seed});
  // An earlier process has asked it that often; the same questions bring it to the same state.
  for (std::uint32_t i = 0; i < seen; ++i) static_cast<void>(strike.next());
  return strike;
}

bool matches(const PlannedFault& fault, const Request& request, const flash::Geometry& part) {
  if ((fault.kinds & kind_bit(request.kind)) == 0) return false;
  if (fault.begin == 0 && fault.end == flash::kWindowSize) return true;
  const std::uint32_t begin = flash::first_cell(request);
  return std::max(begin, fault.begin) < std::min(begin + flash::cell_bytes(request, part), fault.end);
}

bool was_accepted(const Operation& operation) {
  switch (operation.status) {
    case flash::Status::kOk:
    case flash::Status::kProgramFailed:
    case flash::Status::kEraseFailed:
    case flash::Status::kNoDevice:
      return true;
    default:
      return false;
  }
}

OperationFault::Kind kind_of(FaultAction action) {
  switch (action) {
    case FaultAction::kPowerCut:
      return OperationFault::Kind::kPowerCut;
    case FaultAction::kSilentDrop:
      return OperationFault::Kind::kSilentFailure;
    default:
      return OperationFault::Kind::kFailure;
  }
}

/// How many of its bytes a struck operation applies.
std::uint32_t bytes_of(const PlannedFault& fault, std::uint32_t cells) {
  if (fault.fraction < 0.0) return fault.bytes;
  return static_cast<std::uint32_t>(std::min(fault.fraction, 1.0) * cells);
}

flash::StuckBits stuck_bits_of(const PlannedFault& fault) {
  return {static_cast<std::uint8_t>(fault.stuck_bits), static_cast<std::uint8_t>(fault.stuck_values)};
}

/// Bits that an operation tried to bring to a value which a stuck cell does not have.
bool is_held_back(const Operation& operation, std::uint32_t begin, std::uint32_t cell,
                  flash::StuckBits stuck) {
  const std::uint32_t at = cell - begin;
  if (flash::is_erase(operation.kind)) return (stuck.bits & ~stuck.values) != 0;
  return at < operation.data.size() && (~operation.data[at] & stuck.bits & stuck.values) != 0;
}

std::uint32_t first_cell_of(const Operation& operation) {
  return flash::first_cell({.kind = operation.kind, .offset = operation.offset});
}

}  // namespace

void FaultInjector::power_on() {
  model_.set_cell_state(file_.load_cells());
  model_.power_on();
  take_plan();
  has_marginal_bits_ = !model_.cell_state().marginal.empty();
  file_.store_cells(model_.cell_state());
}

void FaultInjector::take_cells() {
  model_.set_cell_state(file_.load_cells());
  take_plan();
  has_marginal_bits_ = !model_.cell_state().marginal.empty();
}

bool FaultInjector::begin() {
  ++questions_;
  if (frozen_at_ && *frozen_at_ != file_.thaws()) frozen_at_.reset();
  if (frozen_at_) return false;
  if (replayed_ != nullptr || !plan_sequence_ || file_.plan_changed(*plan_sequence_)) take_plan();
  return true;
}

/// From the file, or of a part that is replayed, from where it was kept.
void FaultInjector::take_plan() {
  if (replayed_ != nullptr) {
    while (const auto plan = replayed_->due(questions_)) adopt_plan(*plan);
    return;
  }
  std::uint32_t sequence = 0;
  const auto plan = file_.read_plan(sequence);
  if (!plan) return;
  if (recorded_ != nullptr) recorded_->append(questions_, *plan);
  adopt_plan(*plan);
  plan_sequence_ = sequence;
}

void FaultInjector::adopt_plan(const FaultPlan& plan) {
  std::vector<Armed> armed;
  for (std::size_t i = 0; i < kMaxFaults; ++i) {
    const PlannedFault& fault = plan.faults[i];
    if (fault.action == FaultAction::kNone) continue;
    if (const Armed* known = find(fault.id)) {
      armed.push_back(*known);
    } else {
      armed.push_back({i, fault, strike_of(fault, plan.seen_by(i)), plan.seen_by(i)});
    }
  }
  std::ranges::sort(armed, {}, [](const Armed& one) { return one.fault.id; });
  armed_ = std::move(armed);
  // Instructions are counted from power-on only, and by what is translated from then on.
  if (!has_plan_) {
    reset_fault_ = plan.reset_fault;
    reset_at_instruction_ = plan.reset_at_instruction;
    adopt_watches(plan);
  }
  has_plan_ = true;
  busy_times_ = {};
  for (const Armed& one : armed_) {
    if (one.fault.action != FaultAction::kBusy) continue;
    busy_fault_ = one.fault.id;
    busy_times_ = {one.fault.program_instructions, one.fault.erase_instructions};
  }
  hold_stuck_bits();
}

void FaultInjector::adopt_watches(const FaultPlan& plan) {
  for (const PlannedFault& fault : plan.faults) {
    if (fault.action == FaultAction::kStrict) strict_fault_ = fault.id;
    if (fault.action == FaultAction::kReadDisturb) watches_reads_ = true;
  }
}

FaultInjector::Armed* FaultInjector::find(std::uint32_t id) {
  const auto found = std::ranges::find(armed_, id, [](const Armed& one) { return one.fault.id; });
  return found == armed_.end() ? nullptr : &*found;
}

void FaultInjector::hold_stuck_bits() {
  std::map<std::uint32_t, flash::StuckBits> stuck;
  for (const Armed& armed : armed_) {
    if (armed.fault.action != FaultAction::kStuck || !flash::is_cell(model_.geometry(), armed.fault.begin))
      continue;
    const auto [bits, values] = stuck_bits_of(armed.fault);
    flash::StuckBits& all = stuck[armed.fault.begin];
    all.values = static_cast<std::uint8_t>((all.values & ~bits) | (values & bits));
    all.bits = static_cast<std::uint8_t>(all.bits | bits);
  }
  if (stuck.empty() && !has_stuck_bits_) return;
  has_stuck_bits_ = !stuck.empty();
  flash::CellState cells = model_.cell_state();
  cells.stuck.clear();
  model_.set_cell_state(std::move(cells));
  for (const auto& [offset, bits] : stuck) model_.stick(offset, bits);
}

bool FaultInjector::strikes(Armed& armed, const Request& request) {
  if (!matches(armed.fault, request, model_.geometry())) return false;
  if (armed.fault.action == FaultAction::kWorn) return is_worn_out(armed.fault, request);
  file_.count_seen(armed.index, armed.fault.id, ++armed.seen);
  return armed.strike.next();
}

bool FaultInjector::is_worn_out(const PlannedFault& fault, const Request& request) const {
  const std::uint32_t begin = flash::first_cell(request);
  const std::uint32_t end = begin + flash::cell_bytes(request, model_.geometry());
  const std::uint64_t erases =
      model_.largest_erase_count(std::max(begin, fault.begin), std::min(end, fault.end));
  return erases + (flash::is_erase(request.kind) ? 1 : 0) > fault.endurance;
}

std::optional<OperationFault> FaultInjector::fault_of(const Request& request, std::uint32_t /*sequence*/) {
  const auto ask = [&](bool (*wanted)(FaultAction)) -> std::optional<OperationFault> {
    for (Armed& armed : armed_) {
      const PlannedFault& fault = armed.fault;
      if (!wanted(fault.action) || !strikes(armed, request)) continue;
      const std::uint32_t bytes = bytes_of(fault, flash::cell_bytes(request, model_.geometry()));
      struck_ = StrikeReport{.fault = fault.id,
                             .marginal_bytes = fault.marginal_bytes,
                             .random_bytes = fault.random_bits > 0.0 ? UINT32_MAX : 0};
      return OperationFault{kind_of(fault.action), bytes, fault.marginal_bytes,
                            flash::TornCells{fault.random_bits, fault.seed}};
    }
    return std::nullopt;
  };
  if (auto cut = ask([](FaultAction action) { return action == FaultAction::kPowerCut; })) return cut;
  return ask([](FaultAction action) {
    return action == FaultAction::kFailure || action == FaultAction::kSilentDrop ||
           action == FaultAction::kWorn;
  });
}

void FaultInjector::on_operation(const Operation& operation) {
  if (!was_accepted(operation)) return;
  keep_cells(operation);
  if (has_stuck_bits_) report_stuck(operation);
  if (busy_times_.any() && !is_busy_reported_) report_busy(operation);
  if (!struck_) return;
  StrikeReport strike = *std::exchange(struck_, std::nullopt);
  strike.operation = operation.sequence;
  strike.kind = static_cast<std::uint32_t>(operation.kind);
  strike.offset = first_cell_of(operation);
  strike.length = operation.length;
  strike.applied = operation.applied;
  strike.marginal_bytes = std::min(strike.marginal_bytes, operation.length - operation.applied);
  strike.random_bytes = std::min(strike.random_bytes, operation.length - operation.applied);
  strike.status = static_cast<std::uint32_t>(operation.status);
  report(strike);
}

void FaultInjector::keep_cells(const Operation& operation) {
  if (flash::is_erase(operation.kind)) {
    const std::uint32_t sector_size = model_.geometry().sector_size;
    for (std::uint32_t at = operation.offset; at < operation.offset + operation.length; at += sector_size) {
      file_.store_erase_count(at / sector_size, model_.erase_count(at));
      file_.forget_reads(at / sector_size);
    }
  }
  const bool had_marginal_bits = has_marginal_bits_;
  has_marginal_bits_ = !model_.cell_state().marginal.empty();
  if (!had_marginal_bits && !has_marginal_bits_) return;
  if (file_.store_cells(model_.cell_state()) || has_lost_cells_) return;
  has_lost_cells_ = true;
  std::fprintf(stderr,
               "otasim flash: more than %zu bytes have marginal bits; those beyond are firm "
               "after the next power-on.\n",
               kMaxMarginalBytes);
}

void FaultInjector::report_stuck(const Operation& operation) {
  const std::uint32_t begin = first_cell_of(operation);
  for (const Armed& armed : armed_) {
    const PlannedFault& fault = armed.fault;
    if (fault.action != FaultAction::kStuck) continue;
    if (fault.begin < begin || fault.begin - begin >= operation.applied) continue;
    if (!is_held_back(operation, begin, fault.begin, stuck_bits_of(fault))) continue;
    report({.fault = fault.id,
            .operation = operation.sequence,
            .kind = static_cast<std::uint32_t>(operation.kind),
            .offset = begin,
            .length = operation.length,
            .applied = operation.applied,
            .status = static_cast<std::uint32_t>(operation.status)});
  }
}

void FaultInjector::report_busy(const Operation& operation) {
  const bool is_program = operation.kind == OpKind::kProgram || operation.kind == OpKind::kOtpProgram;
  const std::uint32_t time = is_program                        ? busy_times_.program_instructions
                             : flash::is_erase(operation.kind) ? busy_times_.erase_instructions
                                                               : 0;
  if (time == 0) return;
  is_busy_reported_ = true;
  report({.fault = busy_fault_,
          .operation = operation.sequence,
          .kind = static_cast<std::uint32_t>(operation.kind),
          .offset = first_cell_of(operation),
          .length = operation.length,
          .applied = operation.applied,
          .status = static_cast<std::uint32_t>(operation.status)});
}

void FaultInjector::report_store(std::uint32_t pc, std::uint32_t window_offset, std::uint32_t length) {
  if (store_reports_ == kMaxStoreReports) return;
  ++store_reports_;
  report({.fault = strict_fault_,
          .cause = StrikeCause::kStore,
          .offset = window_offset,
          .length = length,
          .pc = pc});
}

void FaultInjector::count_read(std::uint32_t window_offset,
                               const std::function<void(std::uint32_t offset)>& changed) {
  if (window_offset >= model_.geometry().size || !model_.powered() || !begin()) return;
  const std::uint32_t sector = window_offset / model_.geometry().sector_size;
  const std::uint32_t reads = file_.count_read(sector);
  for (Armed& armed : armed_) {
    const PlannedFault& fault = armed.fault;
    if (fault.action != FaultAction::kReadDisturb || fault.reads == 0 || reads % fault.reads != 0) continue;
    if (window_offset < fault.begin || window_offset >= fault.end) continue;
    file_.count_seen(armed.index, fault.id, ++armed.seen);
    if (armed.strike.next()) disturb(fault, sector, reads, changed);
  }
}

void FaultInjector::disturb(const PlannedFault& fault, std::uint32_t sector, std::uint32_t reads,
                            const std::function<void(std::uint32_t offset)>& changed) {
  const std::uint32_t size = model_.geometry().sector_size;
  std::uint64_t state = fault.seed;
  state = flash::splitmix64(state) ^ sector;
  state = flash::splitmix64(state) ^ reads;
  for (std::uint32_t i = 0; i < fault.disturbed_bits; ++i) {
    const std::uint64_t place = flash::splitmix64(state) % (std::uint64_t{size} * 8);
    const std::uint32_t at = sector * size + static_cast<std::uint32_t>(place / 8);
    const auto bit = static_cast<std::uint8_t>(1U << (place % 8));
    if (fault.is_lost != 0) {
      model_.flip(at, bit);
    } else {
      model_.weaken(at, bit);
    }
    changed(at);
  }
  has_marginal_bits_ = !model_.cell_state().marginal.empty();
  file_.store_cells(model_.cell_state());
  report({.fault = fault.id,
          .cause = StrikeCause::kRead,
          .offset = sector * size,
          .length = size,
          .bits = fault.disturbed_bits});
}

void FaultInjector::strike_reset() {
  frozen_at_ = file_.thaws();
  const std::uint32_t releases = file_.releases();
  report({.fault = reset_fault_, .cause = StrikeCause::kInstruction, .instruction = reset_at_instruction_});
  if (recorded_ == nullptr && replayed_ == nullptr) file_.hold(releases);
}

void FaultInjector::report(const StrikeReport& strike) {
  file_.report(strike);
  if (wake_) wake_();
}

}  // namespace otasim::flash_file
