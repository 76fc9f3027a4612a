// The small parts: the security counter in OTP, the hand-over's check value, console lines, slots.
#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <string_view>

#include "agent/boot/boot_info_seal.h"
#include "agent/boot/boot_state.h"
#include "agent/boot/console_line.h"
#include "agent/boot/key_revocation.h"
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
  for (const std::uint32_t counter : {1U, 2U, 5U, 8U, 9U, 511U, 512U, 513U, boot::kMaxSecurityCounter}) {
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

/// Where the bank is fuses, and where it is ordinary cells that nobody erases.
class SecurityCounterOnEveryPart : public testing::TestWithParam<flash::Geometry> {};

TEST_P(SecurityCounterOnEveryPart, ACutBurnStaysBetweenOldAndNewAndCanBeFinished) {
  for (std::uint32_t bytes = 0; bytes <= 10; ++bytes) {
    for (const std::uint32_t marginal_bytes : {0U, 1U, 20U}) {
      native::NativeFlash flash(bytes + 1, GetParam());
      ASSERT_EQ(boot::burn_floor(flash, Kind::kApplication, 4), Status::kOk);
      flash.model().cut_power_at({flash.model().sequence() + 1, bytes, marginal_bytes});
      EXPECT_EQ(boot::burn_floor(flash, Kind::kApplication, 20), Status::kNoDevice);
      for (int boot = 0; boot < 8; ++boot) {  // marginal bits read differently each time
        flash.model().power_on();
        EXPECT_GE(floor_of(flash), 4U);
        EXPECT_LE(floor_of(flash), 20U);
      }
      ASSERT_EQ(boot::burn_floor(flash, Kind::kApplication, 20), Status::kOk);
      for (int boot = 0; boot < 8; ++boot) {
        flash.model().power_on();
        EXPECT_EQ(floor_of(flash), 20U);
      }
    }
  }
}

/// A high floor takes two burns; power fails between them or in the second.
TEST_P(SecurityCounterOnEveryPart, ABurnOfTwoPagesCanBeCutInEither) {
  constexpr std::uint32_t kCounter = 900;
  for (const std::uint32_t operation : {1U, 2U}) {
    for (std::uint32_t bytes = 0; bytes <= flash::kPageSize; bytes += 37) {
      native::NativeFlash flash(bytes + 1, GetParam());
      ASSERT_EQ(boot::burn_floor(flash, Kind::kApplication, 4), Status::kOk);
      flash.model().cut_power_at({flash.model().sequence() + operation, bytes, 16});
      EXPECT_EQ(boot::burn_floor(flash, Kind::kApplication, kCounter), Status::kNoDevice);
      flash.model().power_on();
      const std::uint32_t found = floor_of(flash);
      EXPECT_GE(found, operation == 1 ? 4U : 2 * flash::kPageSize);
      EXPECT_LE(found, kCounter);
      ASSERT_EQ(boot::burn_floor(flash, Kind::kApplication, kCounter), Status::kOk);
      EXPECT_EQ(floor_of(flash), kCounter);
      EXPECT_EQ(floor_of(flash, Kind::kRecovery), 0U);
    }
  }
}

TEST_P(SecurityCounterOnEveryPart, NoEraseOfTheArrayTouchesTheFloor) {
  native::NativeFlash flash(1, GetParam());
  ASSERT_EQ(boot::burn_floor(flash, Kind::kApplication, 7), Status::kOk);
  const std::uint32_t sector = flash.geometry().sector_size;
  ASSERT_EQ(flash::erase_range(flash, 0, flash.geometry().size), Status::kOk);
  EXPECT_EQ(flash.erase_sector(flash::kOtpOffset / sector * sector), Status::kOutOfRange);
  EXPECT_EQ(floor_of(flash), 7U);
}

INSTANTIATE_TEST_SUITE_P(Parts, SecurityCounterOnEveryPart, testing::ValuesIn(flash::kParts),
                         [](const auto& suite) { return suite.param.has_fuses ? "Fuses" : "Cells"; });

/// A floor that a defect raises locks the committed image out, one that it lowers lets an older one in.
TEST(SecurityCounter, NoSingleBitChangesTheFloor) {
  constexpr std::uint32_t kFloor = 5;
  for (std::uint32_t bit = 0; bit < boot::kFloorBankSize * 8; ++bit) {
    native::NativeFlash flash;
    ASSERT_EQ(boot::burn_floor(flash, Kind::kApplication, kFloor), Status::kOk);
    auto& byte = flash.window()[flash::kOtpOffset + bit / 8];
    byte = static_cast<std::uint8_t>(byte ^ (1U << (bit % 8)));
    ASSERT_EQ(floor_of(flash), kFloor) << "bit " << bit;
    if (bit == 64) bit = boot::kFloorBankSize * 8 - 9;  // all alike from here to the end
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
  boot::ConsoleLine("verify")
      .field("slot", "A")
      .field("version", boot::image::Version{1, 20, 65535, 9})
      .field("zero", std::uint32_t{0})
      .field("most", std::uint32_t{4294967295})
      .send(into(out));
  EXPECT_EQ(out, "boot: verify slot=A version=1.20.65535 zero=0 most=4294967295\n");
}

TEST(ConsoleLine, LeavesOutWhatDoesNotFit) {
  std::string out;
  const std::string stage(boot::ConsoleLine::kMaxLength - 6 - 4, 'a');
  boot::ConsoleLine(stage).field("b", "cde").field("f", std::uint32_t{7}).send(into(out));
  EXPECT_EQ(out, "boot: " + stage + " b=c\n");
}

TEST(ConsoleLine, NeedsNoConsole) {
  boot::ConsoleLine("reset").send({});
}

TEST(BootWords, EachStateHasItsOwn) {
  std::set<std::string_view> words;
  for (int i = 0; i <= 5; ++i) words.insert(boot::to_string(static_cast<boot::StagedState>(i)));
  EXPECT_EQ(words.size(), 6U);
  EXPECT_FALSE(words.contains("unknown"));
  EXPECT_EQ(boot::to_string(static_cast<boot::StagedState>(6)), "unknown");
  words.clear();
  for (int i = 0; i <= 3; ++i) words.insert(boot::to_string(static_cast<boot::RejectReason>(i)));
  EXPECT_EQ(words.size(), 4U);
  EXPECT_EQ(boot::to_string(static_cast<boot::RejectReason>(4)), "unknown");
  words.clear();
  for (int i = 0; i <= 3; ++i) words.insert(boot::to_string(static_cast<boot::ImageState>(i)));
  EXPECT_EQ(words.size(), 4U);
  EXPECT_EQ(boot::to_string(static_cast<boot::ImageState>(4)), "unknown");
  words.clear();
  for (std::uint32_t i = 0; i <= 2; ++i) words.insert(boot::to_string(static_cast<boot::ResetReason>(i)));
  EXPECT_EQ(words.size(), 3U);
  EXPECT_EQ(boot::to_string(static_cast<boot::ResetReason>(3)), "unknown");
}

TEST(KeyRevocation, ABlankPartRevokesNobody) {
  native::NativeFlash flash;
  std::uint32_t revoked = 0xFF;
  ASSERT_EQ(boot::read_revoked(flash, revoked), Status::kOk);
  EXPECT_EQ(revoked, 0U);
}

TEST(KeyRevocation, EachSignerIsRevokedAloneAndForGood) {
  native::NativeFlash flash;
  std::uint32_t expected = 0;
  for (std::uint32_t signer = 0; signer < boot::kMaxSigners; ++signer) {
    ASSERT_EQ(boot::burn_revoked(flash, 1U << signer), Status::kOk);
    expected |= 1U << signer;
    flash.model().power_on();
    std::uint32_t revoked = 0;
    ASSERT_EQ(boot::read_revoked(flash, revoked), Status::kOk);
    EXPECT_EQ(revoked, expected);
  }
  EXPECT_EQ(floor_of(flash), 0U);
  EXPECT_EQ(floor_of(flash, Kind::kRecovery), 0U);
}

TEST(KeyRevocation, SignersThereCannotBeAreIgnored) {
  native::NativeFlash flash;
  ASSERT_EQ(boot::burn_revoked(flash, 0xFFFF'0000), Status::kOk);
  EXPECT_EQ(flash.model().sequence(), 0U);
}

TEST(KeyRevocation, HalfOfASignersBitsDecide) {
  for (int cleared = 0; cleared <= 16; ++cleared) {
    native::NativeFlash flash;
    const auto bits = static_cast<std::uint16_t>(0xFFFFU << cleared);
    const std::array value{static_cast<std::uint8_t>(bits), static_cast<std::uint8_t>(bits >> 8)};
    ASSERT_EQ(flash.otp_program(boot::kRevocationOffset + 2, value), Status::kOk);
    std::uint32_t revoked = 0;
    ASSERT_EQ(boot::read_revoked(flash, revoked), Status::kOk);
    EXPECT_EQ(revoked, cleared >= 8 ? 2U : 0U) << cleared;
  }
}

TEST(KeyRevocation, WhatThePartRefusesIsReported) {
  native::NativeFlash flash;
  ASSERT_EQ(flash.otp_lock(), Status::kOk);
  EXPECT_EQ(boot::burn_revoked(flash, 1), Status::kProtected);
  flash.model().cut_power_now();
  std::uint32_t revoked = 7;
  EXPECT_EQ(boot::read_revoked(flash, revoked), Status::kNoDevice);
  EXPECT_EQ(revoked, 7U);
}

TEST(Slots, HaveThePartitionsOfTheMap) {
  EXPECT_EQ(boot::slot_partition(boot::Slot::kA)->offset, flash::kSlotA.offset);
  EXPECT_EQ(boot::slot_partition(boot::Slot::kB)->offset, flash::kSlotB.offset);
  EXPECT_EQ(boot::slot_partition(boot::Slot::kRecovery)->offset, flash::kRecovery.offset);
  EXPECT_EQ(boot::slot_partition(boot::Slot::kNone), nullptr);
  EXPECT_EQ(boot::slot_partition(static_cast<boot::Slot>(9)), nullptr);
  EXPECT_EQ(boot::slot_name(boot::Slot::kB), "B");
  EXPECT_EQ(boot::slot_name(static_cast<boot::Slot>(9)), "none");
}

}  // namespace
