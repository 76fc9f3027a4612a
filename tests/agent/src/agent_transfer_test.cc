// The download: from the job request to Activate, and every way in which blocks go wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/agent/src/fake_environment.h"

namespace ota_test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kUpdateTopic = "$aws/things/t/jobs/AFR_OTA-u1/update";

/// A harness that has taken a job and made its first stream request.
class Transfer : public testing::Test {
 protected:
  void begin(const JobSpec& job = {}) {
    job_ = job;
    h_.start();
    h_.receive_job(job_text(job_));
    ASSERT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock);
  }
  nlohmann::json last_request() { return nlohmann::json::from_cbor(h_.stream_requests().back().payload); }
  Bytes requested_bitmap() { return last_request()["b"].get_binary(); }

  AgentHarness h_;
  JobSpec job_;
};

TEST_F(Transfer, RequestsAJobAfterSubscribingToNotifyNext) {
  h_.start();
  EXPECT_THAT(h_.environment.subscribed, ElementsAre("$aws/things/t/jobs/notify-next@1"));
  ASSERT_EQ(h_.environment.published.size(), 1U);
  EXPECT_EQ(h_.environment.published[0].topic, "$aws/things/t/jobs/$next/get");
  EXPECT_EQ(h_.environment.published[0].text(), R"({"clientToken":"0:t"})");
  EXPECT_EQ(h_.environment.published[0].qos, 1);
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
}

TEST_F(Transfer, FirstRequestAsksForAllBlocksByBitmap) {
  begin();
  EXPECT_THAT(h_.environment.subscribed, testing::Contains("$aws/things/t/streams/AFR_OTA-s1/data/cbor@0"));
  EXPECT_EQ(h_.stream_requests()[0].topic, "$aws/things/t/streams/AFR_OTA-s1/get/cbor");
  EXPECT_EQ(h_.stream_requests()[0].qos, 0);
  const nlohmann::json request = last_request();
  EXPECT_EQ(request["c"], "rdy");
  EXPECT_EQ(request["l"], 4096);
  EXPECT_EQ(request["o"], 0);
  EXPECT_EQ(request["n"], 1);
  EXPECT_EQ(requested_bitmap(), Bytes{0b111});
}

