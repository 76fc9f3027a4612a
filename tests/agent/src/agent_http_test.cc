// The transfer over HTTP: ranges, windows of them, expired URLs, and what a failed client leads to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agent/src/fake_environment.h"

namespace ota_test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Range = std::pair<std::uint32_t, std::uint32_t>;

constexpr const char* kUrl = "https://host/fw.bin?X-Amz-Expires=60";

class Http : public testing::Test {
 protected:
  void begin(std::uint32_t file_size, ota::Settings settings = {}) {
    settings.data_protocols = OTA_DATA_OVER_MQTT | OTA_DATA_OVER_HTTP;
    settings.primary_data_protocol = OTA_DATA_OVER_HTTP;
    h_.agent.configure(settings);
    job_ = {.file_size = file_size, .protocols = R"(["MQTT","HTTP"])", .url = kUrl};
    h_.start();
    h_.receive_job(job_text(job_));
  }
  void send(std::uint32_t index) {
    h_.receive_block(AgentHarness::block_content(static_cast<std::uint32_t>(job_.file_size), index));
  }
  void enqueue(std::uint32_t index) {
    h_.enqueue(OtaAgentEventReceivedFileBlock,
               AgentHarness::block_content(static_cast<std::uint32_t>(job_.file_size), index));
  }
  std::size_t job_requests() {
    return static_cast<std::size_t>(
        std::ranges::count(h_.environment.published, "$aws/things/t/jobs/$next/get", &Published::topic));
  }
  void expect_complete() {
    EXPECT_EQ(h_.environment.file, AgentHarness::file_content(static_cast<std::uint32_t>(job_.file_size)));
    EXPECT_EQ(h_.environment.events.back(), OtaJobEventActivate);
    EXPECT_THAT(h_.updates().back(), HasSubstr("ready"));
    EXPECT_THAT(h_.environment.http_url, IsEmpty()) << "the client is closed";
  }

  AgentHarness h_;
  JobSpec job_;
};

