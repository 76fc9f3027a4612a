// The PAL as an object: whole updates with the bootloader's policy, and what it must refuse.
#include "tests/pal_sim/pal/pal_fixture.h"

namespace pal_test {
namespace {

TEST_F(PalTest, FactoryImageIsValid) {
  EXPECT_EQ(device_.pal().image_state(), OtaPalImageStateValid);
  EXPECT_EQ(device_.version(), kOld);
}

TEST_F(PalTest, ImageIsTriedAcceptedAndCommitted) {
  File file(image_1_1_0());
  receive(file);
  EXPECT_EQ(device_.pal().image_state(), OtaPalImageStateValid) << "the running image is still the old one";
  EXPECT_EQ(device_.pal().activate(), 0U);
  EXPECT_EQ(device_.resets(), 1);

  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kNew);
  EXPECT_EQ(device_.pal().image_state(), OtaPalImageStatePendingCommit);
  EXPECT_FALSE(device_.pal().is_committed_job("AFR_OTA-u1"));
  EXPECT_EQ(set_state(OtaImageStateTesting), OtaPalSuccess);
  EXPECT_EQ(device_.pal().image_state(), OtaPalImageStatePendingCommit);
  EXPECT_EQ(set_state(OtaImageStateAccepted), OtaPalSuccess);
  EXPECT_EQ(device_.pal().image_state(), OtaPalImageStateValid);
  EXPECT_TRUE(device_.pal().is_committed_job("AFR_OTA-u1"));
  EXPECT_EQ(set_state(OtaImageStateAccepted), OtaPalSuccess) << "accepting twice is once";

  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kNew);
  EXPECT_FALSE(device_.is_trial());
  EXPECT_EQ(device_.pal().image_state(), OtaPalImageStateValid);
  EXPECT_TRUE(device_.pal().is_committed_job("AFR_OTA-u1"));
  EXPECT_FALSE(device_.pal().is_committed_job("AFR_OTA-u2"));
  EXPECT_FALSE(device_.pal().is_committed_job(""));
}

TEST_F(PalTest, ImageThatIsNotAcceptedFallsBack) {
  File file(image_1_1_0());
  receive(file);
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kNew);
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kOld);
  EXPECT_EQ(device_.pal().image_state(), OtaPalImageStateInvalid);
  EXPECT_FALSE(device_.pal().is_committed_job("AFR_OTA-u1"));
}

TEST_F(PalTest, RejectedTrialFallsBackAndTheNextUpdateWorks) {
  File file(image_1_1_0());
  receive(file);
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(set_state(OtaImageStateRejected), OtaPalSuccess);
  EXPECT_EQ(device_.pal().image_state(), OtaPalImageStateInvalid);
  EXPECT_EQ(set_state(OtaImageStateAccepted), OtaPalCommitFailed);
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kOld);

  File again(image_1_1_0(), "AFR_OTA-u2");
  receive(again);
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kNew);
  EXPECT_EQ(set_state(OtaImageStateAccepted), OtaPalSuccess);
  EXPECT_TRUE(device_.pal().is_committed_job("AFR_OTA-u2"));
}

TEST_F(PalTest, CommittedImageIsBeyondRejection) {
  EXPECT_EQ(set_state(OtaImageStateRejected), OtaPalSuccess);
  EXPECT_EQ(set_state(OtaImageStateAborted), OtaPalSuccess);
  EXPECT_EQ(set_state(OtaImageStateAccepted), OtaPalCommitFailed);
  EXPECT_EQ(device_.pal().image_state(), OtaPalImageStateValid);
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kOld);
}

TEST_F(PalTest, AcceptedImageCannotBeTakenBack) {
  File file(image_1_1_0());
  receive(file);
  ASSERT_TRUE(device_.boot());
  ASSERT_EQ(set_state(OtaImageStateAccepted), OtaPalSuccess);
  EXPECT_EQ(set_state(OtaImageStateRejected), OtaPalRejectFailed);
  EXPECT_EQ(set_state(OtaImageStateAborted), OtaPalAbortFailed);
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kNew);
}

