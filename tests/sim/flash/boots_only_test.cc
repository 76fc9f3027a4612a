// A part that serves boots only: what comes after the hand-over is discarded, a cut stops nobody, and each
// power-on in the same process makes it what a new process would be.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <optional>

#include "pal_sim/flash/op_log.h"
#include "sim/flash/flash_part.h"
#include "sim/flash/nor_disk.h"
#include "tests/sim/flash/temporary_folder.h"

namespace otasim::flash_file {
namespace {

using ::flash::OpKind;
using ::flash::Status;
using ::testing::ElementsAre;

constexpr std::uint32_t kSlot = ::flash::kSlotB.offset;
constexpr std::array<std::uint8_t, 1> kZero{0};

class BootsOnly : public testing::Test {
 protected:
  void power_on(const ::flash::Geometry& geometry = ::flash::kControllerPart, std::uint64_t seed = 1) {
    if (!flash) flash.emplace(FlashFile::create(folder.file("flash.bin"), geometry).value());
    if (!host) {
      host.emplace(FaultFile::prepare(folder.file("flash.faults")).value());
      host->serve_boots_only();
      ASSERT_EQ(::mkfifo(folder.file("wake").c_str(), 0600), 0);
      wake.reset(::open(folder.file("wake").c_str(), O_RDONLY | O_NONBLOCK));
    }
    auto on = FlashPart::power_on({.window_path = folder.file("flash.bin"),
                                   .op_log_path = folder.file("flash.ops"),
                                   .fault_path = folder.file("flash.faults"),
                                   .wake_path = folder.file("wake"),
                                   .seed = seed});
    ASSERT_TRUE(on) << on.error().message;
    part = std::move(*on);
  }
  /// In the process that runs, as sim/sweep does it.
  void power_on_again(std::uint64_t seed, const ::flash::CellState& cells) {
    ::flash::NorModel model(flash->bytes(), seed, flash->part());
    model.set_cell_state(cells);
    model.power_on();
    ASSERT_TRUE(host->store_cells(model.cell_state()));
    host->power_on(seed);
  }

