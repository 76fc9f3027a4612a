#include <gmock/gmock.h>

#include "sim/broker/broker_config.h"
#include "sim/broker/client_table.h"
#include "sim/broker/disconnect_log.h"
#include "sim/broker/port_reservation.h"
#include "sim/broker/principal.h"
#include "sim/broker/private_topics.h"
#include "sim/broker/topic_rules.h"
#include "tests/sim/broker/device_rights.h"

namespace otasim::broker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::may_receive;
using testing::may_request;
using testing::may_subscribe;
using ::testing::Not;

TEST(PrivateTopics, RequestAndDeliveryKeepClientAndTopic) {
  const ClientAddress client{"lamp:1", 42};
  EXPECT_EQ(request_topic(client, "$aws/things/lamp/jobs/get"),
            "otasim/request/lamp:1.42/$aws/things/lamp/jobs/get");
  const auto request = parse_request_topic(request_topic(client, "$aws/a/b"));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->client, client);
  EXPECT_EQ(request->topic, "$aws/a/b");
  const auto delivery = parse_deliver_topic("otasim/deliver/lamp/t");
  ASSERT_TRUE(delivery);
  EXPECT_EQ(delivery->client, (ClientAddress{"lamp", 0}));
}

TEST(PrivateTopics, RefuseEveryOtherShape) {
  for (const char* topic :
       {"", "otasim/", "otasim/request/", "otasim/request/lamp", "otasim/request/lamp/", "otasim/request//t",
        "otasim/request/.1/t", "otasim/request/lamp.x/t", "otasim/request/lamp.1x/t",
        "otasim/request/lamp.0/t", "otasim/request/lamp.07/t", "otasim/request/lamp.99999999999999999999/t",
        "otasim/deliver/lamp/t", "xotasim/request/lamp/t"}) {
    EXPECT_FALSE(parse_request_topic(topic)) << topic;
  }
  EXPECT_FALSE(parse_principal_topic("otasim/principal/" + std::string(63, 'a')));
  EXPECT_FALSE(parse_principal_topic("otasim/principal/" + std::string(64, 'A')));
  EXPECT_EQ(parse_principal_topic("otasim/principal/" + std::string(64, 'a')), std::string(64, 'a'));
  EXPECT_FALSE(parse_client_event_topic("otasim/event/connected"));
  EXPECT_FALSE(parse_client_event_topic("otasim/event/unknown/lamp"));
}

TEST(PrivateTopics, EventsAreReadBackAsWritten) {
  for (const ClientEvent event : {ClientEvent::kConnected, ClientEvent::kDisconnected, ClientEvent::kRefused,
                                  ClientEvent::kDenied, ClientEvent::kKicked}) {
    const auto parsed = parse_client_event_topic(client_event_topic(event, "lamp"));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->event, event);
    EXPECT_EQ(parsed->client_id, "lamp");
  }
}

TEST(DeviceRights, ATopicOfAnotherThingIsNotOwnThoughItsNameBeginsAlike) {
  EXPECT_TRUE(may_request("lamp", "$aws/things/lamp/jobs/get"));
  EXPECT_FALSE(may_request("lamp", "$aws/things/lamp2/jobs/get"));
  EXPECT_FALSE(may_request("lamp2", "$aws/things/lamp/jobs/get"));
  EXPECT_FALSE(may_subscribe("lamp", "$aws/things/lamp2/jobs/#"));
  EXPECT_FALSE(may_receive("lamp", "$aws/things/lamp2/jobs/notify"));
}

TEST(DeviceRights, OnlyServiceTopicsBelongToAThing) {
  EXPECT_FALSE(may_request("lamp", "$aws/things/lamp/jobs/"));
  EXPECT_FALSE(may_request("lamp", "$aws/things/lamp/jobs"));
  EXPECT_FALSE(may_request("lamp", "$aws/things/lamp/shadow/get"));
  EXPECT_FALSE(may_subscribe("lamp", "$aws/things/lamp/#"));
  EXPECT_FALSE(may_subscribe("lamp", "$aws/things/+/jobs/#"));
  EXPECT_TRUE(may_subscribe("lamp", "$aws/things/lamp/streams/+/data/cbor"));
}

