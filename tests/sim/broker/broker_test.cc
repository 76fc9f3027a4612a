// A real Mosquitto with the plugin: what devices can and cannot do, and what the mirror is told.
#include "sim/broker/broker.h"

#include <gmock/gmock.h>
#include <signal.h>

#include "sim/base/json.h"
#include "sim/broker/broker_client.h"
#include "sim/broker/broker_config.h"
#include "sim/broker/iot_policy.h"
#include "sim/broker/principal.h"
#include "sim/broker/rate_limit.h"
#include "sim/broker/topic_rules.h"
#include "tests/sim/broker/device_client.h"
#include "tests/sim/broker/device_rights.h"

namespace otasim::broker {
namespace {

using ::testing::AllOf;
using testing::DeviceClient;
using ::testing::HasSubstr;
using testing::Message;
using testing::run_until;
using testing::TestIdentity;

constexpr int kNotAuthorised = 5;
constexpr int kSubscriptionRefused = 0x80;
const std::string kJobs = "$aws/things/lamp/jobs/";

class BrokerTest : public ::testing::Test {
 protected:
  BrokerTest()
      : lamp_(lab_.issue("lamp", crypto::Purpose::kTlsClient)),
        door_(lab_.issue("door", crypto::Purpose::kTlsClient)) {
    auto broker = Broker::start(io_, lab_.broker_spec());
    EXPECT_TRUE(broker) << broker.error().message << "\n" << broker.error().hint;
    broker_ = std::move(*broker);
    auto mirror = BrokerClient::connect(io_, broker_->socket_path(),
                                        {.on_message =
                                             [this](std::string_view topic, std::string_view payload) {
                                               heard_.push_back({std::string{topic}, std::string{payload}});
                                             },
                                         .on_lost = [this](const Error& error) { lost_ = error.message; }});
    EXPECT_TRUE(mirror) << mirror.error().message;
    mirror_ = std::move(*mirror);
    attach(lamp_, "lamp");
    attach(door_, "door");
  }

  /// Publishes as the mirror and waits until the plugin has handled it.
  void tell_plugin(const std::string& topic, const std::string& payload) {
    bool handled = false;
    mirror_->publish(topic, payload, 1, [&handled] { handled = true; });
    ASSERT_TRUE(run_until(io_, [&handled] { return handled; }));
  }

  void attach(const TestIdentity& identity, const std::string& thing) {
    tell_plugin(principal_topic(identity.fingerprint), thing.empty() ? "" : testing::device_grants(thing));
  }

  void connect(DeviceClient& device, const TestIdentity& identity) {
    ASSERT_EQ(device.connect(lab_, broker_->port(), identity), 0);
  }

  /// The first message the mirror hears whose topic starts so.
  Message heard(const std::string& prefix) {
    const auto find = [&] {
      return std::ranges::find_if(heard_, [&](const Message& m) { return m.topic.starts_with(prefix); });
    };
    EXPECT_TRUE(run_until(io_, [&] { return find() != heard_.end(); })) << "the mirror heard no " << prefix;
    return find() == heard_.end() ? Message{} : *find();
  }

  /// All that was published to the device before this has reached it when this returns.
  void flush_to(DeviceClient& device) {
    const std::string topic = kJobs + "flush/accepted";
    ASSERT_EQ(device.count(topic), 0U) << "one flush a test";
    mirror_->publish(deliver_topic({"lamp", 0}, topic), "", 0);
    device.payload_of(topic);
  }

