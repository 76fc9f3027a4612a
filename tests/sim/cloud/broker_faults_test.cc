// Faults of messages and of the broker, as a device at a real Mosquitto sees them.
#include <ranges>

#include "sim/base/json.h"
#include "tests/sim/cloud/cloud_broker_fixture.h"

namespace otasim::cloud {
namespace {

using broker::Direction;
using Json = nlohmann::json;
using testing::DeviceClient;
using testing::run_until;

const std::string kJobs = "$aws/things/lamp/jobs/";
constexpr std::int64_t kHour = 3'600'000;

class BrokerFaultsTest : public CloudBrokerFixture {
 protected:
  BrokerFaultsTest() { EXPECT_EQ(device_.connect(lab_, broker_->port(), identity_), 0); }

  broker::MessageFaults& faults() { return link_->message_faults(); }

  void ask(const std::string& token) {
    ASSERT_TRUE(device_.publish(kJobs + "get", Json{{"clientToken", token}}.dump()));
  }
  /// The tokens of the answers so far, in order.
  [[nodiscard]] std::vector<std::string> answers() const {
    std::vector<std::string> tokens;
    for (const auto& message : device_.messages()) {
      if (message.topic != kJobs + "get/accepted") continue;
      const auto answer = Json::parse(message.payload, nullptr, false);
      tokens.push_back(answer.is_object() ? answer["clientToken"] : Json("broken"));
    }
    return tokens;
  }
  /// Asks once more, past all faults, and waits for that answer: whatever else was to come has come.
  [[nodiscard]] std::vector<std::string> all_answers() {
    EXPECT_TRUE(device_.publish(kJobs + "start-next", "{}"));
    device_.payload_of(kJobs + "start-next/accepted");
    return answers();
  }
  [[nodiscard]] std::vector<Json> struck(const std::string& name) const {
    std::vector<Json> found;
    for (const Json& event : events_) {
      if (event["event"] == "fault" && event["fault"] == name) found.push_back(event);
    }
    return found;
  }
  broker::MessageMatch answers_to_get() const {
    return {.device = "lamp", .direction = Direction::kToDevice, .topic = "jobs/get/accepted"};
  }
  broker::MessageMatch requests_to_get() const {
    return {.device = "lamp", .direction = Direction::kFromDevice, .topic = "jobs/get"};
  }

