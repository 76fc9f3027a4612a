#include "sim/cloud/broker_link.h"

#include "sim/cloud/client_events.h"

namespace otasim::cloud {

namespace {

/// Replies go to one connection over TCP: acknowledging them would only cost, and could deliver one twice.
constexpr int kReplyQos = 0;
constexpr int kPrincipalQos = 1;

}  // namespace

Result<std::unique_ptr<BrokerLink>> BrokerLink::connect(boost::asio::io_context& io, Cloud& cloud,
                                                        const std::string& socket_path,
                                                        std::function<void(const Error&)> on_lost) {
  std::unique_ptr<BrokerLink> link(new BrokerLink(cloud));
  auto client = broker::BrokerClient::connect(
      io, socket_path,
      {.on_message = [self = link.get()](std::string_view topic,
                                         std::string_view payload) { self->handle_message(topic, payload); },
       .on_lost = std::move(on_lost)});
  if (!client) return tl::unexpected(client.error());
  link->client_ = std::move(*client);
  const auto principals = cloud.things().active_principals();
  if (!principals) return tl::unexpected(principals.error().to_error("cannot read the registry"));
  for (const Principal& principal : *principals) {
    link->send_principal(principal.certificate_id, principal.thing.str());
  }
  return link;
}

BrokerLink::BrokerLink(Cloud& cloud)
    : cloud_(cloud),
      front_end_(cloud.jobs(), cloud.streams(), cloud.clock(), cloud.log(), *this),
      principals_(cloud.things().listen([this](const std::string& fingerprint, const std::string& thing) {
        send_principal(fingerprint, thing);
      })) {}

void BrokerLink::deliver(const ClientAddress& client, const std::string& topic, std::string_view payload) {
  client_->publish(broker::deliver_topic(client, topic), payload, kReplyQos);
}

void BrokerLink::publish(const std::string& topic, std::string_view payload, int qos) {
  client_->publish(topic, payload, qos);
}

void BrokerLink::send_principal(const std::string& fingerprint, const std::string& thing) {
  client_->publish(broker::principal_topic(fingerprint), thing, kPrincipalQos);
}

void BrokerLink::when_ready(std::function<void()> ready) {
  // Messages are handled in order: whatever was sent before this one has been handled when it has. No
  // certificate has this fingerprint, and detaching it changes nothing.
  client_->publish(broker::principal_topic(std::string(broker::kFingerprintLength, '0')), "", kPrincipalQos,
                   std::move(ready));
}

void BrokerLink::handle_message(std::string_view topic, std::string_view payload) {
  if (const auto request = broker::parse_request_topic(topic)) {
    front_end_.handle_request(request->client, request->topic, payload);
  } else if (const auto event = broker::parse_client_event_topic(topic)) {
    log_client_event(cloud_.log(), *event, payload);
  }
}

}  // namespace otasim::cloud