TEST_F(PalTest, NextUpdateAfterAcceptanceRestartsTheDeviceFirst) {
  File file(image_1_1_0());
  receive(file);
  ASSERT_TRUE(device_.boot());
  ASSERT_EQ(set_state(OtaImageStateAccepted), OtaPalSuccess);
  File next(image_1_1_0(), "AFR_OTA-u2");
  EXPECT_NE(device_.pal().create_file(&next.context), 0U);
  EXPECT_EQ(device_.resets(), 1);
  ASSERT_TRUE(device_.boot());
  receive(next);
}

TEST_F(PalTest, AbortedDownloadCanBeStartedAnew) {
  File file(image_1_1_0());
  ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
  ASSERT_TRUE(write_all(device_.pal(), file));
  EXPECT_EQ(set_state(OtaImageStateAborted), OtaPalSuccess);
  EXPECT_EQ(device_.pal().abort(&file.context), 0U);
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kOld);
  File again(image_1_1_0());
  receive(again);
}

TEST_F(PalTest, StagedImageOfACancelledJobIsNotStarted) {
  File file(image_1_1_0());
  receive(file);
  EXPECT_EQ(set_state(OtaImageStateAborted), OtaPalSuccess);
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kOld);
}

TEST_F(PalTest, TwoUpdatesInSequenceTakeTurnsInTheSlots) {
  File first(image_1_1_0(), "AFR_OTA-u1");
  receive(first);
  ASSERT_TRUE(device_.boot());
  ASSERT_EQ(set_state(OtaImageStateAccepted), OtaPalSuccess);
  ASSERT_TRUE(device_.boot());
  File second(image_1_2_0(), "AFR_OTA-u2");
  receive(second);
  EXPECT_TRUE(std::ranges::equal(device_.slot(boot::Slot::kA).first(image_1_2_0().size()), image_1_2_0()));
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), (Version{1, 2, 0, 0}));
  ASSERT_EQ(set_state(OtaImageStateAccepted), OtaPalSuccess);
  ASSERT_TRUE(device_.boot());
  EXPECT_TRUE(device_.pal().is_committed_job("AFR_OTA-u2"));
  EXPECT_FALSE(device_.pal().is_committed_job("AFR_OTA-u1"));
}

/// An accepted 1.1.0 whose commit the bootloader cannot finish for now.
class UncommittedImage : public PalTest {
 protected:
  void SetUp() override {
    File file(image_1_1_0());
    receive(file);
    ASSERT_TRUE(device_.boot());
    ASSERT_EQ(set_state(OtaImageStateAccepted), OtaPalSuccess);
    device_.model().plan_failure({.end = boot_test::kBothPartitions});
  }
  void TearDown() override { device_.model().forget_failures(); }

  void boot_uncommitted(boot::ResetReason reason) {
    ASSERT_TRUE(device_.boot(reason));
    ASSERT_EQ(device_.version(), kNew);
    ASSERT_EQ(device_.image_state(), boot::ImageState::kAccepted);
  }
  OtaPalStatus_t create() { return device_.pal().create_file(&next_.context); }

  File next_{image_1_2_0(), "AFR_OTA-u2"};
};

TEST_F(UncommittedImage, IsCommittedByARestartBeforeTheNextFile) {
  for (const auto reason : {boot::ResetReason::kPowerOn, boot::ResetReason::kWatchdog}) {
    boot_uncommitted(reason);
    const int resets = device_.resets();
    EXPECT_EQ(create(), OTA_PAL_COMBINE_ERR(OtaPalRxFileCreateFailed, pal::Reason::kRestartFirst));
    EXPECT_EQ(device_.resets(), resets + 1);
  }
  device_.model().forget_failures();
  ASSERT_TRUE(device_.boot(boot::ResetReason::kSoftware));
  EXPECT_EQ(device_.image_state(), boot::ImageState::kCommitted);
  receive(next_);
}

