#include "sim/flash/fault_injector.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

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

flash::StuckBits stuck_bits_of(const PlannedFault& fault) {
  return {static_cast<std::uint8_t>(fault.stuck_bits), static_cast<std::uint8_t>(fault.stuck_values)};
}

/// Bits that an operation tried to bring to a value which a stuck cell does not have.
bool is_held_back(const Operation& operation, std::uint32_t begin, std::uint32_t cell,
                  flash::StuckBits stuck) {
  const std::uint32_t at = cell - begin;
  if (operation.kind == OpKind::kEraseSector) return (stuck.bits & ~stuck.values) != 0;
  return at < operation.data.size() && (~operation.data[at] & stuck.bits & stuck.values) != 0;
}

std::uint32_t first_cell_of(const Operation& operation) {
  return flash::first_cell({.kind = operation.kind, .offset = operation.offset});
}

}  // namespace

void FaultInjector::power_on() {
  model_.set_cell_state(file_.load_cells());
  model_.power_on();
  adopt_plan();
  has_marginal_bits_ = !model_.cell_state().marginal.empty();
  file_.store_cells(model_.cell_state());
}

void FaultInjector::take_cells() {
  model_.set_cell_state(file_.load_cells());
  adopt_plan();
  has_marginal_bits_ = !model_.cell_state().marginal.empty();
}

bool FaultInjector::begin() {
  if (frozen_at_ && *frozen_at_ != file_.thaws()) frozen_at_.reset();
  if (frozen_at_) return false;
  if (!plan_sequence_ || file_.plan_changed(*plan_sequence_)) adopt_plan();
  return true;
}

void FaultInjector::adopt_plan() {
  std::uint32_t sequence = 0;
  const auto plan = file_.read_plan(sequence);
  if (!plan) return;
  std::vector<Armed> armed;
  for (std::size_t i = 0; i < kMaxFaults; ++i) {
    const PlannedFault& fault = plan->faults[i];
    if (fault.action == FaultAction::kNone) continue;
    if (const Armed* known = find(fault.id)) {
      armed.push_back(*known);
    } else {
      armed.push_back({i, fault, strike_of(fault, plan->seen_by(i)), plan->seen_by(i)});
    }
  }
  std::ranges::sort(armed, {}, [](const Armed& one) { return one.fault.id; });
  armed_ = std::move(armed);
  // Instructions are counted from power-on only, and by what is translated from then on.
  if (!plan_sequence_) {
    reset_fault_ = plan->reset_fault;
    reset_at_instruction_ = plan->reset_at_instruction;
  }
  plan_sequence_ = sequence;
  hold_stuck_bits();
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
  const std::uint64_t erases = model_.erase_count(request.offset);
  return erases + (request.kind == OpKind::kEraseSector ? 1 : 0) > fault.endurance;
}

std::optional<OperationFault> FaultInjector::fault_of(const Request& request, std::uint32_t /*sequence*/) {
  const auto ask = [&](bool (*wanted)(FaultAction)) -> std::optional<OperationFault> {
    for (Armed& armed : armed_) {
      const PlannedFault& fault = armed.fault;
      if (!wanted(fault.action) || !strikes(armed, request)) continue;
      struck_ = StrikeReport{.fault = fault.id, .marginal_bytes = fault.marginal_bytes};
      return OperationFault{kind_of(fault.action), fault.bytes, fault.marginal_bytes};
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
  if (!struck_) return;
  StrikeReport strike = *std::exchange(struck_, std::nullopt);
  strike.operation = operation.sequence;
  strike.kind = static_cast<std::uint32_t>(operation.kind);
  strike.offset = first_cell_of(operation);
  strike.length = operation.length;
  strike.applied = operation.applied;
  strike.marginal_bytes = std::min(strike.marginal_bytes, operation.length - operation.applied);
  strike.status = static_cast<std::uint32_t>(operation.status);
  report(strike);
}

void FaultInjector::keep_cells(const Operation& operation) {
  if (operation.kind == OpKind::kEraseSector) {
    file_.store_erase_count(operation.offset / model_.geometry().sector_size,
                            model_.erase_count(operation.offset));
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

void FaultInjector::strike_reset() {
  frozen_at_ = file_.thaws();
  const std::uint32_t releases = file_.releases();
  report({.fault = reset_fault_, .instruction = reset_at_instruction_});
  file_.hold(releases);
}

void FaultInjector::report(const StrikeReport& strike) {
  file_.report(strike);
  if (wake_) wake_();
}

}  // namespace otasim::flash_file
