// Topics to events: only this thing's, and only what the agent asked for.
#include "agent/app/message_router.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/agent/app/fake_app.h"

namespace app {
namespace {

using test::world;

class Router : public testing::Test {
 protected:
  Router() { test::reset_world(); }

  void receive(std::string_view topic, std::string_view payload) {
    router.on_message_begin(topic, static_cast<std::uint32_t>(payload.size()));
    const std::span bytes(reinterpret_cast<const std::uint8_t*>(payload.data()), payload.size());
    router.on_message_data(bytes.first(payload.size() / 2));
    router.on_message_data(bytes.subspan(payload.size() / 2));
    router.on_message_end();
  }
  static std::string text_of(const OtaEventMsg_t& event) {
    return {reinterpret_cast<const char*>(event.pEventData->data), event.pEventData->dataLength};
  }

  std::unique_ptr<EventBuffers> buffers = std::make_unique<EventBuffers>();
  MessageRouter router{*buffers, "thing-1"};
};

TEST_F(Router, EachKnownTopicBecomesItsEvent) {
  struct Case {
    const char* topic;
    OtaEvent_t event;
  };
  for (const Case& c : {
           Case{"$aws/things/thing-1/jobs/notify-next", OtaAgentEventReceivedJobDocument},
           Case{"$aws/things/thing-1/jobs/$next/get/accepted", OtaAgentEventReceivedJobDocument},
           Case{"$aws/things/thing-1/jobs/start-next/accepted", OtaAgentEventReceivedJobDocument},
           Case{"$aws/things/thing-1/streams/AFR_OTA-1/data/cbor", OtaAgentEventReceivedFileBlock},
           Case{"$aws/things/thing-1/streams/AFR_OTA-1/data/json", OtaAgentEventReceivedFileBlock},
       }) {
    test::reset_world();
    router.on_subscribe(c.topic);
    receive(c.topic, "payload");
    ASSERT_EQ(world().events.size(), 1U) << c.topic;
    EXPECT_EQ(world().events[0].eventId, c.event) << c.topic;
    EXPECT_EQ(text_of(world().events[0]), "payload");
  }
}

TEST_F(Router, EveryOtherTopicIsPassedOver) {
  for (const char* topic :
       {"$aws/things/thing-10/jobs/notify-next", "$aws/things/thing/jobs/notify-next",
        "$aws/things/thing-1/jobs/notify", "$aws/things/thing-1/jobs/notify-next/x",
        "$aws/things/thing-1/jobs/$next/get/rejected", "$aws/things/thing-1/jobs/start-next/rejected",
        "$aws/things/thing-1/jobs/start-next", "$aws/things/thing-1/jobs/job-1/get/accepted",
        "$aws/things/thing-1/streams//data/cbor", "$aws/things/thing-1/streams/a/b/data/cbor",
        "$aws/things/thing-1/streams/a/data/xml", "$aws/things/thing-1/streams/a/data/cbor/x",
        "$aws/things/thing-1/streams/data/json", "$aws/things/thing-10/streams/a/data/cbor",
        "/$aws/things/thing-1/jobs/notify-next", ""}) {
    router.on_subscribe(topic);
    receive(topic, "payload");
    EXPECT_TRUE(world().events.empty()) << topic;
  }
  EXPECT_EQ(router.dropped(), 0U) << "nobody waits for these";
}

TEST_F(Router, AMessageThatDoesNotFitIsDroppedCountedAndTold) {
  receive("$aws/things/thing-1/jobs/notify-next", std::string(OTA_DATA_BLOCK_SIZE, 'x'));
  EXPECT_EQ(world().events.size(), 1U);
  receive("$aws/things/thing-1/jobs/notify-next", std::string(OTA_DATA_BLOCK_SIZE + 1, 'x'));
  EXPECT_EQ(world().events.size(), 1U);
  EXPECT_EQ(router.dropped(), 1U);
  EXPECT_NE(world().console.find("dropped"), std::string::npos);
}

TEST_F(Router, MoreBytesThanWereAnnouncedAreNotWritten) {
  const std::vector<std::uint8_t> piece(OTA_DATA_BLOCK_SIZE, 'x');
  router.on_message_begin("$aws/things/thing-1/jobs/notify-next", 1);
  router.on_message_data(piece);
  router.on_message_data(piece);
  router.on_message_end();
  EXPECT_TRUE(world().events.empty());
}

TEST_F(Router, AFullQueueGivesTheBufferBack) {
  world().queue_is_full = true;
  for (std::size_t i = 0; i < 2 * EventBuffers::kCount; ++i) {
    receive("$aws/things/thing-1/jobs/notify-next", "x");
  }
  EXPECT_EQ(router.dropped(), 2 * EventBuffers::kCount);
  EXPECT_NE(buffers->acquire(), nullptr);
}

TEST_F(Router, WithoutABufferTheMessageIsDropped) {
  for (std::size_t i = 0; i <= EventBuffers::kCount; ++i)
    receive("$aws/things/thing-1/jobs/notify-next", "x");
  EXPECT_EQ(world().events.size(), EventBuffers::kCount);
  EXPECT_EQ(router.dropped(), 1U);
}

TEST_F(Router, ALostConnectionLeavesNoBufferBehind) {
  router.on_message_begin("$aws/things/thing-1/jobs/notify-next", 10);
  router.reset();
  router.on_message_end();
  EXPECT_TRUE(world().events.empty());
  for (std::size_t i = 0; i < EventBuffers::kCount; ++i) EXPECT_NE(buffers->acquire(), nullptr);
}

constexpr const char* kStream = "$aws/things/thing-1/streams/AFR_OTA-1/data/cbor";
constexpr const char* kOtherStream = "$aws/things/thing-1/streams/AFR_OTA-2/data/cbor";

TEST_F(Router, OnlyTheSubscribedStreamsBlocksArePassedOn) {
  receive(kStream, "before");
  router.on_subscribe(kStream);
  receive(kOtherStream, "other");
  receive("$aws/things/thing-1/streams/AFR_OTA-1/data/json", "other format");
  EXPECT_TRUE(world().events.empty());
  receive(kStream, "block");
  ASSERT_EQ(world().events.size(), 1U);
  EXPECT_EQ(text_of(world().events[0]), "block");
  EXPECT_EQ(router.dropped(), 0U) << "nobody waits for the others";
}

TEST_F(Router, ALateBlockOfAnEarlierStreamDoesNotReachTheNextJob) {
  router.on_subscribe(kStream);
  router.on_unsubscribe(kStream);
  receive(kStream, "late, while nothing or HTTP is on its way");
  router.on_subscribe(kOtherStream);
  receive(kStream, "late, during the next transfer");
  EXPECT_TRUE(world().events.empty());
  receive(kOtherStream, "block");
  EXPECT_EQ(world().events.size(), 1U);
}

TEST_F(Router, ASubscriptionToAnotherStreamTakesTheFirstOnesPlace) {
  router.on_subscribe(kStream);
  router.on_subscribe(kOtherStream);
  receive(kStream, "late");
  EXPECT_TRUE(world().events.empty());
}

/// There is one transfer at a time: whatever name the agent leaves it under, it is over.
TEST_F(Router, LeavingAnyStreamEndsTheTransfer) {
  router.on_subscribe(kStream);
  router.on_unsubscribe(kOtherStream);
  receive(kStream, "late");
  EXPECT_TRUE(world().events.empty());
}

TEST_F(Router, OtherSubscriptionsDoNotTouchTheStream) {
  router.on_subscribe(kStream);
  router.on_subscribe("$aws/things/thing-1/jobs/notify-next");
  router.on_unsubscribe("$aws/things/thing-1/jobs/notify-next");
  receive(kStream, "block");
  EXPECT_EQ(world().events.size(), 1U);
}

TEST_F(Router, AStreamNamedLikeAWildcardBringsNothing) {
  for (const char* filter : {"$aws/things/thing-1/streams/+/data/cbor", "$aws/things/thing-1/streams/#",
                             "$aws/things/thing-1/#", "#"}) {
    router.on_subscribe(filter);
    receive(kStream, "block");
    EXPECT_TRUE(world().events.empty()) << filter;
  }
}

TEST_F(Router, AStreamsTopicBeyondMqttsLimitBringsNothing) {
  const std::string prefix = "$aws/things/thing-1/streams/";
  const std::string suffix = "/data/cbor";
  const std::size_t most = mqtt::kMaxTopicLength - prefix.size() - suffix.size();
  const std::string longest = prefix + std::string(most, 's') + suffix;
  router.on_subscribe(longest);
  receive(longest, "block");
  EXPECT_EQ(world().events.size(), 1U);
  const std::string longer = prefix + std::string(most + 1, 's') + suffix;
  router.on_subscribe(longer);
  receive(longer, "block");
  receive(longest, "late");
  EXPECT_EQ(world().events.size(), 1U);
}

/// The rest of a message comes while the agent waits for UNSUBACK.
TEST_F(Router, ABlockHalfReceivedWhenTheStreamEndsIsGivenUp) {
  router.on_subscribe(kStream);
  router.on_message_begin(kStream, 4);
  router.on_message_data(std::vector<std::uint8_t>(2, 'x'));
  router.on_unsubscribe(kStream);
  router.on_message_data(std::vector<std::uint8_t>(2, 'x'));
  router.on_message_end();
  EXPECT_TRUE(world().events.empty());
  for (std::size_t i = 0; i < EventBuffers::kCount; ++i) EXPECT_NE(buffers->acquire(), nullptr);
}

TEST_F(Router, AJobHalfReceivedWhenTheStreamEndsIsNot) {
  router.on_subscribe(kStream);
  router.on_message_begin("$aws/things/thing-1/jobs/notify-next", 2);
  router.on_unsubscribe(kStream);
  router.on_message_data(std::vector<std::uint8_t>(2, 'x'));
  router.on_message_end();
  EXPECT_EQ(world().events.size(), 1U);
}

TEST_F(Router, ALostConnectionEndsTheSubscription) {
  router.on_subscribe(kStream);
  router.reset();
  receive(kStream, "late");
  EXPECT_TRUE(world().events.empty());
}

TEST_F(Router, AMessageTooLongDoesNotEndTheSubscription) {
  router.on_subscribe(kStream);
  const std::vector<std::uint8_t> piece(OTA_DATA_BLOCK_SIZE, 'x');
  router.on_message_begin(kStream, 1);
  router.on_message_data(piece);
  router.on_message_data(piece);
  router.on_message_end();
  receive(kStream, "block");
  ASSERT_EQ(world().events.size(), 1U);
  EXPECT_EQ(text_of(world().events[0]), "block");
}

}  // namespace
}  // namespace app
