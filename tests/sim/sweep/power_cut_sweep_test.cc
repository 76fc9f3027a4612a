// The sweep itself, over updates of the host's own device: what it counts, how cuts nest, how one case is
// played again, and that it neither misses nor invents a failure.
#include "sim/sweep/power_cut_sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "pal_sim/flash/flash_map.h"
#include "sim/sweep/native_machine.h"
#include "tests/mutants/update_histories.h"

namespace otasim::sweep {
namespace {

using mutants::kLoadAddress;
using mutants::kLoadSize;
using mutants::Rom;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

/// A machine between the sweep and the real one, that can go wrong.
class Wrapped : public BootMachine {
 public:
  explicit Wrapped(const Rom& rom) : inner_(rom.keys, flash::kControllerPart, kLoadAddress, kLoadSize) {}
  [[nodiscard]] std::span<std::uint8_t> window() override { return inner_.window(); }
  [[nodiscard]] Result<Boot> boot(flash::CellState& cells, std::uint64_t seed) override {
    return inner_.boot(cells, seed);
  }

 private:
  NativeMachine inner_;
};

/// Starts whatever it finds, says its report, if boot control's second sector is blank in its first page.
class SometimesSilent : public Wrapped {
 public:
  using Wrapped::Wrapped;
  [[nodiscard]] Result<Boot> boot(flash::CellState& cells, std::uint64_t seed) override {
    const bool is_blank = window()[flash::kBootControl1.offset] == 0xFF;
    auto boot = Wrapped::boot(cells, seed);
    if (is_blank) boot->reached_application = false;
    return boot;
  }
};

class PowerCutSweepTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    rom_ = new Rom;
    recording_ = new Recording(mutants::record_update(*rom_));
    // As far as the first boot and the acceptance: what two cuts take seconds for.
    const auto operations = recording_->history.operations();
    flash::OpLog log{.operations = {operations.begin(), operations.begin() + kShort}};
    recording_->history.seek(0);
    const auto before = recording_->history.window();
    short_recording_ = new Recording{
        .name = "short",
        .folder = {},
        .board = "native",
        .device = "thing-1",
        .seed = 1,
        .history = flash_file::FlashHistory::make({before.begin(), before.end()}, std::move(log)).value()};
  }
  static void TearDownTestSuite() {
    delete short_recording_;
    delete recording_;
    delete rom_;
  }

  template <typename Machine = Wrapped>
  static PowerCutSweep::MakeMachine machines() {
    return [](unsigned) -> Result<std::unique_ptr<BootMachine>> { return std::make_unique<Machine>(*rom_); };
  }
  template <typename Machine = Wrapped>
  static PowerCutSweep sweep_of(const Recording& recording, SweepPlan plan) {
    return PowerCutSweep(recording, std::move(plan), machines<Machine>(), rom_->signer);
  }

  static constexpr std::size_t kShort = 24;
  static Rom* rom_;
  static Recording* recording_;
  static Recording* short_recording_;
};
Rom* PowerCutSweepTest::rom_ = nullptr;
Recording* PowerCutSweepTest::recording_ = nullptr;
Recording* PowerCutSweepTest::short_recording_ = nullptr;

auto counts_of(const SweepResult& result) {
  const SweepCounts& counts = result.counts;
  return std::tuple(counts.cases, counts.boots, counts.distinct_states, counts.failures);
}

/// Of single cuts at each operation, and of all others together: those are counted where their state was met
/// first.
auto cells_of(const SweepResult& result) {
  std::vector<std::pair<std::array<std::uint32_t, kCutKinds>, std::array<std::uint32_t, kCutKinds>>> cells;
  std::uint64_t later = 0;
  for (const OperationResult& one : result.operations) {
    cells.emplace_back(one.cases, one.failures);
    later += one.later_cases;
  }
  return std::pair(cells, later);
}

std::set<std::string> violations_of(const SweepResult& result) {
  std::set<std::string> all;
  for (const CaseFailure& failure : result.failures)
    all.insert(failure.violations.begin(), failure.violations.end());
  return all;
}