TEST_F(Http, OneBlockAtATimeAsAwssLibraryDoes) {
  begin(10'000);
  EXPECT_EQ(h_.environment.http_url, kUrl);
  EXPECT_THAT(h_.environment.subscribed, ElementsAre("$aws/things/t/jobs/notify-next@1")) << "no stream";
  EXPECT_THAT(h_.environment.http_ranges, ElementsAre(Range(0, 4095)));
  send(0);
  send(1);
  EXPECT_THAT(h_.environment.http_ranges, ElementsAre(Range(0, 4095), Range(4096, 8191), Range(8192, 9999)));
  send(2);
  expect_complete();
}

TEST_F(Http, LargerRangesAndSeveralOfThem) {
  begin(20 * 4096 + 1, {.blocks_per_http_request = 4, .blocks_in_flight = 8});
  EXPECT_THAT(h_.environment.http_ranges, ElementsAre(Range(0, 4 * 4096 - 1)));
  for (std::uint32_t i = 0; i < 4; ++i) send(i);
  EXPECT_THAT(h_.environment.http_ranges,
              ElementsAre(Range(0, 16383), Range(16384, 24575), Range(24576, 40959)))
      << "as the window grew: two blocks, then four";
  for (std::uint32_t i = 4; i < 21; ++i) send(i);
  EXPECT_EQ(h_.environment.http_ranges.size(), 0U);
  expect_complete();
}

TEST_F(Http, BlocksOfAStreamRequestAreNoHttpRange) {
  begin(20 * 4096, {.blocks_per_request = 4});
  EXPECT_THAT(h_.environment.http_ranges, ElementsAre(Range(0, 4095)))
      << "AWS's ports take one block at a time";
}

TEST_F(Http, NeverMoreRequestsThanTheAgentTracks) {
  begin(100 * 4096, {.blocks_per_http_request = 1, .blocks_in_flight = 64});
  for (std::uint32_t i = 0; i < 100; ++i) {
    EXPECT_LE(h_.environment.http_ranges.size(), i + 8);
    send(i);
  }
  expect_complete();
}

TEST_F(Http, MqttIsUsedIfItIsThePrimary) {
  h_.agent.configure({.data_protocols = OTA_DATA_OVER_MQTT | OTA_DATA_OVER_HTTP});
  h_.start();
  h_.receive_job(job_text({.protocols = R"(["HTTP","MQTT"])", .url = kUrl}));
  EXPECT_EQ(h_.environment.http_inits, 0);
  EXPECT_EQ(h_.stream_requests().size(), 1U);
}

TEST_F(Http, OtherProtocolIsUsedIfOnlyItIsOffered) {
  h_.agent.configure({.data_protocols = OTA_DATA_OVER_MQTT | OTA_DATA_OVER_HTTP});
  h_.start();
  h_.receive_job(job_text({.protocols = R"(["HTTP"])", .stream = "", .url = kUrl}));
  EXPECT_EQ(h_.environment.http_inits, 1);
}

TEST_F(Http, WithoutAClientOrAUrlItIsNoProtocol) {
  h_.environment.has_http_client = false;
  begin(100);
  EXPECT_EQ(h_.stream_requests().size(), 1U) << "the job's other protocol";
  AgentHarness without_url({.data_protocols = OTA_DATA_OVER_HTTP});
  without_url.start();
  without_url.receive_job(job_text({.protocols = R"(["HTTP"])"}));
  EXPECT_THAT(without_url.updates(), ElementsAre(HasSubstr("aborted: 0x0000000d")));
}

TEST_F(Http, ExpiredUrlIsReplacedAndTheFileGoesOn) {
  begin(5 * 4096);
  send(0);
  send(1);
  h_.signal(OtaAgentEventRequestJobDocument);  // the client got 403
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
  EXPECT_THAT(h_.environment.http_url, IsEmpty());
  EXPECT_EQ(job_requests(), 2U);
  send(2);
  EXPECT_EQ(h_.agent.statistics().otaPacketsDropped, 1U) << "of the old connection";
  job_.url = "https://host/fw.bin?new";
  h_.receive_job(job_text(job_));
  EXPECT_EQ(h_.environment.http_url, "https://host/fw.bin?new");
  EXPECT_THAT(h_.environment.http_ranges, ElementsAre(Range(8192, 12287)));
  EXPECT_EQ(h_.environment.creates, 1) << "the same file";
  for (std::uint32_t i = 2; i < 5; ++i) send(i);
  expect_complete();
}

TEST_F(Http, ServerThatRefusesEveryUrlEndsTheJob) {
  begin(5 * 4096, {.max_request_momentum = 3});
  for (int i = 0; i < 2; ++i) {
    h_.signal(OtaAgentEventRequestJobDocument);
    h_.receive_job(job_text(job_));
    EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock);
  }
  h_.signal(OtaAgentEventRequestJobDocument);
  EXPECT_THAT(h_.updates(),
              ElementsAre(HasSubstr(R"("status":"FAILED","statusDetails":{"reason":"aborted: 0x0000000e")")));
  EXPECT_THAT(h_.environment.notes, Contains(ota::Note::kUrlsRefused));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob) << "for the next job";
  EXPECT_EQ(h_.environment.aborts, 1);
}

TEST_F(Http, EveryBlockAllowsNewRenewals) {
  begin(5 * 4096, {.max_request_momentum = 2});
  for (std::uint32_t i = 0; i < 5; ++i) {
    send(i);
    if (i == 4) break;
    h_.signal(OtaAgentEventRequestJobDocument);
    h_.receive_job(job_text(job_));
  }
  expect_complete();
}

TEST_F(Http, SilenceOpensTheClientAnewBehindWhatIsStillQueued) {
  begin(5 * 4096, {.blocks_per_http_request = 2, .blocks_in_flight = 4});
  enqueue(0);
  ASSERT_EQ(h_.environment.timers.erase(OtaRequestTimer), 1U);
  h_.agent.on_timer(OtaRequestTimer);
  enqueue(1);  // came in between: nobody can tell which request it answers
  h_.run();
  EXPECT_EQ(h_.environment.http_inits, 2);
  EXPECT_THAT(h_.environment.http_ranges, ElementsAre(Range(4096, 8191))) << "from block 1 on, half a window";
  for (std::uint32_t i = 1; i < 5; ++i) send(i);
  expect_complete();
}

