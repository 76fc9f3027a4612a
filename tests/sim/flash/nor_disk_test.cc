// What QEMU's chip writes back is the operation that it stands for: the same sequence of operations, once on
// a NOR model and once as results on the disk, leaves the same window, cells, op log and count.
#include "sim/flash/nor_disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <string>

#include "pal_sim/flash/op_log.h"
#include "tests/sim/flash/flash_part_fixture.h"

namespace otasim::flash_file {
namespace {

using ::flash::OpKind;
using ::flash::Status;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class NorDiskTest : public FlashPartFixture {
 protected:
  void SetUp() override {
    part = power_on();
    disk = std::make_unique<NorDisk>(*part);
  }
  [[nodiscard]] Bytes page_at(std::uint32_t offset) const { return bytes(offset, kPage); }
  [[nodiscard]] DiskOutcome write(std::uint32_t offset, const Bytes& data) {
    return disk->write(offset, data);
  }
  /// What the chip writes when it has programmed `data` at `offset`: the page.
  [[nodiscard]] DiskOutcome program(std::uint32_t offset, const Bytes& data) {
    Bytes page = page_at(offset / kPage * kPage);
    for (std::size_t i = 0; i < data.size(); ++i) page[offset % kPage + i] &= data[i];
    return write(offset / kPage * kPage, page);
  }

  std::unique_ptr<FlashPart> part;
  std::unique_ptr<NorDisk> disk;
};

TEST_F(NorDiskTest, APageThatChangedIsAProgramOfTheBytesThatDid) {
  ASSERT_EQ(program(kSlot + 10, {0x12, 0xFF, 0x34}), DiskOutcome::kDone);
  EXPECT_EQ(bytes(kSlot + 9, 5), (Bytes{0xFF, 0x12, 0xFF, 0x34, 0xFF}));
  EXPECT_THAT(logged(), ElementsAre("program " + std::to_string(kSlot + 10) + "+3 ok"));
}

TEST_F(NorDiskTest, APageThatDidNotChangeWasProgrammedAgainAsAWhole) {
  ASSERT_EQ(program(kSlot + 10, {0}), DiskOutcome::kDone);
  part->model().weaken(kSlot + 10, 0x0F);
  ASSERT_EQ(program(kSlot + 10, {0}), DiskOutcome::kDone);
  EXPECT_EQ(part->model().cell_state().marginal_bits(kSlot + 10), 0) << "it settles what was marginal";
  EXPECT_THAT(logged(), ElementsAre("program " + std::to_string(kSlot + 10) + "+1 ok",
                                    "program " + std::to_string(kSlot) + "+256 ok"));
}

TEST_F(NorDiskTest, TheLogTellsWhenAndWhose) {
  using std::chrono::system_clock;
  const auto now_us = [] {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(system_clock::now().time_since_epoch())
            .count());
  };
  const std::uint64_t before = now_us();
  ASSERT_EQ(program(kSlot, {0x12}), DiskOutcome::kDone);
  part->set_running(::flash::OpSource::kApplication);
  ASSERT_EQ(program(kSlot, {0x02}), DiskOutcome::kDone);
  const auto log = ::flash::read_op_log(folder.file("flash.ops"));
  ASSERT_TRUE(log);
  ASSERT_EQ(log->operations.size(), 2U);
  EXPECT_EQ(log->operations[0].source, ::flash::OpSource::kBoot) << "who runs first";
  EXPECT_EQ(log->operations[1].source, ::flash::OpSource::kAgent);
  for (const auto& one : log->operations) {
    EXPECT_GE(one.time_us, before);
    EXPECT_LE(one.time_us, now_us());
  }
}

TEST_F(NorDiskTest, ASectorFullOfOnesIsAnErase) {
  ASSERT_EQ(program(kSlot + kSector - 1, {0}), DiskOutcome::kDone);
  ASSERT_EQ(write(kSlot, Bytes(kSector, 0xFF)), DiskOutcome::kDone);
  EXPECT_EQ(bytes(kSlot + kSector - 1, 1), Bytes{0xFF});
  EXPECT_EQ(part->model().erase_count(kSlot), 1U);
  ASSERT_EQ(write(kSlot, Bytes(2 * kSector, 0xFF)), DiskOutcome::kDone) << "as a bulk erase would be";
  EXPECT_EQ(part->model().erase_count(kSlot), 2U);
  EXPECT_EQ(part->model().erase_count(kSlot + kSector), 1U);
}

TEST_F(NorDiskTest, WhatNoChipDoesIsRefusedAndChangesNothing) {
  ASSERT_EQ(program(kSlot, {0x00}), DiskOutcome::kDone);
  const auto before = window();
  EXPECT_EQ(write(kSlot, {0x01}), DiskOutcome::kRefused) << "a bit set without an erase";
  EXPECT_EQ(write(kSlot - kPage, Bytes(2 * kPage, 0)), DiskOutcome::kDone) << "cleared only";
  std::ranges::fill(flash->bytes().subspan(kSlot - kPage, 2 * kPage), std::uint8_t{0xFF});
  flash->bytes()[kSlot] = 0;
  EXPECT_EQ(write(kSlot, Bytes(kSector / 2, 0xFF)), DiskOutcome::kRefused) << "half an erase";
  EXPECT_EQ(write(kSlot + kPage, Bytes(kSector, 0xFF)), DiskOutcome::kDone)
      << "not a sector, and nothing that is set: programs of ones";
  EXPECT_TRUE(std::ranges::equal(std::span(before).first(::flash::kRegistersOffset),
                                 flash->bytes().first(::flash::kRegistersOffset)));
}

TEST_F(NorDiskTest, ARefusedWriteOfManyPagesAppliesNoneOfThem) {
  ASSERT_EQ(program(kSlot + kPage, {0x00}), DiskOutcome::kDone);
  Bytes two(2 * kPage, 0);
  two[kPage] = 0x80;
  EXPECT_EQ(write(kSlot, two), DiskOutcome::kRefused);
  EXPECT_EQ(bytes(kSlot, 1), Bytes{0xFF});
}

TEST_F(NorDiskTest, TheLastSectorTakesNothingButBurnsOfTheBank) {
  EXPECT_EQ(program(::flash::kOtpOffset + 4, {0x00}), DiskOutcome::kDone);
  EXPECT_EQ(bytes(::flash::kOtpOffset + 4, 1), Bytes{0});
  EXPECT_THAT(logged(), ElementsAre("otp_program 4+1 ok"));
  EXPECT_EQ(program(::flash::kRegistersOffset + 0x100, {0x00}), DiskOutcome::kRefused);
  EXPECT_EQ(program(::flash::kOtpOffset + ::flash::kOtpSize, {0x00}), DiskOutcome::kRefused);
  const std::uint32_t last = ::flash::kWindowSize - kSector;
  EXPECT_EQ(write(last, Bytes(kSector, 0xFF)), DiskOutcome::kRefused);
  EXPECT_EQ(bytes(::flash::kOtpOffset + 4, 1), Bytes{0});
}

TEST_F(NorDiskTest, ARangeThatLeavesTheDiskIsNone) {
  Bytes out(kPage);
  EXPECT_EQ(write(::flash::kWindowSize, {0}), DiskOutcome::kOutOfRange);
  EXPECT_EQ(write(::flash::kWindowSize - 1, {0, 0}), DiskOutcome::kOutOfRange);
  EXPECT_EQ(disk->write(~std::uint64_t{0}, Bytes{0, 0}), DiskOutcome::kOutOfRange);
  EXPECT_EQ(disk->read(::flash::kWindowSize - kPage + 1, out), DiskOutcome::kOutOfRange);
  EXPECT_EQ(disk->read((std::uint64_t{1} << 32) + 5, out), DiskOutcome::kOutOfRange);
  EXPECT_EQ(disk->read(::flash::kWindowSize - kPage, out), DiskOutcome::kDone);
  EXPECT_THAT(logged(), IsEmpty());
}

TEST_F(NorDiskTest, AStuckCellIsNoFaultOfTheClients) {
  part->model().stick(kSlot + 3, {0x01, 0x00});
  EXPECT_EQ(write(kSlot, Bytes(kPage, 0xFF)), DiskOutcome::kDone) << "it has read ones there";
  EXPECT_EQ(bytes(kSlot + 3, 1), Bytes{0xFE});
  Bytes out(1);
  ASSERT_EQ(disk->read(kSlot + 3, out), DiskOutcome::kDone);
  EXPECT_EQ(out, Bytes{0xFE});
  EXPECT_EQ(write(kSlot + 3, {0xFF}), DiskOutcome::kRefused) << "now it knows";
}

TEST_F(NorDiskTest, RandomSequencesEqualTheNorModel) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    Bytes twin_window(window());
    ::flash::NorModel twin(twin_window, 1, kPart);
    const std::uint32_t first_number = twin.sequence();
    for (int i = 0; i < 200; ++i) {
      const auto sector = static_cast<std::uint32_t>(random() % 4) * kSector + kSlot;
      if (random() % 8 == 0) {
        ASSERT_EQ(twin.erase_sector(sector), Status::kOk);
        ASSERT_EQ(write(sector, Bytes(kSector, 0xFF)), DiskOutcome::kDone);
        continue;
      }
      const auto page = sector + static_cast<std::uint32_t>(random() % 3) * kPage;
      const auto at = static_cast<std::uint32_t>(random() % kPage);
      Bytes data(1 + random() % (kPage - at));
      for (auto& byte : data) byte = static_cast<std::uint8_t>(random() | random());
      ASSERT_EQ(program(page + at, data), DiskOutcome::kDone);
      ASSERT_EQ(twin.program(page + at, data), Status::kOk);
    }
    EXPECT_EQ(twin.sequence() - first_number, 200U);
    ASSERT_TRUE(window() == twin_window) << "array, bank, registers: the number of operations, too";
  }
}