TEST_F(PowerCutSweepTest, AFullUpdateHoldsAtEveryCut) {
  const auto result = sweep_of(*recording_, {}).run().value();
  EXPECT_EQ(result.counts.failures, 0U);
  EXPECT_FALSE(result.was_interrupted);
  std::uint64_t cases = 0;
  const auto operations = recording_->history.operations();
  ASSERT_EQ(result.operations.size(), operations.size());
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const auto& by_kind = result.operations[i].cases;
    const bool has_cells = cell_bytes(operations[i]) != 0;
    EXPECT_EQ(by_kind[static_cast<std::size_t>(CutKind::kBefore)], has_cells ? 1U : 0U) << i;
    EXPECT_EQ(by_kind[static_cast<std::size_t>(CutKind::kAfter)], has_cells ? 1U : 0U) << i;
    for (const std::uint32_t count : by_kind) cases += count;
    EXPECT_EQ(result.operations[i].later_cases, 0U);
  }
  EXPECT_EQ(result.counts.cases, cases);
  EXPECT_LT(result.counts.distinct_states, cases) << "after one operation is before the next";
  EXPECT_GT(result.counts.boots, result.counts.distinct_states);
}

TEST_F(PowerCutSweepTest, CountsDoNotDependOnTheNumberOfWorkers) {
  for (const unsigned cuts : {1U, 2U}) {
    const auto alone =
        sweep_of(*short_recording_, {.cuts = cuts, .granularity = Granularity::kOperation, .jobs = 1})
            .run()
            .value();
    for (const unsigned jobs : {2U, 5U}) {
      const auto together =
          sweep_of(*short_recording_, {.cuts = cuts, .granularity = Granularity::kOperation, .jobs = jobs})
              .run()
              .value();
      EXPECT_EQ(counts_of(together), counts_of(alone)) << cuts << " cuts, " << jobs << " workers";
      EXPECT_EQ(cells_of(together), cells_of(alone)) << cuts << " cuts, " << jobs << " workers";
    }
  }
}

/// Nor do failures, also where a state is reached on several ways.
TEST_F(PowerCutSweepTest, FailuresDoNotDependOnTheNumberOfWorkers) {
  const SweepPlan plan{.cuts = 2, .granularity = Granularity::kOperation, .jobs = 1};
  const auto alone = sweep_of<SometimesSilent>(*short_recording_, plan).run().value();
  EXPECT_GT(alone.counts.failures, 0U);
  EXPECT_LT(alone.counts.failures, alone.counts.cases);
  SweepPlan together = plan;
  together.jobs = 4;
  const auto result = sweep_of<SometimesSilent>(*short_recording_, together).run().value();
  EXPECT_EQ(counts_of(result), counts_of(alone));
  EXPECT_EQ(cells_of(result), cells_of(alone));
}

/// "After one operation" and "before the next" are one state, which is booted once. If it fails, both have.
TEST_F(PowerCutSweepTest, ARepeatedStateSharesTheVerdict) {
  const SweepPlan plan{.granularity = Granularity::kOperation};
  const auto result = sweep_of<SometimesSilent>(*short_recording_, plan).run().value();
  const auto operations = short_recording_->history.operations();
  std::size_t compared = 0;
  for (std::size_t i = 0; i + 1 < operations.size(); ++i) {
    if (cell_bytes(operations[i]) == 0 || cell_bytes(operations[i + 1]) == 0) continue;
    // The cut itself may change what is expected of the next boots; here it does not.
    EXPECT_EQ(result.operations[i].failures[static_cast<std::size_t>(CutKind::kAfter)],
              result.operations[i + 1].failures[static_cast<std::size_t>(CutKind::kBefore)])
        << i;
    ++compared;
  }
  EXPECT_GT(compared, 5U);
}

TEST_F(PowerCutSweepTest, CutsNest) {
  const auto one = sweep_of(*short_recording_, {.granularity = Granularity::kOperation}).run().value();
  const auto two =
      sweep_of(*short_recording_, {.cuts = 2, .granularity = Granularity::kOperation}).run().value();
  const auto three =
      sweep_of(*short_recording_, {.cuts = 3, .granularity = Granularity::kOperation}).run().value();
  std::uint64_t later = 0;
  for (std::size_t i = 0; i < one.operations.size(); ++i) {
    EXPECT_EQ(two.operations[i].cases, one.operations[i].cases) << "second cuts are counted apart";
    later += two.operations[i].later_cases;
  }
  EXPECT_GT(later, 0U);
  EXPECT_EQ(two.counts.cases, one.counts.cases + later);
  EXPECT_GT(three.counts.cases, two.counts.cases);
  EXPECT_EQ(two.counts.failures, 0U);
  EXPECT_EQ(three.counts.failures, 0U);
}

