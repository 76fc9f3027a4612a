// Flash that refuses single operations: what the small parts make of each failure.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>

#include "agent/boot/key_revocation.h"
#include "pal_sim/flash/crc32.h"
#include "tests/agent/boot/boot_policy_fixture.h"
#include "tests/agent/boot/journal_bytes.h"

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

TEST_F(BootFaultsTest, ARecordThatCannotBeReadBackIsNotInForce) {
  make_device();
  BootControl control(refusing_);
  ASSERT_EQ(control.load(), Status::kOk);
  refusing_.reads = 0;
  EXPECT_EQ(control.append(*begin_receive(control.state(), "job", Slot::kB)), Status::kNoDevice);
  EXPECT_EQ(control.state().staged_state, StagedState::kEmpty);
}

/// A record with a sound checksum, in the first page whose place fits.
void forge(flash::NorModel& model, const std::function<void(boot::BootRecord&)>& change) {
  boot::BootRecord record{};
  record.magic = boot::BootRecord::kMagic;
  record.format = boot::BootRecord::kFormat;
  record.state.committed_slot = Slot::kA;
  change(record);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&record);
  record.crc32 = flash::crc32({bytes, offsetof(boot::BootRecord, crc32)});
  const std::uint32_t page = record.sequence % (2 * BootControl::kPages);
  ASSERT_EQ(model.program(boot_test::journal_page(page), {bytes, sizeof(record)}), Status::kOk);
}

TEST_F(BootFaultsTest, RecordsThatCannotBeAreNone) {
  constexpr std::uint32_t kBeyond = 0x0100'0002U * BootControl::kPages;
  const std::vector<std::function<void(boot::BootRecord&)>> lies{
      [](boot::BootRecord& r) { r.sequence = kBeyond; },
      [](boot::BootRecord& r) { r.state.committed_slot = Slot::kRecovery; },
      [](boot::BootRecord& r) { r.role = 4; },
      [](boot::BootRecord& r) { r.format = 2; },
  };
  for (const auto& lie : lies) {
    SetUp();
    forge(flash().model(), lie);
    BootControl control(flash());
    ASSERT_EQ(control.load(), Status::kOk);
    EXPECT_FALSE(control.has_record());
  }
}

TEST_F(BootFaultsTest, AWornOutJournalTakesNothingMore) {
  constexpr std::uint32_t kLast = 0x0100'0000U * BootControl::kPages;
  forge(flash().model(), [](boot::BootRecord& r) {
    r.sequence = kLast;
    r.role = static_cast<std::uint16_t>(boot::RecordRole::kSecondConfirmation);
  });
  BootControl control(flash());
  ASSERT_EQ(control.load(), Status::kOk);
  ASSERT_TRUE(control.has_record());
  EXPECT_EQ(control.append(*begin_receive(control.state(), "job", Slot::kB)), Status::kOutOfRange);
}

TEST(BootStateFields, EachMakesAStateAnother) {
  const auto differs = [](auto change) {
    BootState state;
    change(state);
    return state != BootState{};
  };
  EXPECT_TRUE(differs([](BootState& s) { s.committed_slot = Slot::kA; }));
  EXPECT_TRUE(differs([](BootState& s) { s.staged_slot = Slot::kA; }));
  EXPECT_TRUE(differs([](BootState& s) { s.staged_state = StagedState::kTrial; }));
  EXPECT_TRUE(differs([](BootState& s) { s.attempts = 1; }));
  EXPECT_TRUE(differs([](BootState& s) { s.reject_reason = boot::RejectReason::kRefused; }));
  EXPECT_TRUE(differs([](BootState& s) { s.reserved[0] = 1; }));
  EXPECT_TRUE(differs([](BootState& s) { s.staged.version.major = 1; }));
  EXPECT_TRUE(differs([](BootState& s) { s.staged.security_counter = 1; }));
  EXPECT_TRUE(differs([](BootState& s) { s.staged.size = 1; }));
  EXPECT_TRUE(differs([](BootState& s) { s.staged.digest[31] = 1; }));
  EXPECT_TRUE(differs([](BootState& s) { s.staged.job_id.characters[0] = 'j'; }));
  EXPECT_TRUE(differs([](BootState& s) { s.committed.job_id.reserved[2] = 1; }));
}

TEST(BootStateFields, WhatIsStagedOrNoSlotIsNoFactoryImage) {
  const BootState staged = *begin_receive({}, "job", Slot::kB);
  EXPECT_FALSE(commit_factory(staged, Slot::kB, {}));
  EXPECT_EQ(commit_factory(staged, Slot::kA, {})->staged_state, StagedState::kReceiving);
  EXPECT_FALSE(boot::fall_back({}, {}));
  EXPECT_FALSE(boot::fall_back(*commit_factory(staged, Slot::kA, {}), {}));
  EXPECT_EQ(boot::slot_name(Slot::kRecovery), "recovery");
  EXPECT_EQ(boot::slot_name(Slot::kNone), "none");
}

TEST(ProtectedTlvs, HoldNoneOfTheOthersKinds) {
  using namespace boot::image;
  for (const std::uint16_t type : {kTlvKeyHash, kTlvSha256, kTlvEcdsaSignature, kTlvEciesP256}) {
    const Bytes image = build_image({.more_protected = {{type, Bytes(32)}}}, signer());
    const std::array signers{signer().public_key()};
    Info info;
    EXPECT_EQ(verify(image, {signers, 0}, {kLoadAddress, 0x4000}, info), VerifyStatus::kUnexpectedTlv);
  }
  EXPECT_STREQ(to_string(static_cast<VerifyStatus>(99)), "unknown");
}

}  // namespace
