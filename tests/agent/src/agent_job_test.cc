// Job documents: what is taken, refused, continued and dropped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agent/src/fake_environment.h"

namespace ota_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kEmptyQueue = R"({"timestamp":1700000000})";

std::string failed(const std::string& reason) {
  return R"({"status":"FAILED","statusDetails":{"reason":")" + reason + R"("}})";
}

class Job : public testing::Test {
 protected:
  Job() { h_.start(); }
  std::size_t job_requests() {
    return static_cast<std::size_t>(
        std::ranges::count(h_.environment.published, "$aws/things/t/jobs/$next/get", &Published::topic));
  }

  AgentHarness h_;
};

TEST_F(Job, EmptyQueueTellsTheApplicationAndWaits) {
  h_.receive_job(kEmptyQueue);
  EXPECT_THAT(h_.environment.events, ElementsAre(OtaJobEventNoActiveJob));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
  EXPECT_FALSE(h_.environment.timers.contains(OtaRequestTimer));
  EXPECT_EQ(h_.environment.buffers_returned, 1U);
}

TEST_F(Job, LostAnswerIsAskedForAgain) {
  ASSERT_TRUE(h_.environment.timers.contains(OtaRequestTimer));
  ASSERT_TRUE(h_.expire(OtaRequestTimer));
  EXPECT_EQ(job_requests(), 2U);
  EXPECT_EQ(h_.environment.published.back().text(), R"({"clientToken":"1:t"})");
}

TEST_F(Job, MalformedDocumentIsNoAnswer) {
  h_.receive_job("{\"execution\":");
  EXPECT_THAT(h_.updates(), IsEmpty());
  EXPECT_TRUE(h_.environment.timers.contains(OtaRequestTimer)) << "the answer is still outstanding";
  EXPECT_EQ(h_.environment.buffers_returned, 1U);
}

TEST_F(Job, OnlyHttpOfferedIsAborted) {
  h_.receive_job(job_text({.protocols = R"(["HTTP"])"}));
  EXPECT_THAT(h_.updates(), ElementsAre(failed("aborted: 0x0000000d")));
  EXPECT_EQ(h_.environment.creates, 0);
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
}

TEST_F(Job, BothProtocolsOfferedUsesMqtt) {
  h_.receive_job(job_text({.protocols = R"(["HTTP","MQTT"])"}));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock);
}

TEST_F(Job, MqttWithoutAStreamIsAborted) {
  h_.receive_job(job_text({.stream = ""}));
  EXPECT_THAT(h_.updates(), ElementsAre(failed("aborted: 0x0000000d")));
}

TEST_F(Job, TooBigForTheBitmapIsRefusedWithAReason) {
  h_.receive_job(job_text({.file_size = 4096 * 4096 + 1}));
  EXPECT_THAT(h_.updates(), ElementsAre(failed("rejected: 0x00000017")));
  EXPECT_EQ(h_.environment.creates, 0);
  h_.receive_job(job_text({.id = "next", .file_size = 4096 * 4096}));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock) << "the largest file that fits";
}

TEST_F(Job, LargestNumberIsRefusedWithoutOverflow) {
  h_.receive_job(job_text({.file_size = UINT32_MAX}));
  EXPECT_THAT(h_.updates(), ElementsAre(failed("rejected: 0x00000017")));
}

TEST_F(Job, EmptyFileIsRefusedWithAReason) {
  h_.receive_job(job_text({.file_size = 0}));
  EXPECT_THAT(h_.updates(), ElementsAre(failed("0x0000000c: 0x00000003")));
}

TEST_F(Job, WrongFieldTypeIsRefusedWithAReason) {
  h_.receive_job(job_text({.file_size = std::uint64_t{UINT32_MAX} + 1}));
  EXPECT_THAT(h_.updates(), ElementsAre(failed("0x0000000c: 0x00000004")));
}

TEST_F(Job, FileThatCannotBeCreatedIsAbortedWithThePalsCode) {
  h_.environment.create_result = OTA_PAL_COMBINE_ERR(OtaPalRxFileTooLarge, 0);
  h_.receive_job(job_text({}));
  EXPECT_THAT(h_.updates(), ElementsAre(failed("aborted: 0xe5000000")));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
}

