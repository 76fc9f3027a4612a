// Each fault of messages: what comes out for what goes in, and what the log says of it.
#include "sim/broker/message_faults.h"

#include <gmock/gmock.h>

#include "sim/base/json.h"

namespace otasim::broker {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Json = nlohmann::json;

const std::string kData = "$aws/things/lamp/streams/s1/data/cbor";
/// Longer than any test: whoever waits for it has failed.
constexpr std::int64_t kHour = 3'600'000;

class MessageFaultsTest : public ::testing::Test {
 protected:
  MessageFaultsTest() {
    log_->listen([this](const Json& event) { events_.push_back(event); });
  }

  void send(const std::string& payload, const std::string& topic = kData,
            Direction direction = Direction::kToDevice, const std::string& device = "lamp") {
    faults_.pass({direction, device, topic, payload},
                 [this](std::string_view what) { arrived_.emplace_back(what); });
  }
  void send_all(const std::vector<std::string>& payloads) {
    for (const std::string& payload : payloads) send(payload);
  }
  /// What has arrived since the last call.
  std::vector<std::string> arrived() { return std::exchange(arrived_, {}); }

  void run_until_arrived(std::size_t count) {
    io_.restart();
    while (arrived_.size() < count && io_.run_one_for(std::chrono::seconds(15)) > 0) {
    }
    ASSERT_EQ(arrived_.size(), count);
  }

