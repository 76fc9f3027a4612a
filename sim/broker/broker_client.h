// The mirror's connection to the broker: a libmosquitto client driven by an io_context.
//
//   auto client = BrokerClient::connect(io, broker->socket_path(), {.on_message = ..., .on_lost = ...});
//   (*client)->publish(topic, payload, 0);
//
// connect() returns with the connection accepted. Everything else happens on the io_context's thread, which
// must also be the one that publishes and destroys. A lost connection is not made anew: the broker is a child
// of the same simulator, so its end is the lab's. Handlers may publish but must not destroy the client.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "sim/base/result.h"
#include "sim/broker/private_topics.h"

namespace otasim::broker {

class BrokerClient {
 public:
  struct Handlers {
    /// The views live as long as the call.
    std::function<void(std::string_view topic, std::string_view payload)> on_message;
    /// The connection has ended without being asked to; called once.
    std::function<void(const Error& error)> on_lost;
  };

  /// @returns kEnvironment if the broker does not answer or refuses
  [[nodiscard]] static Result<std::unique_ptr<BrokerClient>> connect(
      boost::asio::io_context& io, const std::string& socket_path, Handlers handlers,
      const std::string& client_id = kMirrorClientId);

  ~BrokerClient();
  BrokerClient(const BrokerClient&) = delete;
  BrokerClient& operator=(const BrokerClient&) = delete;

  /// Sends a message. On a lost connection it is dropped; on_lost tells of that. So is one with a payload
  /// beyond the broker's limit or with a topic that is none.
  ///
  /// @param on_acknowledged  for QoS 1: called when the broker, and so the plugin, has handled it
  void publish(const std::string& topic, std::string_view payload, int qos,
               std::function<void()> on_acknowledged = {});

 private:
  struct State;
  explicit BrokerClient(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace otasim::broker