TEST_F(Job, CustomDocumentGoesToTheApplication) {
  h_.environment.on_custom_job = [](OtaJobDocument_t& document) {
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(document.pJobId), document.jobIdLength), "custom-1");
    document.parseErr = OtaJobParseErrNone;
    document.status = JobStatusSucceeded;
    document.reason = JobReasonAccepted;
    document.subReason = 0x00020003;
  };
  h_.receive_job(R"({"execution":{"jobId":"custom-1","jobDocument":{"do":"it"}}})");
  ASSERT_EQ(h_.updates().size(), 1U);
  EXPECT_THAT(h_.updates()[0], HasSubstr(R"("SUCCEEDED","statusDetails":{"reason":"accepted  v0.2.3")"));
  EXPECT_EQ(h_.environment.published.back().topic, "$aws/things/t/jobs/custom-1/update");
}

TEST_F(Job, EveryStatusOfACustomJobHasItsMessage) {
  struct Case {
    OtaJobStatus_t status;
    std::int32_t reason;
    std::int32_t sub_reason;
    std::string message;
  };
  const std::string in_progress = R"({"status":"IN_PROGRESS","statusDetails":{"self_test":)";
  const std::vector<Case> cases = {
      {JobStatusInProgress, JobReasonSelfTestActive, 0,
       in_progress + R"("active","updatedBy":"0x01000000"}})"},
      {JobStatusInProgress, JobReasonSigCheckPassed, 0,
       in_progress + R"("ready","updatedBy":"0x01000000"}})"},
      {JobStatusFailed, JobReasonAborted, 5, failed("aborted: 0x00000005")},
      {JobStatusFailed, JobReasonRejected, 6, failed("rejected: 0x00000006")},
      {JobStatusRejected, JobReasonRejected, 7, failed("rejected: 0x00000007")},
      {JobStatusFailedWithVal, 8, 9, failed("0x00000008: 0x00000009")},
  };
  for (const Case& expected : cases) {
    h_.environment.on_custom_job = [&](OtaJobDocument_t& document) {
      document.parseErr = OtaJobParseErrNone;
      document.status = expected.status;
      document.reason = expected.reason;
      document.subReason = expected.sub_reason;
    };
    h_.receive_job(R"({"execution":{"jobId":"custom-1","jobDocument":{}}})");
    EXPECT_EQ(h_.updates().back(), expected.message);
    EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
  }
}

TEST_F(Job, CustomStatusThatCannotBeSentIsReported) {
  h_.environment.on_custom_job = [](OtaJobDocument_t& document) { document.parseErr = OtaJobParseErrNone; };
  h_.environment.publish_fails = true;
  h_.receive_job(R"({"execution":{"jobId":"custom-1","jobDocument":{}}})");
  EXPECT_EQ(h_.environment.results.back(), OtaErrUpdateJobStatusFailed);
}

TEST_F(Job, TextsThatDoNotFitRefuseTheJob) {
  h_.receive_job(job_text({.url = "https://" + std::string(OTA_REQUEST_URL_MAX_SIZE, 'x')}));
  EXPECT_THAT(h_.updates(), ElementsAre(failed("0x0000000c: 0x00000004")));
  EXPECT_EQ(h_.environment.creates, 0);
}

TEST_F(Job, NewUrlThatDoesNotFitRefusesTheJobInHand) {
  h_.receive_job(job_text({.url = "https://x"}));
  h_.signal(OtaAgentEventRequestJobDocument);
  h_.receive_job(job_text({.url = "https://" + std::string(OTA_REQUEST_URL_MAX_SIZE, 'x')}));
  EXPECT_THAT(h_.updates(), ElementsAre(failed("0x0000000c: 0x00000004")));
  EXPECT_EQ(h_.environment.aborts, 1);
  h_.receive_job(job_text({.id = "next"}));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock);
}

TEST_F(Job, LongListOfProtocolsIsUnderstood) {
  h_.receive_job(job_text({.protocols = R"(["A","B","C","D","E","F","MQTT"])"}));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock);
}

