// A sweep's flash against copies of it, and against the NOR model: whatever is done to it comes back, a
// machine becomes equal to it, and equal flash has equal prints.
#include "sim/sweep/flash_state.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstring>
#include <map>

#include "sim/flash/flash_history.h"

namespace otasim::sweep {
namespace {

using flash::LoggedOperation;
using flash::OpKind;
using Bytes = std::vector<std::uint8_t>;

constexpr std::uint32_t kCells = flash::kOtpOffset + flash::kOtpSize;
constexpr std::uint64_t kSeed = 7;

bool are_equal(flash::ConstWindow a, flash::ConstWindow b) {
  return std::memcmp(a.data(), b.data(), kCells) == 0;
}

Bytes blank() {
  Bytes window(flash::kWindowSize);
  flash::format_window(window);
  return window;
}

/// Few places, so that operations meet: in boot control, a slot, at the array's end, and in the bank.
LoggedOperation any_operation() {
  const auto kind = *rc::gen::element(OpKind::kProgram, OpKind::kProgram, OpKind::kEraseSector,
                                      OpKind::kEraseBlock, OpKind::kOtpProgram, OpKind::kLock);
  LoggedOperation operation{.sequence = 1, .kind = kind, .data = {}};
  if (flash::is_erase(kind)) {
    operation.offset = *rc::gen::element(flash::kBootControl0.offset, flash::kSlotB.offset);
    operation.length =
        kind == OpKind::kEraseBlock ? flash::kControllerPart.block_size : flash::kControllerPart.sector_size;
  } else if (kind == OpKind::kLock) {
    operation.offset = flash::kRecovery.offset;
    operation.length = flash::kRecovery.size;
    return operation;
  } else {
    const bool is_burn = kind == OpKind::kOtpProgram;
    operation.length = *rc::gen::inRange(1U, is_burn ? 64U : 257U);
    const auto page =
        *rc::gen::element(flash::kBootControl0.offset, flash::kSlotB.offset, flash::kOtpOffset - 256);
    operation.offset = is_burn ? *rc::gen::inRange(0U, 900U) : page + 256 - operation.length;
    operation.data =
        *rc::gen::container<Bytes>(operation.length, rc::gen::element<std::uint8_t>(0x00, 0x0F, 0xA5, 0xFF));
  }
  operation.applied = operation.length;
  return operation;
}

FlashState::Tear any_tear(const LoggedOperation& operation) {
  const auto bytes = *rc::gen::inRange(0U, operation.length + 1);
  return {bytes, *rc::gen::inRange(0U, operation.length - bytes + 1)};
}

/// What a machine does in a boot: some operations after a power-on.
struct MachineBoot {
  std::vector<LoggedOperation> operations;
  flash::CellState cells;
};

MachineBoot boot(flash::Window machine, const flash::CellState& cells, std::uint64_t seed) {
  class Observer : public flash::OpObserver {
   public:
    explicit Observer(std::vector<LoggedOperation>& out) : out_(out) {}
    void on_operation(const flash::Operation& operation) override {
      out_.push_back({.sequence = operation.sequence,
                      .kind = operation.kind,
                      .offset = operation.offset,
                      .length = operation.length,
                      .applied = operation.applied,
                      .status = operation.status,
                      .data = {operation.data.begin(), operation.data.end()}});
    }

   private:
    std::vector<LoggedOperation>& out_;
  };
  MachineBoot out;
  Observer observer(out.operations);
  flash::NorModel part(machine, seed);
  part.set_cell_state(cells);
  part.power_on();
  part.set_observer(&observer);
  const auto count = *rc::gen::inRange(0, 4);
  for (int i = 0; i < count; ++i) {
    const LoggedOperation wanted = any_operation();
    if (wanted.kind != OpKind::kLock)
      (void)part.execute({wanted.kind, wanted.offset, wanted.length, wanted.data});
  }
  out.cells = part.cell_state();
  return out;
}

/// State and what it should be.
class Subject {
 public:
  Subject() : plain_(blank()), machine_(blank()), state_(plain_, flash::kControllerPart) {}

  void step() {
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        return state_.apply(any_operation());
      case 1: {
        LoggedOperation operation = any_operation();
        while (operation.kind == OpKind::kLock) operation = any_operation();
        return state_.tear(operation, any_tear(operation));
      }
      case 2:
        return state_.power_on(*rc::gen::inRange<std::uint64_t>(0, 4));
      default:
        return boot_machine();
    }
  }

  void boot_machine() {
    const auto seed = *rc::gen::inRange<std::uint64_t>(0, 4);
    const flash::CellState cells = state_.cells();
    state_.power_on(seed);
    state_.copy_to(machine_);
    MachineBoot booted = boot(machine_, cells, seed);
    state_.take_over(booted.operations, machine_, booted.cells);
    RC_ASSERT(are_equal(state_.window(), machine_));
  }

  [[nodiscard]] FlashState& state() { return state_; }
  [[nodiscard]] flash::Window machine() { return machine_; }

