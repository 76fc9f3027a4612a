// What was said and did not arrive, what comes at the wrong moment: nothing is forgotten, and nobody waits
// for ever.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agent/src/fake_environment.h"

namespace ota_test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Recovery : public testing::Test {
 protected:
  void download(const JobSpec& job = {}) {
    job_ = job;
    h_.start();
    h_.receive_job(job_text(job_));
    ASSERT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock);
  }
  /// The network comes back; the cloud still offers the job.
  void offer_again(const std::string& self_test = {}, const std::string& updated_by = {}) {
    h_.environment.publish_fails = false;
    for (int i = 0; i < 3 && h_.agent.state() != OtaAgentStateWaitingForJob; ++i) h_.expire(OtaRequestTimer);
    ASSERT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
    job_.status = "IN_PROGRESS";
    job_.self_test = self_test;
    job_.updated_by = updated_by;
    h_.receive_job(job_text(job_));
  }

  AgentHarness h_;
  JobSpec job_;
};

TEST_F(Recovery, UserAbortThatWasNotSentIsSentWhenTheJobComesBack) {
  download();
  h_.environment.publish_fails = true;
  ASSERT_EQ(h_.agent.set_image_state(OtaImageStateAborted), OtaErrNone);
  h_.run();
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
  EXPECT_TRUE(h_.environment.timers.contains(OtaRequestTimer));
  offer_again();
  EXPECT_THAT(h_.updates(), ElementsAre(HasSubstr("aborted: 0x00000013")));
  EXPECT_EQ(h_.environment.creates, 1) << "the user aborted it";
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
}

TEST_F(Recovery, LastWordsAreForgottenWhenAnotherJobComes) {
  download();
  h_.environment.publish_fails = true;
  h_.signal(OtaAgentEventUserAbort);
  h_.environment.publish_fails = false;
  h_.receive_job(job_text({.id = "another"}));
  EXPECT_THAT(h_.updates(), IsEmpty());
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock);
}

TEST_F(Recovery, JobThatTheApplicationEndsDuringADownloadLeavesNobodyWaiting) {
  for (const bool network_fails : {false, true}) {
    AgentHarness h;
    h.start();
    h.receive_job(job_text({}));
    h.environment.publish_fails = network_fails;
    static_cast<void>(h.agent.set_image_state(OtaImageStateRejected));
    h.environment.publish_fails = false;
    ASSERT_TRUE(h.expire(OtaRequestTimer));
    EXPECT_EQ(h.agent.state(), OtaAgentStateWaitingForJob);
    EXPECT_TRUE(h.environment.timers.contains(OtaRequestTimer)) << "the job was asked for";
    EXPECT_EQ(h.environment.aborts, 1);
    EXPECT_THAT(h.environment.unsubscribed, SizeIs(1));
  }
}

TEST_F(Recovery, JobThatTheApplicationEndsBeforeItsFileIsOpenIsAskedForAnew) {
  h_.start();
  h_.environment.subscribe_fails = true;
  h_.receive_job(job_text({}));
  ASSERT_EQ(h_.agent.state(), OtaAgentStateCreatingFile);
  static_cast<void>(h_.agent.set_image_state(OtaImageStateRejected));
  h_.environment.subscribe_fails = false;
  ASSERT_TRUE(h_.expire(OtaRequestTimer));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
  EXPECT_EQ(h_.environment.aborts, 1);
}

TEST_F(Recovery, LateRequestTimerDoesNotEatTheSelfTest) {
  h_.environment.version = 0x0101'0000;
  h_.environment.pal_state = OtaPalImageStatePendingCommit;
  h_.start();
  const std::string text = job_text({.self_test = "ready", .updated_by = "0x01000000"});
  h_.enqueue(OtaAgentEventReceivedJobDocument, {text.begin(), text.end()});
  h_.environment.timers.erase(OtaRequestTimer);
  h_.agent.on_timer(OtaRequestTimer);
  h_.run();
  EXPECT_THAT(h_.environment.events, ElementsAre(OtaJobEventStartTest));
  EXPECT_THAT(h_.environment.subscribed, Each(HasSubstr("notify-next")));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
}

