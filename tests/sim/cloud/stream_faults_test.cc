// Each fault of streams, as a device sees the replies.
#include "sim/cloud/stream_faults.h"
#include "sim/base/json.h"

#include "sim/cloud/mqtt_front_end.h"
#include "tests/sim/cloud/cloud_fixture.h"
#include "tests/sim/cloud/notebook.h"

namespace otasim::cloud {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Json = nlohmann::json;

constexpr std::int64_t kBlock = 256;
constexpr std::int64_t kBlocks = 4;

class StreamFaultsTest : public CloudFixture {
 protected:
  StreamFaultsTest() {
    log_->listen([this](const Json& event) {
      if (event["event"] == "fault") events_.push_back(event);
    });
    const auto created =
        cloud_->streams().create({.id = StreamId::parse("s1").value(),
                                  .files = {{.file_id = 0, .object = upload(content_).location}}});
    EXPECT_TRUE(created);
  }

  /// Asks for blocks in one request. @returns the replies
  std::vector<Json> get(std::int64_t first, std::int64_t count, const std::string& device = "lamp") {
    notebook_.sent.clear();
    std::string request;
    Json::to_cbor({{"c", "rdy"}, {"f", 0}, {"l", kBlock}, {"o", first}, {"n", count}}, request);
    front_end_.handle_request({device, 7}, "$aws/things/" + device + "/streams/s1/get/cbor", request);
    std::vector<Json> replies;
    for (const Sent& sent : notebook_.sent) {
      EXPECT_TRUE(sent.topic.ends_with("/streams/s1/data/cbor")) << sent.topic;
      replies.push_back(Json::from_cbor(sent.payload));
    }
    return replies;
  }
  static std::vector<std::int64_t> numbers(const std::vector<Json>& replies) {
    std::vector<std::int64_t> all;
    for (const Json& reply : replies) all.push_back(reply["i"]);
    return all;
  }
  std::vector<std::uint8_t> block(std::int64_t index) const {
    return {content_.begin() + index * kBlock, content_.begin() + (index + 1) * kBlock};
  }
  static std::vector<std::uint8_t> data(const Json& reply) { return reply["p"].get_binary(); }
  StreamFaults& faults() { return cloud_->faults().streams; }

