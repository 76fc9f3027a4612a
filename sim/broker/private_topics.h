// The private topics between the cloud mirror and the broker plugin: everything below `otasim/`.
//
//   plugin -> mirror   otasim/request/<client>/<topic>     a device published a request to <topic>
//                      otasim/event/<what>/<client id>     connected, disconnected, refused, denied or
//                      kicked; JSON
//   mirror -> plugin   otasim/deliver/<client>/<topic>     give the payload to that client alone, as <topic>
//                      otasim/principal/<fingerprint>      payload: what the certificate may do
//                      (principal.h);
//                                                          empty: nothing, it is not known
//                      otasim/kick/<client id>             close that client's connection
//
// <client> is `<client id>.<connection>`: a reply reaches the connection that asked and no later one with the
// same client id. The number is the plugin's; a mere `<client id>` means whichever connection is alive.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace otasim::broker {

/// The only client id that the private listener admits, and that the TLS listener never does.
inline constexpr const char* kMirrorClientId = "otasim-mirror";
inline constexpr std::string_view kPrivatePrefix = "otasim/";
/// The plugin's options in Mosquitto's configuration: the number of the first connection, Mosquitto's log,
/// and whether AWS's rate limits apply (`true`).
inline constexpr std::string_view kFirstConnectionOption = "first_connection";
inline constexpr std::string_view kLogOption = "log";
inline constexpr std::string_view kThrottleOption = "throttle";
/// SHA-256 of a certificate's DER form, lower-case hex.
inline constexpr std::size_t kFingerprintLength = 64;

struct ClientAddress {
  std::string client_id;
  std::uint64_t connection = 0;  ///< 0: whichever is alive

  bool operator==(const ClientAddress&) const = default;
};

/// A client's message on its way through the mirror: `request` or `deliver`.
struct RoutedTopic {
  ClientAddress client;
  std::string topic;  ///< as the device publishes or receives it
};

enum class ClientEvent { kConnected, kDisconnected, kRefused, kDenied, kKicked };

struct ClientEventTopic {
  ClientEvent event;
  std::string client_id;  ///< `-` if the client's own is not fit for a topic
};

[[nodiscard]] std::string request_topic(const ClientAddress& client, std::string_view topic);
[[nodiscard]] std::string deliver_topic(const ClientAddress& client, std::string_view topic);
[[nodiscard]] std::string principal_topic(std::string_view fingerprint);
[[nodiscard]] std::string kick_topic(std::string_view client_id);
[[nodiscard]] std::string client_event_topic(ClientEvent event, std::string_view client_id);
[[nodiscard]] std::string_view to_string(ClientEvent event);

/// Each returns nothing for a topic of another kind or shape.
[[nodiscard]] std::optional<RoutedTopic> parse_request_topic(std::string_view topic);
[[nodiscard]] std::optional<RoutedTopic> parse_deliver_topic(std::string_view topic);
[[nodiscard]] std::optional<std::string> parse_principal_topic(std::string_view topic);
[[nodiscard]] std::optional<std::string> parse_kick_topic(std::string_view topic);
[[nodiscard]] std::optional<ClientEventTopic> parse_client_event_topic(std::string_view topic);

}  // namespace otasim::broker