TEST_F(Recovery, AcceptedImageOfAPlatformWithoutARecordIsNotRejectedByItsOwnRetry) {
  h_.environment.version = 0x0101'0000;
  h_.environment.pal_state = OtaPalImageStatePendingCommit;
  h_.start();
  job_ = {.status = "IN_PROGRESS", .self_test = "ready", .updated_by = "0x01000000"};
  h_.receive_job(job_text(job_));
  h_.environment.publish_fails = true;
  EXPECT_EQ(h_.agent.set_image_state(OtaImageStateAccepted), OtaErrUpdateJobStatusFailed);
  offer_again("active", "0x01010000");
  EXPECT_THAT(h_.updates(), ElementsAre(HasSubstr("active"), HasSubstr("accepted  v1.1.0")));
  EXPECT_EQ(h_.environment.resets, 0);
  EXPECT_THAT(h_.environment.image_states, ElementsAre(OtaImageStateTesting, OtaImageStateAccepted));
}

TEST_F(Recovery, SelfTestTimerDoesNotResetAnAcceptedImage) {
  h_.environment.pal_state = OtaPalImageStatePendingCommit;
  h_.start();
  h_.receive_job(R"({"timestamp":1})");
  static_cast<void>(h_.agent.set_image_state(OtaImageStateAccepted));
  ASSERT_TRUE(h_.expire(OtaSelfTestTimer));
  EXPECT_EQ(h_.environment.resets, 0);
}

TEST_F(Recovery, CancelWhileTheFileIsBeingOpenedIsHeard) {
  h_.start();
  h_.environment.subscribe_fails = true;
  h_.receive_job(job_text({}));
  h_.environment.subscribe_fails = false;
  h_.receive_job(R"({"timestamp":1})");
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
  EXPECT_EQ(h_.environment.aborts, 1);
  EXPECT_THAT(h_.environment.image_states, ElementsAre(OtaImageStateAborted));
}

