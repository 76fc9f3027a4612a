// The host reads OTP as the bootloader does, and tells a burn that was cut.
#include "sim/inspect/otp_bank.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/boot/key_revocation.h"
#include "agent/boot/security_counter.h"
#include "qemu_boards/native/native_flash.h"

namespace otasim::inspect {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class OtpBankTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::span<std::uint8_t> bank() {
    return flash.window().subspan(flash::kOtpOffset, flash::kOtpSize);
  }
  native::NativeFlash flash;
};

TEST_F(OtpBankTest, ANewBankHoldsNothing) {
  const OtpBank otp = read_otp_bank(bank());
  EXPECT_EQ(otp.application.steps, 0U);
  EXPECT_EQ(otp.recovery.steps, 0U);
  EXPECT_THAT(otp.revoked_signers, IsEmpty());
  EXPECT_EQ(otp.burned_bits, 0U);
}

TEST_F(OtpBankTest, FloorsAndRevocationsAreThoseTheBootloaderBurned) {
  ASSERT_EQ(boot::burn_floor(flash, boot::image::Kind::kApplication, 7), flash::Status::kOk);
  ASSERT_EQ(boot::burn_floor(flash, boot::image::Kind::kRecovery, 600), flash::Status::kOk);
  ASSERT_EQ(boot::burn_revoked(flash, 1U << 0 | 1U << 15), flash::Status::kOk);
  const OtpBank otp = read_otp_bank(bank());
  EXPECT_EQ(otp.application.steps, 7U);
  EXPECT_EQ(otp.application.unsure_steps, 0U);
  EXPECT_EQ(otp.recovery.steps, 600U);
  EXPECT_THAT(otp.revoked_signers, ElementsAre(0, 15));
  EXPECT_THAT(otp.unsure_signers, IsEmpty());
  EXPECT_EQ(otp.burned_bits, (7U + 600U) * 4 + 32);
}

TEST_F(OtpBankTest, WhatIsBurnedInPartIsTold) {
  bank()[0] = 0b1100'0001;  // three bits of the first step, two of the second
  bank()[boot::kRevocationOffset + 2 * 4] = 0x00;
  bank()[boot::kRevocationOffset + 2 * 9] = 0xFE;
  bank()[flash::kOtpSize - 1] = 0xF0;
  const OtpBank otp = read_otp_bank(bank());
  EXPECT_EQ(otp.application.steps, 1U);
  EXPECT_EQ(otp.application.unsure_steps, 2U);
  EXPECT_THAT(otp.revoked_signers, ElementsAre(4));
  EXPECT_THAT(otp.unsure_signers, ElementsAre(4, 9));
  EXPECT_EQ(otp.burned_unused_bits, 4U);
}

}  // namespace
}  // namespace otasim::inspect
