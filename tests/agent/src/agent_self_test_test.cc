// The new image's first run, and the old image's after a fall-back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agent/src/fake_environment.h"

namespace ota_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kActive =
    R"({"status":"IN_PROGRESS","statusDetails":{"self_test":"active","updatedBy":"0x01010000"}})";
constexpr const char* kAccepted =
    R"({"status":"SUCCEEDED","statusDetails":{"reason":"accepted  v1.1.0","updatedBy":"  v1.0.0"}})";

std::string rejected(const std::string& reason) {
  return R"({"status":"FAILED","statusDetails":{"reason":"rejected: )" + reason + R"("}})";
}

/// Version 1.1.0 runs; 1.0.0 fetched it.
class SelfTest : public testing::Test {
 protected:
  SelfTest() {
    h_.environment.version = 0x0101'0000;
    h_.environment.pal_state = OtaPalImageStatePendingCommit;
  }
  static JobSpec job(const std::string& self_test, const std::string& updated_by) {
    return {.status = "IN_PROGRESS", .self_test = self_test, .updated_by = updated_by};
  }
  void accept_in_self_test() {
    h_.environment.on_start_test = [this] {
      EXPECT_EQ(h_.agent.set_image_state(OtaImageStateAccepted), OtaErrNone);
    };
  }

  AgentHarness h_;
};

TEST_F(SelfTest, PendingImageStartsTheSelfTestTimer) {
  h_.start();
  EXPECT_EQ(h_.environment.timers.at(OtaSelfTestTimer), otaconfigSELF_TEST_RESPONSE_WAIT_MS);
  EXPECT_TRUE(h_.expire(OtaSelfTestTimer));
  EXPECT_EQ(h_.environment.resets, 1);
}

TEST_F(SelfTest, CommittedImageStartsNoSelfTestTimer) {
  h_.environment.pal_state = OtaPalImageStateValid;
  h_.start();
  EXPECT_FALSE(h_.environment.timers.contains(OtaSelfTestTimer));
}

TEST_F(SelfTest, NewerImageIsTestedAndAccepted) {
  accept_in_self_test();
  h_.start();
  h_.receive_job(job_text(job("ready", "0x01000000")));
  EXPECT_THAT(h_.updates(), ElementsAre(kActive, kAccepted));
  EXPECT_THAT(h_.environment.events, ElementsAre(OtaJobEventStartTest));
  EXPECT_THAT(h_.environment.image_states, ElementsAre(OtaImageStateTesting, OtaImageStateAccepted));
  EXPECT_FALSE(h_.environment.timers.contains(OtaSelfTestTimer));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
  EXPECT_EQ(h_.agent.image_state(), OtaImageStateAccepted);
  EXPECT_EQ(h_.environment.resets, 0);
}

TEST_F(SelfTest, RejectionByTheApplicationIsReported) {
  h_.environment.on_start_test = [this] {
    EXPECT_EQ(h_.agent.set_image_state(OtaImageStateRejected), OtaErrNone);
  };
  h_.start();
  h_.receive_job(job_text(job("ready", "0x01000000")));
  EXPECT_EQ(h_.updates().back(), rejected("0x00000000"));
}

TEST_F(SelfTest, SameVersionIsRejectedAndReset) {
  h_.start();
  h_.receive_job(job_text(job("ready", "0x01010000")));
  EXPECT_THAT(h_.updates(), ElementsAre(rejected("0x00000010")));
  EXPECT_THAT(h_.environment.events, ElementsAre(OtaJobEventSelfTestFailed));
  EXPECT_THAT(h_.environment.image_states, ElementsAre(OtaImageStateRejected));
  EXPECT_EQ(h_.environment.resets, 1);
}

TEST_F(SelfTest, OlderVersionIsRejectedAndReset) {
  h_.start();
  h_.receive_job(job_text(job("ready", "0x01020000")));
  EXPECT_THAT(h_.updates(), ElementsAre(rejected("0x0000000f")));
  EXPECT_EQ(h_.environment.resets, 1);
}

TEST_F(SelfTest, AllowedDowngradeIsTested) {
  h_.agent.configure({.allow_downgrade = true});
  accept_in_self_test();
  h_.start();
  h_.receive_job(job_text(job("ready", "0x01020000")));
  EXPECT_THAT(h_.updates().back(), HasSubstr("SUCCEEDED"));
}

TEST_F(SelfTest, OldImageAfterAFallBackReportsTheSameVersion) {
  h_.environment.version = 0x0100'0000;
  h_.environment.pal_state = OtaPalImageStateValid;
  h_.start();
  h_.receive_job(job_text(job("ready", "0x01000000")));
  EXPECT_THAT(h_.updates(), ElementsAre(rejected("0x00000010")));
}

TEST_F(SelfTest, OldImageAfterACrashInTheSelfTestReportsADowngrade) {
  h_.environment.version = 0x0100'0000;
  h_.environment.pal_state = OtaPalImageStateValid;
  h_.start();
  h_.receive_job(job_text(job("active", "0x01010000")));
  EXPECT_THAT(h_.updates(), ElementsAre(rejected("0x0000000f")));
}

TEST_F(SelfTest, JobInSelfTestWithoutAPendingImageIsAMismatch) {
  h_.environment.pal_state = OtaPalImageStateValid;
  h_.start();
  h_.receive_job(job_text(job("ready", "0x01000000")));
  EXPECT_EQ(h_.updates().back(), rejected("0x00000011"));
  EXPECT_EQ(h_.environment.resets, 1);
}