TEST_F(Recovery, SuspendBehindTheLastBlockLeavesNothingOpen) {
  download();
  h_.environment.write_fails = true;
  h_.enqueue(OtaAgentEventReceivedFileBlock, block_message(0, 0, AgentHarness::block_content(10'000, 0)));
  ASSERT_EQ(h_.agent.suspend(), OtaErrNone);
  h_.run();
  EXPECT_EQ(h_.environment.aborts, 1);
  EXPECT_THAT(h_.environment.unsubscribed, SizeIs(1));
}

TEST_F(Recovery, SuspendThatCannotBeQueuedStopsNoTimer) {
  h_.start();
  h_.environment.queue_capacity = 0;
  EXPECT_EQ(h_.agent.suspend(), OtaErrSignalEventFailed);
  EXPECT_TRUE(h_.environment.timers.contains(OtaRequestTimer));
}

TEST_F(Recovery, SuspendRightAfterStartStopsTheSelfTestTimer) {
  h_.environment.pal_state = OtaPalImageStatePendingCommit;
  h_.agent.process_next_event();
  ASSERT_TRUE(h_.agent.signal({nullptr, OtaAgentEventStart}));
  ASSERT_EQ(h_.agent.suspend(), OtaErrNone);
  h_.run();
  EXPECT_EQ(h_.agent.state(), OtaAgentStateSuspended);
  EXPECT_THAT(h_.environment.timers, IsEmpty());
}

TEST_F(Recovery, CustomJobsEndIsSentAgainToo) {
  h_.environment.on_custom_job = [](OtaJobDocument_t& document) {
    document.parseErr = OtaJobParseErrNone;
    document.status = JobStatusSucceeded;
  };
  h_.start();
  h_.environment.publish_fails = true;
  const std::string custom = R"({"execution":{"jobId":"c","jobDocument":{}}})";
  h_.receive_job(custom);
  ASSERT_TRUE(h_.environment.timers.contains(OtaRequestTimer));
  h_.environment.publish_fails = false;
  h_.expire(OtaRequestTimer);
  h_.receive_job(custom);
  EXPECT_THAT(h_.updates(), ElementsAre(HasSubstr("SUCCEEDED")));
  EXPECT_THAT(h_.environment.events, ElementsAre(OtaJobEventParseCustomJob)) << "it was done once";
}

TEST_F(Recovery, ImageIsNotActivatedBeforeTheCloudKnowsItIsReady) {
  download({.file_size = 100});
  h_.environment.publish_fails = true;
  h_.send_block(job_, 0);
  EXPECT_THAT(h_.environment.events, ElementsAre(OtaJobEventReceivedJob));
  offer_again();
  EXPECT_THAT(h_.updates().back(), HasSubstr("ready"));
  EXPECT_THAT(h_.environment.events, ElementsAre(OtaJobEventReceivedJob, OtaJobEventActivate));
  EXPECT_EQ(h_.environment.creates, 1);
}

TEST_F(Recovery, ActivationMayWaitThroughAReconnection) {
  download({.file_size = 100});
  h_.send_block(job_, 0);
  ASSERT_EQ(h_.agent.suspend(), OtaErrNone);
  ASSERT_EQ(h_.agent.resume(), OtaErrNone);
  h_.run();
  offer_again("ready", "0x01000000");
  EXPECT_THAT(h_.environment.events,
              ElementsAre(OtaJobEventReceivedJob, OtaJobEventActivate, OtaJobEventActivate));
  EXPECT_THAT(h_.updates(), SizeIs(1));
  EXPECT_EQ(h_.environment.resets, 0);
}

TEST_F(Recovery, LateActivationThatFailsIsReported) {
  download({.file_size = 100});
  h_.send_block(job_, 0);
  h_.environment.activate_result = OTA_PAL_COMBINE_ERR(OtaPalActivateFailed, 3);
  EXPECT_EQ(h_.agent.activate_new_image(), OtaErrActivateFailed);
  EXPECT_THAT(h_.updates().back(), HasSubstr("rejected: 0xec000003"));
}

TEST_F(Recovery, NewAttemptOfAJobThatWasReadyIsDownloadedAnew) {
  download({.file_size = 100});
  h_.send_block(job_, 0);
  offer_again();  // queued once more, after a time-out: the cloud knows nothing of a verified image
  EXPECT_EQ(h_.environment.creates, 2);
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock);
}

TEST_F(Recovery, JobBegunAgainWhileItsSelfTestWasDueIsDownloaded) {
  h_.start();
  job_ = {.status = "IN_PROGRESS", .self_test = "ready", .updated_by = "0x00090001"};
  const std::string text = job_text(job_);
  h_.enqueue(OtaAgentEventReceivedJobDocument, {text.begin(), text.end()});
  ASSERT_EQ(h_.agent.suspend(), OtaErrNone);  // comes before StartSelfTest
  h_.run();
  ASSERT_EQ(h_.agent.resume(), OtaErrNone);
  h_.run();
  offer_again();
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock);
  EXPECT_EQ(h_.environment.creates, 1);
}

TEST_F(Recovery, FileOfAJobThatTheApplicationEndedIsNotGivenToTheNext) {
  download();
  h_.send_block(job_, 0);
  ASSERT_EQ(h_.agent.suspend(), OtaErrNone);
  ASSERT_EQ(h_.agent.resume(), OtaErrNone);
  h_.run();
  static_cast<void>(h_.agent.set_image_state(OtaImageStateRejected));
  h_.receive_job(job_text({.id = "next"}));
  EXPECT_EQ(h_.environment.creates, 2);
  EXPECT_EQ(h_.environment.aborts, 1);
}

TEST_F(Recovery, DecodeMemorySmallerThanABlockIsNoUsableProtocol) {
  std::array<std::uint8_t, 1024> memory{};
  OtaAppBuffer_t buffers{};
  buffers.pDecodeMemory = memory.data();
  buffers.decodeMemorySize = memory.size();
  FakeEnvironment environment;
  ota::Agent agent(environment);
  ASSERT_EQ(agent.init(buffers, "t"), OtaErrNone);
  agent.process_next_event();
  ASSERT_TRUE(agent.signal({nullptr, OtaAgentEventStart}));
  OtaEventData_t data{};
  const std::string text = job_text({});
  std::copy(text.begin(), text.end(), data.data);
  data.dataLength = static_cast<std::uint32_t>(text.size());
  for (int i = 0; i < 2; ++i) agent.process_next_event();
  ASSERT_TRUE(agent.signal({&data, OtaAgentEventReceivedJobDocument}));
  agent.process_next_event();
  EXPECT_THAT(environment.published.back().text(), HasSubstr("aborted: 0x0000000d"));
  EXPECT_EQ(environment.creates, 0) << "the slot is not erased for nothing";
}

}  // namespace
}  // namespace ota_test
