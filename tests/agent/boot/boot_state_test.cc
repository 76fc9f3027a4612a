// The transitions: which are allowed from where, and that the committed image is touched by none but the
// bootloader's own.
#include "agent/boot/boot_state.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace boot;

ImageIdentity identity(std::uint8_t number) {
  ImageIdentity image;
  image.version = {number, 0, 0, 0};
  image.security_counter = number;
  image.size = 1000U + number;
  image.digest.fill(number);
  return image;
}

BootState committed_a() {
  return *commit_factory({}, Slot::kA, identity(1));
}
BootState receiving_b() {
  return *begin_receive(committed_a(), "job-1", Slot::kB);
}
BootState verified_b() {
  return *mark_verified(receiving_b(), identity(2));
}
BootState trial_b() {
  return *start_trial(verified_b());
}
BootState accepted_b() {
  return *accept(trial_b());
}
BootState rejected_b() {
  return *reject(trial_b(), RejectReason::kTrialFailed);
}

TEST(BootState, UpdateGoesFromReceivingToCommitted) {
  const BootState done = *promote(accepted_b());
  EXPECT_EQ(done.committed_slot, Slot::kB);
  EXPECT_EQ(done.committed.version, identity(2).version);
  EXPECT_EQ(done.committed.digest, identity(2).digest);
  EXPECT_EQ(done.committed.job_id.view(), "job-1");
  EXPECT_EQ(done.staged_state, StagedState::kEmpty);
  EXPECT_EQ(done.staged_slot, Slot::kNone);
  EXPECT_EQ(done.attempts, 0);
  EXPECT_TRUE(is_sound(done));
}

TEST(BootState, EveryStateOfAnUpdateIsSound) {
  for (const BootState& state :
       {BootState{}, committed_a(), receiving_b(), verified_b(), trial_b(), accepted_b(), rejected_b()}) {
    EXPECT_TRUE(is_sound(state)) << static_cast<int>(state.staged_state);
  }
}

TEST(BootState, OnlyBootloaderTransitionsTouchTheCommittedImage) {
  for (const BootState& state : {receiving_b(), verified_b(), trial_b(), accepted_b(), rejected_b()}) {
    EXPECT_EQ(state.committed_slot, Slot::kA);
    EXPECT_EQ(state.committed, identity(1));
  }
}

TEST(BootState, VerifyingKeepsTheJobThatWasReceived) {
  ImageIdentity claimed = identity(2);
  claimed.job_id = *JobId::from("another job");
  EXPECT_EQ(mark_verified(receiving_b(), claimed)->staged.job_id.view(), "job-1");
}

TEST(BootState, NothingIsReceivedDuringATrialOrBeforeTheCommit) {
  EXPECT_FALSE(begin_receive(trial_b(), "job-2", Slot::kB));
  EXPECT_FALSE(begin_receive(accepted_b(), "job-2", Slot::kB));
  for (const BootState& state : {committed_a(), receiving_b(), verified_b(), rejected_b()}) {
    const auto next = begin_receive(state, "job-2", Slot::kB);
    ASSERT_TRUE(next);
    EXPECT_EQ(next->staged_state, StagedState::kReceiving);
    EXPECT_EQ(next->staged.job_id.view(), "job-2");
    EXPECT_EQ(next->staged.size, 0U);
    EXPECT_EQ(next->attempts, 0);
    EXPECT_EQ(next->reject_reason, RejectReason::kNone);
  }
}

TEST(BootState, CommittedAndRecoverySlotsAreNeverReceivedInto) {
  EXPECT_FALSE(begin_receive(committed_a(), "job", Slot::kA));
  EXPECT_FALSE(begin_receive(committed_a(), "job", Slot::kRecovery));
  EXPECT_FALSE(begin_receive(committed_a(), "job", Slot::kNone));
}

TEST(BootState, ReceiveSlotIsTheOneNotCommitted) {
  EXPECT_EQ(receive_slot(committed_a()), Slot::kB);
  EXPECT_EQ(receive_slot(*promote(accepted_b())), Slot::kA);
  EXPECT_EQ(receive_slot({}), Slot::kB);
}

TEST(BootState, JobNamesHaveALimit) {
  EXPECT_TRUE(begin_receive(committed_a(), std::string(kMaxJobId, 'j'), Slot::kB));
  EXPECT_FALSE(begin_receive(committed_a(), std::string(kMaxJobId + 1, 'j'), Slot::kB));
  EXPECT_FALSE(begin_receive(committed_a(), "", Slot::kB));
  EXPECT_FALSE(begin_receive(committed_a(), std::string_view("a\0b", 3), Slot::kB));
  const auto full = begin_receive(committed_a(), std::string(kMaxJobId, 'j'), Slot::kB);
  EXPECT_EQ(full->staged.job_id.view(), std::string(kMaxJobId, 'j'));
  EXPECT_TRUE(is_sound(*full));
}

TEST(BootState, OnlyAReceivedImageIsMarkedVerified) {
  for (const BootState& state : {committed_a(), verified_b(), trial_b(), accepted_b(), rejected_b()}) {
    EXPECT_FALSE(mark_verified(state, identity(3)));
  }
}

