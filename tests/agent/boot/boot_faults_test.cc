// Flash that refuses single operations: what the small parts make of each failure.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/boot/key_revocation.h"
#include "tests/agent/boot/boot_policy_fixture.h"

namespace {

using namespace boot_test;
using testing::HasSubstr;

/// Refuses one kind of call from the n-th on.
class RefusingFlash : public flash::FlashDriver {
 public:
  explicit RefusingFlash(flash::FlashDriver& part) : part_(part) {}

  int reads = 1'000'000;
  int otp_reads = 1'000'000;
  int erases = 1'000'000;

  [[nodiscard]] flash::Geometry geometry() const override { return part_.geometry(); }
  [[nodiscard]] Status read(std::uint32_t offset, std::span<std::uint8_t> out) override {
    return reads-- > 0 ? part_.read(offset, out) : Status::kNoDevice;
  }
  [[nodiscard]] Status program(std::uint32_t offset, std::span<const std::uint8_t> data) override {
    return part_.program(offset, data);
  }
  [[nodiscard]] Status erase_sector(std::uint32_t offset) override {
    return erases-- > 0 ? part_.erase_sector(offset) : Status::kEraseFailed;
  }
  [[nodiscard]] Status lock(std::uint32_t offset, std::uint32_t length) override {
    return part_.lock(offset, length);
  }
  [[nodiscard]] Status otp_read(std::uint32_t offset, std::span<std::uint8_t> out) override {
    return otp_reads-- > 0 ? part_.otp_read(offset, out) : Status::kNoDevice;
  }
  [[nodiscard]] Status otp_program(std::uint32_t offset, std::span<const std::uint8_t> data) override {
    return part_.otp_program(offset, data);
  }
  [[nodiscard]] Status otp_lock() override { return part_.otp_lock(); }
  [[nodiscard]] Status entropy(std::span<std::uint8_t> out) override { return part_.entropy(out); }

 private:
  flash::FlashDriver& part_;
};

class BootFaultsTest : public BootPolicyTest {
 protected:
  RefusingFlash refusing_{flash()};
};

TEST_F(BootFaultsTest, NoReadThatFailsStartsAnImageThatWasNotChecked) {
  make_device();
  for (int reads = 0;; ++reads) {
    refusing_.reads = reads;
    const BootDecision decision = boot_up_on(refusing_);
    if (refusing_.reads >= 0) {
      expect_runs(decision, Slot::kA, image_1());
      break;
    }
    ASSERT_EQ(decision.start, Verdict::kNo) << "read " << reads;
  }
}

TEST_F(BootFaultsTest, AFloorThatCannotBeReadStartsNothing) {
  make_device();
  for (int reads = 0; reads < 2; ++reads) {
    refusing_.otp_reads = reads;
    EXPECT_EQ(boot_up_on(refusing_).start, Verdict::kNo);
    EXPECT_THAT(console_, HasSubstr("boot: verify slot=A result=flash-error code=1\n"));
  }
  for (int reads = 2; reads < 4; ++reads) {  // those that look whether a burn is due
    refusing_.otp_reads = reads;
    flash().model().reset();
    console_.clear();
    EXPECT_EQ(boot::decide(environment(refusing_)).start, Verdict::kYes);
    EXPECT_THAT(console_, HasSubstr("boot: failure step=burn-counter flash=no-device code=7\n"));
  }
}

TEST_F(BootFaultsTest, AnOldImageThatCannotBeErasedIsStillReplaced) {
  make_device();
  stage(image_2());
  ASSERT_TRUE(boot_up().is_trial());
  ASSERT_EQ(accept_trial(), Status::kOk);
  refusing_.erases = 0;
  expect_runs(boot_up_on(refusing_), Slot::kB, image_2());
  EXPECT_THAT(console_, HasSubstr("boot: failure step=erase-old-image"));
}

TEST_F(BootFaultsTest, AConfirmationNeedsTheImageOfTheDecision) {
  make_device();
  BootDecision decision = boot_up();
  ASSERT_EQ(boot::confirm(environment(flash()), decision), Verdict::kYes);
  BootDecision other = decision;
  other.image.digest[0] ^= 1;
  EXPECT_EQ(boot::confirm(environment(flash()), other), Verdict::kNo);
  other = decision;
  other.image.total_size = static_cast<std::uint32_t>(load_memory_.size() + 1);
  EXPECT_EQ(boot::confirm(environment(flash()), other), Verdict::kNo);
  load_memory_[0x210] ^= 1;
  EXPECT_EQ(boot::confirm(environment(flash()), decision), Verdict::kNo);
}

}  // namespace
