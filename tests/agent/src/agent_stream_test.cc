// Several block requests on their way at once, in CBOR and JSON, and block sizes set at run time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/agent/src/fake_environment.h"

namespace ota_test {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Stream : public testing::Test {
 protected:
  void begin(const ota::Settings& settings, const JobSpec& job) {
    h_.agent.configure(settings);
    job_ = job;
    h_.start();
    h_.receive_job(job_text(job_));
    ASSERT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock);
  }
  json request(std::size_t index) {
    const Published message = h_.stream_requests().at(index);
    return message.topic.ends_with("json") ? json::parse(message.payload) : json::from_cbor(message.payload);
  }
  std::size_t request_count() { return h_.stream_requests().size(); }

  AgentHarness h_;
  JobSpec job_;
};

TEST_F(Stream, RequestsInFlightNameDisjointBlocks) {
  begin({.blocks_per_request = 4, .blocks_in_flight = 16}, {.file_size = 40 * 4096});
  EXPECT_EQ(request(0),
            json({{"c", "rdy"}, {"f", 0}, {"l", 4096}, {"o", 0}, {"b", json::binary({0x0F})}, {"n", 4}}));
  for (std::uint32_t i = 0; i < 4; ++i) h_.send_block(job_, i);
  ASSERT_EQ(request_count(), 3U) << "the window has grown to two requests";
  EXPECT_EQ(request(1)["o"], 0);
  EXPECT_EQ(request(1)["b"], json::binary({0x30})) << "blocks 4 and 5";
  EXPECT_EQ(request(2)["o"], 0);
  EXPECT_EQ(request(2)["b"], json::binary({0xC0, 0x03})) << "blocks 6 to 9";
  for (std::uint32_t i = 4; i < 10; ++i) h_.send_block(job_, i);
  EXPECT_EQ(request(3)["o"], 8) << "blocks 10 to 13";
  EXPECT_EQ(request(3)["b"], json::binary({0x3C}));
}

TEST_F(Stream, WindowedTransferEndsInTheFile) {
  begin({.blocks_per_request = 8, .blocks_in_flight = 32}, {.file_size = 100 * 4096 + 7});
  for (std::uint32_t i = 0; i < 101; ++i) h_.send_block(job_, i);
  EXPECT_EQ(h_.environment.file, AgentHarness::file_content(100 * 4096 + 7));
  EXPECT_EQ(h_.environment.events.back(), OtaJobEventActivate);
  EXPECT_LT(request_count(), 30U);
}

TEST_F(Stream, LostBlockIsAskedForAgainWithoutWaitingForTheTimer) {
  begin({.blocks_per_request = 8, .blocks_in_flight = 8 + 1}, {.file_size = 8 * 4096});
  for (const std::uint32_t i : {0U, 1U, 3U, 4U, 5U, 6U, 7U}) h_.send_block(job_, i);
  ASSERT_EQ(request_count(), 2U);
  EXPECT_EQ(request(1)["o"], 0);
  EXPECT_EQ(request(1)["b"], json::binary({0x04}));
  h_.send_block(job_, 2);
  EXPECT_EQ(h_.environment.events.back(), OtaJobEventActivate);
}

TEST_F(Stream, TimerAsksForEverythingThatIsStillWanted) {
  begin({.blocks_per_request = 4, .blocks_in_flight = 8}, {.file_size = 6 * 4096});
  h_.send_block(job_, 1);
  ASSERT_TRUE(h_.expire(OtaRequestTimer));
  EXPECT_EQ(request(request_count() - 1)["b"], json::binary({0x05})) << "half a window: blocks 0 and 2";
  EXPECT_THAT(h_.environment.notes, Contains(ota::Note::kBlocksLate));
}