TEST_F(Http, RequestThatWasDueBeforeSilenceIsNotMadeBeforeTheQueueIsClean) {
  begin(5 * 4096, {.blocks_per_http_request = 2, .blocks_in_flight = 4});
  enqueue(0);
  ASSERT_EQ(h_.environment.timers.erase(OtaRequestTimer), 1U);
  h_.agent.on_timer(OtaRequestTimer);
  h_.agent.process_next_event();  // block 0: a further request is due, behind the timer
  enqueue(1);                     // and this block stands behind that
  h_.run();
  EXPECT_THAT(h_.environment.http_ranges, ElementsAre(Range(4096, 8191)));
  EXPECT_EQ(std::ranges::count(*h_.environment.file, 0xFF),
            4 * 4096 + std::ranges::count(AgentHarness::block_content(5 * 4096, 0), 0xFF));
  for (std::uint32_t i = 1; i < 5; ++i) send(i);
  expect_complete();
}

TEST_F(Http, ClientThatCannotBeOpenedIsTriedAgain) {
  h_.environment.http_init_fails = true;
  begin(100);
  EXPECT_EQ(h_.agent.state(), OtaAgentStateCreatingFile);
  EXPECT_EQ(h_.environment.results.back(), OtaErrInitFileTransferFailed);
  h_.environment.http_init_fails = false;
  ASSERT_TRUE(h_.expire(OtaRequestTimer));
  send(0);
  expect_complete();
}

TEST_F(Http, ClientThatCannotBeOpenedAnewIsTriedAgain) {
  begin(100);
  h_.environment.http_init_fails = true;
  ASSERT_TRUE(h_.expire(OtaRequestTimer));
  EXPECT_EQ(h_.environment.results.back(), OtaErrInitFileTransferFailed);
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock);
  h_.environment.http_init_fails = false;
  ASSERT_TRUE(h_.expire(OtaRequestTimer));
  send(0);
  expect_complete();
}

TEST_F(Http, RequestThatFailsIsMadeAgain) {
  h_.environment.http_request_fails = true;
  begin(100);
  EXPECT_EQ(h_.environment.results.back(), OtaErrRequestFileBlockFailed);
  h_.environment.http_request_fails = false;
  ASSERT_TRUE(h_.expire(OtaRequestTimer)) << "in RequestingFileBlock the client need not be opened anew";
  send(0);
  expect_complete();
}

TEST_F(Http, NoAnswerAtAllAbortsTheJobAndStopsTheAgent) {
  begin(100, {.max_request_momentum = 3});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(h_.expire(OtaRequestTimer));
  EXPECT_THAT(h_.updates(), ElementsAre(HasSubstr("aborted: 0x00000000")));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateStopped);
  EXPECT_THAT(h_.environment.http_url, IsEmpty());
}

TEST_F(Http, BodyOfTheWrongSizeFailsTheJob) {
  for (const std::size_t size : {0U, 4095U, 4097U}) {
    AgentHarness h({.data_protocols = OTA_DATA_OVER_HTTP, .primary_data_protocol = OTA_DATA_OVER_HTTP});
    h.start();
    h.receive_job(job_text({.protocols = R"(["HTTP"])", .url = kUrl}));
    h.receive_block(Bytes(size));
    EXPECT_THAT(h.updates(), ElementsAre(HasSubstr("0x000000e0: 0x00000000"))) << size;
  }
}

TEST_F(Http, BodyThatNobodyAskedForIsIgnored) {
  begin(3 * 4096);
  enqueue(0);
  enqueue(1);  // block 1 is not asked for before block 0 is handled
  h_.agent.process_next_event();
  h_.agent.process_next_event();
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock);
  EXPECT_THAT(h_.updates(), ElementsAre(HasSubstr("1/3")));
  h_.run();
  send(1);
  send(2);
  expect_complete();
}

TEST_F(Http, SuspendClosesTheClientAndResumeGoesOn) {
  begin(5 * 4096);
  send(0);
  ASSERT_EQ(h_.agent.suspend(), OtaErrNone);
  h_.run();
  EXPECT_THAT(h_.environment.http_url, IsEmpty());
  send(1);
  ASSERT_EQ(h_.agent.resume(), OtaErrNone);
  h_.run();
  h_.receive_job(job_text(job_));
  EXPECT_THAT(h_.environment.http_ranges, ElementsAre(Range(4096, 8191)));
  for (std::uint32_t i = 1; i < 5; ++i) send(i);
  expect_complete();
}

TEST_F(Http, CleanupThatFailsIsReportedAndNothingElse) {
  begin(100);
  h_.environment.http_deinit_fails = true;
  send(0);
  EXPECT_EQ(h_.environment.results.back(), OtaErrCleanupDataFailed);
  expect_complete();
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
}

}  // namespace
}  // namespace ota_test
