#include "sim/cloud/broker_link.h"
#include "sim/base/json.h"

#include "sim/broker/broker_config.h"
#include "sim/broker/principal.h"
#include "sim/cloud/arn.h"
#include "sim/cloud/client_events.h"
#include "sim/cloud/told_payload.h"

namespace otasim::cloud {

namespace {

/// Replies go to one connection over TCP: acknowledging them would only cost, and could deliver one twice.
constexpr int kReplyQos = 0;
/// Acknowledged when the plugin has handled it.
constexpr int kCommandQos = 1;
constexpr int kEventQos = 1;

std::string target_arn(const JobTarget& target) {
  const auto* const thing = std::get_if<ThingName>(&target);
  return thing != nullptr ? iot_arn("thing", thing->str())
                          : iot_arn("thinggroup", std::get<GroupName>(target).str());
}

/// `$aws/things/<thing>/...`
std::string thing_of(std::string_view topic) {
  constexpr std::string_view kThings = "$aws/things/";
  if (!topic.starts_with(kThings)) return {};
  topic.remove_prefix(kThings.size());
  return std::string(topic.substr(0, topic.find('/')));
}

}  // namespace

Result<std::unique_ptr<BrokerLink>> BrokerLink::connect(boost::asio::io_context& io, Cloud& cloud,
                                                        const std::string& socket_path, const Halt* halt,
                                                        std::function<void(const Error&)> on_lost) {
  std::unique_ptr<BrokerLink> link(new BrokerLink(io, cloud, halt, std::move(on_lost)));
  if (auto connected = link->reconnect(socket_path); !connected) return tl::unexpected(connected.error());
  return link;
}

BrokerLink::BrokerLink(boost::asio::io_context& io, Cloud& cloud, const Halt* halt,
                       std::function<void(const Error&)> on_lost)
    : io_(io),
      cloud_(cloud),
      on_lost_(std::move(on_lost)),
      message_faults_(io, cloud.log(), halt),
      front_end_(cloud.jobs(), cloud.streams(), cloud.clock(), cloud.log(), cloud.faults(), *this),
      job_events_(cloud.jobs(), cloud.event_configurations(), cloud.clock(), random_uuid, target_arn, *this),
      presence_(cloud.clock(), random_uuid),
      principals_(cloud.principals().listen([this](const std::string& certificate_id) {
        const auto grants = cloud_.principals().grants_of(certificate_id);
        // Who cannot be looked up gets nobody in.
        send_principal(certificate_id, grants ? *grants : std::nullopt);
      })) {}

Result<void> BrokerLink::reconnect(const std::string& socket_path) {
  auto client = broker::BrokerClient::connect(
      io_, socket_path,
      {.on_message = [this](std::string_view topic,
                            std::string_view payload) { handle_message(topic, payload); },
       .on_lost = on_lost_});
  if (!client) return tl::unexpected(client.error());
  const auto principals = cloud_.principals().active();
  if (!principals) return tl::unexpected(principals.error().to_error("cannot read the registry"));
  client_ = std::move(*client);
  for (const PrincipalGrants& grants : *principals) send_principal(grants.certificate_id, grants);
  for (std::size_t i = 0; i < waiting_.size(); ++i) ask_whether_ready();
  return {};
}

void BrokerLink::disconnect() {
  client_.reset();
  message_faults_.lose_held();
}

void BrokerLink::deliver(const ClientAddress& client, const std::string& topic, std::string_view payload) {
  log_sent("mqtt_answer", {{"client", client.client_id}, {"topic", topic}}, payload);
  if (message_faults_.empty()) {
    send(broker::deliver_topic(client, topic), payload, kReplyQos);
    return;
  }
  message_faults_.pass({broker::Direction::kToDevice, client.client_id, topic, std::string(payload)},
                       [this, to = broker::deliver_topic(client, topic)](std::string_view what) {
                         send(to, what, kReplyQos);
                       });
}

void BrokerLink::publish(const std::string& topic, std::string_view payload, int qos) {
  log_sent("mqtt_message", {{"topic", topic}}, payload);
  if (message_faults_.empty()) {
    send(topic, payload, qos);
    return;
  }
  message_faults_.pass({broker::Direction::kToDevice, thing_of(topic), topic, std::string(payload)},
                       [this, topic, qos](std::string_view what) { send(topic, what, qos); });
}

void BrokerLink::kick(const std::string& client_id) {
  send(broker::kick_topic(client_id), "", kCommandQos);
}

void BrokerLink::send(const std::string& topic, std::string_view payload, int qos,
                      std::function<void()> done) {
  if (client_) client_->publish(topic, payload, qos, std::move(done));
}

void BrokerLink::send_principal(const std::string& fingerprint,
                                const std::optional<PrincipalGrants>& grants) {
  std::string payload;
  if (grants) payload = broker::principal_payload(grants->things, grants->policies);
  // The limits of both lists keep it far below; what cannot be sent lets nobody in.
  if (payload.size() > broker::kMaxPayload) payload.clear();
  send(broker::principal_topic(fingerprint), payload, kCommandQos);
}

void BrokerLink::when_ready(std::function<void()> ready) {
  waiting_.push_back(std::move(ready));
  ask_whether_ready();
}

void BrokerLink::ask_whether_ready() {
  // Messages are handled in order: whatever was sent before this one has been handled when it has. No
  // certificate has this fingerprint, and detaching it changes nothing.
  send(broker::principal_topic(std::string(broker::kFingerprintLength, '0')), "", kCommandQos, [this] {
    const auto ready = std::move(waiting_.front());
    waiting_.pop_front();
    ready();
  });
}

void BrokerLink::handle_message(std::string_view topic, std::string_view payload) {
  if (const auto request = broker::parse_request_topic(topic)) {
    handle_request(*request, payload);
  } else if (const auto event = broker::parse_client_event_topic(topic)) {
    handle_client_event(*event, payload);
  }
}

void BrokerLink::handle_client_event(const broker::ClientEventTopic& event, std::string_view payload) {
  const nlohmann::json fields = log_client_event(cloud_.log(), event, payload);
  if (fields.is_null()) return;
  if (const auto message = presence_.message_of(event.event, fields)) {
    send(message->topic, message->payload, kEventQos);
  }
}

void BrokerLink::handle_request(const broker::RoutedTopic& request, std::string_view payload) {
  if (message_faults_.empty()) {
    answer(request.client, request.topic, payload);
    return;
  }
  message_faults_.pass(
      {broker::Direction::kFromDevice, request.client.client_id, request.topic, std::string(payload)},
      [this, client = request.client, topic = request.topic](std::string_view what) {
        answer(client, topic, what);
      });
}

void BrokerLink::answer(const ClientAddress& client, const std::string& topic, std::string_view payload) {
  is_answering_ = true;
  front_end_.handle_request(client, topic, payload);
  is_answering_ = false;
  for (auto& [event, members] : std::exchange(sent_meanwhile_, {}))
    cloud_.log().emit("cloud", event, std::move(members));
}

void BrokerLink::log_sent(std::string_view event, nlohmann::json members, std::string_view payload) {
  tell_payload(members, payload);
  if (is_answering_) {
    sent_meanwhile_.emplace_back(event, std::move(members));
  } else {
    cloud_.log().emit("cloud", event, std::move(members));
  }
}

}  // namespace otasim::cloud
