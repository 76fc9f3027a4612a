// A second client with a device's id, at a real Mosquitto.
#include "sim/broker/second_client.h"

#include <gmock/gmock.h>

#include "sim/broker/broker_client.h"
#include "tests/sim/broker/device_client.h"
#include "tests/sim/broker/device_rights.h"

namespace otasim::broker {
namespace {

using testing::DeviceClient;
using ::testing::HasSubstr;
using testing::run_until;
using testing::TestIdentity;

constexpr std::int64_t kHour = 3'600'000;

class SecondClientTest : public ::testing::Test {
 protected:
  SecondClientTest() : lamp_(lab_.issue("lamp", crypto::Purpose::kTlsClient)) {
    auto broker = Broker::start(io_, lab_.broker_spec());
    EXPECT_TRUE(broker) << broker.error().message;
    broker_ = std::move(*broker);
    auto mirror = BrokerClient::connect(io_, broker_->socket_path(), {});
    EXPECT_TRUE(mirror) << mirror.error().message;
    mirror_ = std::move(*mirror);
    bool known = false;
    mirror_->publish(principal_topic(lamp_.fingerprint), testing::device_grants("lamp"), 1,
                     [&known] { known = true; });
    EXPECT_TRUE(run_until(io_, [&known] { return known; }));
  }

  std::unique_ptr<SecondClient> start(const TestIdentity& identity, std::int64_t hold_ms = 0) {
    return SecondClient::start(io_,
                               {.client_id = "lamp",
                                .port = broker_->port(),
                                .ca_path = lab_.ca_path(),
                                .certificate_path = identity.certificate_path,
                                .key_path = identity.key_path,
                                .hold_ms = hold_ms},
                               {.on_admitted = [this] { ++admitted_; },
                                .on_end = [this](const Result<SecondClient::End>& end) { end_ = end; }});
  }

  testing::TestLab lab_;
  TestIdentity lamp_;
  boost::asio::io_context io_;
  std::unique_ptr<Broker> broker_;
  std::unique_ptr<BrokerClient> mirror_;
  int admitted_ = 0;
  std::optional<Result<SecondClient::End>> end_;
};

TEST_F(SecondClientTest, TakesTheDevicesConnectionOverAndGoes) {
  DeviceClient lamp(io_, "lamp");
  ASSERT_EQ(lamp.connect(lab_, broker_->port(), lamp_), 0);
  const auto second = start(lamp_);
  EXPECT_FALSE(end_) << "nothing happens within start()";
  ASSERT_TRUE(run_until(io_, [&] { return end_ && !lamp.connected(); }));
  EXPECT_EQ(admitted_, 1);
  ASSERT_TRUE(*end_) << end_->error().message;
  EXPECT_EQ(**end_, SecondClient::End::kSaidGoodbye);
  DeviceClient again(io_, "lamp");
  EXPECT_EQ(again.connect(lab_, broker_->port(), lamp_), 0) << "the device may come back";
}

TEST_F(SecondClientTest, StaysAsLongAsItIsToldTo) {
  const auto begun = std::chrono::steady_clock::now();
  const auto second = start(lamp_, 50);
  ASSERT_TRUE(run_until(io_, [&] { return end_.has_value(); }));
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(50));
  EXPECT_EQ(**end_, SecondClient::End::kSaidGoodbye);
}

TEST_F(SecondClientTest, IsDrivenOutByTheDeviceThatComesBack) {
  const auto second = start(lamp_, kHour);
  ASSERT_TRUE(run_until(io_, [&] { return admitted_ == 1; }));
  DeviceClient lamp(io_, "lamp");
  ASSERT_EQ(lamp.connect(lab_, broker_->port(), lamp_), 0);
  ASSERT_TRUE(run_until(io_, [&] { return end_.has_value(); }));
  ASSERT_TRUE(*end_) << end_->error().message;
  EXPECT_EQ(**end_, SecondClient::End::kDrivenOut);
  EXPECT_TRUE(lamp.connected());
}

TEST_F(SecondClientTest, SaysThatItWasRefused) {
  const auto second = start(lab_.issue("stranger", crypto::Purpose::kTlsClient));
  ASSERT_TRUE(run_until(io_, [&] { return end_.has_value(); }));
  EXPECT_EQ(admitted_, 0);
  ASSERT_FALSE(*end_);
  EXPECT_EQ(end_->error().code, ExitCode::kEnvironment);
  EXPECT_THAT(end_->error().message, HasSubstr("not authorised"));
}

TEST_F(SecondClientTest, SaysThatThereIsNoBroker) {
  const auto second = start(lamp_);
  broker_.reset();
  ASSERT_TRUE(run_until(io_, [&] { return end_.has_value(); }));
  ASSERT_FALSE(*end_);
  EXPECT_THAT(end_->error().message, HasSubstr("cannot connect to the broker: Connection refused"));
}

TEST_F(SecondClientTest, SaysWhichIdentityCannotBeUsed) {
  TestIdentity nowhere = lamp_;
  nowhere.key_path = lab_.file("nowhere.key");
  const auto second = start(nowhere);
  ASSERT_TRUE(run_until(io_, [&] { return end_.has_value(); }));
  EXPECT_FALSE(*end_);
  EXPECT_EQ(admitted_, 0);
}

TEST_F(SecondClientTest, ItsEndClosesTheConnectionAndCallsNobody) {
  auto second = start(lamp_, kHour);
  ASSERT_TRUE(run_until(io_, [&] { return admitted_ == 1; }));
  second.reset();
  DeviceClient lamp(io_, "lamp");
  ASSERT_EQ(lamp.connect(lab_, broker_->port(), lamp_), 0);
  EXPECT_FALSE(end_);
  start(lamp_);  // gone before it has begun
  bool known = false;
  mirror_->publish(principal_topic(lamp_.fingerprint), testing::device_grants("lamp"), 1,
                   [&known] { known = true; });
  EXPECT_TRUE(run_until(io_, [&known] { return known; }));
  EXPECT_TRUE(lamp.connected());
  EXPECT_EQ(admitted_, 1);
}

}  // namespace
}  // namespace otasim::broker