TEST_F(Job, CustomDocumentNobodyTakesIsRefused) {
  h_.receive_job(R"({"execution":{"jobId":"custom-1","jobDocument":{"do":"it"}}})");
  EXPECT_THAT(h_.environment.events, ElementsAre(OtaJobEventParseCustomJob));
  EXPECT_THAT(h_.updates(), ElementsAre(failed("0x0000000c: 0x00000004")));
}

TEST_F(Job, SameJobAfterSuspensionContinuesFromItsBitmap) {
  const JobSpec job;
  h_.receive_job(job_text(job));
  h_.send_block(job, 0);
  ASSERT_EQ(h_.agent.suspend(), OtaErrNone);
  h_.run();
  EXPECT_EQ(h_.agent.state(), OtaAgentStateSuspended);
  EXPECT_THAT(h_.environment.timers, IsEmpty());
  h_.send_block(job, 1);
  EXPECT_EQ(h_.agent.statistics().otaPacketsDropped, 1U);

  ASSERT_EQ(h_.agent.resume(), OtaErrNone);
  h_.run();
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
  h_.receive_job(job_text(job));
  EXPECT_EQ(h_.environment.creates, 1);
  EXPECT_THAT(h_.environment.image_states, IsEmpty());
  h_.send_block(job, 1);
  h_.send_block(job, 2);
  EXPECT_EQ(h_.environment.file, AgentHarness::file_content(10'000));
  EXPECT_EQ(h_.environment.events.back(), OtaJobEventActivate);
}

TEST_F(Job, OtherJobAfterSuspensionReplacesTheFirst) {
  h_.receive_job(job_text({}));
  ASSERT_EQ(h_.agent.suspend(), OtaErrNone);
  h_.run();
  ASSERT_EQ(h_.agent.resume(), OtaErrNone);
  h_.run();
  const JobSpec second{.id = "u2", .file_size = 50, .stream = "s2"};
  h_.receive_job(job_text(second));
  EXPECT_THAT(h_.environment.image_states, ElementsAre(OtaImageStateAborted));
  EXPECT_THAT(h_.updates(), IsEmpty()) << "nothing is said of a job that was taken away";
  h_.send_block(second, 0);
  EXPECT_EQ(h_.environment.published.back().topic, "$aws/things/t/jobs/u2/update");
  EXPECT_EQ(h_.environment.events.back(), OtaJobEventActivate);
}

TEST_F(Job, JobGoneAfterSuspensionIsDropped) {
  h_.receive_job(job_text({}));
  ASSERT_EQ(h_.agent.suspend(), OtaErrNone);
  h_.run();
  ASSERT_EQ(h_.agent.resume(), OtaErrNone);
  h_.run();
  h_.receive_job(kEmptyQueue);
  EXPECT_EQ(h_.environment.aborts, 1);
  EXPECT_EQ(h_.environment.events.back(), OtaJobEventNoActiveJob);
}

TEST_F(Job, CancelDuringDownloadDropsTheFileAndAsksForTheNext) {
  h_.receive_job(job_text({}));
  h_.send_block({}, 0);
  const auto requests = job_requests();
  h_.receive_job(R"({"timestamp":1700000001})");
  EXPECT_THAT(h_.environment.image_states, ElementsAre(OtaImageStateAborted));
  EXPECT_EQ(h_.environment.aborts, 1);
  EXPECT_EQ(job_requests(), requests + 1);
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
  EXPECT_THAT(h_.environment.unsubscribed, ElementsAre("$aws/things/t/streams/AFR_OTA-s1/data/cbor"));
  EXPECT_EQ(h_.environment.buffers_returned, 3U);
}

TEST_F(Job, NextJobAnnouncedDuringDownloadIsFetched) {
  h_.receive_job(job_text({}));
  const JobSpec second{.id = "u2", .file_size = 50, .stream = "s2"};
  h_.receive_job(job_text(second));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
  h_.receive_job(job_text(second));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock);
}

TEST_F(Job, NextJobAnnouncedJustAsTheFileEndsIsFetched) {
  const JobSpec job{.file_size = 100, .file_type = 7};
  h_.receive_job(job_text(job));
  const std::string next = job_text({.id = "u2"});
  h_.enqueue(OtaAgentEventReceivedFileBlock, block_message(0, 0, AgentHarness::block_content(100, 0)));
  h_.enqueue(OtaAgentEventReceivedJobDocument, {next.begin(), next.end()});
  h_.run();
  EXPECT_THAT(h_.environment.unsubscribed, ElementsAre("$aws/things/t/streams/AFR_OTA-s1/data/cbor"));
  EXPECT_THAT(h_.environment.image_states, IsEmpty()) << "the finished job is not aborted";
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock);
  EXPECT_EQ(h_.environment.creates, 2);
}

