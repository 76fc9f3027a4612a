// The mirror at the broker: brings devices' requests to the cloud and the cloud's answers to devices, keeps
// the plugin's list of principals in step with the registry, and logs who comes and goes.
//
//   auto link = BrokerLink::connect(io, *cloud, broker->socket_path(), halt, [](const Error& lost) { ... });
//   (*link)->when_ready([&] { ... });   // devices may connect from here on
//   (*link)->message_faults().arm({...}); (*link)->kick("thing-1");
//   (*link)->disconnect(); ... (*link)->reconnect(broker->socket_path());   // another broker took over
//
// All that goes between cloud and devices comes through here, which is where message faults strike it. While
// there is no broker, what the cloud sends is lost.
//
// What the cloud sends is logged as it sends it, before message faults: `mqtt_answer` to one client,
// `mqtt_message` to whoever subscribed. An answer's event follows that of its request.
//
// Runs on the io_context's thread; destroy it before the cloud and the io_context.
#pragma once

#include <boost/asio/io_context.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/base/json.h"
#include "sim/broker/broker_client.h"
#include "sim/broker/message_faults.h"
#include "sim/cloud/cloud.h"
#include "sim/cloud/job_events.h"
#include "sim/cloud/mqtt_front_end.h"
#include "sim/cloud/presence_events.h"
#include "sim/cloud/publisher.h"

namespace otasim::cloud {

class BrokerLink final : private Publisher {
 public:
  /// @param halt  what message faults' delays stand still with; may be null
  /// @param on_lost  the broker has gone; called once
  /// @returns kEnvironment if the broker or the store does not answer
  [[nodiscard]] static Result<std::unique_ptr<BrokerLink>> connect(boost::asio::io_context& io, Cloud& cloud,
                                                                   const std::string& socket_path,
                                                                   const Halt* halt,
                                                                   std::function<void(const Error&)> on_lost);

  /// Calls `ready` when the plugin knows every principal attached so far; after reconnect(), if there is no
  /// broker now.
  void when_ready(std::function<void()> ready);

  [[nodiscard]] broker::MessageFaults& message_faults() { return message_faults_; }
  /// Closes a client's connection; nothing happens if it has none.
  void kick(const std::string& client_id);

  /// Lets go of the broker, and of what message faults hold back. Not from within a handler of this class.
  void disconnect();
  /// Goes on with another broker. @returns as connect()
  [[nodiscard]] Result<void> reconnect(const std::string& socket_path);

 private:
  BrokerLink(boost::asio::io_context& io, Cloud& cloud, const Halt* halt,
             std::function<void(const Error&)> on_lost);

  void deliver(const ClientAddress& client, const std::string& topic, std::string_view payload) override;
  void publish(const std::string& topic, std::string_view payload, int qos) override;
  void handle_message(std::string_view topic, std::string_view payload);
  void handle_client_event(const broker::ClientEventTopic& event, std::string_view payload);
  void handle_request(const broker::RoutedTopic& request, std::string_view payload);
  void answer(const ClientAddress& client, const std::string& topic, std::string_view payload);
  void log_sent(std::string_view event, nlohmann::json members, std::string_view payload);
  void send(const std::string& topic, std::string_view payload, int qos, std::function<void()> done = {});
  void send_principal(const std::string& fingerprint, const std::optional<PrincipalGrants>& grants);
  /// Lets the plugin's acknowledgement call the first that waits.
  void ask_whether_ready();

  boost::asio::io_context& io_;
  Cloud& cloud_;
  std::function<void(const Error&)> on_lost_;
  std::unique_ptr<broker::BrokerClient> client_;  ///< null: there is no broker
  std::deque<std::function<void()>> waiting_;     ///< for the plugin to know every principal
  broker::MessageFaults message_faults_;
  MqttFrontEnd front_end_;
  JobEvents job_events_;
  PresenceEvents presence_;
  Subscription principals_;
  bool is_answering_ = false;  ///< the request's event is still to come
  std::vector<std::pair<std::string_view, nlohmann::json>> sent_meanwhile_ = {};
};

}  // namespace otasim::cloud