/// A boot's operations are those that the recording begins with. So a second cut, in the boot after the first
/// operation was cut, leads to the state of a first cut in a later operation, and is met before it. There it
/// is cut again nevertheless.
TEST_F(PowerCutSweepTest, AStateThatWasMetWithoutCutsToComeIsCutWhereThereAreSome) {
  const SweepPlan plan{.cuts = 2, .granularity = Granularity::kOperation};
  const auto result = sweep_of(*short_recording_, plan).run().value();
  for (std::size_t i = 0; i < 4; ++i) {
    ASSERT_NE(cell_bytes(short_recording_->history.operations()[i]), 0U);
    EXPECT_GT(result.operations[i].later_cases, 0U) << i;
  }
}

TEST_F(PowerCutSweepTest, OneCaseIsPlayedAgainByItsName) {
  const SweepPlan plan{.cuts = 2, .granularity = Granularity::kOperation};
  const auto all = sweep_of<SometimesSilent>(*short_recording_, plan).run().value();
  ASSERT_THAT(all.failures, Not(IsEmpty()));
  std::size_t nested = 0;
  for (const CaseFailure& failure : all.failures) {
    if (failure.path.size() == 2 && ++nested > 5) continue;
    SweepPlan again = plan;
    again.only = parse_cut_path(to_string(failure.path));
    auto sweep = sweep_of<SometimesSilent>(*short_recording_, again);
    std::size_t boots = 0;
    sweep.on_boots([&](const CutPath& path, const std::vector<Boot>& of_case) {
      EXPECT_EQ(path, failure.path);
      boots = of_case.size();
    });
    const auto result = sweep.run();
    ASSERT_TRUE(result) << to_string(failure.path) << ": " << result.error().message;
    const auto found = std::ranges::find(result->failures, failure.path, &CaseFailure::path);
    ASSERT_NE(found, result->failures.end()) << to_string(failure.path);
    EXPECT_EQ(found->violations, failure.violations);
    EXPECT_EQ(found->consoles, failure.consoles);
    EXPECT_EQ(boots, failure.consoles.size());
  }
  EXPECT_GT(nested, 0U);
}

TEST_F(PowerCutSweepTest, ACaseThatDoesNotExistIsNotPassed) {
  const auto refusal = [](const char* name) {
    const auto result = sweep_of(*short_recording_, {.only = parse_cut_path(name)}).run();
    if (result) return std::string("not refused");
    EXPECT_EQ(result.error().code, ExitCode::kUsage);
    return result.error().message;
  };
  EXPECT_EQ(refusal("0:0"), "not refused");
  EXPECT_THAT(refusal("1000000:0"), HasSubstr("no operation 1000000"));
  EXPECT_THAT(refusal("0:7"), HasSubstr("no case 0:7")) << "not one of this granularity's";
  EXPECT_THAT(refusal("0:0#200"), HasSubstr("no case"));
  EXPECT_THAT(refusal("0:0/9.0:0"), HasSubstr("no case 0:0/9.0:0")) << "there is no ninth boot";
  EXPECT_THAT(refusal("0:0/1.500:0"), HasSubstr("no case"));
}

TEST_F(PowerCutSweepTest, StoppingKeepsWhatItHas) {
  auto sweep = sweep_of<SometimesSilent>(*recording_, {.jobs = 2});
  std::size_t done_last = 0;
  sweep.on_progress([&](const SweepCounts& counts, std::size_t done) {
    done_last = done;
    if (counts.cases > 20) sweep.stop();
  });
  const auto result = sweep.run();
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->was_interrupted);
  EXPECT_GT(result->counts.cases, 20U);
  EXPECT_GT(result->counts.failures, 0U);
  EXPECT_LT(done_last, recording_->history.operations().size());
  EXPECT_EQ(result->operations.size(), recording_->history.operations().size());
}

TEST_F(PowerCutSweepTest, EachFailureIsToldOnceAndProgressComesToTheEnd) {
  auto sweep = sweep_of<SometimesSilent>(*short_recording_, {.jobs = 3});
  std::set<std::string> told;
  std::size_t last_done = 0;
  sweep.on_failure([&](const CaseFailure& failure) {
    EXPECT_TRUE(told.insert(to_string(failure.path)).second) << to_string(failure.path);
  });
  sweep.on_progress([&](const SweepCounts&, std::size_t done) { EXPECT_EQ(done, ++last_done); });
  const auto result = sweep.run().value();
  EXPECT_EQ(last_done, kShort);
  EXPECT_EQ(told.size(), result.failures.size());
  EXPECT_THAT(violations_of(result), Each(HasSubstr("S1:")));
}