  std::vector<std::uint8_t> content_ = pattern(kBlock * kBlocks);
  std::vector<Json> events_;
  Notebook notebook_;
  MqttFrontEnd front_end_{cloud_->jobs(), cloud_->streams(), clock_, *log_, cloud_->faults(), notebook_};
};

TEST_F(StreamFaultsTest, RepliesThatPassAreTheSameAsWithoutAFault) {
  const auto before = get(0, kBlocks);
  faults().arm({.what = MissingReply{}, .strike = {.times = 0}});
  EXPECT_EQ(get(0, kBlocks), before);
  EXPECT_THAT(events_, IsEmpty());
}

TEST_F(StreamFaultsTest, JsonIsStruckAsCborIs) {
  faults().arm({.what = WrongBlock{.shift_blocks = 2}});
  front_end_.handle_request({"lamp", 7}, "$aws/things/lamp/streams/s1/get/json", R"({"f":0,"l":256,"n":1})");
  ASSERT_EQ(notebook_.sent.size(), 1U);
  EXPECT_EQ(notebook_.sent[0].topic, "$aws/things/lamp/streams/s1/data/json");
  EXPECT_EQ(Json::parse(notebook_.sent[0].payload)["i"], 2);
}

TEST_F(StreamFaultsTest, WrongBlockCarriesAnothersNumber) {
  faults().arm({.what = WrongBlock{.shift_blocks = -1}, .strike = {.after = 1, .times = 1}});
  const auto replies = get(0, kBlocks);
  EXPECT_THAT(numbers(replies), ElementsAre(0, 0, 2, 3));
  EXPECT_EQ(data(replies[1]), block(1)) << "with the data of the one asked for";
  ASSERT_EQ(events_.size(), 1U);
  Json event = events_[0];
  event.erase("n");
  event.erase("t_us");
  EXPECT_EQ(event, (Json{{"source", "cloud"},
                         {"event", "fault"},
                         {"fault", "stream.wrong_block"},
                         {"device", "lamp"},
                         {"stream", "s1"},
                         {"block", 1},
                         {"shift_blocks", -1}}));
}

TEST_F(StreamFaultsTest, WrongBlockMayBeOfAnotherFile) {
  faults().arm({.what = WrongBlock{.shift_blocks = 0, .file_id = 9}});
  const auto replies = get(0, 1);
  EXPECT_EQ(replies.at(0)["f"], 9);
  EXPECT_EQ(replies.at(0)["i"], 0);
  EXPECT_EQ(events_.at(0)["file_id"], 9);
}

TEST_F(StreamFaultsTest, WrongDataInvertsBytes) {
  faults().arm({.what = WrongData{.at_bytes = 10, .length_bytes = 2}});
  auto expected = block(0);
  for (const std::size_t at : {10U, 11U}) expected[at] = static_cast<std::uint8_t>(~expected[at]);
  const auto replies = get(0, 1);
  EXPECT_EQ(data(replies.at(0)), expected);
  EXPECT_EQ(replies.at(0)["l"], kBlock);
  EXPECT_EQ(events_.at(0)["fault"], "stream.wrong_data");
  EXPECT_EQ(events_.at(0)["at_bytes"], 10);
  EXPECT_EQ(events_.at(0)["length_bytes"], 2);
}

TEST_F(StreamFaultsTest, WrongDataWithoutAPlaceIsOneByteOfTheSeedsChoice) {
  faults().arm({.what = WrongData{}, .strike = {.times = 1, .seed = 4}});
  auto struck = data(get(0, 1).at(0));
  const std::size_t at = events_.at(0)["at_bytes"];
  struck.at(at) = static_cast<std::uint8_t>(~struck.at(at));
  EXPECT_EQ(struck, block(0));
}

TEST_F(StreamFaultsTest, WrongDataCountsOnlyBlocksThatHaveTheByte) {
  faults().arm({.what = WrongData{.at_bytes = kBlock}});
  EXPECT_EQ(data(get(0, 1).at(0)), block(0));
  EXPECT_THAT(events_, IsEmpty());
}

TEST_F(StreamFaultsTest, ShortBlockLacksItsEndAndSaysSo) {
  faults().arm({.what = ShortBlock{.by_bytes = 6}});
  const auto replies = get(1, 1);
  auto expected = block(1);
  expected.resize(kBlock - 6);
  EXPECT_EQ(data(replies.at(0)), expected);
  EXPECT_EQ(replies.at(0)["l"], kBlock - 6);
  EXPECT_EQ(events_.at(0)["fault"], "stream.short_block");
}

TEST_F(StreamFaultsTest, WrongSizeDeclaresWhatIsNotThere) {
  faults().arm({.what = WrongSize{.by_bytes = 100}});
  const auto replies = get(1, 1);
  EXPECT_EQ(data(replies.at(0)), block(1));
  EXPECT_EQ(replies.at(0)["l"], kBlock + 100);
  EXPECT_EQ(events_.at(0)["fault"], "stream.wrong_size");
}

TEST_F(StreamFaultsTest, MissingRepliesDoNotCome) {
  const FaultId id = faults().arm({.what = MissingReply{}, .strike = {.after = 1, .times = 2}});
  EXPECT_THAT(numbers(get(0, kBlocks)), ElementsAre(0, 3));
  EXPECT_EQ(events_.size(), 2U);
  EXPECT_EQ(events_[1]["fault"], "stream.missing");
  EXPECT_EQ(events_[1]["block"], 2);
  EXPECT_TRUE(faults().clear(id));
  EXPECT_FALSE(faults().clear(id));
  EXPECT_TRUE(faults().empty());
}

TEST_F(StreamFaultsTest, DuplicatesComeAgain) {
  faults().arm({.what = DuplicateReply{.copies = 2}, .strike = {.times = 1}});
  const auto replies = get(0, 2);
  EXPECT_THAT(numbers(replies), ElementsAre(0, 0, 0, 1));
  EXPECT_EQ(replies[1], replies[0]);
  EXPECT_EQ(events_.at(0)["fault"], "stream.duplicate");
}

TEST_F(StreamFaultsTest, ReorderLetsOthersPass) {
  faults().arm({.what = ReorderReply{.by = 2}, .strike = {.after = 1, .times = 1}});
  EXPECT_THAT(numbers(get(0, kBlocks)), ElementsAre(0, 2, 3, 1));
  EXPECT_EQ(events_.at(0)["fault"], "stream.reorder");
}

TEST_F(StreamFaultsTest, ReorderReachesBeyondARequest) {
  faults().arm({.what = ReorderReply{.by = 1}, .strike = {.times = 1}});
  EXPECT_THAT(numbers(get(0, 1)), IsEmpty());
  EXPECT_THAT(numbers(get(1, 1)), ElementsAre(1, 0));
}

TEST_F(StreamFaultsTest, WhatAClearedFaultHeldGoesWithTheNextReply) {
  const FaultId id = faults().arm({.what = ReorderReply{.by = 3}});
  EXPECT_THAT(numbers(get(0, 1)), IsEmpty());
  EXPECT_TRUE(faults().clear(id));
  EXPECT_THAT(numbers(get(1, 1)), ElementsAre(0, 1));
  EXPECT_TRUE(faults().empty());
}

TEST_F(StreamFaultsTest, AFaultOfOneDeviceLeavesTheOthers) {
  faults().arm({.what = MissingReply{}, .device = "door"});
  EXPECT_THAT(numbers(get(0, 1, "lamp")), ElementsAre(0));
  EXPECT_THAT(numbers(get(0, 1, "door")), IsEmpty());
}

TEST_F(StreamFaultsTest, FaultsCombineInTheOrderTheyWereArmed) {
  faults().arm({.what = DuplicateReply{}});
  faults().arm({.what = WrongBlock{.shift_blocks = 5}, .strike = {.times = 1}});
  EXPECT_THAT(numbers(get(0, 1)), ElementsAre(5, 0));
}

}  // namespace
}  // namespace otasim::cloud
