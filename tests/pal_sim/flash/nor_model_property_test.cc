// Random operations, cuts and failures on the NOR model against a reference that is written to be obvious,
// not fast. What the reference knows of a cell is what must be read at every power-on; of a marginal one it
// knows only that it is marginal.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "qemu_boards/native/native_flash.h"

namespace flash {
namespace {

struct Cell {
  std::uint8_t value = 0xFF;
  std::uint8_t marginal = 0;  // bits that may read either way
};

constexpr std::uint64_t kSectorSize = kControllerPart.sector_size;
using Sector = std::array<Cell, kSectorSize>;

// Cells that erase and program treat as one row of bytes; sectors nobody touched are blank and not stored.
class Cells {
 public:
  Cell& operator[](std::uint32_t offset) {
    return sectors_[offset / kControllerPart.sector_size][offset % kControllerPart.sector_size];
  }

  [[nodiscard]] bool agree(std::span<const std::uint8_t> bytes) const {
    static const std::vector<std::uint8_t> kBlank(kControllerPart.sector_size, 0xFF);
    for (std::uint32_t at = 0; at < bytes.size(); at += kControllerPart.sector_size) {
      const auto part =
          bytes.subspan(at, std::min<std::size_t>(kControllerPart.sector_size, bytes.size() - at));
      const auto stored = sectors_.find(at / kControllerPart.sector_size);
      if (stored == sectors_.end()) {
        if (std::memcmp(part.data(), kBlank.data(), part.size()) != 0) return false;
      } else if (!std::ranges::equal(part, std::span(stored->second).first(part.size()), reads_as)) {
        return false;
      }
    }
    return true;
  }

  // Offsets count from `base`.
  void collect_marginal(std::uint32_t base, std::map<std::uint32_t, std::uint8_t>& out) const {
    for (const auto& [sector, cells] : sectors_) {
      for (std::uint32_t i = 0; i < kControllerPart.sector_size; ++i) {
        if (cells[i].marginal != 0) out[base + sector * kControllerPart.sector_size + i] = cells[i].marginal;
      }
    }
  }

 private:
  static bool reads_as(std::uint8_t byte, const Cell& cell) {
    return ((byte ^ cell.value) & ~cell.marginal) == 0;
  }

  std::map<std::uint32_t, Sector> sectors_;
};

// Every rule in one line.
class Reference {
 public:
  Status run(const Request& r) {
    if (!powered) return Status::kNoDevice;
    switch (r.kind) {
      case OpKind::kProgram:
        if (beyond(r.offset, r.length, kControllerPart.size)) return Status::kOutOfRange;
        if (r.length > 0 && r.offset / kPageSize != (r.offset + r.length - 1) / kPageSize) {
          return Status::kUnaligned;
        }
        if (locked(r.offset, r.length)) return Status::kProtected;
        return change(array, r.offset, r.length, Status::kProgramFailed,
                      [&](Cell old, std::uint32_t i) { return programmed(old, r.data[i]); });
      case OpKind::kEraseSector:
        if (beyond(r.offset, kControllerPart.sector_size, kControllerPart.size)) return Status::kOutOfRange;
        if (r.offset % kControllerPart.sector_size != 0) return Status::kUnaligned;
        if (locked(r.offset, kControllerPart.sector_size)) return Status::kProtected;
        return change(array, r.offset, kControllerPart.sector_size, Status::kEraseFailed,
                      [](Cell, std::uint32_t) { return Cell{}; });
      case OpKind::kEraseBlock:
        if (beyond(r.offset, kControllerPart.block_size, kControllerPart.size)) return Status::kOutOfRange;
        if (r.offset % kControllerPart.block_size != 0) return Status::kUnaligned;
        if (locked(r.offset, kControllerPart.block_size)) return Status::kProtected;
        return change(array, r.offset, kControllerPart.block_size, Status::kEraseFailed,
                      [](Cell, std::uint32_t) { return Cell{}; });
      case OpKind::kOtpProgram:
        if (r.length > kPageSize || beyond(r.offset, r.length, kOtpSize)) return Status::kOutOfRange;
        if (otp_locked) return Status::kProtected;
        return change(otp, r.offset, r.length, Status::kProgramFailed,
                      [&](Cell old, std::uint32_t i) { return programmed(old, r.data[i]); });
      case OpKind::kLock:
        if (beyond(r.offset, r.length, kControllerPart.size)) return Status::kOutOfRange;
        if (r.offset % kControllerPart.sector_size != 0 || r.length % kControllerPart.sector_size != 0)
          return Status::kUnaligned;
        if (locks.size() == controller::kMaxLocks) return Status::kBadCommand;
        locks.push_back({r.offset, r.length});
        break;
      case OpKind::kOtpLock:
        otp_locked = true;
        break;
    }
    return change(array, 0, 0, Status::kOk, [](Cell old, std::uint32_t) { return old; });
  }

  void clear_volatile() {
    locks.clear();
    otp_locked = false;
  }

