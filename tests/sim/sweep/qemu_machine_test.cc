// A machine that keeps its process does what a new process does: recorded updates cut at random places, torn
// operations included, booted on both.
#include "sim/sweep/qemu_machine.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>
#include <thread>

#include "pal_sim/flash/flash_map.h"
#include "sim/base/temp_dir.h"
#include "sim/base/worker_thread.h"
#include "sim/crypto/key.h"
#include "sim/image/image.h"
#include "sim/sweep/fresh_qemu_machine.h"
#include "tests/board_under_test.h"
#include "tests/sim/sweep/recorded_update.h"

namespace otasim::sweep {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class QemuMachineTest : public testing::Test {
 protected:
  void SetUp() override {
    auto found = lab::BuildProducts::find(test::board_name());
    ASSERT_TRUE(found) << found.error().message;
    products = *found;
    auto made = make_qemu_machine(board, products, folder.path().string());
    ASSERT_TRUE(made) << made.error().message;
    machine = std::move(*made);
    auto made_fresh = FreshQemuMachine::create(board, products, fresh_folder.path().string());
    ASSERT_TRUE(made_fresh) << made_fresh.error().message;
    fresh = std::move(*made_fresh);
  }

  [[nodiscard]] RecordedUpdate record() {
    auto update = RecordedUpdate::record(*machine, board, products);
    EXPECT_TRUE(update) << update.error().message << "\n" << update.error().hint;
    return std::move(update).value();
  }

  static Boot boot(BootMachine& on, flash::CellState& cells, std::uint64_t seed) {
    auto boot = on.boot(cells, seed);
    EXPECT_TRUE(boot) << boot.error().message << "\n" << boot.error().hint;
    return std::move(boot).value();
  }

  const lab::Board& board = test::board_under_test();
  lab::BuildProducts products;
  TempDir folder = TempDir::create().value();
  TempDir fresh_folder = TempDir::create().value();
  std::unique_ptr<BootMachine> machine;
  std::unique_ptr<FreshQemuMachine> fresh;
};

/// On boards whose machine keeps its process: the mps2 family (CMakeLists.txt).
class KeptMachineTest : public QemuMachineTest {
 protected:
  void SetUp() override {
    QemuMachineTest::SetUp();
    qemu = dynamic_cast<QemuMachine*>(machine.get());
    ASSERT_NE(qemu, nullptr) << board.name << " has a new process for each boot";
  }

