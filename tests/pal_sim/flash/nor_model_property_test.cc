// Random operations on the NOR model against a reference that is written to be obvious, not fast.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <vector>

#include "qemu_boards/native/native_flash.h"

namespace flash {
namespace {

using Sector = std::array<std::uint8_t, kSectorSize>;

Sector blank_sector() {
  Sector sector{};
  sector.fill(0xFF);
  return sector;
}

// Cells that erase and program treat as one row of bytes; sectors nobody touched are blank and not stored.
class Cells {
 public:
  std::uint8_t& operator[](std::uint32_t offset) {
    return sectors_.try_emplace(offset / kSectorSize, blank_sector()).first->second[offset % kSectorSize];
  }

  [[nodiscard]] bool equal(std::span<const std::uint8_t> bytes) const {
    static const Sector kBlank = blank_sector();
    for (std::uint32_t at = 0; at < bytes.size(); at += kSectorSize) {
      const auto stored = sectors_.find(at / kSectorSize);
      const Sector& sector = stored == sectors_.end() ? kBlank : stored->second;
      const auto part = bytes.subspan(at, std::min<std::size_t>(kSectorSize, bytes.size() - at));
      if (std::memcmp(part.data(), sector.data(), part.size()) != 0) return false;
    }
    return true;
  }

 private:
  std::map<std::uint32_t, Sector> sectors_;
};

// Every rule in one line.
class Reference {
 public:
  Status run(const Request& r) {
    if (!powered) return Status::kNoDevice;
    switch (r.kind) {
      case OpKind::kProgram:
        if (beyond(r.offset, r.length, kArraySize)) return Status::kOutOfRange;
        if (r.length > 0 && r.offset / kPageSize != (r.offset + r.length - 1) / kPageSize) {
          return Status::kUnaligned;
        }
        if (locked(r.offset, r.length)) return Status::kProtected;
        return change(array, r.offset, r.length,
                      [&](std::uint8_t old, std::uint32_t i) { return old & r.data[i]; });
      case OpKind::kEraseSector:
        if (beyond(r.offset, kSectorSize, kArraySize)) return Status::kOutOfRange;
        if (r.offset % kSectorSize != 0) return Status::kUnaligned;
        if (locked(r.offset, kSectorSize)) return Status::kProtected;
        return change(array, r.offset, kSectorSize, [](std::uint8_t, std::uint32_t) { return 0xFF; });
      case OpKind::kOtpProgram:
        if (r.length > kPageSize || beyond(r.offset, r.length, kOtpSize)) return Status::kOutOfRange;
        if (otp_locked) return Status::kProtected;
        return change(otp, r.offset, r.length,
                      [&](std::uint8_t old, std::uint32_t i) { return old & r.data[i]; });
      case OpKind::kLock:
        if (beyond(r.offset, r.length, kArraySize)) return Status::kOutOfRange;
        if (r.offset % kSectorSize != 0 || r.length % kSectorSize != 0) return Status::kUnaligned;
        if (locks.size() == controller::kMaxLocks) return Status::kBadCommand;
        locks.push_back({r.offset, r.length});
        break;
      case OpKind::kOtpLock:
        otp_locked = true;
        break;
    }
    return change(array, 0, 0, [](std::uint8_t old, std::uint32_t) { return old; });
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

 private:
  static bool beyond(std::uint64_t offset, std::uint64_t length, std::uint64_t size) {
    return offset + length > size;
  }

  bool locked(std::uint64_t offset, std::uint64_t length) const {
    return std::ranges::any_of(locks, [&](const auto& lock) {
      for (std::uint64_t at = offset; at < offset + length; ++at) {
        if (at >= lock.first && at - lock.first < lock.second) return true;
      }
      return false;
    });
  }

  template <typename NewValue>
  Status change(Cells& cells, std::uint32_t offset, std::uint32_t length, NewValue value) {
    ++sequence;
    const bool cut_here = sequence == cut.operation;
    for (std::uint32_t i = 0; i < length && !(cut_here && i >= cut.bytes); ++i) {
      cells[offset + i] = static_cast<std::uint8_t>(value(cells[offset + i], i));
    }
    powered = !cut_here;
    return powered ? Status::kOk : Status::kNoDevice;
  }
};

enum class Action { kOperation, kReset, kPowerOn, kPlanCut };

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
      rc::gen::weightedElement<Action>(
          {{20, Action::kOperation}, {1, Action::kReset}, {2, Action::kPowerOn}, {1, Action::kPlanCut}}),
      rc::gen::element(OpKind::kProgram, OpKind::kEraseSector, OpKind::kOtpProgram, OpKind::kLock,
                       OpKind::kOtpLock),
      rc::gen::weightedOneOf<std::uint32_t>(
          {{4, rc::gen::elementOf(std::vector<std::uint32_t>{0, kSectorSize, 2 * kSectorSize})},
           {4, near({0, kPageSize - 2, kSectorSize - 2, kOtpSize - 2, 2 * kSectorSize, kArraySize - 2})},
           {1, rc::gen::arbitrary<std::uint32_t>()}}),
      rc::gen::weightedOneOf<std::uint32_t>(
          {{4, rc::gen::inRange<std::uint32_t>(0, kPageSize + 2)},
           {3, rc::gen::elementOf(std::vector<std::uint32_t>{kSectorSize, 2 * kSectorSize})},
           {1, rc::gen::arbitrary<std::uint32_t>()}}),
      rc::gen::arbitrary<std::uint8_t>());
}

void plan_cut(const Step& step, NorModel& model, Reference& reference) {
  const CutPoint cut{.operation = reference.sequence + 1 + step.value % 4, .bytes = step.length};
  model.cut_power_at(cut);
  reference.cut = cut;
}

void take(const Step& step, NorModel& model, Reference& reference) {
  const std::vector<std::uint8_t> data(std::min(step.length, kPageSize + 1), step.value);
  const Request request{step.kind, step.offset, step.length, data};
  switch (step.action) {
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
      plan_cut(step, model, reference);
      break;
  }
  RC_ASSERT(model.sequence() == reference.sequence);
  RC_ASSERT(model.powered() == reference.powered);
}

RC_GTEST_PROP(NorModelProperty, BehavesAsTheReference, ()) {
  const auto steps = *rc::gen::container<std::vector<Step>>(any_step());
  static native::NativeFlash flash;  // making 16 MiB anew for each case would take longer than the cases
  format_window(flash.window());
  flash.model().power_on();
  Reference reference;
  for (const Step& step : steps) take(step, flash.model(), reference);
  RC_ASSERT(reference.array.equal(flash.window().first(kArraySize)));
  RC_ASSERT(reference.otp.equal(flash.window().subspan(kOtpOffset, kOtpSize)));
}

}  // namespace
}  // namespace flash