  Cells array;
  Cells otp;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> locks;
  bool otp_locked = false;
  bool powered = true;
  std::uint32_t sequence = 0;
  CutPoint cut{0, 0};
  std::map<std::uint32_t, PlannedFailure> failures;  // by operation

 private:
  static Cell programmed(Cell old, std::uint8_t data) {
    return {static_cast<std::uint8_t>(old.value & data), static_cast<std::uint8_t>(old.marginal & data)};
  }

  static bool beyond(std::uint64_t offset, std::uint64_t length, std::uint64_t size) {
    return offset + length > size;
  }

  bool locked(std::uint64_t offset, std::uint64_t length) const {
    return std::ranges::any_of(locks, [&](const auto& lock) {
      // One byte of each sector: locks have whole ones.
      for (std::uint64_t at = offset; at < offset + length; at = (at / kSectorSize + 1) * kSectorSize) {
        if (at >= lock.first && at - lock.first < lock.second) return true;
      }
      return false;
    });
  }

  template <typename Change>
  Status change(Cells& cells, std::uint32_t offset, std::uint32_t length, Status failed, Change changed) {
    ++sequence;
    const bool cut_here = sequence == cut.operation;
    const auto failure = length == 0 ? failures.end() : failures.find(sequence);
    const bool fails = failure != failures.end();
    const std::uint64_t firm = cut_here ? cut.bytes : fails ? failure->second.bytes : length;
    const std::uint64_t weak = cut_here ? cut.marginal_bytes : fails ? failure->second.marginal_bytes : 0;
    for (std::uint32_t i = 0; i < length; ++i) {
      Cell& cell = cells[offset + i];
      const Cell next = changed(cell, i);
      const auto differ = static_cast<std::uint8_t>(cell.value ^ next.value);
      if (i < firm) cell = next;
      if (i >= firm && i < firm + weak) cell.marginal = static_cast<std::uint8_t>(cell.marginal | differ);
    }
    powered = !cut_here;
    if (cut_here) return Status::kNoDevice;
    return fails && !failure->second.is_silent ? failed : Status::kOk;
  }
};

enum class Action { kOperation, kTornOperation, kReset, kPowerOn, kPlanCut, kPlanFailure };

struct Step {
  Action action;
  OpKind kind;
  std::uint32_t offset;
  std::uint32_t length;
  std::uint8_t value;
};

void showValue(const Step& step, std::ostream& out) {
  out << "{action " << static_cast<int>(step.action) << ", kind " << static_cast<int>(step.kind)
      << ", offset " << step.offset << ", length " << step.length << ", value "
      << static_cast<int>(step.value) << "}";
}

rc::Gen<std::uint32_t> near(std::vector<std::uint32_t> bases) {
  return rc::gen::map(
      rc::gen::pair(rc::gen::elementOf(std::move(bases)), rc::gen::inRange<std::uint32_t>(0, 3)),
      [](const auto& p) { return p.first + p.second; });
}

rc::Gen<Step> any_step() {
  return rc::gen::construct<Step>(
      rc::gen::weightedElement<Action>({{20, Action::kOperation},
                                        {1, Action::kReset},
                                        {4, Action::kTornOperation},
                                        {3, Action::kPowerOn},
                                        {2, Action::kPlanCut},
                                        {1, Action::kPlanFailure}}),
      rc::gen::element(OpKind::kProgram, OpKind::kEraseSector, OpKind::kEraseBlock, OpKind::kOtpProgram,
                       OpKind::kLock, OpKind::kOtpLock),
      rc::gen::weightedOneOf<std::uint32_t>(
          {{4, rc::gen::elementOf(std::vector<std::uint32_t>{0, kControllerPart.sector_size,
                                                             2 * kControllerPart.sector_size})},
           {4, near({0, kPageSize - 2, kControllerPart.sector_size - 2, kOtpSize - 2,
                     2 * kControllerPart.sector_size, kControllerPart.size - 2})},
           {1, rc::gen::arbitrary<std::uint32_t>()}}),
      rc::gen::weightedOneOf<std::uint32_t>(
          {{4, rc::gen::inRange<std::uint32_t>(0, kPageSize + 2)},
           {3, rc::gen::elementOf(
                   std::vector<std::uint32_t>{kControllerPart.sector_size, 2 * kControllerPart.sector_size})},
           {1, rc::gen::arbitrary<std::uint32_t>()}}),
      rc::gen::arbitrary<std::uint8_t>());
}

// Some bytes firm, then some marginal, then some untouched; or just firm and untouched ones.
std::uint32_t marginal_bytes(const Step& step) {
  return step.value % 3 == 0 ? 0
                             : (step.value % 3 == 1 ? step.offset % kControllerPart.sector_size
                                                    : kControllerPart.sector_size);
}

void plan_cut(const Step& step, std::uint32_t operations_from_now, NorModel& model, Reference& reference) {
  const CutPoint cut{.operation = reference.sequence + operations_from_now,
                     .bytes = step.value % 2 == 0 ? 0 : step.length % (kControllerPart.sector_size + 2),
                     .marginal_bytes = marginal_bytes(step)};
  model.cut_power_at(cut);
  reference.cut = cut;
}

void plan_failure(const Step& step, NorModel& model, Reference& reference) {
  const std::uint32_t operation = reference.sequence + 1 + step.value % 4;
  const PlannedFailure failure{.operation = operation,
                               .bytes = step.length,
                               .marginal_bytes = marginal_bytes(step),
                               .is_silent = step.value >= 128};
  model.plan_failure(failure);
  reference.failures.try_emplace(operation, failure);
}

void take(const Step& step, NorModel& model, Reference& reference) {
  const std::vector<std::uint8_t> data(std::min(step.length, kPageSize + 1), step.value);
  const Request request{step.kind, step.offset, step.length, data};
  switch (step.action) {
    case Action::kTornOperation:
      plan_cut(step, 1, model, reference);
      [[fallthrough]];
    case Action::kOperation:
      RC_ASSERT(model.execute(request) == reference.run(request));
      break;
    case Action::kReset:
      model.reset();
      reference.clear_volatile();
      break;
    case Action::kPowerOn:
      model.power_on();
      reference.clear_volatile();
      reference.powered = true;
      reference.cut = {0, 0};
      break;
    case Action::kPlanCut:
      plan_cut(step, 1 + step.value % 4, model, reference);
      break;
    case Action::kPlanFailure:
      plan_failure(step, model, reference);
      break;
  }
  RC_ASSERT(model.sequence() == reference.sequence);
  RC_ASSERT(model.powered() == reference.powered);
}

// Making 16 MiB anew for each case would take longer than the cases.
native::NativeFlash& blank_flash() {
  static native::NativeFlash flash;
  format_window(flash.window());
  flash.model().forget_failures();
  flash.model().set_cell_state({});
  flash.model().power_on();
  return flash;
}

void check_cells(native::NativeFlash& flash, const Reference& reference) {
  RC_ASSERT(reference.array.agree(flash.window().first(kControllerPart.size)));
  RC_ASSERT(reference.otp.agree(flash.window().subspan(kOtpOffset, kOtpSize)));
}

RC_GTEST_PROP(NorModelProperty, BehavesAsTheReference, ()) {
  const auto steps = *rc::gen::container<std::vector<Step>>(any_step());
  native::NativeFlash& flash = blank_flash();
  Reference reference;
  for (const Step& step : steps) take(step, flash.model(), reference);
  check_cells(flash, reference);

  std::map<std::uint32_t, std::uint8_t> marginal;
  reference.array.collect_marginal(0, marginal);
  reference.otp.collect_marginal(kOtpOffset, marginal);
  RC_ASSERT(flash.model().cell_state().marginal == marginal);
  RC_CLASSIFY(!marginal.empty(), "with marginal bits");

  constexpr int kPowerOns = 3;
  for (int i = 0; i < kPowerOns; ++i) {
    flash.model().power_on();
    check_cells(flash, reference);
  }
}

RC_GTEST_PROP(NorModelProperty, ACompleteEraseLeavesNoMarginalBitInItsSector, ()) {
  const auto steps = *rc::gen::container<std::vector<Step>>(any_step());
  native::NativeFlash& flash = blank_flash();
  Reference reference;
  for (const Step& step : steps) take(step, flash.model(), reference);
  flash.model().forget_failures();
  flash.model().power_on();
  for (const std::uint32_t sector : {0U, kControllerPart.sector_size, 2 * kControllerPart.sector_size}) {
    RC_ASSERT(flash.erase_sector(sector) == Status::kOk);
  }
  const auto& marginal = flash.model().cell_state().marginal;
  RC_ASSERT(marginal.lower_bound(0) == marginal.lower_bound(3 * kControllerPart.sector_size));
  flash.model().power_on();
  const auto erased = flash.window().first(3 * kControllerPart.sector_size);
  RC_ASSERT(std::ranges::all_of(erased, [](std::uint8_t byte) { return byte == 0xFF; }));
}

// What the marginal bits read after each step, as one number.
std::uint64_t readings(const std::vector<Step>& steps) {
  native::NativeFlash& flash = blank_flash();
  Reference reference;
  std::uint64_t sum = 0;
  for (const Step& step : steps) {
    take(step, flash.model(), reference);
    for (const auto& [offset, bits] : flash.model().cell_state().marginal) {
      sum = sum * 31 + flash.window()[offset] + bits + offset;
    }
  }
  return sum;
}

RC_GTEST_PROP(NorModelProperty, EqualSeedsAndHistoriesReadTheSame, ()) {
  const auto steps = *rc::gen::container<std::vector<Step>>(any_step());
  RC_ASSERT(readings(steps) == readings(steps));
}

}  // namespace
}  // namespace flash