  testing::TestLab lab_;
  TestIdentity lamp_;
  TestIdentity door_;
  boost::asio::io_context io_;
  std::unique_ptr<Broker> broker_;
  std::unique_ptr<BrokerClient> mirror_;
  std::vector<Message> heard_;
  std::string lost_;
};

TEST_F(BrokerTest, PassesARequestToTheMirrorWithTheConnectionThatMadeIt) {
  DeviceClient lamp(io_, "lamp");
  connect(lamp, lamp_);
  EXPECT_TRUE(lamp.publish(kJobs + "$next/get", "{}"));
  const Message request = heard("otasim/request/");
  const auto parsed = parse_request_topic(request.topic);
  ASSERT_TRUE(parsed) << request.topic;
  EXPECT_EQ(parsed->client.client_id, "lamp");
  EXPECT_GT(parsed->client.connection, 0U);
  EXPECT_EQ(parsed->topic, kJobs + "$next/get");
  EXPECT_EQ(request.payload, "{}");
}

TEST_F(BrokerTest, DeliversAnAnswerToAClientThatNeverSubscribed) {
  DeviceClient lamp(io_, "lamp");
  connect(lamp, lamp_);
  mirror_->publish(deliver_topic({"lamp", 0}, kJobs + "get/accepted"), "answer", 0);
  EXPECT_EQ(lamp.payload_of(kJobs + "get/accepted"), "answer");
  flush_to(lamp);
  EXPECT_EQ(lamp.count(kJobs + "get/accepted"), 1U);
}

TEST_F(BrokerTest, DeliversAnAnswerOnceToAClientThatSubscribed) {
  DeviceClient lamp(io_, "lamp");
  connect(lamp, lamp_);
  ASSERT_EQ(lamp.subscribe(kJobs + "#"), 1);
  mirror_->publish(deliver_topic({"lamp", 0}, kJobs + "get/accepted"), "answer", 1);
  EXPECT_EQ(lamp.payload_of(kJobs + "get/accepted"), "answer");
  flush_to(lamp);
  EXPECT_EQ(lamp.count(kJobs + "get/accepted"), 1U);
}

TEST_F(BrokerTest, DoesNotDeliverAnAnswerToAnotherConnectionWithTheSameClientId) {
  DeviceClient lamp(io_, "lamp");
  connect(lamp, lamp_);
  ASSERT_TRUE(lamp.publish(kJobs + "get", "{}"));
  const auto asked = parse_request_topic(heard("otasim/request/").topic);
  ASSERT_TRUE(asked);
  DeviceClient successor(io_, "lamp");
  connect(successor, lamp_);
  mirror_->publish(deliver_topic(asked->client, kJobs + "get/accepted"), "answer", 0);
  flush_to(successor);
  EXPECT_EQ(successor.count(kJobs + "get/accepted"), 0U);
}

TEST_F(BrokerTest, SendsANotificationOnlyToTheThingsOwnSubscriber) {
  DeviceClient lamp(io_, "lamp");
  DeviceClient door(io_, "door");
  connect(lamp, lamp_);
  connect(door, door_);
  mirror_->publish(kJobs + "notify-next", "unheard", 1);
  flush_to(lamp);
  EXPECT_EQ(lamp.count(kJobs + "notify-next"), 0U);
  ASSERT_EQ(lamp.subscribe(kJobs + "notify-next"), 1);
  mirror_->publish(kJobs + "notify-next", "heard", 1);
  EXPECT_EQ(lamp.payload_of(kJobs + "notify-next"), "heard");
  EXPECT_TRUE(door.messages().empty());
}

TEST_F(BrokerTest, RefusesToSubscribeOutsideTheThingsOwnTopics) {
  DeviceClient lamp(io_, "lamp");
  connect(lamp, lamp_);
  for (const std::string filter :
       {"$aws/things/door/jobs/#", "$aws/things/+/jobs/#", "$aws/#", "otasim/#", "#", "+/+/#",
        "$aws/things/lamp/shadow/#", "$share/g/$aws/things/door/jobs/#"}) {
    EXPECT_EQ(lamp.subscribe(filter), kSubscriptionRefused) << filter;
  }
  EXPECT_EQ(lamp.subscribe("$aws/things/lamp/jobs/+/get/accepted"), 1);
  EXPECT_EQ(lamp.subscribe("$aws/things/lamp/streams/s-1/data/cbor", 0), 0);
}

class ForbiddenPublishTest : public BrokerTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(ForbiddenPublishTest, ClosesTheConnectionAndReachesNobody) {
  DeviceClient lamp(io_, "lamp");
  DeviceClient door(io_, "door");
  connect(lamp, lamp_);
  connect(door, door_);
  ASSERT_EQ(door.subscribe("$aws/things/door/jobs/#"), 1);
  EXPECT_FALSE(lamp.publish(GetParam(), "forged"));
  const auto denied = nlohmann::json::parse(heard("otasim/event/denied/lamp").payload);
  EXPECT_EQ(denied["topic"], GetParam());
  const auto end = nlohmann::json::parse(heard("otasim/event/disconnected/lamp").payload);
  EXPECT_EQ(end["disconnectReason"], "FORBIDDEN_ACCESS");
  // The door's own request follows the forged message: all before it has been seen.
  ASSERT_TRUE(door.publish("$aws/things/door/jobs/get", "{}"));
  EXPECT_EQ(heard("otasim/request/").payload, "{}");
  EXPECT_TRUE(door.messages().empty());
}

INSTANTIATE_TEST_SUITE_P(
    Topics, ForbiddenPublishTest,
    ::testing::Values("$aws/things/door/jobs/get", "$aws/things/door/jobs/notify-next",
                      "$aws/things/lamp/jobs/notify-next", "$aws/things/lamp/jobs/j1/update/accepted",
                      "$aws/things/lamp/streams/s1/data/cbor",
                      "otasim/deliver/door/$aws/things/door/jobs/get/accepted",
                      "otasim/principal/0000000000000000000000000000000000000000000000000000"
                      "000000000000",
                      "otasim/request/door/$aws/things/door/jobs/get", "weather/today"));

TEST_F(BrokerTest, ClosesTheConnectionOfWhoPublishesAsAwsDoesNotAllow) {
  const std::string too_long = kJobs + std::string(256 - kJobs.size(), 'x') + "/get";
  for (const auto& [topic, qos, retain] :
       {std::tuple{kJobs + "get", 2, false}, std::tuple{kJobs + "get", 1, true},
        std::tuple{too_long, 1, false}}) {
    DeviceClient lamp(io_, "lamp");
    connect(lamp, lamp_);
    EXPECT_FALSE(lamp.publish(topic, "{}", qos, retain)) << topic << " " << qos << " " << retain;
  }
}

TEST_F(BrokerTest, DropsAWillOnATopicThatIsNotTheThingsOwn) {
  DeviceClient door(io_, "door");
  connect(door, door_);
  ASSERT_EQ(door.subscribe("$aws/things/door/jobs/#"), 1);
  for (const char* topic :
       {"$aws/things/door/jobs/notify", "otasim/deliver/door/$aws/things/door/jobs/notify"}) {
    DeviceClient lamp(io_, "lamp");
    lamp.set_will(topic);
    connect(lamp, lamp_);
    lamp.disconnect(/*abruptly=*/true);
    heard("otasim/event/disconnected/lamp");
    heard_.clear();
  }
  // The door's request follows the wills: whatever they brought about has been seen.
  ASSERT_TRUE(door.publish("$aws/things/door/jobs/get", "{}"));
  EXPECT_EQ(heard("otasim/request/").payload, "{}");
  EXPECT_TRUE(door.messages().empty());
  for (const Message& message : heard_)
    EXPECT_THAT(message.topic, ::testing::Not(HasSubstr("otasim/deliver/")));
}

TEST_F(BrokerTest, DeliversAWillThatThePoliciesAllowWhenTheConnectionIsLost) {
  const TestIdentity console = lab_.issue("console", crypto::Purpose::kTlsClient);
  tell_plugin(principal_topic(console.fingerprint), principal_payload({}, {open_policy()}));
  DeviceClient listener(io_, "console");
  connect(listener, console);
  ASSERT_EQ(listener.subscribe("wills/#"), 1);
  DeviceClient polite(io_, "polite");
  polite.set_will("wills/polite");
  connect(polite, console);
  polite.disconnect();
  DeviceClient lost(io_, "lost");
  lost.set_will("wills/lost");
  connect(lost, console);
  lost.disconnect(/*abruptly=*/true);
  listener.payload_of("wills/lost");
  EXPECT_EQ(listener.count("wills/lost"), 1U);
  EXPECT_EQ(listener.count("wills/polite"), 0U) << "who says goodbye has no last will";
}

TEST_F(BrokerTest, RefusesACertificateThatNoThingHas) {
  const TestIdentity stranger = lab_.issue("stranger", crypto::Purpose::kTlsClient);
  DeviceClient device(io_, "lamp");
  EXPECT_EQ(device.connect(lab_, broker_->port(), stranger), kNotAuthorised);
  const auto refused = nlohmann::json::parse(heard("otasim/event/refused/lamp").payload);
  EXPECT_EQ(refused["principal"], stranger.fingerprint);
  EXPECT_THAT(refused["message"], HasSubstr("not registered"));
}

TEST_F(BrokerTest, RefusesACertificateOfAnotherAuthority) {
  testing::TestLab elsewhere;
  const TestIdentity stranger = elsewhere.issue("lamp", crypto::Purpose::kTlsClient);
  attach(stranger, "lamp");
  DeviceClient device(io_, "lamp");
  EXPECT_EQ(device.connect(lab_, broker_->port(), stranger), std::nullopt);
}

TEST_F(BrokerTest, RefusesAnotherThingsClientId) {
  DeviceClient device(io_, "door");
  EXPECT_EQ(device.connect(lab_, broker_->port(), lamp_), kNotAuthorised);
}

TEST_F(BrokerTest, RefusesTheMirrorsNameOverTls) {
  DeviceClient device(io_, kMirrorClientId);
  EXPECT_EQ(device.connect(lab_, broker_->port(), lamp_), kNotAuthorised);
  EXPECT_TRUE(lost_.empty()) << lost_;
}

TEST_F(BrokerTest, AdmitsNobodyButTheMirrorToThePrivateListener) {
  DeviceClient device(io_, "lamp");
  EXPECT_EQ(device.connect(broker_->socket_path()), kNotAuthorised);
  EXPECT_FALSE(BrokerClient::connect(io_, broker_->socket_path(), {}, "lamp"));
}

TEST_F(BrokerTest, TakeoverClosesTheOlderConnectionAndSaysSo) {
  DeviceClient first(io_, "lamp");
  connect(first, lamp_);
  DeviceClient second(io_, "lamp");
  connect(second, lamp_);
  EXPECT_TRUE(run_until(io_, [&] { return !first.connected(); }));
  const auto end = nlohmann::json::parse(heard("otasim/event/disconnected/lamp").payload);
  EXPECT_EQ(end["disconnectReason"], "DUPLICATE_CLIENTID");
  EXPECT_EQ(end["principal"], lamp_.fingerprint);
  EXPECT_TRUE(second.publish(kJobs + "get", "{}"));
}

TEST_F(BrokerTest, TellsTheMirrorWhoComesAndGoes) {
  DeviceClient lamp(io_, "lamp");
  connect(lamp, lamp_);
  const auto came = nlohmann::json::parse(heard("otasim/event/connected/lamp").payload);
  EXPECT_EQ(came["clientId"], "lamp");
  EXPECT_EQ(came["principal"], lamp_.fingerprint);
  lamp.disconnect(/*abruptly=*/true);
  const auto went = nlohmann::json::parse(heard("otasim/event/disconnected/lamp").payload);
  EXPECT_EQ(went["connection"], came["connection"]);
}

TEST_F(BrokerTest, DetachingAPrincipalEndsItsConnectionAndKeepsItOut) {
  DeviceClient lamp(io_, "lamp");
  connect(lamp, lamp_);
  attach(lamp_, "");
  EXPECT_TRUE(run_until(io_, [&] { return !lamp.connected(); }));
  EXPECT_EQ(nlohmann::json::parse(heard("otasim/event/disconnected/lamp").payload)["disconnectReason"],
            "SERVER_INITIATED_DISCONNECT");
  DeviceClient again(io_, "lamp");
  EXPECT_EQ(again.connect(lab_, broker_->port(), lamp_), kNotAuthorised);
}

TEST_F(BrokerTest, KeepsTheRestOfAnUpdateGoingAfterATooLargeMessage) {
  DeviceClient lamp(io_, "lamp");
  connect(lamp, lamp_);
  lamp.publish(kJobs + "get", std::string(128 * 1024 + 1, 'x'));
  DeviceClient again(io_, "lamp");
  connect(again, lamp_);
  EXPECT_TRUE(again.publish(kJobs + "get", std::string(128 * 1024, 'x')));
  EXPECT_EQ(heard("otasim/request/").payload.size(), 128U * 1024U);
}

TEST_F(BrokerTest, RoutesApplicationsOwnTopicsAsPoliciesAllow) {
  const TestIdentity console = lab_.issue("console", crypto::Purpose::kTlsClient);
  tell_plugin(principal_topic(console.fingerprint), principal_payload({}, {open_policy()}));
  DeviceClient sender(io_, "console");
  connect(sender, console);
  DeviceClient listener(io_, "console-2");
  connect(listener, console);
  ASSERT_EQ(listener.subscribe("weather/#"), 1);
  EXPECT_TRUE(sender.publish("weather/today", "sun"));
  EXPECT_EQ(listener.payload_of("weather/today"), "sun");
  EXPECT_TRUE(sender.publish("weather/last", "rain", 1, /*retain=*/true));
  DeviceClient late(io_, "console-3");
  connect(late, console);
  ASSERT_EQ(late.subscribe("weather/last"), 1);
  EXPECT_EQ(late.payload_of("weather/last"), "rain");
  EXPECT_EQ(late.subscribe("otasim/#"), kSubscriptionRefused);
  EXPECT_FALSE(sender.publish("$aws/events/job/j1/completed", "forged")) << "AWS's own, whatever the policy";
}

TEST_F(BrokerTest, TellsWhetherAClientSaidGoodbyeOrWasLost) {
  for (const auto& [abruptly, reason] :
       {std::pair{false, "CLIENT_INITIATED_DISCONNECT"}, std::pair{true, "CONNECTION_LOST"}}) {
    heard_.clear();
    DeviceClient lamp(io_, "lamp");
    connect(lamp, lamp_);
    lamp.disconnect(abruptly);
    EXPECT_EQ(nlohmann::json::parse(heard("otasim/event/disconnected/lamp").payload)["disconnectReason"],
              reason);
  }
}

TEST_F(BrokerTest, GrantsAConnectionFiftySubscriptions) {
  DeviceClient lamp(io_, "lamp");
  connect(lamp, lamp_);
  const auto filter = [](std::size_t i) { return kJobs + "j" + std::to_string(i) + "/get/accepted"; };
  for (std::size_t i = 0; i < kMaxSubscriptions; ++i) ASSERT_EQ(lamp.subscribe(filter(i)), 1);
  EXPECT_EQ(lamp.subscribe(filter(kMaxSubscriptions)), kSubscriptionRefused);
  EXPECT_EQ(lamp.subscribe(filter(0)), 1) << "one that it has";
}

TEST_F(BrokerTest, ClosesTheConnectionOfWhoSendsTooMuchAtOnce) {
  DeviceClient lamp(io_, "lamp");
  connect(lamp, lamp_);
  EXPECT_FALSE(lamp.publish(kJobs + "get", std::string(kMaxPayload + 1, 'x')));
}

TEST_F(BrokerTest, ReportsABrokerThatIsKilledToBothItsOwners) {
  std::string reported;
  broker_->on_exit([&](const Error& error) { reported = error.message; });
  ASSERT_EQ(::kill(broker_->pid(), SIGKILL), 0);
  EXPECT_TRUE(run_until(io_, [&] { return !reported.empty() && !lost_.empty(); }));
  EXPECT_THAT(reported, HasSubstr("killed by signal 9"));
  EXPECT_THAT(lost_, HasSubstr("lost its connection to the broker"));
}

TEST(BrokerThrottleTest, HoldsAClientToAwsRates) {
  testing::TestLab lab;
  boost::asio::io_context io;
  auto spec = lab.broker_spec();
  spec.throttle = true;
  const auto broker = Broker::start(io, spec).value();
  std::size_t requests = 0;
  const auto mirror = BrokerClient::connect(io, broker->socket_path(),
                                            {.on_message =
                                                 [&requests](std::string_view topic, std::string_view) {
                                                   requests += topic.starts_with("otasim/request/") ? 1 : 0;
                                                 },
                                             .on_lost = [](const Error&) {}})
                          .value();
  const TestIdentity lamp = lab.issue("lamp", crypto::Purpose::kTlsClient);
  bool known = false;
  mirror->publish(principal_topic(lamp.fingerprint), testing::device_grants("lamp"), 1,
                  [&known] { known = true; });
  ASSERT_TRUE(run_until(io, [&known] { return known; }));
  DeviceClient device(io, "lamp");
  ASSERT_EQ(device.connect(lab, broker->port(), lamp), 0);
  constexpr std::size_t kSent = 1000;
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < kSent; ++i) device.publish(kJobs + "get", "{}", 0);
  ASSERT_TRUE(device.publish(kJobs + "get", "{}"));  // acknowledged behind all of them
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  bool flushed = false;  // what was passed on before has been heard then
  mirror->publish(kick_topic("nobody"), "", 1, [&flushed] { flushed = true; });
  ASSERT_TRUE(run_until(io, [&flushed] { return flushed; }));
  EXPECT_GE(requests, static_cast<std::size_t>(kMessagesPerSecond));
  EXPECT_LE(static_cast<double>(requests), kMessagesPerSecond * (took.count() + 1) + 1);
}

TEST_F(BrokerTest, SaysThatAPortIsInUseBeforeItStarts) {
  testing::TestLab second;
  auto spec = second.broker_spec();
  spec.port = broker_->port();
  const auto broker = Broker::start(io_, spec);
  ASSERT_FALSE(broker);
  EXPECT_EQ(broker.error().code, ExitCode::kEnvironment);
  EXPECT_EQ(broker.error().message,
            "port " + std::to_string(spec.port) + " is already in use by another process.");
  EXPECT_THAT(broker.error().hint, HasSubstr("--mqtt-port"));
}

TEST_F(BrokerTest, QuotesTheLogOfABrokerThatGivesUp) {
  testing::TestLab second;
  auto spec = second.broker_spec();
  spec.certificate_path = spec.key_path;  // no certificate in there
  const auto broker = Broker::start(io_, spec);
  ASSERT_FALSE(broker);
  EXPECT_EQ(broker.error().message, "mosquitto did not start.");
  EXPECT_THAT(broker.error().hint, AllOf(HasSubstr("mosquitto.log"), HasSubstr("rror")));
}

TEST_F(BrokerTest, SaysWhichFileIsMissing) {
  auto spec = lab_.broker_spec();
  spec.ca_path = lab_.file("nowhere.pem");
  const auto broker = Broker::start(io_, spec);
  ASSERT_FALSE(broker);
  EXPECT_THAT(broker.error().message, AllOf(HasSubstr("nowhere.pem"), HasSubstr("No such file")));
}

}  // namespace
}  // namespace otasim::broker