TEST_F(NorDiskTest, AfterACutNothingIsTakenOrRead) {
  arm(PowerCut{.strike = {.after = 1, .times = 1}, .phase = PowerCut::Phase::kWithin, .bytes = 2});
  ASSERT_EQ(program(kSlot, {0, 0, 0, 0}), DiskOutcome::kDone);
  EXPECT_EQ(program(kSlot + kPage, {0, 0, 0, 0}), DiskOutcome::kNoPower);
  EXPECT_EQ(bytes(kSlot + kPage, 4), (Bytes{0, 0, 0xFF, 0xFF}));
  EXPECT_EQ(program(kSlot + 2 * kPage, {0}), DiskOutcome::kNoPower);
  EXPECT_EQ(bytes(kSlot + 2 * kPage, 1), Bytes{0xFF});
  Bytes out(1);
  EXPECT_EQ(disk->read(0, out), DiskOutcome::kNoPower);
}

TEST_F(NorDiskTest, ACutAtEveryByteOfAProgramLeavesExactlyThatManyAndTheRestAsItWas) {
  const Bytes data(kPage, 0x5A);
  for (std::uint32_t bytes_done = 0; bytes_done <= kPage; ++bytes_done) {
    std::ranges::fill(flash->bytes().subspan(kSlot, kPage), std::uint8_t{0xFF});
    arm(PowerCut{.phase = PowerCut::Phase::kWithin, .bytes = bytes_done});
    disk.reset();
    part = power_on();
    disk = std::make_unique<NorDisk>(*part);
    ASSERT_EQ(write(kSlot, data), DiskOutcome::kNoPower);
    Bytes expected(kPage, 0xFF);
    std::fill_n(expected.begin(), bytes_done, std::uint8_t{0x5A});
    ASSERT_EQ(page_at(kSlot), expected) << bytes_done;
    clear_faults();
  }
}