TEST(BootState, TrialsAreCountedAndLimited) {
  EXPECT_EQ(trial_b().attempts, 1);
  EXPECT_FALSE(start_trial(trial_b()));
  for (const BootState& state : {committed_a(), receiving_b(), accepted_b(), rejected_b()}) {
    EXPECT_FALSE(start_trial(state));
  }
}

TEST(BootState, OnlyAnImageOnTrialIsAccepted) {
  EXPECT_EQ(*accept(accepted_b()), accepted_b());
  for (const BootState& state : {committed_a(), receiving_b(), verified_b(), rejected_b()}) {
    EXPECT_FALSE(accept(state));
  }
}

TEST(BootState, AcceptanceIsNotTakenBackByTheApplication) {
  EXPECT_FALSE(reject(accepted_b(), RejectReason::kRefused));
  EXPECT_FALSE(reject(committed_a(), RejectReason::kRefused));
  EXPECT_EQ(*reject(rejected_b(), RejectReason::kRefused), rejected_b());
  EXPECT_EQ(reject(receiving_b(), RejectReason::kRefused)->staged_state, StagedState::kRejected);
  EXPECT_EQ(reject(verified_b(), RejectReason::kBadImage)->reject_reason, RejectReason::kBadImage);
  EXPECT_EQ(reject(trial_b(), RejectReason::kRefused)->staged.job_id.view(), "job-1");
}

TEST(BootState, OnlyAnAcceptedImageIsPromotedOrDiscarded) {
  EXPECT_EQ(discard_accepted(accepted_b())->staged_state, StagedState::kRejected);
  for (const BootState& state : {committed_a(), receiving_b(), verified_b(), trial_b(), rejected_b()}) {
    EXPECT_FALSE(promote(state));
    EXPECT_FALSE(discard_accepted(state));
  }
}

TEST(BootState, FactoryCommitNeedsADeviceWithoutRecord) {
  EXPECT_FALSE(commit_factory(committed_a(), Slot::kB, identity(2)));
  EXPECT_FALSE(commit_factory({}, Slot::kRecovery, identity(2)));
}

TEST(BootState, ImpossibleValuesAreNotSound) {
  const auto broken = [](auto change) {
    BootState state = verified_b();
    change(state);
    return !is_sound(state);
  };
  EXPECT_TRUE(broken([](BootState& s) { s.committed_slot = Slot::kRecovery; }));
  EXPECT_TRUE(broken([](BootState& s) { s.committed_slot = static_cast<Slot>(7); }));
  EXPECT_TRUE(broken([](BootState& s) { s.staged_slot = s.committed_slot; }));
  EXPECT_TRUE(broken([](BootState& s) { s.staged_slot = Slot::kNone; }));
  EXPECT_TRUE(broken([](BootState& s) { s.staged_state = StagedState::kEmpty; }));
  EXPECT_TRUE(broken([](BootState& s) { s.staged_state = static_cast<StagedState>(6); }));
  EXPECT_TRUE(broken([](BootState& s) { s.reject_reason = static_cast<RejectReason>(4); }));
  EXPECT_TRUE(broken([](BootState& s) { s.staged.job_id.characters.fill('x'); }));
  EXPECT_TRUE(broken([](BootState& s) { s.committed.job_id.characters.fill('x'); }));
}

/// Whoever compares states must see each difference: append() writes nothing if they are equal.
TEST(BootStateComparison, EachFieldCounts) {
  const BootState same;
  const auto differs = [&same](auto change) {
    BootState other;
    change(other);
    return !(other == same);
  };
  EXPECT_FALSE(differs([](BootState&) {}));
  EXPECT_TRUE(differs([](BootState& s) { s.committed_slot = Slot::kA; }));
  EXPECT_TRUE(differs([](BootState& s) { s.staged_slot = Slot::kA; }));
  EXPECT_TRUE(differs([](BootState& s) { s.staged_state = StagedState::kTrial; }));
  EXPECT_TRUE(differs([](BootState& s) { s.attempts = 1; }));
  EXPECT_TRUE(differs([](BootState& s) { s.reject_reason = RejectReason::kRefused; }));
  EXPECT_TRUE(differs([](BootState& s) { s.reserved[2] = 1; }));
  for (ImageIdentity BootState::*image : {&BootState::committed, &BootState::staged}) {
    EXPECT_TRUE(differs([image](BootState& s) { (s.*image).version.revision = 1; }));
    EXPECT_TRUE(differs([image](BootState& s) { (s.*image).security_counter = 1; }));
    EXPECT_TRUE(differs([image](BootState& s) { (s.*image).size = 1; }));
    EXPECT_TRUE(differs([image](BootState& s) { (s.*image).digest[31] = 1; }));
    EXPECT_TRUE(differs([image](BootState& s) { (s.*image).job_id.characters[0] = 'j'; }));
    EXPECT_TRUE(differs([image](BootState& s) { (s.*image).job_id.reserved[0] = 1; }));
  }
}

TEST(BootState, AStateThatIsNoneCannotBeRejected) {
  BootState state;
  state.staged_state = static_cast<StagedState>(99);
  EXPECT_FALSE(reject(state, RejectReason::kRefused));
}

}  // namespace
