// The small parts: the security counter in OTP, the hand-over's check value, console lines, slots.
#include <gtest/gtest.h>

#include <string>

#include "agent/boot/boot_info_seal.h"
#include "agent/boot/console_line.h"
#include "agent/boot/security_counter.h"
#include "agent/boot/slots.h"
#include "qemu_boards/native/native_flash.h"

namespace {

using boot::image::Kind;
using flash::Status;

std::uint32_t floor_of(flash::FlashDriver& flash, Kind kind = Kind::kApplication) {
  std::uint32_t floor = 0xDEAD;
  EXPECT_EQ(boot::read_floor(flash, kind, floor), Status::kOk);
  return floor;
}

TEST(SecurityCounter, ABlankPartHasFloorZero) {
  native::NativeFlash flash;
  EXPECT_EQ(floor_of(flash), 0U);
}

TEST(SecurityCounter, TheFloorOnlyRises) {
  native::NativeFlash flash;
  for (const std::uint32_t counter : {1U, 5U, 8U, 9U, 2048U, 2049U, boot::kMaxSecurityCounter}) {
    ASSERT_EQ(boot::burn_floor(flash, Kind::kApplication, counter), Status::kOk);
    EXPECT_EQ(floor_of(flash), counter);
    ASSERT_EQ(boot::burn_floor(flash, Kind::kApplication, counter - 1), Status::kOk);
    EXPECT_EQ(floor_of(flash), counter);
  }
}

TEST(SecurityCounter, RecoveryHasAFloorOfItsOwn) {
  native::NativeFlash flash;
  ASSERT_EQ(boot::burn_floor(flash, Kind::kApplication, boot::kMaxSecurityCounter), Status::kOk);
  EXPECT_EQ(floor_of(flash, Kind::kRecovery), 0U);
  ASSERT_EQ(boot::burn_floor(flash, Kind::kRecovery, 3), Status::kOk);
  EXPECT_EQ(floor_of(flash, Kind::kRecovery), 3U);
}

TEST(SecurityCounter, ACounterBeyondTheBankBurnsNothing) {
  native::NativeFlash flash;
  EXPECT_EQ(boot::burn_floor(flash, Kind::kApplication, boot::kMaxSecurityCounter + 1), Status::kOutOfRange);
  EXPECT_EQ(floor_of(flash), 0U);
}

TEST(SecurityCounter, ACutBurnStaysBetweenOldAndNewAndCanBeFinished) {
  for (std::uint32_t bytes = 0; bytes <= 3; ++bytes) {
    native::NativeFlash flash;
    ASSERT_EQ(boot::burn_floor(flash, Kind::kApplication, 4), Status::kOk);
    flash.model().cut_power_at({flash.model().sequence() + 1, bytes});
    EXPECT_EQ(boot::burn_floor(flash, Kind::kApplication, 20), Status::kNoDevice);
    flash.model().power_on();
    EXPECT_GE(floor_of(flash), 4U);
    EXPECT_LE(floor_of(flash), 20U);
    ASSERT_EQ(boot::burn_floor(flash, Kind::kApplication, 20), Status::kOk);
    EXPECT_EQ(floor_of(flash), 20U);
  }
}

TEST(SecurityCounter, ALockedBankIsReported) {
  native::NativeFlash flash;
  ASSERT_EQ(flash.otp_lock(), Status::kOk);
  EXPECT_EQ(boot::burn_floor(flash, Kind::kApplication, 1), Status::kProtected);
}

TEST(BootInfoSeal, EveryChangedByteBreaksIt) {
  boot::BootInfo info{};
  info.slot = boot::Slot::kB;
  info.image_size = 1234;
  EXPECT_FALSE(boot::is_sealed(info));
  boot::seal(info);
  EXPECT_TRUE(boot::is_sealed(info));
  auto* bytes = reinterpret_cast<unsigned char*>(&info);
  for (std::size_t at = 0; at < sizeof(info); ++at) {
    bytes[at] ^= 0x10;
    EXPECT_FALSE(boot::is_sealed(info)) << at;
    bytes[at] ^= 0x10;
  }
}

boot::Console into(std::string& out) {
  return {[](void* context, std::string_view text) { static_cast<std::string*>(context)->append(text); },
          &out};
}

TEST(ConsoleLine, SendsTheWholeLineAtOnce) {
  std::string out;
  boot::ConsoleLine()
      .text("v")
      .version({1, 20, 65535, 9})
      .text(" n")
      .number(0)
      .text("/")
      .number(4294967295)
      .send(into(out));
  EXPECT_EQ(out, "v1.20.65535 n0/4294967295\n");
}

TEST(ConsoleLine, LeavesOutWhatDoesNotFit) {
  std::string out;
  boot::ConsoleLine()
      .text(std::string(boot::ConsoleLine::kMaxLength - 1, 'a'))
      .text("bcd")
      .number(7)
      .send(into(out));
  EXPECT_EQ(out, std::string(boot::ConsoleLine::kMaxLength - 1, 'a') + "b\n");
}

TEST(Slots, HaveThePartitionsOfTheMap) {
  EXPECT_EQ(boot::slot_partition(boot::Slot::kA)->offset, flash::kSlotA.offset);
  EXPECT_EQ(boot::slot_partition(boot::Slot::kB)->offset, flash::kSlotB.offset);
  EXPECT_EQ(boot::slot_partition(boot::Slot::kRecovery)->offset, flash::kRecovery.offset);
  EXPECT_EQ(boot::slot_partition(boot::Slot::kNone), nullptr);
  EXPECT_EQ(boot::slot_partition(static_cast<boot::Slot>(9)), nullptr);
  EXPECT_EQ(boot::slot_name(boot::Slot::kB), "B");
}

}  // namespace