TEST(DeviceRights, AnswersAreTheServicesToPublish) {
  for (const char* answer :
       {"jobs/notify", "jobs/notify-next", "jobs/get/accepted", "jobs/j/update/rejected",
        "streams/s/data/cbor", "streams/s/description/json", "streams/s/rejected/cbor"}) {
    const std::string topic = std::string{"$aws/things/lamp/"} + answer;
    EXPECT_FALSE(may_request("lamp", topic)) << topic;
    EXPECT_TRUE(may_receive("lamp", topic)) << topic;
  }
  // A stream may be called as an operation is.
  EXPECT_TRUE(may_request("lamp", "$aws/things/lamp/streams/data/get/cbor"));
}

TEST(ClientTable, AConnectionWithAKnownClientIdTakesOver) {
  ClientTable table;
  const int first = 0, second = 0;
  const auto number = table.add(&first, "lamp", "lamp", "f").number;
  EXPECT_GT(table.add(&second, "lamp", "lamp", "f").number, number);
  EXPECT_EQ(table.find(&first)->end_reason, EndReason::kDuplicateClientId);
  EXPECT_EQ(table.find_alive("lamp"), table.find(&second));
  ASSERT_TRUE(table.remove(&first));
  EXPECT_EQ(table.find_alive("lamp"), table.find(&second));
  ASSERT_TRUE(table.remove(&second));
  EXPECT_EQ(table.find_alive("lamp"), nullptr);
  EXPECT_FALSE(table.remove(&second));
}

TEST(ClientTable, AHandleThatIsUsedAgainIsANewConnection) {
  ClientTable table;
  const int handle = 0;
  table.add(&handle, "lamp", "lamp", "f");
  table.add(&handle, "door", "door", "g");
  EXPECT_EQ(table.find_alive("lamp"), nullptr);
  EXPECT_EQ(table.find(&handle)->end_reason, EndReason::kUnknown);
}

TEST(ClientTable, APrincipalThatIsMovedNamesTheConnectionsThatAreNoLongerRight) {
  ClientTable table;
  const int handle = 0;
  const auto grants = [](const char* thing) {
    return parse_principal_payload(thing == nullptr ? "" : testing::device_grants(thing));
  };
  EXPECT_THAT(table.set_principal("f", grants("lamp")), IsEmpty());
  EXPECT_THAT(table.principal("f")->things, ElementsAre("lamp"));
  table.add(&handle, "lamp", "lamp", "f");
  EXPECT_THAT(table.set_principal("f", grants("lamp")), IsEmpty());
  EXPECT_THAT(table.set_principal("f", grants("door")), ElementsAre("lamp"));
  EXPECT_THAT(table.set_principal("f", grants(nullptr)), ElementsAre("lamp"));
  EXPECT_EQ(table.principal("f"), nullptr);
}

TEST(ClientTable, AChangeOfPoliciesHoldsForConnectionsThatAreOpen) {
  ClientTable table;
  const int handle = 0;
  table.set_principal("f", parse_principal_payload(testing::device_grants("lamp")));
  const Connection& lamp = table.add(&handle, "lamp", "lamp", "f");
  const std::string topic = topic_resource("weather/today");
  EXPECT_FALSE(table.allows(lamp, "iot:Publish", topic));
  EXPECT_THAT(table.set_principal("f", parse_principal_payload(principal_payload({"lamp"}, {open_policy()}))),
              IsEmpty());
  EXPECT_TRUE(table.allows(lamp, "iot:Publish", topic));
}

TEST(Principal, IsReadBackAsWrittenAndNothingElseIs) {
  const auto read = parse_principal_payload(principal_payload({"a", "b"}, {open_policy()}));
  ASSERT_TRUE(read);
  EXPECT_THAT(read->things, ElementsAre("a", "b"));
  EXPECT_EQ(read->policies.size(), 1U);
  EXPECT_EQ(read->thing_of("b"), "b");
  EXPECT_EQ(read->thing_of("c"), "");
  for (const char* wrong :
       {"", "{", "[]", "{}", R"({"things":[1],"policies":[]})", R"({"things":[],"policies":["{}"]})"}) {
    EXPECT_FALSE(parse_principal_payload(wrong)) << wrong;
  }
}