  /// As the plugin does it.
  Admission run(const ::flash::Request& request) {
    const Admission admission = part->begin(request.kind);
    if (admission == Admission::kRun) (void)part->model().execute(request);
    return admission;
  }
  Admission program(std::uint32_t offset) {
    return run({.kind = OpKind::kProgram, .offset = offset, .length = 1, .data = kZero});
  }
  [[nodiscard]] std::size_t wakes() const {
    std::array<char, 16> bytes{};
    const ssize_t count = ::read(wake.get(), bytes.data(), bytes.size());
    return count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  [[nodiscard]] std::vector<OpKind> logged() const {
    std::vector<OpKind> kinds;
    const auto log = ::flash::read_op_log(folder.file("flash.ops"));
    EXPECT_TRUE(log);
    for (const auto& one : log->operations) kinds.push_back(one.kind);
    return kinds;
  }

  TemporaryFolder folder;
  std::optional<FlashFile> flash;
  std::optional<FaultFile> host;
  UniqueFd wake;
  std::unique_ptr<FlashPart> part;
};

TEST_F(BootsOnly, AfterTheBankIsLockedOnlyLocksAreTaken) {
  power_on();
  EXPECT_EQ(program(kSlot), Admission::kRun);
  EXPECT_EQ(run({.kind = OpKind::kOtpLock}), Admission::kRun);
  EXPECT_EQ(run({.kind = OpKind::kLock, .offset = 0, .length = ::flash::kSmallestSector}), Admission::kRun);
  EXPECT_EQ(program(kSlot + 1), Admission::kDiscard);
  EXPECT_EQ(run({.kind = OpKind::kEraseSector, .offset = kSlot}), Admission::kDiscard);
  EXPECT_EQ(part->begin(std::nullopt), Admission::kDiscard) << "entropy, which is counted";
  EXPECT_EQ(flash->bytes()[kSlot + 1], 0xFF);
  EXPECT_THAT(logged(), ElementsAre(OpKind::kProgram, OpKind::kOtpLock, OpKind::kLock));

  part->model().reset();  // a reset of the device's own: the bootloader is at work again
  EXPECT_EQ(program(kSlot + 1), Admission::kRun);
}

TEST_F(BootsOnly, APartWithoutLocksIsToldOfTheHandOver) {
  power_on(::flash::kSpiNorPart);
  EXPECT_EQ(program(kSlot), Admission::kRun);
  host->set_handed_over(true);
  EXPECT_EQ(program(kSlot + 1), Admission::kDiscard);
  NorDisk disk(*part);
  EXPECT_EQ(disk.write(kSlot + 1, kZero), DiskOutcome::kDone) << "or QEMU would be stopped";
  EXPECT_EQ(flash->bytes()[kSlot + 1], 0xFF);
  host->set_handed_over(false);
  EXPECT_EQ(program(kSlot + 1), Admission::kRun);
}

TEST_F(BootsOnly, OrdinaryDevicesAreServedWhateverTheyLock) {
  power_on();
  host.emplace(FaultFile::prepare(folder.file("flash.faults")).value());
  ASSERT_EQ(run({.kind = OpKind::kOtpLock}), Admission::kRun);
  EXPECT_FALSE(part->serves_boots_only());
  EXPECT_EQ(program(kSlot), Admission::kRun);
}

TEST_F(BootsOnly, APowerOnMakesItWhatANewProcessIs) {
  power_on();
  ASSERT_TRUE(host->arm({.id = 1, .action = FaultAction::kPowerCut, .bytes = 1, .after = 1, .times = 1}));
  ASSERT_EQ(run({.kind = OpKind::kEraseSector, .offset = kSlot}), Admission::kRun);
  ASSERT_EQ(program(kSlot), Admission::kRun);
  ASSERT_FALSE(part->powered());
  host->clear(1);

  auto cells = host->load_cells();
  EXPECT_EQ(cells.erase_counts[kSlot / ::flash::kSmallestSector], 1U);
  cells.weaken(kSlot + 5, 0x0F);
  cells.erase_counts[0] = 77;
  power_on_again(42, cells);
  std::array<std::uint8_t, 16> here{};
  ASSERT_EQ(part->begin(std::nullopt), Admission::kRun);
  EXPECT_TRUE(part->powered());
  EXPECT_EQ(part->model().cell_state(), host->load_cells());
  EXPECT_EQ(part->model().erase_count(0), 77U);
  EXPECT_EQ(part->model().cell_state().power_ons, cells.power_ons + 1);
  ASSERT_EQ(part->model().entropy(here), Status::kOk);

  // And a process that starts now, with the same seed, from the same count.
  const std::uint32_t count = ::flash::read_register(flash->bytes(), ::flash::controller::kRegEntropyCount);
  ::flash::write_register(flash->bytes(), ::flash::controller::kRegEntropyCount, count - 1);
  power_on(::flash::kControllerPart, 42);
  std::array<std::uint8_t, 16> there{};
  ASSERT_EQ(part->model().entropy(there), Status::kOk);
  EXPECT_EQ(here, there);
}

TEST_F(BootsOnly, FaultsGoOnCountingThroughAPowerOn) {
  power_on();
  ASSERT_TRUE(host->arm({.id = 1, .action = FaultAction::kFailure, .after = 2, .times = 1}));
  ASSERT_EQ(program(kSlot), Admission::kRun);
  power_on_again(1, host->load_cells());
  ASSERT_EQ(program(kSlot + 1), Admission::kRun);
  EXPECT_EQ(part->model().program(kSlot + 2, kZero), Status::kProgramFailed) << "the third operation";
}

TEST_F(BootsOnly, TheHostIsWokenOnceInEachBoot) {
  power_on();
  part->wake_once();
  part->wake_once();
  EXPECT_EQ(wakes(), 1U);
  power_on_again(1, host->load_cells());
  part->wake_once();
  EXPECT_EQ(wakes(), 1U) << "also in a boot without an operation";
}

TEST_F(BootsOnly, TheOpLogMayBeEmptiedBetweenBoots) {
  power_on();
  ASSERT_EQ(program(kSlot), Admission::kRun);
  ASSERT_TRUE(::flash::empty_op_log(folder.file("flash.ops")));
  EXPECT_TRUE(logged().empty());
  ASSERT_EQ(run({.kind = OpKind::kEraseSector, .offset = kSlot}), Admission::kRun);
  EXPECT_THAT(logged(), ElementsAre(OpKind::kEraseSector));
}

}  // namespace
}  // namespace otasim::flash_file