/// In its fail-safe mode a device burns the recovery image's counter at each boot, in case a cut left it
/// weak. That changes no cell: flash has come to rest.
TEST_F(PowerCutSweepTest, TheFailSafeModeIsAtRest) {
  const auto factory = short_recording_->history.window();
  std::vector<std::uint8_t> before(factory.begin(), factory.end());
  std::fill_n(before.begin() + flash::kSlotA.offset, 4096, std::uint8_t{0xFF});
  flash::OpLog log;
  log.operations.push_back(
      {.sequence = 1, .offset = flash::kSlotB.offset + 4096, .length = 1, .applied = 1, .data = {0}});
  const Recording recording{
      .name = "recovery",
      .folder = {},
      .board = "native",
      .device = "thing-1",
      .seed = 1,
      .history = flash_file::FlashHistory::make(std::move(before), std::move(log)).value()};
  auto sweep = sweep_of(recording, {.granularity = Granularity::kOperation});
  sweep.on_failure([](const CaseFailure& failure) {
    ADD_FAILURE() << to_string(failure.path) << ": " << failure.violations.front();
  });
  const auto result = sweep.run().value();
  EXPECT_EQ(result.counts.cases, 2U);
  EXPECT_EQ(result.counts.boots, 4U) << "two of each case: the second changes nothing";
}

// ---- machines that go wrong

TEST_F(PowerCutSweepTest, AMachineThatCannotBeMadeEndsIt) {
  PowerCutSweep sweep(
      *short_recording_, {.jobs = 2},
      [](unsigned worker) -> Result<std::unique_ptr<BootMachine>> {
        if (worker == 1) return fail(ExitCode::kEnvironment, "no second machine");
        return std::make_unique<Wrapped>(*rom_);
      },
      rom_->signer);
  const auto result = sweep.run();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ExitCode::kEnvironment);
  EXPECT_EQ(result.error().message, "no second machine");
}

class Broken : public Wrapped {
 public:
  using Wrapped::Wrapped;
  [[nodiscard]] Result<Boot> boot(flash::CellState&, std::uint64_t) override {
    return fail(ExitCode::kEnvironment, "the machine is gone");
  }
};

TEST_F(PowerCutSweepTest, AMachineThatCannotBeRunEndsIt) {
  const auto result = sweep_of<Broken>(*short_recording_, {.jobs = 2}).run();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "the machine is gone");
}

class WritesItsRom : public Wrapped {
 public:
  using Wrapped::Wrapped;
  [[nodiscard]] Result<bool> has_written_rom() override { return true; }
};

/// It is found out when all cases have ended: one of them has done it.
TEST_F(PowerCutSweepTest, AWrittenRomFailsTheLastCase) {
  const SweepPlan plan{.granularity = Granularity::kOperation};
  const auto sound = sweep_of(*short_recording_, plan).run().value();
  const auto result = sweep_of<WritesItsRom>(*short_recording_, plan).run().value();
  EXPECT_EQ(result.counts.cases, sound.counts.cases);
  EXPECT_EQ(result.counts.failures, 1U);
  EXPECT_THAT(violations_of(result),
              ::testing::ElementsAre(HasSubstr("S6: one of the last boots has written")));
}

/// Every third boot it scribbles on its flash and comes to no end.
class SometimesHangs : public Wrapped {
 public:
  using Wrapped::Wrapped;
  [[nodiscard]] Result<Boot> boot(flash::CellState& cells, std::uint64_t seed) override {
    if (++boots_ % 3 != 0) return Wrapped::boot(cells, seed);
    std::ranges::fill(window().subspan(flash::kSlotA.offset, 4096), std::uint8_t{0});
    std::ranges::fill(window().subspan(flash::kBootControl0.offset, 4096), std::uint8_t{0});
    cells = {};
    return fail(ExitCode::kFailed, "it did not come to an end");
  }

 private:
  unsigned boots_ = 0;
};

/// A boot that came to no end is a failure of its case, and of no other one.
TEST_F(PowerCutSweepTest, WhatAHangingBootLeavesDoesNotReachTheNextCase) {
  const auto result = sweep_of<SometimesHangs>(*short_recording_, {}).run().value();
  EXPECT_GT(result.counts.failures, 0U);
  EXPECT_LT(result.counts.failures, result.counts.cases);
  for (const CaseFailure& failure : result.failures)
    EXPECT_THAT(failure.violations, AllOf(SizeIs(1), Each("S1: it did not come to an end")));
}

}  // namespace
}  // namespace otasim::sweep
