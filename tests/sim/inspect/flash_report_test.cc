// The whole report: all parts of it are there, of hostile bytes too.
#include "sim/inspect/flash_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "agent/boot/boot_control.h"
#include "pal_sim/flash/window.h"
#include "qemu_boards/native/native_flash.h"
#include "sim/inspect/diff.h"

namespace otasim::inspect {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(FlashReportTest, ABlankPartIsToldAsBlank) {
  native::NativeFlash flash;
  const FlashReport report = inspect_flash(flash.window(), flash::kControllerPart, {});
  EXPECT_THAT(report.strays, IsEmpty());
  const nlohmann::json json = to_json(report);
  EXPECT_TRUE(json["boot_control"]["in_force"].is_null());
  EXPECT_EQ(json["slots"]["slot-b"]["used_bytes"], 0);
  EXPECT_EQ(json["otp"]["application"]["floor"], 0);
  EXPECT_EQ(json["part"]["name"], "controller");
  EXPECT_TRUE(json["cells"].is_null());
}

TEST(FlashReportTest, AJobsNameThatIsHostileStaysText) {
  native::NativeFlash flash;
  boot::BootControl control(flash);
  ASSERT_EQ(control.load(), flash::Status::kOk);
  boot::BootState state;
  state.committed_slot = boot::Slot::kA;
  state.committed.job_id = *boot::JobId::from("\xff\x1b[2J");
  ASSERT_EQ(control.append(state), flash::Status::kOk);
  const nlohmann::json json = to_json(inspect_flash(flash.window(), flash::kControllerPart, {}));
  EXPECT_EQ(json["boot_control"]["in_force"]["committed"]["job"], "\\xff\\x1b[2J");
}

TEST(FlashReportTest, LocksAreToldByPartitionAndImpossibleOnesAreNot) {
  native::NativeFlash flash;
  ASSERT_EQ(flash.otp_lock(), flash::Status::kOk);
  ASSERT_EQ(flash.lock(flash::kSlotA.offset, flash::kSlotA.size), flash::Status::kOk);
  ASSERT_EQ(flash.lock(0x80'000, 0x1000), flash::Status::kOk);
  RegisterFile registers = read_registers(flash.window());
  EXPECT_TRUE(registers.otp_is_locked);
  ASSERT_EQ(registers.locks.size(), 2U);
  EXPECT_EQ(range_name(registers.locks[0].offset, registers.locks[0].length), "slot-a");
  EXPECT_THAT(range_name(registers.locks[1].offset, registers.locks[1].length), HasSubstr("0x080000"));
  flash::write_register(flash.window(), flash::controller::kRegLockCount, 0xFFFF'FFFF);
  registers = read_registers(flash.window());
  EXPECT_EQ(registers.locks.size(), flash::controller::kMaxLocks);
  EXPECT_THAT(registers.problem, HasSubstr("4294967295 locks"));
  EXPECT_NE(range_name(0xFFFF'F000, 0xFFFF'FFFF), "");
}

TEST(FlashReportTest, WhatStandsWhereNothingBelongsIsTold) {
  native::NativeFlash flash;
  flash.window()[0x90'000] = 0;
  flash.window()[0x90'010] = 0;
  flash.window()[flash::kBootControl1.offset + flash::kJournalSize] = 0;
  const FlashReport report = inspect_flash(flash.window(), flash::kControllerPart, {});
  EXPECT_THAT(report.strays, ElementsAre("in no partition: 0x90000 to 0x90010 are not erased",
                                         HasSubstr("boot-control-1, behind its journal")));
}

TEST(FlashReportTest, AnyBytesCanBeReportedOn) {
  std::mt19937_64 random(3);
  std::vector<std::uint8_t> window(flash::kWindowSize);
  for (std::uint8_t& byte : window) byte = static_cast<std::uint8_t>(random());
  for (const flash::Geometry& part : flash::kParts) {
    const nlohmann::json json = to_json(inspect_flash(window, part, {}));
    EXPECT_NO_THROW((void)json.dump());
    EXPECT_THAT(changes_between(json, json), IsEmpty());
    EXPECT_FALSE(json["strays"].empty());
  }
}

}  // namespace
}  // namespace otasim::inspect