TEST_F(SelfTest, CommitThatFailsIsReportedAsRejectedWithThePalsCode) {
  h_.environment.set_state_results[OtaImageStateAccepted] = OTA_PAL_COMBINE_ERR(OtaPalCommitFailed, 4);
  h_.environment.on_start_test = [this] {
    EXPECT_EQ(h_.agent.set_image_state(OtaImageStateAccepted), OtaErrNone);
  };
  h_.start();
  h_.receive_job(job_text(job("ready", "0x01000000")));
  EXPECT_EQ(h_.updates().back(), rejected("0xeb000004"));
  EXPECT_EQ(h_.agent.image_state(), OtaImageStateRejected);
}

TEST_F(SelfTest, CommittedImageReportsSuccessAgainWhenTheReportWasLost) {
  h_.environment.pal_state = OtaPalImageStateValid;
  h_.environment.committed_job = "AFR_OTA-u1";
  h_.start();
  h_.receive_job(job_text(job("active", "0x01010000")));
  ASSERT_EQ(h_.updates().size(), 1U);
  EXPECT_THAT(h_.updates()[0], HasSubstr(R"("SUCCEEDED","statusDetails":{"reason":"accepted  v1.1.0")"));
  EXPECT_THAT(h_.environment.image_states, IsEmpty()) << "the committed image is left alone";
  EXPECT_EQ(h_.environment.resets, 0);
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
}

TEST_F(SelfTest, CommittedImageReportsSuccessAlsoWhenActiveWasLost) {
  h_.environment.pal_state = OtaPalImageStateValid;
  h_.environment.committed_job = "AFR_OTA-u1";
  h_.start();
  h_.receive_job(job_text(job("ready", "0x01000000")));
  EXPECT_THAT(h_.updates(), ElementsAre(kAccepted));
}

TEST_F(SelfTest, CommittedRecordOfAnotherJobProvesNothing) {
  h_.environment.pal_state = OtaPalImageStateValid;
  h_.environment.committed_job = "AFR_OTA-u0";
  h_.start();
  h_.receive_job(job_text(job("active", "0x01010000")));
  EXPECT_THAT(h_.updates(), ElementsAre(rejected("0x00000010")));
}

TEST_F(SelfTest, RepeatedJobWhoseImageFellBackIsNotReportedAsSuccess) {
  // The same job ran again, and its second image did not come up: 1.1.0 is running, and fetched it.
  h_.environment.pal_state = OtaPalImageStateValid;
  h_.environment.committed_job = "AFR_OTA-u1";
  h_.start();
  h_.receive_job(job_text(job("ready", "0x01010000")));
  EXPECT_THAT(h_.updates(), ElementsAre(rejected("0x00000010")));
}

TEST_F(SelfTest, LostSuccessReportIsMadeUpForWithinTheSameRun) {
  h_.environment.on_start_test = [this] {
    h_.environment.publish_fails = true;
    EXPECT_EQ(h_.agent.set_image_state(OtaImageStateAccepted), OtaErrUpdateJobStatusFailed);
    h_.environment.publish_fails = false;
    h_.environment.pal_state = OtaPalImageStateValid;
    h_.environment.committed_job = "AFR_OTA-u1";
  };
  h_.start();
  h_.receive_job(job_text(job("ready", "0x01000000")));
  ASSERT_TRUE(h_.expire(OtaRequestTimer));
  h_.receive_job(job_text(job("active", "0x01010000")));
  EXPECT_THAT(h_.updates().back(), HasSubstr("SUCCEEDED"));
}

TEST_F(SelfTest, ReconnectionDuringTheSelfTestDoesNotRejectTheImage) {
  h_.start();
  h_.receive_job(job_text(job("ready", "0x01000000")));
  ASSERT_EQ(h_.agent.suspend(), OtaErrNone);
  h_.run();
  ASSERT_EQ(h_.agent.resume(), OtaErrNone);
  EXPECT_TRUE(h_.environment.timers.contains(OtaSelfTestTimer));
  h_.run();
  h_.receive_job(job_text(job("active", "0x01010000")));
  EXPECT_FALSE(h_.environment.timers.contains(OtaSelfTestTimer)) << "the application is at it";
  EXPECT_THAT(h_.environment.events, ElementsAre(OtaJobEventStartTest)) << "and was told once";
  EXPECT_EQ(h_.agent.set_image_state(OtaImageStateAccepted), OtaErrNone);
  EXPECT_THAT(h_.updates(), ElementsAre(kActive, kAccepted));
}

TEST_F(SelfTest, FreshJobForAnUncommittedImageResets) {
  h_.start();
  h_.receive_job(job_text({}));
  EXPECT_EQ(h_.environment.resets, 1);
  EXPECT_EQ(h_.environment.creates, 0);
  EXPECT_THAT(h_.updates(), IsEmpty());
}

TEST_F(SelfTest, OtherJobDuringTheSelfTestRejectsAndResets) {
  h_.start();
  h_.receive_job(job_text(job("ready", "0x01000000")));
  h_.receive_job(job_text({.id = "u2"}));
  EXPECT_THAT(h_.environment.image_states, ElementsAre(OtaImageStateTesting, OtaImageStateAborted));
  EXPECT_EQ(h_.environment.resets, 1);
  EXPECT_EQ(h_.environment.creates, 0);
}

TEST_F(SelfTest, EmptyQueueLeavesThePendingImageToItsTimer) {
  h_.start();
  h_.receive_job("{}");
  EXPECT_EQ(h_.environment.resets, 0);
  EXPECT_TRUE(h_.environment.timers.contains(OtaSelfTestTimer));
}

}  // namespace
}  // namespace ota_test