TEST_F(Stream, ResumeAsksForTheMissingBlocksOnly) {
  begin({.blocks_per_request = 4, .blocks_in_flight = 8}, {.file_size = 6 * 4096});
  h_.send_block(job_, 0);
  ASSERT_EQ(h_.agent.suspend(), OtaErrNone);
  h_.run();
  EXPECT_EQ(h_.agent.state(), OtaAgentStateSuspended);
  ASSERT_EQ(h_.agent.resume(), OtaErrNone);
  h_.run();
  h_.receive_job(job_text(job_));
  EXPECT_EQ(request(request_count() - 1)["b"], json::binary({0b0001'1110}));
  EXPECT_EQ(h_.environment.creates, 1);
}

TEST_F(Stream, BlocksPerRequestStayWithin128KiB) {
  begin({.block_size = 256, .blocks_per_request = 10'000, .blocks_in_flight = 20'000},
        {.file_size = 1024 * 256});
  EXPECT_EQ(request(0)["n"], 512);
  EXPECT_EQ(request(0)["l"], 256);
}

TEST_F(Stream, BlockSizeIsBroughtIntoItsRange) {
  for (const auto& [asked, used] : std::vector<std::pair<std::uint32_t, std::uint32_t>>{
           {0, 256}, {255, 256}, {1000, 512}, {4096, 4096}, {UINT32_MAX, 4096}}) {
    AgentHarness h({.block_size = asked});
    h.start();
    h.receive_job(job_text({.file_size = 10'000}));
    ASSERT_EQ(h.stream_requests().size(), 1U);
    EXPECT_EQ(json::from_cbor(h.stream_requests()[0].payload)["l"], used) << asked;
  }
}

TEST_F(Stream, SmallBlocksEndInTheSameFile) {
  begin({.status_frequency = 1000, .block_size = 512}, {.file_size = 1300});
  const Bytes content = AgentHarness::file_content(1300);
  h_.receive_block(block_message(0, 2, {content.begin() + 1024, content.end()}));
  h_.receive_block(block_message(0, 0, {content.begin(), content.begin() + 512}));
  h_.receive_block(block_message(0, 1, {content.begin() + 512, content.begin() + 1024}));
  EXPECT_EQ(h_.environment.file, content);
  EXPECT_EQ(h_.environment.events.back(), OtaJobEventActivate);
}

TEST_F(Stream, StatusFrequencyOfZeroMeansEveryBlock) {
  begin({.status_frequency = 0}, {.file_size = 3 * 4096});
  h_.send_block(job_, 0);
  h_.send_block(job_, 1);
  EXPECT_THAT(h_.updates(), ElementsAre(HasSubstr("1/3"), HasSubstr("2/3")));
}

class JsonStream : public Stream {
 protected:
  void send_json(std::uint32_t index) {
    json message = json::from_cbor(block_message(
        0, index, AgentHarness::block_content(static_cast<std::uint32_t>(job_.file_size), index)));
    message["p"] = base64(message["p"].get_binary());
    const std::string text = message.dump();
    h_.receive_block({text.begin(), text.end()});
  }
};

TEST_F(JsonStream, AsksForRunsAndDecodesBase64) {
  begin({.blocks_per_request = 2, .stream_format = OTA_STREAM_JSON}, {.file_size = 3 * 4096 - 1});
  EXPECT_THAT(h_.environment.subscribed, Contains("$aws/things/t/streams/AFR_OTA-s1/data/json@0"));
  EXPECT_EQ(h_.stream_requests()[0].topic, "$aws/things/t/streams/AFR_OTA-s1/get/json");
  EXPECT_EQ(h_.stream_requests()[0].text(), R"({"c":"rdy","f":0,"l":4096,"o":0,"n":2})");
  send_json(0);
  send_json(1);
  EXPECT_EQ(request(1), json({{"c", "rdy"}, {"f", 0}, {"l", 4096}, {"o", 2}, {"n", 1}}));
  send_json(2);
  EXPECT_EQ(h_.environment.file, AgentHarness::file_content(3 * 4096 - 1));
  EXPECT_THAT(h_.environment.unsubscribed, ElementsAre("$aws/things/t/streams/AFR_OTA-s1/data/json"));
}

TEST_F(JsonStream, CborInAJsonStreamFailsTheJob) {
  begin({.stream_format = OTA_STREAM_JSON}, {.file_size = 4096});
  h_.send_block(job_, 0);
  EXPECT_THAT(h_.updates().back(), HasSubstr("0x000000e0: 0x00000000"));
  EXPECT_EQ(h_.environment.results.back(), OtaErrFailedToDecodeCbor);
}

}  // namespace
}  // namespace ota_test
