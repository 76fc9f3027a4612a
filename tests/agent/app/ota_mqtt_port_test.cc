// The agent's MQTT interface over a real client, with a broker played by the test: which stream's blocks
// count while the broker has not answered yet.
#include "agent/app/ota_mqtt_port.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>

#include "agent/app/message_router.h"
#include "agent/app/mqtt_client.h"
#include "agent/app/pump.h"
#include "tests/agent/app/fake_app.h"
#include "tests/agent/app/fake_connection.h"

namespace app {
namespace {

using test::world;

constexpr std::string_view kStream = "$aws/things/thing-1/streams/AFR_OTA-1/data/cbor";

/// Answers the one packet that the client sent last.
class Broker final : public Pump {
 public:
  explicit Broker(test::FakeConnection& connection) : connection_(connection) {}

  void turn() override {
    ++world().now_ms;
    client->service();
    if (connection_.sent.empty()) return;
    connection_.incoming += std::exchange(before_answer, {}) + answer_to(connection_.sent);
    connection_.sent.clear();
  }

  mqtt::Client* client = nullptr;
  std::string before_answer;  ///< arrives between a request and its answer
  bool refuses = false;

 private:
  [[nodiscard]] std::string answer_to(const std::string& packet) const {
    constexpr char kConnect = 0x10;
    constexpr auto kSubscribe = static_cast<char>(0x82);
    constexpr auto kUnsubscribe = static_cast<char>(0xA2);
    const std::string id = packet.substr(2, 2);
    if (packet[0] == kConnect) return {"\x20\x02\x00\x00", 4};
    if (packet[0] == kSubscribe) return "\x90\x03" + id + (refuses ? '\x80' : '\0');
    if (packet[0] == kUnsubscribe) return "\xB0\x02" + id;
    return {};
  }

  test::FakeConnection& connection_;
};

class MqttPort : public testing::Test {
 protected:
  void SetUp() override {
    test::reset_world();
    broker.client = &client;
    connection.open("broker", 8883);
    ASSERT_TRUE(client.connect({.client_id = "thing-1", .keep_alive_seconds = 0}, 100)) << client.reason();
  }

  static std::string block() {
    std::array<std::uint8_t, 256> packet;
    constexpr std::array<std::uint8_t, 3> kPayload{'a', 'b', 'c'};
    const std::size_t size = mqtt::write_publish(packet, kStream, kPayload, 0, 0);
    return {packet.begin(), packet.begin() + size};
  }
  /// @returns how many blocks the agent got.
  std::size_t receive_block() {
    world().events.clear();
    connection.incoming += block();
    broker.turn();
    return world().events.size();
  }
  OtaMqttStatus_t subscribe() { return port.subscribe(kStream.data(), kStream.size(), 0); }
  OtaMqttStatus_t unsubscribe() { return port.unsubscribe(kStream.data(), kStream.size(), 0); }

  test::FakeConnection connection;
  Broker broker{connection};
  std::unique_ptr<EventBuffers> buffers = std::make_unique<EventBuffers>();
  MessageRouter router{*buffers, "thing-1"};
  mqtt::Client client{connection, broker, router};
  OtaMqttInterface_t port = ota_mqtt_port::bind(client, router);
};

TEST_F(MqttPort, BlocksCountFromTheSubscriptionOnAndNotAfterIt) {
  EXPECT_EQ(receive_block(), 0U);
  ASSERT_EQ(subscribe(), OtaMqttSuccess);
  EXPECT_EQ(receive_block(), 1U);
  ASSERT_EQ(unsubscribe(), OtaMqttSuccess);
  EXPECT_EQ(receive_block(), 0U);
}

TEST_F(MqttPort, ABlockMayOvertakeTheSubscriptionsAnswer) {
  broker.before_answer = block();
  ASSERT_EQ(subscribe(), OtaMqttSuccess);
  EXPECT_EQ(world().events.size(), 1U);
}

TEST_F(MqttPort, ABlockThatComesBeforeTheEndIsAcknowledgedIsLate) {
  ASSERT_EQ(subscribe(), OtaMqttSuccess);
  broker.before_answer = block();
  ASSERT_EQ(unsubscribe(), OtaMqttSuccess);
  EXPECT_TRUE(world().events.empty());
}

TEST_F(MqttPort, ARefusedSubscriptionBringsNoBlocks) {
  broker.refuses = true;
  EXPECT_EQ(subscribe(), OtaMqttSubscribeFailed);
  EXPECT_EQ(receive_block(), 0U);
}

}  // namespace
}  // namespace app
