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
        "$aws/things/thing-1/streams/data/json", "/$aws/things/thing-1/jobs/notify-next", ""}) {
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

}  // namespace
}  // namespace app