  DeviceClient device_{io_, "lamp"};
};

using Tokens = std::vector<std::string>;

TEST_F(BrokerFaultsTest, AnAnswerIsDropped) {
  faults().arm(
      {.match = answers_to_get(), .what = broker::DropMessage{}, .strike = {.after = 1, .times = 1}});
  for (const char* token : {"a", "b", "c"}) ask(token);
  EXPECT_EQ(all_answers(), (Tokens{"a", "c"}));
  ASSERT_EQ(struck("broker.drop").size(), 1U);
  const Json event = struck("broker.drop")[0];
  EXPECT_EQ(event["source"], "broker");
  EXPECT_EQ(event["device"], "lamp");
  EXPECT_EQ(event["direction"], "to_device");
}

TEST_F(BrokerFaultsTest, ARequestIsDroppedAndAcknowledgedAllTheSame) {
  faults().arm({.match = requests_to_get(), .what = broker::DropMessage{}, .strike = {.times = 1}});
  for (const char* token : {"a", "b"}) ask(token);
  EXPECT_EQ(all_answers(), Tokens{"b"});
  EXPECT_EQ(struck("broker.drop").size(), 1U);
}

TEST_F(BrokerFaultsTest, ARequestThatComesTwiceIsAnsweredTwice) {
  faults().arm({.match = requests_to_get(), .what = broker::DuplicateMessage{}, .strike = {.times = 1}});
  for (const char* token : {"a", "b"}) ask(token);
  EXPECT_EQ(all_answers(), (Tokens{"a", "a", "b"}));
}

TEST_F(BrokerFaultsTest, AnswersAreReordered) {
  faults().arm({.match = answers_to_get(),
                .what = broker::ReorderMessage{.by = 1, .limit_ms = kHour},
                .strike = {.times = 1}});
  for (const char* token : {"a", "b", "c"}) ask(token);
  EXPECT_EQ(all_answers(), (Tokens{"b", "a", "c"}));
}

TEST_F(BrokerFaultsTest, AnAnswerIsDelayed) {
  faults().arm(
      {.match = answers_to_get(), .what = broker::DelayMessage{.delay_ms = 20}, .strike = {.times = 1}});
  for (const char* token : {"a", "b"}) ask(token);
  ASSERT_TRUE(run_until(io_, [&] { return answers().size() == 2; }));
  EXPECT_EQ(answers(), (Tokens{"b", "a"}));
}

TEST_F(BrokerFaultsTest, AnAnswerIsCorrupted) {
  faults().arm({.match = answers_to_get(),
                .what = broker::CorruptMessage{.at_bytes = 0, .truncate_bytes = 1},
                .strike = {.times = 1}});
  for (const char* token : {"a", "b"}) ask(token);
  EXPECT_EQ(all_answers(), (Tokens{"broken", "b"}));
}

TEST_F(BrokerFaultsTest, ANotificationIsStruckAsAnAnswerIs) {
  ASSERT_EQ(device_.subscribe(kJobs + "notify-next"), 1);
  faults().arm({.match = {.device = "lamp", .topic = "jobs/notify-next"},
                .what = broker::DropMessage{},
                .strike = {.times = 1}});
  create_job("j1");
  ASSERT_TRUE(jobs().cancel(job("j1")));
  const Json told = Json::parse(device_.payload_of(kJobs + "notify-next"));
  EXPECT_FALSE(told.contains("execution")) << "the one that told of the job is gone";
  EXPECT_EQ(struck("broker.drop").at(0)["topic"], kJobs + "notify-next");
}

TEST_F(BrokerFaultsTest, AKickClosesTheConnectionAndTheDeviceMayComeBack) {
  link_->kick("lamp");
  ASSERT_TRUE(run_until(io_, [&] { return !device_.connected() && !struck("broker.kick").empty(); }));
  EXPECT_EQ(struck("broker.kick")[0]["device"], "lamp");
  const auto left = [&] {
    return std::ranges::find(events_, "client_disconnected", [](const Json& e) { return e["event"]; });
  };
  ASSERT_TRUE(run_until(io_, [&] { return left() != events_.end(); }));
  EXPECT_EQ((*left())["disconnectReason"], "SERVER_INITIATED_DISCONNECT");
  link_->kick("lamp");  // nobody there
  DeviceClient again(io_, "lamp");
  ASSERT_EQ(again.connect(lab_, broker_->port(), identity_), 0);
  EXPECT_TRUE(again.publish(kJobs + "get", "{}"));
  EXPECT_EQ(struck("broker.kick").size(), 1U);
}

TEST_F(BrokerFaultsTest, TheMirrorGoesOnWithAnotherBroker) {
  faults().arm({.match = answers_to_get(),
                .what = broker::ReorderMessage{.by = 1, .limit_ms = kHour},
                .strike = {.times = 1}});
  ask("lost");
  ASSERT_TRUE(run_until(io_, [&] { return !struck("broker.reorder").empty(); }));
  link_->disconnect();
  broker_.reset();
  create_job("j1");  // nobody hears of it
  bool is_ready = false;
  link_->when_ready([&is_ready] { is_ready = true; });

  auto spec = lab_.broker_spec();
  spec.first_connection = 100;
  broker_ = broker::Broker::start(io_, spec).value();
  const auto connected = link_->reconnect(broker_->socket_path());
  ASSERT_TRUE(connected) << connected.error().message;
  ASSERT_TRUE(run_until(io_, [&] { return is_ready; })) << "who waited while there was no broker";
  EXPECT_EQ(lost_, "");

  DeviceClient again(io_, "lamp");
  ASSERT_EQ(again.connect(lab_, broker_->port(), identity_), 0) << "its certificate is known";
  ASSERT_TRUE(again.publish(kJobs + "get", "{}"));
  const Json answer = Json::parse(again.payload_of(kJobs + "get/accepted"));
  EXPECT_EQ(answer["queuedJobs"][0]["jobId"], "j1");
  EXPECT_FALSE(answer.contains("clientToken")) << "what was held is gone with the old broker";
  const auto& came = *std::ranges::find(std::views::reverse(events_), "client_connected",
                                        [](const Json& e) { return e["event"]; });
  EXPECT_EQ(came["connection"], 100);
}

}  // namespace
}  // namespace otasim::cloud