TEST_F(Transfer, AllBlocksInOrderEndInActivate) {
  begin();
  for (std::uint32_t i = 0; i < 3; ++i) h_.send_block(job_, i);
  EXPECT_EQ(h_.environment.file, AgentHarness::file_content(10'000));
  EXPECT_EQ(h_.environment.written_signature, (Bytes{1, 2, 3, 4}));
  EXPECT_THAT(h_.environment.events, ElementsAre(OtaJobEventReceivedJob, OtaJobEventActivate));
  EXPECT_THAT(
      h_.updates(),
      ElementsAre(
          R"({"status":"IN_PROGRESS","statusDetails":{"receive":"1/3"}})",
          R"({"status":"IN_PROGRESS","statusDetails":{"self_test":"ready","updatedBy":"0x01000000"}})"));
  EXPECT_EQ(h_.environment.last_document->jobIdLength, job_.id.size() + 1);
  EXPECT_THAT(h_.environment.unsubscribed, ElementsAre("$aws/things/t/streams/AFR_OTA-s1/data/cbor"));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
  EXPECT_FALSE(h_.environment.timers.contains(OtaRequestTimer));
}

TEST_F(Transfer, ProgressIsQosZeroAndVerdictsQosOne) {
  begin();
  for (std::uint32_t i = 0; i < 3; ++i) h_.send_block(job_, i);
  std::vector<int> qos;
  for (const auto& message : h_.environment.published) {
    if (message.topic == kUpdateTopic) qos.push_back(message.qos);
  }
  EXPECT_THAT(qos, ElementsAre(0, 1));
}

TEST_F(Transfer, BlocksInAnyOrderAndTwiceEndInTheSameFile) {
  begin();
  for (const std::uint32_t i : {2U, 0U, 2U, 0U, 1U}) h_.send_block(job_, i);
  EXPECT_EQ(h_.environment.file, AgentHarness::file_content(10'000));
  EXPECT_EQ(h_.environment.events.back(), OtaJobEventActivate);
  EXPECT_EQ(h_.environment.buffers_returned, 6U);
}

TEST_F(Transfer, EachRequestCarriesOnlyWhatIsStillWanted) {
  begin();
  h_.send_block(job_, 1);
  EXPECT_EQ(requested_bitmap(), Bytes{0b101});
}

TEST_F(Transfer, SeveralBlocksPerRequestAreAskedForAgainWhenUsedUp) {
  h_.agent.configure({.blocks_per_request = 2});
  begin({.file_size = 5 * 4096});
  EXPECT_EQ(last_request()["n"], 2);
  h_.send_block(job_, 0);
  EXPECT_EQ(h_.stream_requests().size(), 1U);
  h_.send_block(job_, 1);
  EXPECT_EQ(h_.stream_requests().size(), 2U);
  h_.send_block(job_, 2);
  h_.send_block(job_, 3);
  EXPECT_EQ(last_request()["n"], 2) << "AWS's library asks for as many as ever";
}

TEST_F(Transfer, NeverAsksForMoreThanTheServiceSendsAtOnce) {
  h_.agent.configure({.blocks_per_request = 1000});
  begin({.file_size = 100 * 4096});
  EXPECT_EQ(last_request()["n"], 32);
}

TEST_F(Transfer, LostBlockIsAskedForWhenTheTimerRunsOut) {
  h_.agent.configure({.blocks_per_request = 3});
  begin();
  h_.send_block(job_, 0);
  h_.send_block(job_, 2);
  EXPECT_EQ(h_.stream_requests().size(), 1U);
  ASSERT_TRUE(h_.expire(OtaRequestTimer));
  EXPECT_EQ(requested_bitmap(), Bytes{0b010});
  h_.send_block(job_, 1);
  EXPECT_EQ(h_.environment.events.back(), OtaJobEventActivate);
}

TEST_F(Transfer, NoBlockAtAllAbortsTheJobAndStopsTheAgent) {
  h_.agent.configure({.max_request_momentum = 3});
  begin();
  EXPECT_TRUE(h_.expire(OtaRequestTimer));
  EXPECT_TRUE(h_.expire(OtaRequestTimer));
  EXPECT_EQ(h_.stream_requests().size(), 3U);
  EXPECT_TRUE(h_.expire(OtaRequestTimer));
  EXPECT_EQ(h_.updates().back(), R"({"status":"FAILED","statusDetails":{"reason":"aborted: 0x00000000"}})");
  EXPECT_THAT(h_.environment.image_states, ElementsAre(OtaImageStateAborted));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateStopped);
  EXPECT_THAT(h_.environment.timers, IsEmpty());
}

TEST_F(Transfer, ProgressResetsTheMomentum) {
  h_.agent.configure({.max_request_momentum = 3});
  begin();
  h_.expire(OtaRequestTimer);
  h_.send_block(job_, 0);
  h_.expire(OtaRequestTimer);
  h_.expire(OtaRequestTimer);
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock);
}

TEST_F(Transfer, ProgressIsReportedAtTheFirstBlockAndThenAtTheFrequency) {
  h_.agent.configure({.status_frequency = 2});
  begin({.file_size = 6 * 4096});
  for (std::uint32_t i = 0; i < 6; ++i) h_.send_block(job_, i);
  EXPECT_THAT(h_.updates(), ElementsAre(HasSubstr("\"1/6\""), HasSubstr("\"2/6\""), HasSubstr("\"4/6\""),
                                        HasSubstr("ready")));
}

TEST_F(Transfer, OneBlockFileSendsNoProgress) {
  begin({.file_size = 1});
  h_.send_block(job_, 0);
  EXPECT_THAT(h_.updates(), ElementsAre(HasSubstr("ready")));
}

class FailingTransfer : public Transfer {
 protected:
  void expect_failed(const std::string& reason) {
    EXPECT_EQ(h_.updates().back(), R"({"status":"FAILED","statusDetails":{"reason":")" + reason + R"("}})");
    EXPECT_EQ(h_.environment.events.back(), OtaJobEventFail);
    EXPECT_THAT(h_.environment.image_states, ElementsAre(OtaImageStateRejected));
    EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
    EXPECT_FALSE(h_.environment.timers.contains(OtaRequestTimer));
  }
};

TEST_F(FailingTransfer, WrongBlockSizeFailsTheJob) {
  begin();
  h_.receive_block(block_message(0, 0, Bytes(4095)));
  expect_failed("0x000000e0: 0x00000000");
}

TEST_F(FailingTransfer, ShortFileNeedsAShortLastBlock) {
  begin();
  h_.receive_block(block_message(0, 2, Bytes(4096)));
  expect_failed("0x000000e0: 0x00000000");
}

TEST_F(FailingTransfer, BlockBeyondTheFileFailsTheJob) {
  begin();
  h_.receive_block(block_message(0, 3, Bytes(1)));
  expect_failed("0x000000e0: 0x00000000");
}

TEST_F(FailingTransfer, UndecodableBlockFailsTheJob) {
  begin();
  h_.receive_block({0xBF, 0x00});
  expect_failed("0x000000e0: 0x00000000");
}

TEST_F(FailingTransfer, WriteErrorFailsTheJob) {
  begin();
  h_.environment.write_fails = true;
  h_.send_block(job_, 0);
  expect_failed("0x000000e0: 0x00000000");
  EXPECT_EQ(h_.environment.aborts, 1) << "the PAL's file must be closed";
}

TEST_F(FailingTransfer, BadSignatureIsReportedWithThePalsCode) {
  h_.environment.close_result = OTA_PAL_COMBINE_ERR(OtaPalSignatureCheckFailed, 0x12);
  begin({.file_size = 100});
  h_.send_block(job_, 0);
  expect_failed("0x000000e3: 0x00000012");
}

TEST_F(Transfer, BlockOfAnotherFileIsIgnored) {
  begin();
  h_.receive_block(block_message(7, 0, Bytes(4096)));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock);
  EXPECT_THAT(*h_.environment.file, Each(0xFF));
}

TEST_F(Transfer, LateBlocksAfterTheEndAreReturnedAndDropped) {
  begin({.file_size = 100});
  h_.send_block(job_, 0);
  const auto updates = h_.updates().size();
  h_.send_block(job_, 0);
  EXPECT_EQ(h_.updates().size(), updates);
  EXPECT_EQ(h_.agent.statistics().otaPacketsDropped, 1U);
  EXPECT_EQ(h_.environment.buffers_returned, 3U);
}

TEST_F(Transfer, OtherFileTypesAreCompleteWithoutASelfTest) {
  begin({.file_size = 100, .file_type = 0x0203});
  h_.send_block(job_, 0);
  EXPECT_THAT(h_.environment.events, ElementsAre(OtaJobEventReceivedJob, OtaJobEventUpdateComplete));
  EXPECT_THAT(h_.updates().back(),
              HasSubstr(R"("status":"SUCCEEDED","statusDetails":{"reason":"accepted  v0.0.515")"));
}

TEST_F(Transfer, StatisticsCountEveryPacketOnce) {
  begin();
  h_.send_block(job_, 0);
  h_.send_block(job_, 0);
  const OtaAgentStatistics_t statistics = h_.agent.statistics();
  EXPECT_EQ(statistics.otaPacketsReceived, 2U);
  EXPECT_EQ(statistics.otaPacketsQueued, 2U);
  EXPECT_EQ(statistics.otaPacketsProcessed, 1U) << "the second one was a duplicate";
  EXPECT_EQ(statistics.otaPacketsDropped, 0U);
}

TEST_F(Transfer, ActivationThatFailsIsReported) {
  h_.environment.activate_result = OTA_PAL_COMBINE_ERR(OtaPalActivateFailed, 2);
  h_.environment.on_activate = [this] { EXPECT_EQ(h_.agent.activate_new_image(), OtaErrActivateFailed); };
  begin({.file_size = 100});
  h_.send_block(job_, 0);
  EXPECT_EQ(h_.updates().back(), R"({"status":"FAILED","statusDetails":{"reason":"rejected: 0xec000002"}})");
}

TEST_F(Transfer, FullQueueAtTheEndStillClosesTheFile) {
  begin({.file_size = 100});
  h_.enqueue(OtaAgentEventReceivedFileBlock, block_message(0, 0, AgentHarness::block_content(100, 0)));
  h_.environment.queue_capacity = 0;
  h_.agent.process_next_event();
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
  EXPECT_EQ(h_.environment.unsubscribed.size(), 1U);
}

}  // namespace
}  // namespace ota_test