TEST_F(UncommittedImage, RestartsTheDeviceOnceAndNotForEver) {
  boot_uncommitted(boot::ResetReason::kSoftware);
  EXPECT_EQ(create(), OTA_PAL_COMBINE_ERR(OtaPalRxFileCreateFailed, pal::Reason::kSlotInUse));
  EXPECT_EQ(device_.resets(), 0) << "the restart before did not help";
}

TEST_F(PalTest, BootRecordThatCannotBeWrittenIsBootInfoCreateFailed) {
  File file(image_1_1_0());
  ASSERT_EQ(device_.flash().lock(flash::kBootControl0.offset, boot_test::kBothPartitions),
            flash::Status::kOk);
  EXPECT_EQ(main_of(device_.pal().create_file(&file.context)), OtaPalBootInfoCreateFailed);
}

TEST_F(PalTest, AcceptanceThatCannotBeRecordedIsCommitFailed) {
  File file(image_1_1_0());
  receive(file);
  ASSERT_TRUE(device_.boot());
  ASSERT_EQ(device_.flash().lock(flash::kBootControl0.offset, boot_test::kBothPartitions),
            flash::Status::kOk);
  EXPECT_EQ(set_state(OtaImageStateAccepted), OtaPalCommitFailed);
  EXPECT_EQ(device_.resets(), 1)
      << "a board does not come back to tell: the rejection is not recorded either";
  EXPECT_FALSE(device_.pal().is_committed_job("AFR_OTA-u1"));
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kOld);
}

TEST_F(PalTest, OnlyTheImageOnTrialMayAcceptItself) {
  File file(image_1_1_0());
  receive(file);
  ASSERT_TRUE(device_.boot());
  boot::BootInfo other{};
  other.slot = boot::Slot::kA;
  other.image_state = boot::ImageState::kTrial;
  pal::Pal pal(device_.platform(other, {}));
  ASSERT_EQ(pal.start(), flash::Status::kOk);
  EXPECT_EQ(main_of(pal.set_image_state(nullptr, OtaImageStateAccepted)), OtaPalCommitFailed);
  EXPECT_EQ(pal.image_state(), OtaPalImageStateValid);
}

TEST_F(PalTest, AnImageThatDoesNotRunIsNeitherOnTrialNorAccepted) {
  File file(image_1_1_0());
  receive(file);
  ASSERT_TRUE(device_.boot());
  boot::BootInfo other{};
  other.slot = boot::Slot::kA;  // as if the old image ran all the same
  pal::Pal pal(device_.platform(other, {}));
  ASSERT_EQ(pal.start(), flash::Status::kOk);
  EXPECT_EQ(pal.image_state(), OtaPalImageStateValid);
  ASSERT_EQ(set_state(OtaImageStateAccepted), OtaPalSuccess);
  ASSERT_EQ(pal.start(), flash::Status::kOk);
  EXPECT_FALSE(pal.is_committed_job("AFR_OTA-u1"));
  EXPECT_EQ(main_of(pal.set_image_state(nullptr, OtaImageStateAccepted)), OtaPalCommitFailed);
  EXPECT_EQ(pal.reset(), 0U) << "without a way to reset, it comes back";
}

TEST_F(PalTest, LongJobNamesAreComparedAsRecorded) {
  const std::string job(72, 'j');
  File file(image_1_1_0(), job);
  receive(file);
  ASSERT_TRUE(device_.boot());
  ASSERT_EQ(set_state(OtaImageStateAccepted), OtaPalSuccess);
  EXPECT_TRUE(device_.pal().is_committed_job(job));
  EXPECT_FALSE(device_.pal().is_committed_job(job.substr(0, 63)));
}

}  // namespace
}  // namespace pal_test
