// A controller's part with what is armed for a whole power cycle: the time that commands take, direct stores,
// reads that disturb.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>

#include "sim/flash/flash_faults.h"
#include "sim/flash/flash_part.h"
#include "tests/sim/flash/temporary_folder.h"

namespace otasim::flash_file {
namespace {

using ::flash::OpKind;
using ::flash::Status;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint32_t kSlot = ::flash::kSlotB.offset;
constexpr std::uint32_t kSector = ::flash::kControllerPart.sector_size;

class ControllerPart : public testing::Test {
 protected:
  void SetUp() override {
    flash.emplace(FlashFile::create(folder.file("flash.bin")).value());
    auto opened = FlashFaults::open(
        io, {.fault_path = folder.file("flash.faults"), .wake_path = folder.file("wake")}, *flash);
    ASSERT_TRUE(opened) << opened.error().message;
    faults = std::move(*opened);
    faults->on_strike([this](const FlashStrike& strike) {
      strikes.push_back(strike.to_json());
      if (strike.is_direct_store()) ++stores;
    });
  }
  void power_on() {
    part.reset();
    auto on = FlashPart::power_on(
        {.window_path = folder.file("flash.bin"), .fault_path = folder.file("flash.faults")});
    ASSERT_TRUE(on) << on.error().message;
    part = std::move(*on);
  }
  FaultId arm(const FlashFault& fault) {
    const auto id = faults->arm(fault);
    EXPECT_TRUE(id) << id.error().message;
    return id.value_or(FaultId{});
  }
  bool is_admitted() { return part->begin(OpKind::kProgram) == Admission::kRun; }
  Status program(std::uint32_t offset, std::uint8_t value) {
    EXPECT_TRUE(is_admitted());
    return part->model().program(offset, std::vector<std::uint8_t>(256, value));
  }
  const std::vector<nlohmann::json>& struck() {
    faults->collect();
    return strikes;
  }
  [[nodiscard]] std::vector<std::uint8_t> bytes(std::uint32_t offset, std::size_t length) const {
    const auto some = flash->bytes().subspan(offset, length);
    return {some.begin(), some.end()};
  }
  void read(std::uint32_t offset, int times) {
    for (int i = 0; i < times; ++i) part->load_was_made(offset);
  }

