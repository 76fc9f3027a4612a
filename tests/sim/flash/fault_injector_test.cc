// Armed faults, the fault file and the NOR model together, without QEMU: which operation is struck, what it
// leaves, and what the next process finds.
#include "sim/flash/fault_injector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>

#include "sim/flash/at_rest.h"
#include "sim/flash/flash_faults.h"
#include "tests/sim/flash/temporary_folder.h"

namespace otasim::flash_file {
namespace {

using ::flash::OpKind;
using ::flash::Status;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint32_t kSlotB = ::flash::kSlotB.offset;
constexpr std::uint32_t kBlock = ::flash::kControllerPart.block_size;

class FaultInjectorTest : public testing::Test {
 protected:
  /// What runs in QEMU, from its start to its end.
  struct Process {
    Process(FlashFile& flash, const std::string& path, std::uint64_t seed)
        : file(FaultFile::open(path).value()), model(flash.bytes(), seed), injector(file, model, {}) {
      injector.power_on();
      model.set_fault_source(&injector);
      model.set_observer(&injector);
    }
    FaultFile file;
    ::flash::NorModel model;
    FaultInjector injector;
  };

  void SetUp() override {
    flash.emplace(FlashFile::create(folder.file("flash.bin")).value());
    open_host();
    power_on();
  }
  void open_host() {
    host.reset();
    auto opened = FlashFaults::open(
        io, {.fault_path = folder.file("flash.faults"), .wake_path = folder.file("wake")}, *flash);
    ASSERT_TRUE(opened) << opened.error().message;
    host = std::move(*opened);
    host->on_strike([this](const FlashStrike& strike) {
      strikes.push_back(strike.to_json());
      last_is_power_cut = strike.is_power_cut();
    });
  }
  void power_on(std::uint64_t seed = 1) {
    process.reset();
    process.emplace(*flash, folder.file("flash.faults"), seed);
  }

  FaultId arm(const FlashFault& fault) {
    const auto id = host->arm(fault);
    EXPECT_TRUE(id) << id.error().message;
    return id.value_or(FaultId{});
  }
  Status program(std::uint32_t offset, std::uint8_t value = 0, std::size_t length = ::flash::kPageSize) {
    if (!process->injector.begin()) return Status::kNoDevice;
    return process->model.program(offset, std::vector<std::uint8_t>(length, value));
  }
  Status erase(std::uint32_t offset) {
    if (!process->injector.begin()) return Status::kNoDevice;
    return process->model.erase_sector(offset);
  }
  Status erase_block(std::uint32_t offset) {
    if (!process->injector.begin()) return Status::kNoDevice;
    return process->model.erase_block(offset);
  }
  [[nodiscard]] std::vector<std::uint8_t> bytes(std::uint32_t offset, std::size_t length) const {
    const auto part = flash->bytes().subspan(offset, length);
    return {part.begin(), part.end()};
  }
  /// The numbers of the operations that were struck since the last call.
  std::vector<int> struck() {
    host->collect();
    std::vector<int> numbers;
    for (const auto& strike : strikes) numbers.push_back(strike.at("operation"));
    strikes.clear();
    return numbers;
  }

