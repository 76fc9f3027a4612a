// Armed faults in a real QEMU: the doorbell program is struck at the operation that was named.
//
// Its accepted operations, by number: 1 and 2 program kProgrammed, 3 erases kErased, 4 and 5 lock, 6 programs
// kEntropyKept, 7 programs kBootMark; then it resets itself, and 8 programs kLocked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>

#include "pal_sim/flash/op_log.h"
#include "sim/flash/flash_faults.h"
#include "sim/flash/flash_file.h"
#include "sim/flash/qemu_arguments.h"
#include "tests/sim/flash/doorbell_program.h"
#include "tests/sim/flash/qemu_guest.h"
#include "tests/sim/flash/temporary_folder.h"

namespace otasim::flash_file {
namespace {

using doorbell_program::kErased;
using doorbell_program::kFirstSeed;
using doorbell_program::kProgrammed;
using doorbell_program::pattern;
using qemu_guest::Guest;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kTimeoutMs = 30'000;
constexpr std::chrono::seconds kLimit{30};

class FlashPluginFaults : public testing::Test {
 protected:
  void SetUp() override {
    flash.emplace(FlashFile::create(folder.file("flash.bin")).value());
    std::ranges::fill(flash->bytes().subspan(kErased, ::flash::kControllerPart.sector_size), std::uint8_t{0});
    auto opened = FlashFaults::open(
        io, {.fault_path = folder.file("flash.faults"), .wake_path = folder.file("wake")}, *flash);
    ASSERT_TRUE(opened) << opened.error().message;
    faults = std::move(*opened);
    faults->on_strike([this](const FlashStrike& strike) { strikes.push_back(strike.to_json()); });
  }

  void arm(const FlashFault& fault) { ASSERT_TRUE(faults->arm(fault)); }

  void power_on(std::uint64_t seed = 1) {
    guest.reset();
    flash->clear_volatile_state();
    std::vector<std::string> arguments{
        "-display",        "none",     "-nodefaults",
        "-no-user-config", "-machine", std::string("mps2-an385,memory-backend=") + kMemoryBackendId,
        "-serial",         "stdio",    "-kernel",
        DOORBELL_PROGRAM};
    std::ranges::copy(qemu_arguments({.window_path = folder.file("flash.bin"),
                                      .plugin_path = FLASH_PLUGIN,
                                      .op_log_path = folder.file("flash.ops"),
                                      .fault_path = faults->paths().fault_path,
                                      .wake_path = faults->paths().wake_path,
                                      .seed = seed}),
                      std::back_inserter(arguments));
    guest.emplace(arguments);
  }
  /// Waits to be woken.
  bool is_struck() {
    const std::size_t before = strikes.size();
    const auto limit = std::chrono::steady_clock::now() + kLimit;
    while (strikes.size() == before && std::chrono::steady_clock::now() < limit) {
      io.restart();
      io.run_one_until(limit);
    }
    return strikes.size() > before;
  }
  bool is_done() { return guest->wait_for("done=00000000\n", kTimeoutMs); }
  /// All that a stopped guest has said.
  std::string said() {
    while (guest->read_some(0)) {
    }
    return guest->output();
  }
  [[nodiscard]] std::vector<std::uint8_t> bytes(std::uint32_t offset, std::size_t length) const {
    const auto part = flash->bytes().subspan(offset, length);
    return {part.begin(), part.end()};
  }
  [[nodiscard]] std::vector<std::uint32_t> logged() const {
    std::vector<std::uint32_t> sequences;
    const auto log = ::flash::read_op_log(folder.file("flash.ops"));
    for (const auto& operation : log.value().operations) {
      if (operation.status == ::flash::Status::kOk || operation.status == ::flash::Status::kNoDevice)
        sequences.push_back(operation.sequence);
    }
    return sequences;
  }

