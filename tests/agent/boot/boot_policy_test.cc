// The boot policy on a whole device: every scenario of an update, and flash that fails in it.
#include "agent/boot/boot_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>

#include "agent/boot/key_revocation.h"
#include "tests/agent/boot/boot_policy_fixture.h"

namespace {

using namespace boot_test;
using testing::HasSubstr;

constexpr const char* kQuietBoot =
    "boot: control record=settled committed=A staged=none state=empty\n"
    "boot: verify slot=A version=1.0.0 counter=1 result=ok\n";

TEST_F(BootPolicyTest, NewDeviceStartsSlotAAndCommitsIt) {
  write(Slot::kA, image_1());
  expect_runs(boot_up(), Slot::kA, image_1());
  EXPECT_EQ(console_,
            "boot: control record=none committed=none staged=none state=empty\n"
            "boot: verify slot=A version=1.0.0 counter=1 result=ok\n");
  EXPECT_EQ(state().committed_slot, Slot::kA);
  EXPECT_EQ(floor_now(), 1U);
  expect_runs(boot_up(), Slot::kA, image_1());
  EXPECT_EQ(console_, kQuietBoot);
}

TEST_F(BootPolicyTest, DeviceThatLostItsRecordStartsWhatIsLeft) {
  write(Slot::kB, image_1());
  expect_runs(boot_up(), Slot::kB, image_1());
  EXPECT_THAT(console_, HasSubstr("boot: verify slot=A result=no-image code=2\n"));
  EXPECT_EQ(state().committed_slot, Slot::kB);
}

TEST_F(BootPolicyTest, BlankDeviceHalts) {
  EXPECT_EQ(boot_up().start, Verdict::kNo);
  EXPECT_THAT(console_, HasSubstr("boot: halt reason=no-image-may-start\n"));
}

TEST_F(BootPolicyTest, UnsignedImageDoesNotStart) {
  const boot_test::SigningKey stranger;
  write(Slot::kA, build_image({}, stranger));
  EXPECT_EQ(boot_up().start, Verdict::kNo);
  EXPECT_THAT(console_, HasSubstr("boot: verify slot=A result=unknown-key code=12\n"));
}

TEST_F(BootPolicyTest, DeviceWithoutFlashHalts) {
  flash().model().cut_power_now();
  // reset() does not bring power back, so this boot finds no part.
  EXPECT_EQ(boot_up().start, Verdict::kNo);
  EXPECT_THAT(console_, HasSubstr("boot: halt reason=flash-does-not-answer\n"));
}

TEST_F(BootPolicyTest, DamagedCommittedImageHaltsWithoutRecovery) {
  make_device();
  flash().window()[flash::kSlotA.offset + 0x210] ^= 1;
  EXPECT_EQ(boot_up().start, Verdict::kNo);
  EXPECT_THAT(console_, HasSubstr("boot: verify slot=A result=hash-mismatch code=11\n"));
}

TEST_F(BootPolicyTest, DamagedCommittedImageStartsRecovery) {
  make_device();
  flash().window()[flash::kSlotA.offset + 0x210] ^= 1;
  const Bytes recovery =
      build_image({.version = {0, 1, 0, 0}, .kind = boot::image::Kind::kRecovery}, signer());
  write(Slot::kRecovery, recovery);
  expect_runs(boot_up(), Slot::kRecovery, recovery);
  EXPECT_THAT(console_, HasSubstr("boot: verify slot=recovery version=0.1.0 counter=1 result=ok\n"));
}

TEST_F(BootPolicyTest, ApplicationNeverStartsAsRecoveryNorRecoveryAsApplication) {
  const Bytes recovery = build_image({.kind = boot::image::Kind::kRecovery}, signer());
  write(Slot::kA, recovery);
  write(Slot::kRecovery, image_1());
  EXPECT_EQ(boot_up().start, Verdict::kNo);
  EXPECT_THAT(console_, HasSubstr("boot: verify slot=A result=wrong-kind code=14\n"));
  EXPECT_THAT(console_, HasSubstr("boot: verify slot=recovery result=wrong-kind code=14\n"));
}

TEST_F(BootPolicyTest, SignedImageThatIsNotOnRecordDoesNotReplaceTheCommittedOne) {
  make_device();
  write(Slot::kA, image_2());
  EXPECT_EQ(boot_up().start, Verdict::kNo);
  EXPECT_THAT(console_, HasSubstr("boot: verify slot=A result=not-on-record code=17\n"));
}

TEST_F(BootPolicyTest, ImageBelowTheFloorNeverStarts) {
  ASSERT_EQ(boot::burn_floor(flash(), boot::image::Kind::kApplication, 2), Status::kOk);
  write(Slot::kA, image_1());
  EXPECT_EQ(boot_up().start, Verdict::kNo);
  EXPECT_THAT(console_, HasSubstr("boot: verify slot=A result=counter-too-low code=15\n"));
  write(Slot::kA, image_2());
  EXPECT_EQ(boot_up().start, Verdict::kYes);
}

TEST_F(BootPolicyTest, ImageThatCouldNeverBeCommittedNeverStarts) {
  write(Slot::kA, build_image({.security_counter = boot::kMaxSecurityCounter + 1}, signer()));
  EXPECT_EQ(boot_up().start, Verdict::kNo);
  EXPECT_THAT(console_, HasSubstr("result=counter-too-high code=16\n"));
}

TEST_F(BootPolicyTest, ImageLargerThanTheLoadRegionDoesNotStart) {
  write(Slot::kA, build_image({.payload_size = 17 * 1024}, signer()));
  EXPECT_EQ(boot_up().start, Verdict::kNo);
  EXPECT_THAT(console_, HasSubstr("boot: verify slot=A result=bad-size code=6\n"));
}

TEST_F(BootPolicyTest, UpdateIsTriedAcceptedAndCommitted) {
  make_device();
  stage(image_2());
  expect_runs(boot_up(), Slot::kB, image_2(), true);
  EXPECT_EQ(console_,
            "boot: control record=settled committed=A staged=B state=verified\n"
            "boot: verify slot=B version=1.1.0 counter=2 result=ok\n");
  EXPECT_EQ(state().staged_state, StagedState::kTrial);
  EXPECT_EQ(floor_now(), 1U);

  ASSERT_EQ(accept_trial(), Status::kOk);
  expect_runs(boot_up(), Slot::kB, image_2());
  EXPECT_EQ(console_,
            "boot: control record=settled committed=A staged=B state=accepted\n"
            "boot: verify slot=B version=1.1.0 counter=2 result=ok\n"
            "boot: commit slot=B version=1.1.0 counter=2 result=ok\n");
  EXPECT_EQ(state().committed_slot, Slot::kB);
  EXPECT_EQ(state().committed.job_id.view(), "job-1");
  EXPECT_EQ(state().staged_state, StagedState::kEmpty);
  EXPECT_EQ(floor_now(), 2U);
  EXPECT_EQ(flash().window()[flash::kSlotA.offset], 0xFF) << "the old image can still be started";

  expect_runs(boot_up(), Slot::kB, image_2());
  EXPECT_EQ(console_,
            "boot: control record=settled committed=B staged=none state=empty\n"
            "boot: verify slot=B version=1.1.0 counter=2 result=ok\n");
}

TEST_F(BootPolicyTest, TrialThatIsNotAcceptedFallsBack) {
  make_device();
  stage(image_2());
  expect_runs(boot_up(), Slot::kB, image_2(), true);
  expect_runs(boot_up(), Slot::kA, image_1());
  EXPECT_THAT(console_, HasSubstr("boot: reject slot=B reason=trial-failed back-to=A\n"));
  EXPECT_EQ(state().staged_state, StagedState::kRejected);
  EXPECT_EQ(state().reject_reason, boot::RejectReason::kTrialFailed);
  EXPECT_EQ(state().staged.job_id.view(), "job-1");
  EXPECT_EQ(floor_now(), 1U);
  expect_runs(boot_up(), Slot::kA, image_1());
  EXPECT_EQ(console_,
            "boot: control record=settled committed=A staged=B state=rejected\n"
            "boot: verify slot=A version=1.0.0 counter=1 result=ok\n");
}

TEST_F(BootPolicyTest, ImageThatRejectsItselfFallsBack) {
  make_device();
  stage(image_2());
  expect_runs(boot_up(), Slot::kB, image_2(), true);
  ASSERT_EQ(change([](const BootState& s) { return reject(s, boot::RejectReason::kRefused); }), Status::kOk);
  expect_runs(boot_up(), Slot::kA, image_1());
  EXPECT_EQ(state().reject_reason, boot::RejectReason::kRefused);
}

TEST_F(BootPolicyTest, StagedImageDamagedSinceItWasVerifiedIsRejected) {
  make_device();
  stage(image_2());
  flash().window()[flash::kSlotB.offset + 0x220] ^= 4;
  expect_runs(boot_up(), Slot::kA, image_1());
  EXPECT_THAT(console_, HasSubstr("boot: verify slot=B result=hash-mismatch code=11\nboot: reject slot=B "
                                  "reason=bad-image back-to=A\n"));
  EXPECT_EQ(state().reject_reason, boot::RejectReason::kBadImage);
}

TEST_F(BootPolicyTest, StagedImageExchangedForAnotherSignedOneIsRejected) {
  make_device();
  stage(image_2());
  write(Slot::kB, build_image({.version = {6, 6, 6, 0}, .security_counter = 2}, signer()));
  expect_runs(boot_up(), Slot::kA, image_1());
  EXPECT_THAT(console_, HasSubstr("boot: verify slot=B result=not-on-record code=17\nboot: reject slot=B "
                                  "reason=bad-image back-to=A\n"));
}

TEST_F(BootPolicyTest, StagedImageBelowTheFloorIsRejected) {
  make_device();
  stage(image_1());
  flash().model().reset();
  ASSERT_EQ(boot::burn_floor(flash(), boot::image::Kind::kApplication, 2), Status::kOk);
  boot_up();
  EXPECT_THAT(
      console_,
      HasSubstr("boot: verify slot=B result=counter-too-low code=15\nboot: reject slot=B reason=bad-image"));
}

TEST_F(BootPolicyTest, ReceivingAndRejectedImagesAreNotStarted) {
  make_device();
  ASSERT_EQ(change([](const BootState& s) { return begin_receive(s, "job-1", Slot::kB); }), Status::kOk);
  write(Slot::kB, image_2());
  expect_runs(boot_up(), Slot::kA, image_1());
  EXPECT_EQ(state().staged_state, StagedState::kReceiving) << "a download goes on after a restart";
  ASSERT_EQ(change([](const BootState& s) { return reject(s, boot::RejectReason::kRefused); }), Status::kOk);
  expect_runs(boot_up(), Slot::kA, image_1());
}

TEST_F(BootPolicyTest, AcceptedImageThatIsDamagedIsNotCommitted) {
  make_device();
  stage(image_2());
  ASSERT_TRUE(boot_up().is_trial());
  ASSERT_EQ(accept_trial(), Status::kOk);
  flash().window()[flash::kSlotB.offset + 0x220] ^= 4;
  expect_runs(boot_up(), Slot::kA, image_1());
  EXPECT_EQ(state().staged_state, StagedState::kRejected);
  EXPECT_EQ(floor_now(), 1U);
}

TEST_F(BootPolicyTest, NextUpdateGoesToTheOtherSlot) {
  make_device();
  stage(image_2());
  ASSERT_TRUE(boot_up().is_trial());
  ASSERT_EQ(accept_trial(), Status::kOk);
  ASSERT_EQ(boot_up().start, Verdict::kYes);
  EXPECT_EQ(receive_slot(state()), Slot::kA);
  EXPECT_EQ(change([](const BootState& s) { return begin_receive(s, "job-2", Slot::kA); }), Status::kOk);
}

TEST_F(BootPolicyTest, RunningSlotAndSettledPartitionsAreLocked) {
  make_device();
  EXPECT_EQ(flash().erase_sector(flash::kSlotA.offset), Status::kProtected);
  EXPECT_EQ(flash().erase_sector(flash::kRecovery.offset), Status::kProtected);
  EXPECT_EQ(flash().erase_sector(flash::kProvisioning0.offset), Status::kProtected);
  EXPECT_EQ(flash().erase_sector(flash::kProvisioning1.offset), Status::kProtected);
  EXPECT_EQ(boot::burn_floor(flash(), boot::image::Kind::kApplication, 9), Status::kProtected);
  EXPECT_EQ(flash().erase_sector(flash::kSlotB.offset), Status::kOk);
}

TEST_F(BootPolicyTest, BothSlotsAreLockedDuringATrial) {
  make_device();
  stage(image_2());
  ASSERT_TRUE(boot_up().is_trial());
  EXPECT_EQ(flash().erase_sector(flash::kSlotA.offset), Status::kProtected);
  EXPECT_EQ(flash().erase_sector(flash::kSlotB.offset), Status::kProtected);
  EXPECT_EQ(accept_trial(), Status::kOk) << "boot control must stay writable";
}

/// A time that lies ahead of all certificates would keep the committed image and the recovery image off the
/// network for good, long after the trial.
TEST_F(BootPolicyTest, TheCalendarIsLockedDuringATrial) {
  make_device();
  for (const std::uint32_t sector : {flash::kCalendar0.offset, flash::kCalendar1.offset}) {
    EXPECT_EQ(flash().erase_sector(sector), Status::kOk) << "a committed image keeps the time";
  }
  stage(image_2());
  ASSERT_TRUE(boot_up().is_trial());
  for (const std::uint32_t sector : {flash::kCalendar0.offset, flash::kCalendar1.offset}) {
    EXPECT_EQ(flash().erase_sector(sector), Status::kProtected);
  }
  ASSERT_EQ(accept_trial(), Status::kOk);
  ASSERT_EQ(boot_up().start, Verdict::kYes);
  EXPECT_EQ(flash().erase_sector(flash::kCalendar0.offset), Status::kOk);
}

/// A device on its second update or later, whose journal is gone: slot B is committed, slot A holds another
/// image.
class LostJournalTest : public BootPolicyTest {
 protected:
  void lose_journal_with(const Bytes& in_slot_a, const Bytes& committed_in_b) {
    write(Slot::kB, committed_in_b);
    ASSERT_EQ(boot_up().slot, Slot::kB);
    boot_up();
    flash().model().reset();
    std::fill_n(flash().window().begin(), kBothPartitions, std::uint8_t{0xFF});
    write(Slot::kA, in_slot_a);
  }
};

TEST_F(LostJournalTest, ANewerImageThatWasNeverAcceptedDoesNotTakeOver) {
  lose_journal_with(image_2(), image_1());
  expect_runs(boot_up(), Slot::kB, image_1());
  EXPECT_EQ(floor_now(), 1U) << "nothing irreversible for an image that nobody accepted";
  expect_runs(boot_up(), Slot::kB, image_1());
}

TEST_F(LostJournalTest, OfEqualCountersTheLowerVersionWasAccepted) {
  const Bytes newer = build_image({.version = {1, 9, 0, 0}, .security_counter = 1}, signer());
  lose_journal_with(newer, image_1());
  expect_runs(boot_up(), Slot::kB, image_1());
}

TEST_F(LostJournalTest, AnImageThatIsRefusedLeavesTheOtherOneInMemory) {
  write(Slot::kA, image_1());
  boot_up();
  std::fill_n(flash().window().begin(), kBothPartitions, std::uint8_t{0xFF});
  Bytes bad = image_2();
  bad[bad.size() - 5] ^= 1;
  write(Slot::kB, bad);
  expect_runs(boot_up(), Slot::kA, image_1());
}

TEST_F(LostJournalTest, TheRecoveryImageComesBeforeOneThatWasNeverAccepted) {
  const Bytes recovery = build_image({.kind = boot::image::Kind::kRecovery}, signer());
  lose_journal_with(image_2(), image_1());
  write(Slot::kB, Bytes(flash::kControllerPart.sector_size, 0xFF));
  write(Slot::kRecovery, recovery);
  expect_runs(boot_up(), Slot::kRecovery, recovery);
  write(Slot::kRecovery, Bytes(flash::kControllerPart.sector_size, 0xFF));
  expect_runs(boot_up(), Slot::kA, image_2());
}

TEST_F(BootPolicyTest, TheRecordOfATrialIsLockedAndTheOtherSectorIsNot) {
  make_device();
  stage(image_2());
  ASSERT_TRUE(boot_up().is_trial());
  BootControl control(flash());
  ASSERT_EQ(control.load(), Status::kOk);
  const std::uint32_t record = control.in_force_partition().offset;
  const std::uint32_t other =
      record == flash::kBootControl0.offset ? flash::kBootControl1.offset : flash::kBootControl0.offset;
  EXPECT_EQ(flash().erase_sector(record), Status::kProtected);
  EXPECT_EQ(flash().erase_sector(other), Status::kOk);
  expect_runs(boot_up(), Slot::kA, image_1());
  EXPECT_EQ(state().reject_reason, boot::RejectReason::kTrialFailed);
}

/// A flash part some operation of which fails without a power cut.
class FailingFlash : public flash::FlashDriver {
 public:
  explicit FailingFlash(flash::FlashDriver& part) : part_(part) {}