TEST_F(NorDiskTest, ACutWithinAnEraseLeavesMarginalBitsForTheNextBoots) {
  ASSERT_EQ(write(kSlot, Bytes(kPage, 0)), DiskOutcome::kDone);
  arm(PowerCut{.operations = {.kind = OpKind::kEraseSector},
               .phase = PowerCut::Phase::kWithin,
               .bytes = 16,
               .marginal_bytes = 32});
  ASSERT_EQ(write(kSlot, Bytes(kSector, 0xFF)), DiskOutcome::kNoPower);
  EXPECT_EQ(bytes(kSlot, 16), Bytes(16, 0xFF));
  EXPECT_EQ(bytes(kSlot + 48, 16), Bytes(16, 0));
  EXPECT_EQ(faults->file().load_cells().marginal.size(), 32U);
  std::vector<Bytes> reads;
  for (int boot = 0; boot < 8; ++boot) {
    part = power_on();
    disk = std::make_unique<NorDisk>(*part);
    Bytes out(kPage);
    ASSERT_EQ(disk->read(kSlot, out), DiskOutcome::kDone);
    EXPECT_EQ(Bytes(out.begin(), out.begin() + 16), Bytes(16, 0xFF)) << "firm";
    reads.push_back(std::move(out));
  }
  std::ranges::sort(reads);
  EXPECT_NE(reads.front(), reads.back()) << "drawn anew at each power-on";
}

}  // namespace
}  // namespace otasim::flash_file