  TemporaryFolder folder;
  boost::asio::io_context io;
  std::optional<FlashFile> flash;
  std::unique_ptr<FlashFaults> host;
  std::optional<Process> process;
  std::vector<nlohmann::json> strikes;
  bool last_is_power_cut = false;
};

TEST_F(FaultInjectorTest, NothingIsStruckWithoutAFault) {
  EXPECT_EQ(program(kSlotB), Status::kOk);
  EXPECT_EQ(erase(kSlotB), Status::kOk);
  EXPECT_THAT(struck(), IsEmpty());
}

TEST_F(FaultInjectorTest, APowerCutCountsFromItsArming) {
  ASSERT_EQ(program(kSlotB), Status::kOk);
  arm(PowerCut{.strike = {.after = 2, .times = 1}});
  EXPECT_EQ(erase(0), Status::kOk);
  EXPECT_EQ(program(0), Status::kOk);
  EXPECT_EQ(program(kSlotB + 256), Status::kNoDevice);
  EXPECT_THAT(bytes(kSlotB + 256, 256), Each(0xFF));
  EXPECT_EQ(program(kSlotB + 512), Status::kNoDevice) << "flash is off";
  EXPECT_THAT(struck(), ElementsAre(4));
  EXPECT_TRUE(last_is_power_cut);
}

TEST_F(FaultInjectorTest, ACutWithinAProgramLeavesExactlyItsBytes) {
  arm(PowerCut{.phase = PowerCut::Phase::kWithin, .torn = {.bytes = 100}});
  EXPECT_EQ(program(kSlotB), Status::kNoDevice);
  EXPECT_THAT(bytes(kSlotB, 100), Each(0));
  EXPECT_THAT(bytes(kSlotB + 100, 156), Each(0xFF));
  power_on();
  EXPECT_THAT(bytes(kSlotB, 100), Each(0));
  EXPECT_THAT(bytes(kSlotB + 100, 156), Each(0xFF));
  EXPECT_EQ(program(kSlotB + 256), Status::kOk) << "it strikes once";
}

TEST_F(FaultInjectorTest, ACutAfterAnOperationLeavesItComplete) {
  arm(PowerCut{.operations = {.kind = OpKind::kEraseSector}, .phase = PowerCut::Phase::kAfter});
  EXPECT_EQ(program(kSlotB), Status::kOk);
  EXPECT_EQ(erase(kSlotB), Status::kNoDevice);
  EXPECT_THAT(bytes(kSlotB, ::flash::kControllerPart.sector_size), Each(0xFF));
  EXPECT_THAT(struck(), ElementsAre(2));
}

TEST_F(FaultInjectorTest, OnlyOperationsOfTheKindInTheRangeCount) {
  arm(PowerCut{.operations = {.kind = OpKind::kEraseSector, .range = {.partition = "slot-b", .offset = 4096}},
               .strike = {.after = 1, .times = 1}});
  EXPECT_EQ(erase(0), Status::kOk);
  EXPECT_EQ(erase(kSlotB), Status::kOk);
  EXPECT_EQ(program(kSlotB + 4096), Status::kOk);
  EXPECT_EQ(erase(kSlotB + 4096), Status::kOk);
  EXPECT_EQ(erase(kSlotB + 4097), Status::kUnaligned) << "refused, so it does not count";
  EXPECT_EQ(erase(kSlotB + 8192), Status::kNoDevice);
  host->collect();
  ASSERT_EQ(strikes.size(), 1U);
  EXPECT_EQ(strikes[0], nlohmann::json({{"fault", "flash.power_cut"},
                                        {"operation", 5},
                                        {"kind", "erase"},
                                        {"offset", kSlotB + 8192},
                                        {"length_bytes", 4096},
                                        {"applied_bytes", 0},
                                        {"marginal_bytes", 0},
                                        {"partition", "slot-b"}}));
}

TEST_F(FaultInjectorTest, CountingGoesOnOverAPowerCycle) {
  arm(ProgramFailure{.strike = {.after = 3, .times = 1}});
  EXPECT_EQ(program(kSlotB), Status::kOk);
  EXPECT_EQ(program(kSlotB), Status::kOk);
  power_on();
  EXPECT_EQ(program(kSlotB), Status::kOk);
  EXPECT_EQ(program(kSlotB + 256), Status::kProgramFailed);
  EXPECT_EQ(program(kSlotB), Status::kOk);
  EXPECT_THAT(struck(), ElementsAre(4));
}

TEST_F(FaultInjectorTest, AChanceFallsAsStrikeSaysAlsoOverAPowerCycle) {
  const StrikePlan plan{.probability = 0.3, .seed = 5};
  Strike strike(plan);
  std::vector<int> expected;
  for (int i = 1; i <= 40; ++i) {
    if (strike.next()) expected.push_back(i);
  }
  ASSERT_GT(expected.size(), 3U);
  arm(ProgramFailure{.strike = plan});
  for (int i = 1; i <= 40; ++i) {
    if (i == 17) power_on();
    (void)program(kSlotB);
  }
  EXPECT_EQ(struck(), expected);
}

TEST_F(FaultInjectorTest, AProgramFailureAppliesWhatItSaysAndNothingElse) {
  arm(ProgramFailure{
      .operations = {.range = {.partition = "slot-b"}}, .strike = {.times = 1}, .torn = {.bytes = 10}});
  EXPECT_EQ(erase(kSlotB), Status::kOk);
  EXPECT_EQ(program(0), Status::kOk);
  EXPECT_EQ(program(kSlotB), Status::kProgramFailed);
  EXPECT_THAT(bytes(kSlotB, 10), Each(0));
  EXPECT_THAT(bytes(kSlotB + 10, 246), Each(0xFF));
  EXPECT_EQ(program(kSlotB), Status::kOk);
  EXPECT_THAT(struck(), ElementsAre(3));
}

TEST_F(FaultInjectorTest, AnEraseFailureStrikesErasesOnly) {
  arm(EraseFailure{.strike = {.times = 2}});
  EXPECT_EQ(program(kSlotB), Status::kOk);
  EXPECT_EQ(erase(kSlotB), Status::kEraseFailed);
  EXPECT_EQ(erase(kSlotB), Status::kEraseFailed);
  EXPECT_THAT(bytes(kSlotB, 256), Each(0));
  EXPECT_EQ(erase(kSlotB), Status::kOk);
  EXPECT_THAT(struck(), ElementsAre(2, 3));
}

TEST_F(FaultInjectorTest, ADroppedOperationReportsSuccess) {
  arm(SilentDrop{.operations = {.kind = OpKind::kProgram}, .strike = {.after = 1, .times = 1}});
  EXPECT_EQ(program(kSlotB), Status::kOk);
  EXPECT_EQ(program(kSlotB + 256), Status::kOk);
  EXPECT_THAT(bytes(kSlotB, 256), Each(0));
  EXPECT_THAT(bytes(kSlotB + 256, 256), Each(0xFF));
  EXPECT_THAT(struck(), ElementsAre(2));
}

TEST_F(FaultInjectorTest, ABurnIsStruckInTheOtpBank) {
  arm(SilentDrop{.operations = {.range = {.partition = "otp", .offset = 8}}, .strike = {.times = 1}});
  ASSERT_TRUE(process->injector.begin());
  const std::vector<std::uint8_t> zeros(4, 0);
  EXPECT_EQ(process->model.otp_program(0, zeros), Status::kOk);
  EXPECT_EQ(process->model.otp_program(8, zeros), Status::kOk);
  EXPECT_THAT(bytes(::flash::kOtpOffset, 4), Each(0));
  EXPECT_THAT(bytes(::flash::kOtpOffset + 8, 4), Each(0xFF));
  EXPECT_THAT(struck(), ElementsAre(2));
}

TEST_F(FaultInjectorTest, StuckBitsReadTheirValueUntilTheyAreCleared) {
  const FaultId id = arm(StuckBits{.at = {.offset = kSlotB + 3}, .mask = 0x0F, .values = 0x05});
  EXPECT_EQ(flash->bytes()[kSlotB + 3], 0xF5) << "at once";
  EXPECT_EQ(program(kSlotB), Status::kOk);
  EXPECT_EQ(flash->bytes()[kSlotB + 3], 0x05);
  EXPECT_EQ(flash->bytes()[kSlotB + 2], 0x00);
  EXPECT_EQ(program(kSlotB + 256), Status::kOk);
  EXPECT_EQ(erase(kSlotB), Status::kOk);
  EXPECT_EQ(flash->bytes()[kSlotB + 3], 0xF5);
  EXPECT_THAT(struck(), ElementsAre(1, 3)) << "those that would have changed it";
  power_on();
  EXPECT_EQ(program(kSlotB), Status::kOk);
  EXPECT_EQ(flash->bytes()[kSlotB + 3], 0x05);
  host->clear(id);
  EXPECT_EQ(erase(kSlotB), Status::kOk);
  EXPECT_EQ(flash->bytes()[kSlotB + 3], 0xFF);
}

TEST_F(FaultInjectorTest, AWornSectorFailsByItsErasesSinceThePartWasMade) {
  EXPECT_EQ(erase(kSlotB), Status::kOk);
  power_on();
  EXPECT_EQ(erase(kSlotB), Status::kOk);
  arm(Worn{.range = {.partition = "slot-b"}, .erases = 2});
  EXPECT_EQ(program(kSlotB), Status::kOk);
  EXPECT_EQ(erase(0), Status::kOk);
  EXPECT_EQ(erase(kSlotB), Status::kEraseFailed);
  EXPECT_THAT(bytes(kSlotB, 256), Each(0)) << "it changes nothing";
  EXPECT_EQ(program(kSlotB + 256), Status::kProgramFailed);
  EXPECT_EQ(program(kSlotB + 4096), Status::kOk);
  EXPECT_THAT(struck(), ElementsAre(5, 6));
}

TEST_F(FaultInjectorTest, AFractionIsThatOfTheStruckOperation) {
  arm(PowerCut{.phase = PowerCut::Phase::kWithin, .torn = {.fraction = 0.25}});
  EXPECT_EQ(program(kSlotB), Status::kNoDevice);
  EXPECT_THAT(bytes(kSlotB, 64), Each(0));
  EXPECT_THAT(bytes(kSlotB + 64, 192), Each(0xFF));
  power_on();
  std::ranges::fill(flash->bytes().subspan(kSlotB, kBlock), std::uint8_t{0});
  arm(PowerCut{.phase = PowerCut::Phase::kWithin, .torn = {.fraction = 0.5}});
  EXPECT_EQ(erase_block(kSlotB), Status::kNoDevice);
  EXPECT_THAT(bytes(kSlotB, kBlock / 2), Each(0xFF));
  EXPECT_THAT(bytes(kSlotB + kBlock / 2, kBlock / 2), Each(0));
}

TEST_F(FaultInjectorTest, ATornBlockKeepsItsRandomBitsAndAllItsMarginalOnes) {
  std::ranges::fill(flash->bytes().subspan(kSlotB, kBlock), std::uint8_t{0});
  arm(PowerCut{.operations = {.kind = OpKind::kEraseSector},
               .strike = {.times = 1, .seed = 3},
               .phase = PowerCut::Phase::kWithin,
               .torn = {.marginal_bytes = kBlock, .random_bits = 0.5}});
  EXPECT_EQ(erase_block(kSlotB), Status::kNoDevice);
  host->collect();
  ASSERT_EQ(strikes.size(), 1U);
  EXPECT_EQ(strikes[0].at("kind"), "erase");
  EXPECT_EQ(strikes[0].at("length_bytes"), kBlock);
  EXPECT_EQ(strikes[0].at("random_bytes"), kBlock);
  EXPECT_EQ(strikes[0].at("marginal_bytes"), kBlock);
  const auto torn = bytes(kSlotB, kBlock);
  power_on();
  const auto& marginal = process->model.cell_state().marginal;
  EXPECT_GT(marginal.size(), kBlock * 9 / 10) << "none of them was left out";
  for (std::uint32_t at = 0; at < kBlock; ++at) {
    const std::uint8_t firm = torn[at];
    ASSERT_EQ(process->model.cell_state().marginal_bits(kSlotB + at), static_cast<std::uint8_t>(~firm)) << at;
    ASSERT_EQ(flash->bytes()[kSlotB + at] & firm, firm) << at;
  }
}

TEST_F(FaultInjectorTest, ABlockWearsItsSectorsAlsoInTheFile) {
  EXPECT_EQ(erase_block(kSlotB), Status::kOk);
  power_on();
  EXPECT_EQ(process->model.erase_count(kSlotB), 1U);
  EXPECT_EQ(process->model.erase_count(kSlotB + kBlock - 1), 1U);
  EXPECT_EQ(process->model.erase_count(kSlotB + kBlock), 0U);
  arm(Worn{.range = {.partition = "slot-b", .length_bytes = 4096}, .erases = 2});
  EXPECT_EQ(erase(kSlotB + 8192), Status::kOk);
  EXPECT_EQ(erase(kSlotB + 8192), Status::kOk) << "outside of what is worn";
  EXPECT_EQ(erase_block(kSlotB), Status::kOk)
      << "the worn sector's second; the other's fourth does not count";
  EXPECT_EQ(erase_block(kSlotB), Status::kEraseFailed);
  EXPECT_THAT(struck(), ElementsAre(5));
}

TEST_F(FaultInjectorTest, ClearingAFaultLeavesTheOthers) {
  const FaultId first = arm(EraseFailure{});
  arm(ProgramFailure{.strike = {.after = 1}});
  EXPECT_EQ(program(kSlotB), Status::kOk);
  host->clear(first);
  EXPECT_EQ(erase(kSlotB), Status::kOk);
  EXPECT_EQ(program(kSlotB), Status::kProgramFailed) << "it has not forgotten the first";
  EXPECT_THAT(struck(), ElementsAre(3));
}

TEST_F(FaultInjectorTest, OneOperationIsStruckByOneFault) {
  arm(ProgramFailure{.strike = {.times = 1}});
  arm(SilentDrop{.strike = {.times = 1}});
  arm(PowerCut{.strike = {.after = 2, .times = 1}});
  EXPECT_EQ(program(kSlotB), Status::kProgramFailed);
  EXPECT_EQ(program(kSlotB), Status::kOk);
  EXPECT_EQ(program(kSlotB), Status::kNoDevice);
  host->collect();
  ASSERT_EQ(strikes.size(), 3U);
  EXPECT_EQ(strikes[1].at("fault"), "flash.silent_drop");
  EXPECT_EQ(strikes[2].at("fault"), "flash.power_cut");
}

TEST_F(FaultInjectorTest, MarginalBitsAreDrawnAtEachPowerOnOfAnyProcess) {
  arm(PowerCut{.phase = PowerCut::Phase::kWithin, .torn = {.bytes = 16, .marginal_bytes = 240}});
  EXPECT_EQ(program(kSlotB), Status::kNoDevice);
  // What a model that is never taken down would read.
  std::vector<std::vector<std::uint8_t>> first;
  std::set<std::vector<std::uint8_t>> distinct;
  for (int boot = 0; boot < 8; ++boot) {
    power_on(7);
    EXPECT_THAT(bytes(kSlotB, 16), Each(0));
    first.push_back(bytes(kSlotB + 16, 240));
    distinct.insert(first.back());
  }
  EXPECT_GT(distinct.size(), 2U);
  ::flash::CellState cells = process->model.cell_state();
  EXPECT_EQ(cells.marginal.size(), 240U);
  EXPECT_EQ(program(kSlotB), Status::kOk);
  power_on(7);
  EXPECT_THAT(bytes(kSlotB, 256), Each(0)) << "a complete program makes them firm";
  EXPECT_THAT(process->model.cell_state().marginal, IsEmpty());

  // The same once more, from the state in which the cut left it.
  cells.power_ons -= 8;
  std::ranges::fill(flash->bytes().subspan(kSlotB + 16, 240), std::uint8_t{0xFF});
  process.reset();
  host->file().store_cells(cells);
  for (int boot = 0; boot < 8; ++boot) {
    power_on(7);
    EXPECT_EQ(bytes(kSlotB + 16, 240), first[static_cast<std::size_t>(boot)]) << "boot " << boot;
  }
}

TEST_F(FaultInjectorTest, WhatAnEndedSimulatorArmedIsForgottenAndCellsAreKept) {
  arm(ProgramFailure{.torn = {.marginal_bytes = 256}});
  EXPECT_EQ(program(kSlotB), Status::kProgramFailed);
  EXPECT_EQ(erase(0), Status::kOk);
  strikes.clear();
  open_host();
  power_on();
  EXPECT_EQ(program(kSlotB + 256), Status::kOk);
  EXPECT_THAT(struck(), IsEmpty()) << "what struck before is the old simulator's";
  EXPECT_EQ(process->model.cell_state().marginal.size(), 256U);
  EXPECT_EQ(process->model.erase_count(0), 1U);
  EXPECT_EQ(process->model.cell_state().power_ons, 2U);
}

TEST_F(FaultInjectorTest, MoreStrikesThanAreTakenAreCountedNotInvented) {
  arm(ProgramFailure{});
  constexpr std::uint32_t kStrikes = kMaxReports + 20;
  for (std::uint32_t i = 0; i < kStrikes; ++i) (void)program(kSlotB);
  std::uint64_t lost = 0;
  const auto reports = host->file().take_reports(lost);
  EXPECT_EQ(reports.size() + lost, kStrikes);
  EXPECT_GE(reports.size(), kMaxReports - 1);
  EXPECT_EQ(reports.back().operation, kStrikes);
  for (std::size_t i = 1; i < reports.size(); ++i)
    EXPECT_EQ(reports[i].operation, reports[i - 1].operation + 1);
}

TEST_F(FaultInjectorTest, LostReportsAreTold) {
  std::vector<std::uint64_t> losses;
  host->on_loss([&losses](std::uint64_t count) { losses.push_back(count); });
  arm(ProgramFailure{});
  constexpr std::uint32_t kStrikes = kMaxReports + 20;
  for (std::uint32_t i = 0; i < kStrikes; ++i) (void)program(kSlotB);
  const std::size_t taken = struck().size();
  ASSERT_THAT(losses, testing::SizeIs(1));
  EXPECT_EQ(taken + losses.front(), kStrikes);
  (void)program(kSlotB);
  EXPECT_THAT(struck(), testing::SizeIs(1));
  EXPECT_THAT(losses, testing::SizeIs(1)) << "nothing is lost when few strike";
}

/// The plugin has taken over the plan and is at work on an operation while the host puts another fault where
/// the first one stood.
TEST_F(FaultInjectorTest, AFaultDoesNotInheritWhatAnotherInItsPlaceHasSeen) {
  const FaultId first = arm(PowerCut{.strike = {.after = 100, .times = 1}});
  ASSERT_TRUE(process->injector.begin());
  host->clear(first);
  arm(ProgramFailure{.strike = {.after = 1, .times = 1}});
  EXPECT_EQ(process->model.program(kSlotB, std::vector<std::uint8_t>(16, 0)), Status::kOk);
  EXPECT_EQ(program(kSlotB + 256), Status::kOk) << "the first that the second fault sees";
  EXPECT_EQ(program(kSlotB + 512), Status::kProgramFailed);
}

TEST_F(FaultInjectorTest, ArmingRefusesWhatCannotStrike) {
  const auto message = [this](const FlashFault& fault) {
    const auto id = host->arm(fault);
    return id ? std::string("armed") : id.error().message + " " + id.error().hint;
  };
  EXPECT_THAT(message(PowerCut{.operations = {.range = {.partition = "slot-c"}}}),
              testing::AllOf(HasSubstr("no partition 'slot-c'"), HasSubstr("slot-b")));
  EXPECT_THAT(message(EraseFailure{.range = {.partition = "slot-b", .offset = ::flash::kSlotSize}}),
              HasSubstr("not inside 'slot-b'"));
  EXPECT_THAT(message(ProgramFailure{.operations = {.kind = OpKind::kEraseSector}}),
              HasSubstr("flash.program_failure cannot strike an operation of the kind 'erase'"));
  EXPECT_THAT(message(SilentDrop{.strike = {.probability = 1.5}}), HasSubstr("probability of 1.5"));
  EXPECT_THAT(message(StuckBits{.at = {.offset = ::flash::kRegistersOffset}}), HasSubstr("not inside flash"));
  EXPECT_THAT(message(StuckBits{.mask = 0}), HasSubstr("mask"));
  EXPECT_THAT(message(EraseFailure{.torn = {.bytes = 1, .fraction = 0.5}}),
              HasSubstr("'bytes' and 'fraction'"));
  EXPECT_THAT(message(EraseFailure{.torn = {.fraction = 1.5}}), HasSubstr("between 0 and 1"));
  EXPECT_THAT(message(EraseFailure{.torn = {.random_bits = -0.5}}), HasSubstr("between 0 and 1"));
  EXPECT_THAT(message(Busy{}), HasSubstr("no operation would take any time"));
  EXPECT_THAT(message(ReadDisturb{}), HasSubstr("counted from 1"));
  EXPECT_THAT(message(ReadDisturb{.reads = 5, .bits = 5000}), HasSubstr("1 to 1024 bits"));
  for (std::size_t i = 0; i < kMaxFaults; ++i) arm(EraseFailure{});
  EXPECT_THAT(message(EraseFailure{}), HasSubstr("32 flash faults are armed"));
}

/// Room has been made, and nothing was written yet.
TEST_F(FaultInjectorTest, AFileWhoseMakerWasKilledIsMadeAnew) {
  const std::string path = folder.file("half");
  ASSERT_TRUE(FaultFile::prepare(path));
  const auto size = std::filesystem::file_size(path);
  std::filesystem::resize_file(path, 0);
  std::filesystem::resize_file(path, size);
  EXPECT_FALSE(FaultFile::open(path)) << "not before the host has prepared it";
  const auto prepared = FaultFile::prepare(path);
  ASSERT_TRUE(prepared) << prepared.error().message;
  EXPECT_TRUE(FaultFile::open(path));
}

TEST_F(FaultInjectorTest, AnotherFileIsNotTakenForAFaultFile) {
  std::ofstream(folder.file("list")) << "a shopping list";
  const auto opened = FaultFile::prepare(folder.file("list"));
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("is not a fault file"));
  EXPECT_FALSE(FaultFile::open(folder.file("none")));
}

class AtRestTest : public FaultInjectorTest {
 protected:
  void SetUp() override {
    FaultInjectorTest::SetUp();
    process.reset();
    std::ranges::fill(slot(), std::uint8_t{0x0F});
  }
  std::span<std::uint8_t> slot() { return flash->partition(::flash::kSlotB); }
  static bool reads(std::span<const std::uint8_t> cells, std::uint8_t value) {
    return std::ranges::all_of(cells, [value](std::uint8_t byte) { return byte == value; });
  }
  [[nodiscard]] std::vector<RottenBit> rot(const BitRot& what) {
    auto rotten = otasim::flash_file::rot(*flash, host->file(), what);
    EXPECT_TRUE(rotten) << rotten.error().message;
    return std::move(rotten).value_or(std::vector<RottenBit>{});
  }
};

TEST_F(AtRestTest, RotChangesTheBitsItNamesAndNoOthers) {
  std::vector<std::uint8_t> before(flash->bytes().begin(), flash->bytes().end());
  const auto rotten = rot({.range = {.partition = "slot-b"}, .bits = 5, .seed = 9});
  ASSERT_EQ(rotten.size(), 5U);
  for (const auto& [offset, bit] : rotten) {
    EXPECT_EQ(partition_at(offset), "slot-b");
    before[offset] = static_cast<std::uint8_t>(before[offset] ^ (1U << bit));
  }
  EXPECT_TRUE(std::ranges::equal(flash->bytes(), before));
}

TEST_F(AtRestTest, RotFollowsTheSeed) {
  const BitRot what{.range = {.partition = "slot-b"}, .bits = 3, .seed = 9};
  const auto first = rot(what);
  EXPECT_EQ(rot(what), first) << "and takes it back";
  EXPECT_TRUE(reads(slot(), 0x0F));
  EXPECT_NE(rot({.range = {.partition = "slot-b"}, .bits = 3, .seed = 10}), first);
}

TEST_F(AtRestTest, RotHasADirection) {
  using enum BitRot::Direction;
  const auto all_bits = [&](BitRot::Direction direction) {
    return BitRot{.range = {.offset = kSlotB, .length_bytes = 2}, .bits = 8, .direction = direction};
  };
  EXPECT_EQ(rot(all_bits(kLost)).size(), 8U);
  EXPECT_THAT(bytes(kSlotB, 3), ElementsAre(0xFF, 0xFF, 0x0F));
  const auto none = otasim::flash_file::rot(*flash, host->file(), all_bits(kLost));
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("8 bits cannot rot: 0 in the range could"));
  EXPECT_EQ(rot(all_bits(kGained)).size(), 8U);
}