  std::function<bool(std::uint32_t offset)> program_fails = [](std::uint32_t) { return false; };
  bool otp_program_fails = false;
  /// It says that it did, and did nothing.
  std::function<bool(std::uint32_t offset)> otp_program_is_dropped = [](std::uint32_t) { return false; };
  bool lock_fails = false;
  bool slot_reads_fail = false;

  [[nodiscard]] flash::Geometry geometry() const override { return part_.geometry(); }
  [[nodiscard]] Status read(std::uint32_t offset, std::span<std::uint8_t> out) override {
    if (slot_reads_fail && flash::kSlotB.contains(offset, 1)) return Status::kNoDevice;
    return part_.read(offset, out);
  }
  [[nodiscard]] Status program(std::uint32_t offset, std::span<const std::uint8_t> data) override {
    return program_fails(offset) ? Status::kProgramFailed : part_.program(offset, data);
  }
  [[nodiscard]] Status erase_sector(std::uint32_t offset) override { return part_.erase_sector(offset); }
  [[nodiscard]] Status lock(std::uint32_t offset, std::uint32_t length) override {
    return lock_fails ? Status::kBadCommand : part_.lock(offset, length);
  }
  [[nodiscard]] Status otp_read(std::uint32_t offset, std::span<std::uint8_t> out) override {
    return part_.otp_read(offset, out);
  }
  [[nodiscard]] Status otp_program(std::uint32_t offset, std::span<const std::uint8_t> data) override {
    if (otp_program_is_dropped(offset)) return Status::kOk;
    return otp_program_fails ? Status::kProgramFailed : part_.otp_program(offset, data);
  }
  [[nodiscard]] Status otp_lock() override { return part_.otp_lock(); }
  [[nodiscard]] Status entropy(std::span<std::uint8_t> out) override { return part_.entropy(out); }