TEST_F(Job, LateAnswerWithTheJobInHandDoesNotDisturbTheDownload) {
  h_.receive_job(job_text({}));
  h_.receive_job(job_text({.status = "IN_PROGRESS"}));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock);
  EXPECT_EQ(h_.environment.aborts, 0);
  EXPECT_EQ(h_.environment.buffers_returned, 2U);
}

TEST_F(Job, GarbageDuringDownloadDoesNotDisturbIt) {
  h_.receive_job(job_text({}));
  h_.receive_job("not json");
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock);
}

TEST_F(Job, CheckForUpdateDuringDownloadContinuesTheSameJob) {
  h_.receive_job(job_text({}));
  h_.send_block({}, 0);
  h_.signal(OtaAgentEventRequestJobDocument);
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
  h_.receive_job(job_text({.status = "IN_PROGRESS"}));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock);
  EXPECT_EQ(h_.environment.creates, 1);
}

TEST_F(Job, UserAbortIsReportedWithItsReason) {
  h_.receive_job(job_text({}));
  ASSERT_EQ(h_.agent.set_image_state(OtaImageStateAborted), OtaErrNone);
  h_.run();
  EXPECT_THAT(h_.updates(), ElementsAre(failed("aborted: 0x00000013")));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
  EXPECT_EQ(h_.agent.image_state(), OtaImageStateAborted);
  EXPECT_EQ(h_.environment.aborts, 1);
}

TEST_F(Job, UserAbortWithoutAJobChangesNothing) {
  ASSERT_EQ(h_.agent.set_image_state(OtaImageStateAborted), OtaErrNone);
  h_.run();
  EXPECT_THAT(h_.updates(), IsEmpty());
  EXPECT_THAT(h_.environment.image_states, IsEmpty());
}

TEST_F(Job, FinalReportThatCannotBeSentIsMadeUpForLater) {
  h_.environment.create_result = OTA_PAL_COMBINE_ERR(OtaPalRxFileCreateFailed, 0);
  h_.environment.publish_fails = true;
  h_.receive_job(job_text({}));
  h_.environment.publish_fails = false;
  ASSERT_TRUE(h_.expire(OtaRequestTimer)) << "the job is asked for again";
  h_.receive_job(job_text({}));
  EXPECT_THAT(h_.updates(), ElementsAre(failed("aborted: 0xe4000000")));
}

TEST_F(Job, RefusalThatCannotBeSentIsMadeUpForLater) {
  h_.environment.publish_fails = true;
  h_.receive_job(job_text({.file_size = 0}));
  h_.environment.publish_fails = false;
  ASSERT_TRUE(h_.expire(OtaRequestTimer));
  h_.receive_job(job_text({.file_size = 0}));
  EXPECT_THAT(h_.updates(), ElementsAre(failed("0x0000000c: 0x00000003")));
}

TEST_F(Job, FailureThatCannotBeSentIsMadeUpForLater) {
  h_.environment.close_result = OTA_PAL_COMBINE_ERR(OtaPalSignatureCheckFailed, 0);
  const JobSpec job{.file_size = 100};
  h_.receive_job(job_text(job));
  h_.environment.publish_fails = true;
  h_.send_block(job, 0);
  h_.environment.publish_fails = false;
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
  ASSERT_TRUE(h_.expire(OtaRequestTimer)) << "the job is asked for again";
  h_.receive_job(job_text(job));
  h_.send_block(job, 0);
  EXPECT_THAT(h_.updates(), ElementsAre(failed("0x000000e3: 0x00000000")));
}

TEST_F(Job, JobIdIsNotTakenIntoATopicUnlessItIsAName) {
  h_.receive_job(job_text({.id = "a/../#"}));
  EXPECT_THAT(h_.updates(), IsEmpty());
  EXPECT_EQ(h_.environment.creates, 0);
}

}  // namespace
}  // namespace ota_test