 private:
  Bytes plain_;
  Bytes machine_;
  FlashState state_;
};

struct Snapshot {
  FlashState::Mark mark;
  Bytes window;
  flash::CellState cells;
  std::uint64_t print;
};

Snapshot snapshot_of(FlashState& state) {
  const auto window = state.window();
  return {state.mark(), {window.begin(), window.end()}, state.cells(), state.fingerprint()};
}

RC_GTEST_PROP(FlashState, RollBackRestoresBytesCellsAndPrint, ()) {
  Subject subject;
  FlashState& state = subject.state();
  std::vector<Snapshot> snapshots;
  const auto steps = *rc::gen::inRange(1, 12);
  for (int i = 0; i < steps; ++i) {
    if (*rc::gen::arbitrary<bool>() && snapshots.size() < 3) snapshots.push_back(snapshot_of(state));
    // Prints are taken now and then, so that pages wait for the next one.
    if (*rc::gen::arbitrary<bool>()) (void)state.fingerprint();
    subject.step();
  }
  while (!snapshots.empty()) {
    const Snapshot& wanted = snapshots.back();
    state.roll_back(wanted.mark);
    RC_ASSERT(are_equal(state.window(), wanted.window));
    RC_ASSERT(state.cells() == wanted.cells);
    RC_ASSERT(state.fingerprint() == wanted.print);
    state.copy_to(subject.machine());
    RC_ASSERT(are_equal(subject.machine(), wanted.window));
    snapshots.pop_back();
  }
}

/// A print depends on what flash is, not on how it came to be that.
RC_GTEST_PROP(FlashState, EqualFlashHasAnEqualPrint, ()) {
  Subject subject;
  const auto steps = *rc::gen::inRange(1, 8);
  for (int i = 0; i < steps; ++i) {
    if (*rc::gen::arbitrary<bool>()) (void)subject.state().fingerprint();
    subject.step();
  }
  FlashState fresh(subject.state().window(), flash::kControllerPart);
  fresh.set_cells(subject.state().cells());
  RC_ASSERT(fresh.fingerprint() == subject.state().fingerprint());
  flash::CellState other = fresh.cells();
  other.weaken(*rc::gen::inRange(0U, 256U), *rc::gen::inRange<std::uint8_t>(1, 255));
  if (other.marginal == fresh.cells().marginal) return;
  fresh.set_cells(other);
  RC_ASSERT(fresh.fingerprint() != subject.state().fingerprint());
}

/// apply() and tear() do to bytes and marginal bits what the part does.
RC_GTEST_PROP(FlashState, DoesWhatThePartDoes, ()) {
  FlashState state(blank(), flash::kControllerPart);
  Bytes window = blank();
  flash::NorModel part(window, kSeed);
  const auto steps = *rc::gen::inRange(1, 10);
  for (int i = 0; i < steps; ++i) {
    const LoggedOperation operation = any_operation();
    const flash::Request request{operation.kind, operation.offset, operation.length, operation.data};
    if (operation.kind == OpKind::kLock) {
      state.apply(operation);
    } else if (*rc::gen::arbitrary<bool>()) {
      state.apply(operation);
      RC_ASSERT(part.execute(request) == flash::Status::kOk);
    } else {
      const auto tear = any_tear(operation);
      state.tear(operation, tear);
      part.cut_power_at({part.sequence() + 1, tear.bytes, tear.marginal_bytes});
      RC_ASSERT(part.execute(request) == flash::Status::kNoDevice);
      state.power_on(kSeed);
      part.power_on();
    }
    RC_ASSERT(are_equal(state.window(), window));
    RC_ASSERT(state.cells().marginal == part.cell_state().marginal);
  }
}

TEST(FlashState, EachByteCountsInThePrint) {
  FlashState state(blank(), flash::kControllerPart);
  std::map<std::uint64_t, std::uint32_t> seen{{state.fingerprint(), ~0U}};
  for (const std::uint32_t offset : {0U, 1U, 31U, 32U, 255U, 256U, flash::kSlotA.offset,
                                     flash::kRecovery.end() - 1, flash::kOtpOffset - 1}) {
    const auto here = state.mark();
    state.apply({.sequence = 1, .offset = offset, .length = 1, .applied = 1, .data = {0}});
    const auto [found, is_new] = seen.emplace(state.fingerprint(), offset);
    EXPECT_TRUE(is_new) << offset << " and " << found->second;
    state.roll_back(here);
  }
  state.apply({.sequence = 1,
               .kind = OpKind::kOtpProgram,
               .offset = flash::kOtpSize - 1,
               .length = 1,
               .applied = 1,
               .data = {0xFE}});
  EXPECT_FALSE(seen.contains(state.fingerprint()));
}

/// Pages that were swapped are another flash.
TEST(FlashState, PlacesCountInThePrint) {
  const auto print_with = [](std::uint32_t first, std::uint32_t second) {
    FlashState state(blank(), flash::kControllerPart);
    state.apply({.sequence = 1, .offset = first, .length = 1, .applied = 1, .data = {0}});
    state.apply({.sequence = 2, .offset = second, .length = 1, .applied = 1, .data = {1}});
    return state.fingerprint();
  };
  EXPECT_NE(print_with(0, 256), print_with(256, 0));
  EXPECT_NE(print_with(0, 8), print_with(8, 0));
}

TEST(FlashState, RegistersAndLocksDoNotCount) {
  Bytes window = blank();
  FlashState plain(window, flash::kControllerPart);
  flash::NorModel part(window, kSeed);
  ASSERT_EQ(part.lock(flash::kRecovery.offset, flash::kRecovery.size), flash::Status::kOk);
  ASSERT_EQ(part.otp_lock(), flash::Status::kOk);
  FlashState locked(window, flash::kControllerPart);
  EXPECT_EQ(plain.fingerprint(), locked.fingerprint()) << "a power-on clears them";
}

TEST(FlashState, ARefusedOperationChangesNothing) {
  FlashState state(blank(), flash::kControllerPart);
  const auto before = state.fingerprint();
  state.apply({.sequence = 1,
               .offset = 0,
               .length = 4,
               .applied = 0,
               .status = flash::Status::kProtected,
               .data = {0, 0, 0, 0}});
  EXPECT_EQ(state.fingerprint(), before);
}

}  // namespace
}  // namespace otasim::sweep