  boost::asio::io_context io_;
  std::unique_ptr<report::EventLog> log_ = report::EventLog::in_memory();
  std::vector<Json> events_;
  Halt halt_;
  MessageFaults faults_{io_, *log_, &halt_};
  std::vector<std::string> arrived_;
};

TEST_F(MessageFaultsTest, WithoutAFaultEverythingArrives) {
  EXPECT_TRUE(faults_.empty());
  send_all({"a", "b"});
  EXPECT_THAT(arrived(), ElementsAre("a", "b"));
  EXPECT_THAT(events_, IsEmpty());
}

TEST_F(MessageFaultsTest, DropTakesTheMessagesOfItsPlan) {
  faults_.arm({.what = DropMessage{}, .strike = {.after = 1, .times = 2}});
  send_all({"a", "b", "c", "d"});
  EXPECT_THAT(arrived(), ElementsAre("a", "d"));
  ASSERT_EQ(events_.size(), 2U);
  Json event = events_[0];
  event.erase("n");
  event.erase("t_us");
  EXPECT_EQ(event, (Json{{"source", "broker"},
                         {"event", "fault"},
                         {"fault", "broker.drop"},
                         {"device", "lamp"},
                         {"direction", "to_device"},
                         {"topic", kData},
                         {"bytes", 1}}));
}

TEST_F(MessageFaultsTest, OnlyWhatMatchesIsCountedAndStruck) {
  faults_.arm({.match = {.device = "lamp", .direction = Direction::kFromDevice, .topic = "jobs/+/update"},
               .what = DropMessage{},
               .strike = {.after = 1}});
  const auto update = [](const std::string& thing) { return "$aws/things/" + thing + "/jobs/j1/update"; };
  send("to", update("lamp"), Direction::kToDevice);
  send("door", update("door"), Direction::kFromDevice, "door");
  send("get", "$aws/things/lamp/jobs/j1/get", Direction::kFromDevice);
  send("first", update("lamp"), Direction::kFromDevice);
  send("second", update("lamp"), Direction::kFromDevice);
  EXPECT_THAT(arrived(), ElementsAre("to", "door", "get", "first"));
}

TEST_F(MessageFaultsTest, AWholeTopicAndARelativeOneMeanTheSame) {
  for (const std::string filter :
       {"$aws/things/lamp/streams/+/data/cbor", "streams/+/data/cbor", "streams/#", "#"}) {
    const FaultId id = faults_.arm({.match = {.topic = filter}});
    send("x");
    EXPECT_THAT(arrived(), IsEmpty()) << filter;
    EXPECT_TRUE(faults_.clear(id));
  }
  for (const std::string filter : {"$aws/things/door/streams/#", "streams/+", "data/cbor", "+/data/cbor"}) {
    const FaultId id = faults_.arm({.match = {.topic = filter}});
    send("x");
    EXPECT_THAT(arrived(), ElementsAre("x")) << filter;
    EXPECT_TRUE(faults_.clear(id));
  }
  EXPECT_TRUE(is_topic_filter("streams/+/data/#"));
  EXPECT_FALSE(is_topic_filter("streams/#/data"));
  EXPECT_FALSE(is_topic_filter(""));
}

TEST_F(MessageFaultsTest, DuplicateSendsCopies) {
  faults_.arm({.what = DuplicateMessage{.copies = 2}, .strike = {.times = 1}});
  send_all({"a", "b"});
  EXPECT_THAT(arrived(), ElementsAre("a", "a", "a", "b"));
  ASSERT_EQ(events_.size(), 1U);
  EXPECT_EQ(events_[0]["fault"], "broker.duplicate");
  EXPECT_EQ(events_[0]["copies"], 2);
}

TEST_F(MessageFaultsTest, DelayLetsOthersOvertakeAndKeepsTheDelayedInOrder) {
  constexpr std::int64_t kDelay = 30;
  faults_.arm({.what = DelayMessage{.delay_ms = kDelay}, .strike = {.times = 2}});
  const auto begun = steady_clock::now();
  send_all({"a", "b", "c"});
  EXPECT_THAT(arrived_, ElementsAre("c"));
  run_until_arrived(3);
  EXPECT_GE(steady_clock::now() - begun, milliseconds(kDelay));
  EXPECT_THAT(arrived(), ElementsAre("c", "a", "b"));
  EXPECT_EQ(events_.at(0)["fault"], "broker.delay");
  EXPECT_EQ(events_.at(0)["delay_ms"], kDelay);
}

TEST_F(MessageFaultsTest, DelayStandsStillWithTheTarget) {
  faults_.arm({.what = DelayMessage{.delay_ms = 1}, .strike = {.times = 1}});
  halt_.begin();
  send("a");
  io_.run_for(milliseconds(120));
  EXPECT_THAT(arrived_, IsEmpty());
  halt_.end();
  run_until_arrived(1);
}

TEST_F(MessageFaultsTest, ReorderHoldsAMessageUntilSoManyHavePassed) {
  faults_.arm({.what = ReorderMessage{.by = 2, .limit_ms = kHour}, .strike = {.after = 1, .times = 1}});
  send_all({"a", "b", "c", "d", "e"});
  EXPECT_THAT(arrived(), ElementsAre("a", "c", "d", "b", "e"));
  ASSERT_EQ(events_.size(), 1U);
  EXPECT_EQ(events_[0]["fault"], "broker.reorder");
  EXPECT_EQ(events_[0]["by"], 2);
}

TEST_F(MessageFaultsTest, ReorderWithoutEndSwapsPairs) {
  faults_.arm({.what = ReorderMessage{.by = 1, .limit_ms = kHour}});
  send_all({"a", "b", "c", "d"});
  EXPECT_THAT(arrived(), ElementsAre("b", "a", "d", "c"));
}

TEST_F(MessageFaultsTest, ReorderGivesUpWaitingAtItsLimit) {
  faults_.arm({.what = ReorderMessage{.by = 5, .limit_ms = 20}, .strike = {.times = 1}});
  send_all({"a", "b"});
  EXPECT_THAT(arrived_, ElementsAre("b"));
  run_until_arrived(2);
  EXPECT_THAT(arrived(), ElementsAre("b", "a"));
}

TEST_F(MessageFaultsTest, CorruptInvertsTheByteItNames) {
  faults_.arm({.what = CorruptMessage{.at_bytes = 2}});
  send("abcd");
  EXPECT_THAT(arrived(), ElementsAre(std::string("ab") + static_cast<char>(~'c') + "d"));
  EXPECT_EQ(events_.at(0)["fault"], "broker.corrupt");
  EXPECT_EQ(events_.at(0)["at_bytes"], 2);
  send("ab");
  EXPECT_THAT(arrived(), ElementsAre("ab")) << "it has no such byte";
  EXPECT_EQ(events_.size(), 1U);
}

TEST_F(MessageFaultsTest, CorruptChoosesTheSameByteForTheSameSeed) {
  const std::string whole(1000, 'x');
  const auto struck = [&](std::uint64_t seed) {
    const FaultId id = faults_.arm({.what = CorruptMessage{}, .strike = {.seed = seed}});
    send(whole);
    EXPECT_TRUE(faults_.clear(id));
    const std::string payload = arrived().at(0);
    EXPECT_EQ(std::ranges::count(payload, 'x'), 999);
    return payload;
  };
  EXPECT_EQ(struck(1), struck(1));
  EXPECT_NE(struck(1), struck(2));
}

TEST_F(MessageFaultsTest, CorruptTruncates) {
  faults_.arm({.what = CorruptMessage{.truncate_bytes = 3}});
  send_all({"abcd", "abc", "ab"});
  EXPECT_THAT(arrived(), ElementsAre("a", "", "ab"));
  EXPECT_EQ(events_.at(0)["truncate_bytes"], 3);
  EXPECT_FALSE(events_.at(0).contains("at_bytes"));
  EXPECT_EQ(events_.size(), 2U);
}

TEST_F(MessageFaultsTest, FaultsMeetAMessageInTheOrderTheyWereArmed) {
  faults_.arm({.what = DuplicateMessage{}});
  faults_.arm({.what = CorruptMessage{.at_bytes = 0}, .strike = {.times = 1}});
  send("a");
  EXPECT_THAT(arrived(), ElementsAre(std::string(1, static_cast<char>(~'a')), "a"));
}

TEST_F(MessageFaultsTest, ClearingOneLetsGoOfWhatItHoldsAndLeavesTheOthers) {
  const FaultId held = faults_.arm({.what = DelayMessage{.delay_ms = kHour}, .strike = {.times = 1}});
  faults_.arm({.what = DropMessage{}, .strike = {.after = 2, .times = 1}});
  send_all({"a", "b"});
  EXPECT_THAT(arrived(), ElementsAre("b"));
  EXPECT_TRUE(faults_.clear(held));
  EXPECT_THAT(arrived(), ElementsAre("a"));
  EXPECT_FALSE(faults_.clear(held));
  EXPECT_FALSE(faults_.empty());
  send_all({"c", "d"});
  EXPECT_THAT(arrived(), ElementsAre("d")) << "the third that the other fault sees is dropped";
}

TEST_F(MessageFaultsTest, WhatIsHeldIsLostWithTheBroker) {
  const FaultId id = faults_.arm({.what = ReorderMessage{.by = 1, .limit_ms = kHour}});
  send("a");
  faults_.lose_held();
  send_all({"b", "c"});
  EXPECT_THAT(arrived(), ElementsAre("c", "b"));
  EXPECT_TRUE(faults_.clear(id));
  EXPECT_THAT(arrived(), IsEmpty());
}

TEST_F(MessageFaultsTest, AFaultMayClearItselfWhileItsMessageIsUnderWay) {
  FaultId id{};
  id = faults_.arm({.what = DuplicateMessage{.copies = 1}});
  int passed = 0;
  faults_.pass({Direction::kToDevice, "lamp", kData, "x"}, [&](std::string_view) {
    ++passed;
    faults_.clear(id);
  });
  EXPECT_EQ(passed, 2);
  EXPECT_TRUE(faults_.empty());
}

TEST_F(MessageFaultsTest, ItsEndLeavesNothingBehind) {
  {
    MessageFaults faults(io_, *log_, nullptr);
    faults.arm({.what = DelayMessage{.delay_ms = 0}});
    faults.pass({Direction::kToDevice, "lamp", kData, "x"}, [](std::string_view) { FAIL(); });
  }
  io_.run();
}

}  // namespace
}  // namespace otasim::broker