  TemporaryFolder folder;
  boost::asio::io_context io;
  std::optional<FlashFile> flash;
  std::unique_ptr<FlashFaults> faults;
  std::unique_ptr<FlashPart> part;
  std::vector<nlohmann::json> strikes;
  int stores = 0;
};

TEST_F(ControllerPart, WatchesNothingUnlessItIsArmedAtPowerOn) {
  power_on();
  arm(Strict{});
  arm(ReadDisturb{.reads = 1});
  ASSERT_TRUE(is_admitted());
  EXPECT_FALSE(part->watches_stores());
  EXPECT_FALSE(part->watches_reads());
  EXPECT_FALSE(part->busy_times().any());
  power_on();
  EXPECT_TRUE(part->watches_stores());
  EXPECT_TRUE(part->watches_reads());
}

TEST_F(ControllerPart, ADirectStoreIsTakenBackAndTold) {
  arm(Strict{});
  power_on();
  ASSERT_EQ(program(kSlot, 0x11), Status::kOk);
  flash->bytes()[kSlot + 4] = 0xAA;
  part->store_was_made(0x1234, kSlot + 4, 1);
  EXPECT_THAT(bytes(kSlot, 256), Each(0x11));
  flash->bytes()[::flash::kPageBufferOffset] = 0x77;
  part->store_was_made(0x1238, ::flash::kPageBufferOffset, 1);
  EXPECT_THAT(struck(),
              ElementsAre(nlohmann::json(
                  {{"pc", 0x1234}, {"offset", kSlot + 4}, {"length_bytes", 1}, {"partition", "slot-b"}})));
  EXPECT_EQ(stores, 1);
}

TEST_F(ControllerPart, OfManyStoresTheFirstAreToldAndAllTakenBack) {
  arm(Strict{});
  power_on();
  for (std::uint32_t i = 0; i < 2 * kMaxStoreReports; ++i) {
    flash->bytes()[kSlot + i] = 0;
    part->store_was_made(0, kSlot + i, 1);
  }
  EXPECT_THAT(bytes(kSlot, 2 * kMaxStoreReports), Each(0xFF));
  EXPECT_THAT(struck(), SizeIs(kMaxStoreReports));
  power_on();
  part->store_was_made(0, kSlot, 1);
  EXPECT_THAT(struck(), SizeIs(kMaxStoreReports + 1)) << "counted anew in each power cycle";
}

TEST_F(ControllerPart, TheFirstOperationThatTakesTimeIsTold) {
  const FaultId id = arm(Busy{.program_instructions = 500, .erase_instructions = 0});
  power_on();
  EXPECT_EQ(part->busy_times().program_instructions, 500U);
  ASSERT_TRUE(is_admitted());
  ASSERT_EQ(part->model().erase_sector(kSlot), Status::kOk);
  ASSERT_EQ(program(kSlot, 1), Status::kOk);
  ASSERT_EQ(program(kSlot, 1), Status::kOk);
  ASSERT_THAT(struck(), SizeIs(1));
  EXPECT_EQ(strikes[0].at("fault"), "flash.busy");
  EXPECT_EQ(strikes[0].at("operation"), 2) << "erases take none here";
  faults->clear(id);
  ASSERT_TRUE(is_admitted());
  EXPECT_FALSE(part->busy_times().any());
}

TEST_F(ControllerPart, EveryNthReadOfASectorDisturbsIt) {
  arm(ReadDisturb{
      .range = {.partition = "slot-b"}, .reads = 100, .bits = 2, .effect = ReadDisturb::Effect::kLost});
  power_on();
  read(kSlot, 60);
  read(kSlot + kSector - 1, 39);
  read(kSlot + kSector, 99);
  read(::flash::kSlotA.offset, 1000);
  EXPECT_THAT(struck(), IsEmpty());
  EXPECT_THAT(bytes(kSlot, kSector), Each(0xFF));
  read(kSlot + 7, 1);
  ASSERT_THAT(struck(), SizeIs(1));
  EXPECT_EQ(strikes[0], nlohmann::json({{"fault", "flash.read_disturb"},
                                        {"offset", kSlot},
                                        {"length_bytes", kSector},
                                        {"bits", 2},
                                        {"partition", "slot-b"}}));
  int lost = 0;
  for (const std::uint8_t byte : bytes(kSlot, kSector)) lost += 8 - std::popcount(byte);
  EXPECT_EQ(lost, 2);
  EXPECT_THAT(bytes(kSlot + kSector, kSector), Each(0xFF));
}

TEST_F(ControllerPart, ReadsCountOverAPowerCycleAndFromAnEraseAnew) {
  arm(ReadDisturb{.reads = 10, .effect = ReadDisturb::Effect::kLost});
  power_on();
  read(kSlot, 9);
  power_on();
  read(kSlot, 1);
  EXPECT_THAT(struck(), SizeIs(1));
  read(kSlot, 9);
  ASSERT_TRUE(is_admitted());
  ASSERT_EQ(part->model().erase_block(kSlot), Status::kOk);
  read(kSlot, 9);
  EXPECT_THAT(struck(), SizeIs(1));
  read(kSlot, 1);
  EXPECT_THAT(struck(), SizeIs(2));
}

TEST_F(ControllerPart, DisturbedBitsMayBeMarginalAndAreKept) {
  arm(ReadDisturb{.strike = {.times = 1, .seed = 4}, .reads = 1, .bits = 16});
  power_on();
  read(kSlot, 3);
  EXPECT_THAT(struck(), SizeIs(1));
  EXPECT_THAT(bytes(kSlot, kSector), Each(0xFF)) << "until the next power-on";
  const auto marginal = part->model().cell_state().marginal;
  EXPECT_GE(marginal.size(), 14U);
  for (const auto& [offset, bits] : marginal) EXPECT_EQ(offset / kSector, kSlot / kSector);
  power_on();
  EXPECT_EQ(part->model().cell_state().marginal, marginal);
}

TEST_F(ControllerPart, WhatReadsDisturbIsNotTakenBackByTheGuard) {
  arm(Strict{});
  arm(ReadDisturb{.strike = {.times = 1}, .reads = 1, .bits = 8, .effect = ReadDisturb::Effect::kLost});
  power_on();
  read(kSlot, 1);
  const auto disturbed = bytes(kSlot, kSector);
  part->store_was_made(0, kSlot, kSector);
  EXPECT_EQ(bytes(kSlot, kSector), disturbed);
}

TEST_F(ControllerPart, EqualSeedsDisturbTheSameBits) {
  const auto disturbed = [this](std::uint64_t seed) {
    std::ranges::fill(flash->bytes().subspan(kSlot, kSector), std::uint8_t{0xFF});
    const FaultId id = arm(ReadDisturb{
        .strike = {.times = 1, .seed = seed}, .reads = 1, .bits = 32, .effect = ReadDisturb::Effect::kLost});
    power_on();
    EXPECT_TRUE(is_admitted());
    EXPECT_EQ(part->model().erase_sector(kSlot), Status::kOk);
    read(kSlot, 1);
    faults->clear(id);
    return bytes(kSlot, kSector);
  };
  const auto first = disturbed(1);
  EXPECT_EQ(disturbed(1), first);
  EXPECT_NE(disturbed(2), first);
}

}  // namespace
}  // namespace otasim::flash_file