 private:
  flash::FlashDriver& part_;
};

class FailingFlashTest : public BootPolicyTest {
 protected:
  BootDecision boot_on_failing_flash() { return boot_up_on(failing_); }

  FailingFlash failing_{flash()};
};

TEST_F(FailingFlashTest, TrialThatCannotBeRecordedIsNotStarted) {
  make_device();
  stage(image_2());
  failing_.program_fails = [](std::uint32_t) { return true; };
  expect_runs(boot_on_failing_flash(), Slot::kA, image_1());
  EXPECT_THAT(console_, HasSubstr("boot: failure step=record-trial flash=program-failed code=4\n"));
  expect_runs(boot_up(), Slot::kB, image_2(), true);
}

TEST_F(FailingFlashTest, CommitWhoseBurnFailsIsDoneAtALaterBoot) {
  make_device();
  stage(image_2());
  ASSERT_TRUE(boot_up().is_trial());
  ASSERT_EQ(accept_trial(), Status::kOk);
  failing_.otp_program_fails = true;
  expect_runs(boot_on_failing_flash(), Slot::kB, image_2());
  EXPECT_THAT(console_, HasSubstr("boot: failure step=burn-counter flash=program-failed code=4\n"));
  EXPECT_EQ(state().staged_state, StagedState::kAccepted);
  EXPECT_EQ(flash().erase_sector(flash::kSlotA.offset), Status::kProtected) << "the commit is still open";
  expect_runs(boot_up(), Slot::kB, image_2());
  EXPECT_EQ(state().committed_slot, Slot::kB);
  EXPECT_EQ(floor_now(), 2U);
}

TEST_F(FailingFlashTest, CommitWhoseBurnDidNothingIsDoneAtALaterBoot) {
  make_device();
  const Bytes rotation =
      build_image({.version = {1, 1, 0, 0},
                   .security_counter = 2,
                   .more_protected = {{boot::image::kTlvRevokedKeys, little_endian(0b10)}}},
                  signer());
  stage(rotation);
  ASSERT_TRUE(boot_up().is_trial());
  ASSERT_EQ(accept_trial(), Status::kOk);
  for (const std::uint32_t dropped_from : {0U, boot::kRevocationOffset}) {
    failing_.otp_program_is_dropped = [dropped_from](std::uint32_t offset) { return offset >= dropped_from; };
    expect_runs(boot_on_failing_flash(), Slot::kB, rotation);
    EXPECT_THAT(console_, HasSubstr("boot: failure step=burn-counter flash=program-failed code=4\n"));
    EXPECT_EQ(state().staged_state, StagedState::kAccepted);
  }
  expect_runs(boot_up(), Slot::kB, rotation);
  EXPECT_EQ(state().committed_slot, Slot::kB);
  std::uint32_t revoked = 0;
  ASSERT_EQ(boot::read_revoked(flash(), revoked), Status::kOk);
  EXPECT_EQ(revoked, 0b10U);
}

TEST_F(FailingFlashTest, ImageOlderThanTheCommittedOneIsRejectedAlsoIfNothingCouldBeBurned) {
  write(Slot::kA, image_2());
  failing_.otp_program_fails = true;
  expect_runs(boot_on_failing_flash(), Slot::kA, image_2());
  ASSERT_EQ(floor_now(), 0U);
  stage(image_1());
  expect_runs(boot_on_failing_flash(), Slot::kA, image_2());
  EXPECT_THAT(console_, HasSubstr("boot: verify slot=B result=counter-too-low code=15\n"));
}

TEST_F(FailingFlashTest, NothingIrreversibleHappensUnlessTheAcceptanceIsSettled) {
  make_device();
  stage(image_2());
  ASSERT_TRUE(boot_up().is_trial());
  ASSERT_EQ(accept_trial(), Status::kOk);
  // The acceptance's last confirmation is damaged, and boot control cannot be written to.
  BootControl control(flash());
  ASSERT_EQ(control.load(), Status::kOk);
  ASSERT_TRUE(control.is_settled());
  const auto window = flash().window();
  std::uint32_t newest = 0;
  std::uint32_t newest_page = 0;
  for (std::uint32_t page = 0; page < 2 * BootControl::kPages; ++page) {
    boot::BootRecord record;
    std::memcpy(&record, window.data() + journal_page(page), sizeof(record));
    if (record.magic != boot::BootRecord::kMagic || record.sequence < newest) continue;
    newest = record.sequence;
    newest_page = page;
  }
  window[journal_page(newest_page) + 100] ^= 1;
  failing_.program_fails = [](std::uint32_t) { return true; };
  expect_runs(boot_on_failing_flash(), Slot::kB, image_2());
  EXPECT_THAT(console_, HasSubstr("boot: commit result=put-off reason=acceptance-not-durable\n"));
  EXPECT_EQ(floor_now(), 1U);
  EXPECT_NE(flash().window()[flash::kSlotA.offset], 0xFF);
  expect_runs(boot_up(), Slot::kB, image_2());
  EXPECT_EQ(state().committed_slot, Slot::kB);
}

TEST_F(FailingFlashTest, ASlotThatCannotBeReadIsNotJudged) {
  make_device();
  stage(image_2());
  failing_.slot_reads_fail = true;
  expect_runs(boot_on_failing_flash(), Slot::kA, image_1());
  EXPECT_THAT(console_, HasSubstr("boot: verify slot=B result=flash-error code=1\n"));
  EXPECT_EQ(state().staged_state, StagedState::kVerified) << "the next boot tries again";
  ASSERT_TRUE(boot_up().is_trial());
  ASSERT_EQ(accept_trial(), Status::kOk);
  expect_runs(boot_on_failing_flash(), Slot::kA, image_1());
  EXPECT_EQ(state().staged_state, StagedState::kAccepted) << "the cloud knows that it was accepted";
  expect_runs(boot_up(), Slot::kB, image_2());
  EXPECT_EQ(state().committed_slot, Slot::kB);
}

TEST_F(FailingFlashTest, ACommittedImageThatCannotBeReadIsNotGivenUp) {
  previous_image_ = boot::PreviousImage::kKeep;
  const Bytes next = build_image({.version = {1, 1, 0, 0}, .security_counter = 1}, signer());
  make_device();
  stage(next);
  ASSERT_TRUE(boot_up().is_trial());
  ASSERT_EQ(accept_trial(), Status::kOk);
  expect_runs(boot_up(), Slot::kB, next);
  failing_.slot_reads_fail = true;
  expect_runs(boot_on_failing_flash(), Slot::kA, image_1());
  expect_runs(boot_up(), Slot::kB, next);
}

TEST_F(FailingFlashTest, ABurnThatFailsAtBitsThatAreBurnedIsNoFailure) {
  make_device();
  stage(build_image({.version = {1, 1, 0, 0}, .security_counter = 1}, signer()));
  ASSERT_TRUE(boot_up().is_trial());
  ASSERT_EQ(accept_trial(), Status::kOk);
  failing_.otp_program_fails = true;
  ASSERT_EQ(boot_on_failing_flash().slot, Slot::kB);
  EXPECT_EQ(state().committed_slot, Slot::kB);
}

TEST_F(FailingFlashTest, NothingStartsUnlocked) {
  make_device();
  failing_.lock_fails = true;
  EXPECT_EQ(boot_on_failing_flash().start, Verdict::kNo);
  EXPECT_THAT(console_, HasSubstr("boot: halt reason=application-would-run-unlocked\n"));
}

}  // namespace
