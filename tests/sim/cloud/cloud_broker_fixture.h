// A cloud behind a real broker: Mosquitto with the plugin, and the mirror at it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/broker/broker.h"
#include "sim/cloud/broker_link.h"
#include "tests/sim/broker/device_client.h"
#include "tests/sim/cloud/cloud_fixture.h"

namespace otasim::cloud {

class CloudBrokerFixture : public CloudFixture {
 protected:
  /// The lamp may connect when this returns.
  CloudBrokerFixture() : identity_(lab_.issue("lamp", crypto::Purpose::kTlsClient)) {
    log_->listen([this](const nlohmann::json& event) { events_.push_back(event); });
    auto broker = broker::Broker::start(io_, lab_.broker_spec());
    EXPECT_TRUE(broker) << broker.error().message << "\n" << broker.error().hint;
    broker_ = std::move(*broker);
    attach(lamp_, identity_);
    connect_mirror();
  }

  void attach(const ThingName& thing, const testing::TestIdentity& identity) {
    const auto pem = read_file(identity.certificate_path).value();
    const auto record = cloud_->certificates().register_certificate({pem.begin(), pem.end()});
    ASSERT_TRUE(record) << record.error().message;
    ASSERT_TRUE(cloud_->policies().attach(PolicyName::trusted(kOtaDevicePolicyName), record->id));
    ASSERT_TRUE(cloud_->things().attach_principal(thing, record->id));
  }

  void connect_mirror() {
    auto link = BrokerLink::connect(io_, *cloud_, broker_->socket_path(), nullptr,
                                    [this](const Error& error) { lost_ = error.message; });
    ASSERT_TRUE(link) << link.error().message;
    link_ = std::move(*link);
    wait_for_mirror();
  }

  /// Waits until the plugin knows of every thing's certificate.
  void wait_for_mirror() {
    bool ready = false;
    link_->when_ready([&ready] { ready = true; });
    ASSERT_TRUE(testing::run_until(io_, [&ready] { return ready; }));
  }

  testing::TestLab lab_;
  testing::TestIdentity identity_;  ///< the lamp's
  boost::asio::io_context io_;
  std::unique_ptr<broker::Broker> broker_;
  std::unique_ptr<BrokerLink> link_;
  std::vector<nlohmann::json> events_;
  std::string lost_;
};

}  // namespace otasim::cloud