TEST_F(AtRestTest, DestroyOverwritesTheRangeOnly) {
  const auto zeros = destroy(*flash, host->file(), {.range = {.partition = "slot-b"}});
  ASSERT_TRUE(zeros);
  EXPECT_TRUE(reads(slot(), 0));
  EXPECT_TRUE(reads(flash->partition(::flash::kSlotA), 0xFF));
  EXPECT_TRUE(reads(flash->partition(::flash::kRecovery), 0xFF));
  const Destroy random{.range = {.partition = "slot-b"}, .pattern = Destroy::Pattern::kRandom, .seed = 3};
  ASSERT_TRUE(destroy(*flash, host->file(), random));
  const auto first = bytes(kSlotB, ::flash::kSlotSize);
  ASSERT_TRUE(destroy(*flash, host->file(), random));
  EXPECT_EQ(bytes(kSlotB, ::flash::kSlotSize), first);
  EXPECT_GT(std::set<std::uint8_t>(first.begin(), first.end()).size(), 200U);
}

TEST_F(AtRestTest, WhatIsOverwrittenIsNoLongerMarginal) {
  ::flash::CellState cells;
  cells.weaken(kSlotB, 0x80);
  cells.weaken(0, 0x80);
  host->file().store_cells(cells);
  ASSERT_TRUE(destroy(*flash, host->file(), {.range = {.partition = "slot-b"}}));
  cells.settle(kSlotB, 0x80);
  EXPECT_EQ(host->file().load_cells(), cells);
}

}  // namespace
}  // namespace otasim::flash_file
