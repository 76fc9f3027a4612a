#include "sim/broker/private_topics.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace otasim::broker {

namespace {

constexpr std::string_view kRequest = "otasim/request/";
constexpr std::string_view kDeliver = "otasim/deliver/";
constexpr std::string_view kPrincipal = "otasim/principal/";
constexpr std::string_view kKick = "otasim/kick/";
constexpr std::string_view kEvent = "otasim/event/";

constexpr std::array kEvents{ClientEvent::kConnected, ClientEvent::kDisconnected, ClientEvent::kRefused,
                             ClientEvent::kDenied, ClientEvent::kKicked};

std::string routed(std::string_view prefix, const ClientAddress& client, std::string_view topic) {
  std::string text{prefix};
  text += client.client_id;
  if (client.connection != 0) text += "." + std::to_string(client.connection);
  text += "/";
  text += topic;
  return text;
}

std::optional<ClientAddress> parse_client(std::string_view text) {
  ClientAddress client;
  const std::size_t dot = text.rfind('.');
  if (dot != std::string_view::npos) {
    const std::string_view number = text.substr(dot + 1);
    if (number.starts_with('0')) return std::nullopt;  // one way to write each address
    const auto [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), client.connection);
    if (error != std::errc{} || end != number.data() + number.size()) return std::nullopt;
    text = text.substr(0, dot);
  }
  if (text.empty()) return std::nullopt;
  client.client_id = text;
  return client;
}

std::optional<RoutedTopic> parse_routed(std::string_view prefix, std::string_view topic) {
  if (!topic.starts_with(prefix)) return std::nullopt;
  topic.remove_prefix(prefix.size());
  const std::size_t slash = topic.find('/');
  if (slash == std::string_view::npos || slash + 1 == topic.size()) return std::nullopt;
  auto client = parse_client(topic.substr(0, slash));
  if (!client) return std::nullopt;
  return RoutedTopic{std::move(*client), std::string{topic.substr(slash + 1)}};
}

bool is_lower_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

}  // namespace

std::string_view to_string(ClientEvent event) {
  switch (event) {
    case ClientEvent::kConnected:
      return "connected";
    case ClientEvent::kDisconnected:
      return "disconnected";
    case ClientEvent::kRefused:
      return "refused";
    case ClientEvent::kDenied:
      return "denied";
    case ClientEvent::kKicked:
      return "kicked";
  }
  return "";
}

std::string request_topic(const ClientAddress& client, std::string_view topic) {
  return routed(kRequest, client, topic);
}

std::string deliver_topic(const ClientAddress& client, std::string_view topic) {
  return routed(kDeliver, client, topic);
}

std::string principal_topic(std::string_view fingerprint) {
  return std::string{kPrincipal} + std::string{fingerprint};
}

std::string kick_topic(std::string_view client_id) {
  return std::string{kKick} + std::string{client_id};
}

std::string client_event_topic(ClientEvent event, std::string_view client_id) {
  return std::string{kEvent} + std::string{to_string(event)} + "/" + std::string{client_id};
}

std::optional<RoutedTopic> parse_request_topic(std::string_view topic) {
  return parse_routed(kRequest, topic);
}

std::optional<RoutedTopic> parse_deliver_topic(std::string_view topic) {
  return parse_routed(kDeliver, topic);
}

std::optional<std::string> parse_principal_topic(std::string_view topic) {
  if (!topic.starts_with(kPrincipal)) return std::nullopt;
  topic.remove_prefix(kPrincipal.size());
  if (topic.size() != kFingerprintLength || !std::ranges::all_of(topic, is_lower_hex)) return std::nullopt;
  return std::string{topic};
}

std::optional<std::string> parse_kick_topic(std::string_view topic) {
  if (!topic.starts_with(kKick) || topic.size() == kKick.size()) return std::nullopt;
  return std::string{topic.substr(kKick.size())};
}

std::optional<ClientEventTopic> parse_client_event_topic(std::string_view topic) {
  if (!topic.starts_with(kEvent)) return std::nullopt;
  topic.remove_prefix(kEvent.size());
  for (const ClientEvent event : kEvents) {
    const std::string_view name = to_string(event);
    if (topic.size() > name.size() + 1 && topic.starts_with(name) && topic[name.size()] == '/') {
      return ClientEventTopic{event, std::string{topic.substr(name.size() + 1)}};
    }
  }
  return std::nullopt;
}

}  // namespace otasim::broker