TEST(TopicRules, KnowsWhatATopicIsFor) {
  EXPECT_EQ(kind_of("weather/today"), TopicKind::kApplication);
  EXPECT_EQ(kind_of("$aws/things/lamp/jobs/get"), TopicKind::kRequest);
  for (const char* reserved :
       {"$aws/things/lamp/jobs/notify", "$aws/things/lamp/shadow/get", "$aws/events/job/j/completed",
        "$aws/things/la mp/jobs/get", "$aws/things/lamp", "$aws/things/lamp/streams/"}) {
    EXPECT_EQ(kind_of(reserved), TopicKind::kReserved) << reserved;
  }
  EXPECT_EQ(kind_of("otasim/kick/lamp"), TopicKind::kPrivate);
  EXPECT_EQ(kind_of("$SYS/broker/log"), TopicKind::kPrivate);
  EXPECT_EQ(kind_of("a/b/c/d/e/f/g/h"), TopicKind::kApplication);
  EXPECT_EQ(kind_of("a/b/c/d/e/f/g/h/i"), TopicKind::kTooLong);
  EXPECT_EQ(kind_of(std::string(kMaxTopic + 1, 'x')), TopicKind::kTooLong);
}

TEST(TopicRules, ASharedSubscriptionIsJudgedByItsFilter) {
  EXPECT_EQ(without_share("$share/g/a/b"), "a/b");
  EXPECT_EQ(without_share("a/b"), "a/b");
  EXPECT_FALSE(is_fit_for_subscription("$share/g"));
  EXPECT_FALSE(is_fit_for_subscription("$share/g/otasim/#"));
  EXPECT_TRUE(is_fit_for_subscription("$share/g/weather/#"));
  EXPECT_FALSE(is_fit_for_subscription("$SYS/#"));
  EXPECT_TRUE(
      is_fit_for_subscription("#"));  // matches nothing that begins with $; otasim/ is never delivered
}

TEST(TokenBucket, LetsASecondsWorthThroughAndNoMore) {
  TokenBucket bucket(100);
  const auto start = TokenBucket::Time(std::chrono::seconds(1000));
  int taken = 0;
  while (bucket.take(1, start)) ++taken;
  EXPECT_EQ(taken, 100);
  EXPECT_FALSE(bucket.take(1, start + std::chrono::milliseconds(5)));
  EXPECT_TRUE(bucket.take(1, start + std::chrono::milliseconds(20)));
}

TEST(TokenBucket, PaysALargeMessageOffAfterwards) {
  TokenBucket bucket(100);
  const auto start = TokenBucket::Time(std::chrono::seconds(1000));
  EXPECT_TRUE(bucket.take(250, start));
  EXPECT_FALSE(bucket.take(1, start + std::chrono::seconds(1)));
  EXPECT_TRUE(bucket.take(1, start + std::chrono::seconds(2)));
}

TEST(DisconnectLog, KnowsMosquittosSentences) {
  EXPECT_EQ(end_reason_in("Client lamp disconnected.", "lamp"), EndReason::kClientInitiatedDisconnect);
  EXPECT_EQ(end_reason_in("Client lamp has exceeded timeout, disconnecting.", "lamp"),
            EndReason::kKeepAliveTimeout);
  EXPECT_EQ(end_reason_in("Client lamp closed its connection.", "lamp"), EndReason::kConnectionLost);
  EXPECT_EQ(end_reason_in("Bad socket read/write on client lamp: reset", "lamp"), EndReason::kConnectionLost);
  EXPECT_EQ(end_reason_in("Client lamp2 disconnected.", "lamp"), EndReason::kUnknown);
  EXPECT_EQ(end_reason_in("Client lamp disconnected. closed its connection.", "lamp"), EndReason::kUnknown);
}

TEST(BrokerConfig, RequiresClientCertificatesAndOpensThePrivateListenerLast) {
  const auto text =
      render_config({.port = 8883, .ca_path = "/lab/ca.pem", .socket_path = "/lab/mirror.sock"});
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, HasSubstr("listener 8883 127.0.0.1\n"));
  EXPECT_THAT(*text, HasSubstr("require_certificate true\n"));
  EXPECT_THAT(*text, HasSubstr("allow_anonymous false\n"));
  EXPECT_THAT(*text, Not(HasSubstr("user root")));
  EXPECT_TRUE(text->ends_with("listener 0 /lab/mirror.sock\n"));
}

TEST(BrokerConfig, RefusesAPathThatWouldAddALine) {
  const auto text = render_config({.port = 1, .plugin_path = "/x\nallow_anonymous true"});
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ExitCode::kUsage);
}

TEST(PortReservation, APortStaysReservedUntilLetGo) {
  const auto first = PortReservation::take(0);
  const auto second = PortReservation::take(0);
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->port(), 0);
  EXPECT_NE(first->port(), second->port());
}

}  // namespace
}  // namespace otasim::broker