  TemporaryFolder folder;
  boost::asio::io_context io;
  std::optional<FlashFile> flash;
  std::unique_ptr<FlashFaults> faults;
  std::optional<Guest> guest;
  std::vector<nlohmann::json> strikes;
};

TEST_F(FlashPluginFaults, AnUnarmedFileChangesNothing) {
  power_on();
  ASSERT_TRUE(is_done()) << said();
  EXPECT_THAT(said(), HasSubstr("sequence=00000008\n"));
  faults->collect();
  EXPECT_THAT(strikes, testing::IsEmpty());
  EXPECT_EQ(faults->file().load_cells().erase_counts[kErased / ::flash::kControllerPart.sector_size], 1U);
}

TEST_F(FlashPluginFaults, ACutWithinAProgramLeavesItsBytesAndStopsTheProcessorThere) {
  arm(PowerCut{.phase = PowerCut::Phase::kWithin, .torn = {.bytes = 77}});
  power_on();
  ASSERT_TRUE(is_struck());
  EXPECT_THAT(said(), EndsWith("id=4346544f\n")) << "not one instruction after the doorbell";
  for (std::uint32_t i = 0; i < 77; ++i)
    ASSERT_EQ(flash->bytes()[kProgrammed + i], pattern(kFirstSeed, i)) << i;
  EXPECT_THAT(bytes(kProgrammed + 77, ::flash::kControllerPart.sector_size - 77), Each(0xFF));
  EXPECT_THAT(strikes, ElementsAre(nlohmann::json({{"fault", "flash.power_cut"},
                                                   {"operation", 1},
                                                   {"kind", "program"},
                                                   {"offset", kProgrammed},
                                                   {"length_bytes", 256},
                                                   {"applied_bytes", 77},
                                                   {"marginal_bytes", 0},
                                                   {"partition", "slot-a"}})));
  EXPECT_THAT(logged(), ElementsAre(1));
}

TEST_F(FlashPluginFaults, TheThirdOperationIsCutAndTheNextBootGoesOn) {
  arm(PowerCut{.strike = {.after = 2, .times = 1}});
  power_on();
  ASSERT_TRUE(is_struck());
  EXPECT_THAT(said(), EndsWith("over=00000000\n"));
  EXPECT_THAT(bytes(kErased, ::flash::kControllerPart.sector_size), Each(0));
  power_on();
  ASSERT_TRUE(is_done()) << said();
  EXPECT_THAT(bytes(kErased, ::flash::kControllerPart.sector_size), Each(0xFF));
  EXPECT_EQ(strikes.size(), 1U);
}

TEST_F(FlashPluginFaults, OnlyTheChosenKindAndPlaceIsStruck) {
  using ::flash::OpKind;
  arm(PowerCut{.operations = {.kind = OpKind::kProgram, .range = {.offset = doorbell_program::kBootMark}},
               .phase = PowerCut::Phase::kAfter});
  power_on();
  ASSERT_TRUE(is_struck());
  EXPECT_THAT(said(), EndsWith("otp-lock=00000000\nentropy=00000000\n"))
      << "the page that keeps the entropy lies behind the boot mark";
  EXPECT_THAT(logged(), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(strikes.at(0).at("applied_bytes"), 256);
}

TEST_F(FlashPluginFaults, FailuresAreSeenByTheGuestAsTheirStatus) {
  arm(ProgramFailure{.strike = {.after = 1, .times = 1}});
  arm(EraseFailure{});
  arm(SilentDrop{.operations = {.range = {.offset = doorbell_program::kEntropyKept, .length_bytes = 1}}});
  power_on();
  ASSERT_TRUE(is_done()) << said();
  EXPECT_THAT(said(), HasSubstr("program=00000000\nreadback=000000a8\nover=00000004\nerase=00000005\n"));
  EXPECT_THAT(said(), HasSubstr("keep=00000000\nmark=00000000\n"));
  for (std::uint32_t i = 0; i < ::flash::kPageSize; ++i)
    ASSERT_EQ(flash->bytes()[kProgrammed + i], pattern(kFirstSeed, i)) << "the second program changed " << i;
  EXPECT_THAT(bytes(kErased, ::flash::kControllerPart.sector_size), Each(0));
  EXPECT_THAT(bytes(doorbell_program::kEntropyKept, ::flash::kPageSize), Each(0xFF));
  faults->collect();
  std::vector<std::string> names;
  for (const auto& strike : strikes) {
    names.push_back(strike.at("fault").get<std::string>() + "@" +
                    std::to_string(strike.at("operation").get<int>()));
  }
  EXPECT_THAT(names, ElementsAre("flash.program_failure@2", "flash.erase_failure@3", "flash.silent_drop@6"));
}

TEST_F(FlashPluginFaults, StuckBitsAndWornSectorsStrikeTheGuestToo) {
  arm(StuckBits{.at = {.offset = kProgrammed + 7}, .mask = 0x01, .values = 0x01});
  arm(Worn{.range = {.offset = kErased, .length_bytes = ::flash::kControllerPart.sector_size}, .erases = 0});
  power_on();
  ASSERT_TRUE(is_done()) << said();
  EXPECT_THAT(said(), HasSubstr("program=00000000\nreadback=000000a9\n"));
  EXPECT_THAT(said(), HasSubstr("erase=00000005\n"));
}

TEST_F(FlashPluginFaults, EqualSeedsGiveEqualBootsWithMarginalBits) {
  // The boot mark decides which of its two boots the guest makes; marginal, it reads as one or the other.
  const auto boots = [this](std::uint64_t seed) {
    ::flash::CellState cells;
    cells.weaken(doorbell_program::kBootMark, 0xFF);
    guest.reset();
    std::ranges::fill(flash->bytes().first(::flash::kControllerPart.size), std::uint8_t{0xFF});
    faults->file().store_cells(cells);
    std::string all;
    for (int boot = 0; boot < 4; ++boot) {
      power_on(seed);
      EXPECT_TRUE(is_done()) << said();
      all += said();
      // A boot that found it erased has programmed it.
      guest.reset();
      ::flash::CellState next = faults->file().load_cells();
      next.weaken(doorbell_program::kBootMark, 0xFF);
      faults->file().store_cells(next);
    }
    return all;
  };
  const auto masked = [](std::string text) {
    // The operation's number goes on from boot to boot.
    for (std::size_t at = text.find("sequence="); at != std::string::npos;
         at = text.find("sequence=", at + 1))
      text.replace(at, 17, "sequence");
    return text;
  };
  const std::string first = masked(boots(3));
  EXPECT_EQ(masked(boots(3)), first);
  bool is_other = false;
  for (std::uint64_t seed = 4; seed < 8 && !is_other; ++seed) is_other = masked(boots(seed)) != first;
  EXPECT_TRUE(is_other);
}

TEST_F(FlashPluginFaults, AResetIsReportedBeforeItsInstructionAndFlashIsFrozen) {
  // Measured by the guest itself: which instruction it is does not matter, only that nothing is said after.
  ASSERT_TRUE(faults->arm_reset("device.reset_at_instruction", 2000));
  power_on();
  ASSERT_TRUE(is_struck());
  EXPECT_EQ(strikes.at(0), nlohmann::json({{"fault", "device.reset_at_instruction"}, {"instruction", 2000}}));
  const std::string at_strike = said();
  EXPECT_THAT(at_strike, Not(HasSubstr("mark=")));
  const auto frozen = bytes(0, ::flash::kControllerPart.size);
  faults->machine_stops();
  ASSERT_TRUE(guest->wait_for("mark=", kTimeoutMs)) << "the guest goes on, without flash";
  EXPECT_THAT(said(), HasSubstr("=00000007\n"));
  EXPECT_EQ(bytes(0, ::flash::kControllerPart.size), frozen);
}

TEST_F(FlashPluginFaults, InstructionsAreCountedToTheOne) {
  // Whether the first doorbell has rung when the reset comes before the nth instruction.
  const auto has_rung = [this](std::uint64_t instruction) {
    guest.reset();
    std::ranges::fill(flash->bytes().first(::flash::kControllerPart.size), std::uint8_t{0xFF});
    EXPECT_TRUE(faults->arm_reset("reset", instruction));
    power_on();
    EXPECT_TRUE(is_struck());
    return flash->bytes()[kProgrammed] != 0xFF;
  };
  std::uint64_t before = 1;
  std::uint64_t behind = 8000;
  ASSERT_FALSE(has_rung(before));
  ASSERT_TRUE(has_rung(behind));
  while (behind - before > 1) {
    const std::uint64_t middle = (before + behind) / 2;
    (has_rung(middle) ? behind : before) = middle;
  }
  for (int again = 0; again < 3; ++again) {
    EXPECT_FALSE(has_rung(before));
    EXPECT_TRUE(has_rung(behind));
  }
}

TEST_F(FlashPluginFaults, DirectStoresTakeEffectUnlessTheyAreWatched) {
  flash->bytes()[doorbell_program::kMode] = doorbell_program::kStoresDirectly;
  power_on();
  ASSERT_TRUE(is_done()) << said();
  EXPECT_THAT(said(), HasSubstr("byte=00000011\nword=00000000\notp=00000000\nbuffer=0000005a\n"));
}

TEST_F(FlashPluginFaults, StrictModeTakesDirectStoresBackAndTellsOfThem) {
  flash->bytes()[doorbell_program::kMode] = doorbell_program::kStoresDirectly;
  arm(Strict{});
  power_on();
  ASSERT_TRUE(is_done()) << said();
  EXPECT_THAT(said(),
              HasSubstr("byte=000000ff\nword=ffffffff\notp=000000ff\nbuffer=0000005a\nprogram=00000000\n"));
  EXPECT_EQ(flash->bytes()[kProgrammed], pattern(kFirstSeed, 0)) << "a command is a command";
  EXPECT_EQ(flash->bytes()[::flash::kOtpOffset], 0xFF);
  faults->collect();
  ASSERT_EQ(strikes.size(), 3U);
  std::vector<std::uint32_t> offsets;
  for (const auto& strike : strikes) {
    offsets.push_back(strike.at("offset"));
    EXPECT_GT(strike.at("pc"), 0);
    EXPECT_LT(strike.at("pc"), 64 * 1024) << "the program's own";
  }
  EXPECT_THAT(offsets, ElementsAre(kProgrammed, kProgrammed + 4, ::flash::kOtpOffset));
  EXPECT_EQ(strikes[1].at("length_bytes"), 4);
  EXPECT_EQ(strikes[2].at("partition"), "otp");
}

TEST_F(FlashPluginFaults, CommandsTakeTheInstructionsThatTheyAreTold) {
  flash->bytes()[doorbell_program::kMode] = doorbell_program::kPolls;
  arm(Busy{.program_instructions = 5'000, .erase_instructions = 50'000});
  power_on();
  ASSERT_TRUE(is_done()) << said();
  EXPECT_THAT(said(), EndsWith("busy=00000008\nwaited=00000001\nready=00000000\n"
                               "busy=00000008\nagain=00000008\nwaited=00000001\nready=00000006\n"
                               "lock=00000000\nsequence=00000003\ndone=00000000\n"));
  EXPECT_THAT(bytes(kErased + 16, 16), Each(0xFF)) << "it was rung while the part was busy";
  faults->collect();
  ASSERT_EQ(strikes.size(), 1U);
  EXPECT_EQ(strikes[0].at("fault"), "flash.busy");
}

TEST_F(FlashPluginFaults, WithoutATimeCommandsAreCompleteAtOnce) {
  flash->bytes()[doorbell_program::kMode] = doorbell_program::kPolls;
  power_on();
  arm(Busy{.program_instructions = 5'000});
  ASSERT_TRUE(is_done()) << said();
  EXPECT_THAT(said(), HasSubstr("busy=00000000\nwaited=00000000\nready=00000000\n"));
}

TEST_F(FlashPluginFaults, LoadsOfTheGuestDisturbTheSectorThatTheyRead) {
  constexpr std::uint32_t kLoads = ::flash::kControllerPart.sector_size / 4;
  const auto disturbed = [this] {
    int count = 0;
    for (const std::uint8_t byte : bytes(doorbell_program::kRead, ::flash::kControllerPart.sector_size))
      count += byte != 0xFF ? 1 : 0;
    return count;
  };
  flash->bytes()[doorbell_program::kMode] = doorbell_program::kReads;
  power_on();
  ASSERT_TRUE(is_done()) << said();
  EXPECT_THAT(said(), HasSubstr("read=00000000\n"));
  arm(ReadDisturb{.range = {.offset = doorbell_program::kRead},
                  .reads = 3 * kLoads,
                  .bits = 1,
                  .effect = ReadDisturb::Effect::kLost});
  power_on();
  ASSERT_TRUE(is_done()) << said();
  EXPECT_THAT(said(), HasSubstr("read=00000001\n"));
  faults->collect();
  EXPECT_EQ(strikes.size(), 2U) << "eight times read, twice three times";
  EXPECT_EQ(disturbed(), 2);
}

TEST_F(FlashPluginFaults, AFaultFileThatIsNoneIsRefused) {
  Guest refused({"-display", "none", "-nodefaults", "-machine", "none", "-plugin",
                 std::string(FLASH_PLUGIN) + ",window=" + folder.file("flash.bin") +
                     ",faults=" + folder.file("flash.bin")});
  EXPECT_EQ(refused.wait_for_exit(kTimeoutMs), 1) << refused.output();
  EXPECT_THAT(refused.output(), HasSubstr("is not a fault file"));
}

}  // namespace
}  // namespace otasim::flash_file
