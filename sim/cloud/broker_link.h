// The mirror at the broker: brings devices' requests to the cloud and the cloud's answers to devices, keeps
// the plugin's list of principals in step with the registry, and logs who comes and goes.
//
//   auto link = BrokerLink::connect(io, *cloud, broker->socket_path(), [](const Error& lost) { ... });
//   (*link)->when_ready([&] { ... });   // devices may connect from here on
//
// Runs on the io_context's thread; destroy it before the cloud and the io_context.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "sim/broker/broker_client.h"
#include "sim/cloud/cloud.h"
#include "sim/cloud/mqtt_front_end.h"
#include "sim/cloud/publisher.h"

namespace otasim::cloud {

class BrokerLink final : private Publisher {
 public:
  /// @param on_lost  the broker has gone; called once
  /// @returns kEnvironment if the broker or the store does not answer
  [[nodiscard]] static Result<std::unique_ptr<BrokerLink>> connect(boost::asio::io_context& io, Cloud& cloud,
                                                                   const std::string& socket_path,
                                                                   std::function<void(const Error&)> on_lost);

  /// Calls `ready` when the plugin knows every principal attached so far.
  void when_ready(std::function<void()> ready);

 private:
  explicit BrokerLink(Cloud& cloud);

  void deliver(const ClientAddress& client, const std::string& topic, std::string_view payload) override;
  void publish(const std::string& topic, std::string_view payload, int qos) override;
  void handle_message(std::string_view topic, std::string_view payload);
  void send_principal(const std::string& fingerprint, const std::string& thing);

  Cloud& cloud_;
  std::unique_ptr<broker::BrokerClient> client_;
  MqttFrontEnd front_end_;
  Subscription principals_;
};

}  // namespace otasim::cloud