  QemuMachine* qemu = nullptr;
};

/// On boards whose applications can reset them: those without TrustZone.
class ResettingApplicationTest : public QemuMachineTest {};

/// All but the time.
std::vector<std::string> described(const std::vector<flash::LoggedOperation>& operations) {
  std::vector<std::string> lines;
  for (const auto& one : operations) {
    lines.push_back(fmt::format("#{} source {} kind {} at {:#x}, {} of {} bytes, {}", one.sequence,
                                static_cast<int>(one.source), static_cast<int>(one.kind), one.offset,
                                one.applied, one.length, flash::to_string(one.status)));
    for (const std::uint8_t byte : one.data) lines.back() += fmt::format(" {:02x}", byte);
  }
  return lines;
}

void expect_equal(const Boot& a, const Boot& b) {
  EXPECT_EQ(a.lines, b.lines);
  EXPECT_EQ(a.reached_application, b.reached_application);
  EXPECT_EQ(described(a.operations), described(b.operations));
}

/// Array, bank, and what of the controller outlives a power cycle.
bool holds_the_same(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  for (const auto one : {flash::controller::kRegSequence, flash::controller::kRegEntropyCount}) {
    if (flash::read_register(a, one) != flash::read_register(b, one)) return false;
  }
  return std::ranges::equal(a.first(flash::kRegistersOffset), b.first(flash::kRegistersOffset));
}

TEST_F(QemuMachineTest, BootsAnUpdateToItsCommit) {
  const RecordedUpdate update = record();
  ASSERT_EQ(update.boots().size(), 3U);
  for (const Boot& one : update.boots()) {
    EXPECT_TRUE(one.reached_application);
    EXPECT_THAT(one.lines.front(), AllOf(StartsWith("boot: reset"), HasSubstr("reason=power-on")));
    EXPECT_THAT(one.lines.back(), StartsWith("app: "));
    EXPECT_FALSE(one.operations.empty());
  }
  EXPECT_THAT(update.boots()[1].lines,
              Contains(AllOf(StartsWith("boot: start slot=B"), HasSubstr("state=trial"))));
  EXPECT_THAT(update.boots()[2].lines, Contains(AllOf(StartsWith("boot: commit"), HasSubstr("result=ok"))));
}

TEST_F(QemuMachineTest, WhatTheApplicationDoesToFlashIsDiscarded) {
  const RecordedUpdate update = record();
  for (const Boot& one : update.boots()) {
    for (const auto& operation : one.operations) EXPECT_EQ(operation.source, flash::OpSource::kBoot);
  }
}

TEST_F(QemuMachineTest, ADeviceWithoutAnImageHalts) {
  flash::CellState cells;
  for (int power_on = 1; power_on <= 2; ++power_on) {
    const Boot one = boot(*machine, cells, 1);
    EXPECT_FALSE(one.reached_application);
    EXPECT_THAT(one.lines.back(), HasSubstr("no-image-may-start"));
    EXPECT_EQ(cells.power_ons, static_cast<std::uint32_t>(power_on));
  }
}

/// A program that resets the device and does nothing else: its vector table and these instructions.
Bytes resetting_program(std::uint32_t address) {
  constexpr std::uint32_t kCodeAt = 0x200;
  const std::array<std::uint32_t, 2> vectors{0x2000'1000, address + kCodeAt + 1};
  constexpr std::array<std::uint32_t, 4> kCode{0x4902'4801,   // ldr r0, [pc, #4]; ldr r1, [pc, #8]
                                               0xE7FE'6001,   // str r1, [r0]; b .
                                               0xE000'ED0C,   // AIRCR
                                               0x05FA'0004};  // its key, SYSRESETREQ
  Bytes program(kCodeAt + sizeof kCode);
  std::memcpy(program.data(), vectors.data(), sizeof vectors);
  std::memcpy(program.data() + kCodeAt, kCode.data(), sizeof kCode);
  return program;
}

/// The image on trial resets the device before it has said anything: the same boot goes on, rejects it and
/// starts the one before. What the first half locked, the second writes.
TEST_F(ResettingApplicationTest, AResetOfTheDevicesOwnBelongsToTheBoot) {
  const auto key = crypto::P256Key::load_private(products.boot_signing_key);
  ASSERT_TRUE(key);
  const auto image =
      image::sign(resetting_program(board.load_address + boot::image::kDefaultHeaderSize),
                  {.version = {1, 1, 0, 0}, .security_counter = 2, .load_address = board.load_address}, *key);
  ASSERT_TRUE(image);
  auto update = RecordedUpdate::record_trial(*machine, board, products, *image);
  ASSERT_TRUE(update) << update.error().message << "\n" << update.error().hint;
  const Boot& trial = update->boots().at(1);
  EXPECT_EQ(
      std::ranges::count_if(trial.lines, [](const auto& line) { return line.starts_with("boot: reset"); }),
      2);
  EXPECT_THAT(trial.lines, Contains(StartsWith("boot: reject slot=B reason=trial-failed")));
  EXPECT_THAT(trial.lines.back(), StartsWith("app: otasim demo 1.0.0"));
  EXPECT_THAT(trial.operations, Each(Field(&flash::LoggedOperation::status, flash::Status::kOk)));

  const Flash before = update->before(update->boots_begin().at(1));
  std::ranges::copy(before.window, fresh->window().begin());
  flash::CellState cells = before.cells;
  expect_equal(boot(*fresh, cells, 1), trial);
  EXPECT_TRUE(holds_the_same(machine->window(), fresh->window()));
}

TEST_F(QemuMachineTest, StuckCellsReadTheirValueFromPowerOnOn) {
  RecordedUpdate update = record();
  const Flash last = update.before(update.operations().size());
  std::ranges::copy(last.window, machine->window().begin());
  flash::CellState cells = last.cells;
  // The magic of both application images.
  cells.stuck[flash::kSlotA.offset] = {0xFF, 0x00};
  cells.stuck[flash::kSlotB.offset] = {0xFF, 0x00};
  const auto stuck = cells.stuck;
  EXPECT_THAT(boot(*machine, cells, 1).lines, Contains(HasSubstr("start slot=recovery")));
  EXPECT_EQ(cells.stuck, stuck);
  cells.stuck.clear();
  std::ranges::copy(last.window, machine->window().begin());
  EXPECT_THAT(boot(*machine, cells, 1).lines, Contains(HasSubstr("start slot=B")));
}

/// A boot in between leaves no trace in those after it.
TEST_F(QemuMachineTest, ABootIsAFunctionOfFlashCellsAndSeed) {
  const RecordedUpdate update = record();
  const std::size_t commit = update.boots_begin().at(2);
  const Flash before_commit = update.before(commit);
  const auto boot_it = [&] {
    std::ranges::copy(before_commit.window, machine->window().begin());
    flash::CellState cells = before_commit.cells;
    return boot(*machine, cells, 7);
  };
  const Boot first = boot_it();
  std::ranges::copy(update.factory(), machine->window().begin());
  flash::CellState cells;
  (void)boot(*machine, cells, 1);
  expect_equal(boot_it(), first);
}

TEST_F(QemuMachineTest, AMachineBelongsToTheThreadThatMadeIt) {
  std::thread worker = start_worker([this] {
    const TempDir own = TempDir::create().value();
    auto another = make_qemu_machine(board, products, own.path().string());
    ASSERT_TRUE(another) << another.error().message;
    flash::CellState cells;
    EXPECT_FALSE(boot(**another, cells, 1).reached_application);
  });
  worker.join();
}

TEST_F(KeptMachineTest, AQemuThatDoesNotStartIsSaidWhy) {
  products.flash_plugin = folder.file("missing.so");
  const TempDir own = TempDir::create().value();
  auto broken = make_qemu_machine(board, products, own.path().string());
  ASSERT_TRUE(broken);
  flash::CellState cells;
  const auto one = (*broken)->boot(cells, 1);
  ASSERT_FALSE(one);
  EXPECT_EQ(one.error().code, ExitCode::kEnvironment);
  EXPECT_THAT(one.error().message + one.error().hint, HasSubstr("missing.so"));
}

/// Locks end with any reset, also one that the host takes no part in.
TEST_F(KeptMachineTest, TheResetLineClearsTheLocks) {
  const RecordedUpdate update = record();
  using namespace flash::controller;
  EXPECT_EQ(flash::read_register(machine->window(), kRegOtpLocked), 1U) << "as the boot has left it";
  ASSERT_TRUE(qemu->process()->reset());
  EXPECT_EQ(flash::read_register(machine->window(), kRegOtpLocked), 0U);
  EXPECT_EQ(flash::read_register(machine->window(), kRegLockCount), 0U);
}

/// It would act on all boots to come, and look like the bootloader's own doing.
TEST_F(KeptMachineTest, ARomThatWasWrittenIsNoticed) {
  flash::CellState cells;
  const auto boots_until_check = [&] {
    for (unsigned i = 1; i < QemuMachine::kBootsBetweenChecks; ++i)
      EXPECT_FALSE(boot(*machine, cells, 1).has_written_rom);
  };
  boots_until_check();
  EXPECT_FALSE(boot(*machine, cells, 1).has_written_rom);
  // Behind the program; the machine stands still after a boot, so its processor is brought back to the ROM.
  ASSERT_TRUE(qemu->process()->reset());
  ASSERT_TRUE(qemu->process()->write(board.boot_rom.address + board.boot_rom.size / 2, Bytes{1}));
  boots_until_check();
  EXPECT_TRUE(boot(*machine, cells, 1).has_written_rom);
  boots_until_check();
  EXPECT_FALSE(boot(*machine, cells, 1).has_written_rom) << "a new process has it as it was built";
}

/// The last boots of a sweep are looked at as well.
TEST_F(KeptMachineTest, ARomThatWasWrittenIsNoticedAtTheEnd) {
  flash::CellState cells;
  EXPECT_FALSE(machine->has_written_rom().value()) << "without a boot";
  (void)boot(*machine, cells, 1);
  EXPECT_FALSE(machine->has_written_rom().value());
  (void)boot(*machine, cells, 1);
  ASSERT_TRUE(qemu->process()->reset());
  ASSERT_TRUE(qemu->process()->write(board.boot_rom.address + board.boot_rom.size / 2, Bytes{1}));
  EXPECT_TRUE(machine->has_written_rom().value());
}

/// The image that runs, as it stands in flash. One boot of many shows it, the first of a process among them.
TEST_F(KeptMachineTest, ABootShowsWhatItHasLoaded) {
  const RecordedUpdate update = record();
  flash::CellState cells;
  std::size_t shown = 0;
  for (unsigned i = 0; i < 2 * QemuMachine::kBootsForEachImage; ++i) {
    const Boot one = boot(*machine, cells, 1);
    if (one.loaded.empty()) continue;
    ++shown;
    const auto slot = machine->window().subspan(flash::kSlotB.offset, flash::kSlotSize);
    EXPECT_EQ(one.loaded.size(), image::parse(slot).value().total_size);
    EXPECT_TRUE(std::ranges::equal(one.loaded, slot.first(one.loaded.size())));
  }
  EXPECT_EQ(shown, 2U);
}

TEST_F(KeptMachineTest, AQemuThatDiesIsReplacedAtTheNextBoot) {
  const RecordedUpdate update = record();
  flash::CellState cells;
  const Boot before = boot(*machine, cells, 1);
  ::kill(qemu->process()->pid(), SIGKILL);
  const auto broken = machine->boot(cells, 1);
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, ExitCode::kEnvironment) << "no doing of the device's";
  EXPECT_THAT(broken.error().message, HasSubstr("killed by signal 9"));
  const Boot after = boot(*machine, cells, 1);
  EXPECT_EQ(after.lines, before.lines);
  // As QEMU ends when the guest's processor locks up.
  ::kill(qemu->process()->pid(), SIGABRT);
  const auto crashed = machine->boot(cells, 1);
  ASSERT_FALSE(crashed);
  EXPECT_EQ(crashed.error().code, ExitCode::kFailed);
  EXPECT_THAT(crashed.error().message, HasSubstr("killed by signal 6"));
}

/// Random cases of a recorded update, each booted three times. How many, OTASIM_CASES says.
TEST_F(QemuMachineTest, BootsAsANewProcessDoes) {
  const RecordedUpdate update = record();
  const char* const wanted = std::getenv("OTASIM_CASES");
  const int cases = wanted != nullptr ? std::atoi(wanted) : 12;
  std::mt19937 random(20'26);
  const auto below = [&random](std::size_t limit) { return random() % limit; };
  // Half of all cases are cut in what the bootloader does, which is a small part of all operations.
  std::vector<std::size_t> of_boots;
  for (std::size_t i = 0; i < update.operations().size(); ++i) {
    if (update.operations()[i].source == flash::OpSource::kBoot) of_boots.push_back(i);
  }
  for (int i = 0; i < cases; ++i) {
    const std::size_t at =
        i % 2 == 0 ? of_boots.at(below(of_boots.size())) : below(update.operations().size());
    const std::uint32_t length = update.operations()[at].length;
    const auto bytes = static_cast<std::uint32_t>(below(length + 1));
    const auto marginal = static_cast<std::uint32_t>(below(length + 1));
    SCOPED_TRACE("operation " + std::to_string(at) + ", " + std::to_string(bytes) + " bytes, " +
                 std::to_string(marginal) + " marginal");
    const Flash flash = update.cut(at, bytes, marginal);
    flash::CellState cells = flash.cells;
    flash::CellState fresh_cells = flash.cells;
    std::ranges::copy(flash.window, machine->window().begin());
    std::ranges::copy(flash.window, fresh->window().begin());
    for (int power_on = 1; power_on <= 3; ++power_on) {
      const std::uint64_t seed = random();
      const Boot one = boot(*machine, cells, seed);
      const Boot other = boot(*fresh, fresh_cells, seed);
      expect_equal(one, other);
      EXPECT_EQ(cells, fresh_cells);
      ASSERT_TRUE(holds_the_same(machine->window(), fresh->window())) << "in boot " << power_on;
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace otasim::sweep
