// The broker plugin: what makes Mosquitto behave as AWS IoT's message broker does towards devices.
//
// Mosquitto loads it and calls it on its own thread only, one event at a time:
//   basic authentication  a client connects: its certificate's policies decide whether it may
//   access check          a client subscribes, publishes or is about to receive: what AWS reserves, what its
//                         policies allow, and AWS's limits
//   message               a request to a service goes to the mirror; the mirror's answer goes to one client
//   disconnect            told to the mirror, with AWS's reason
// What is decided lives in client_table, iot_policy, topic_rules and private_topics; here is the translation.
// No exception may reach Mosquitto: an event that fails is refused.
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>  // not sim/base/json.h: CMakeLists.txt says why
#include <optional>
#include <string>
#include <string_view>

#include "sim/broker/broker_config.h"
#include "sim/broker/client_table.h"
#include "sim/broker/disconnect_log.h"
#include "sim/broker/iot_policy.h"
#include "sim/broker/private_topics.h"
#include "sim/broker/topic_rules.h"

namespace otasim::broker {
namespace {

/// Ends a connection from within an access check or a message event. AWS closes the connection of a client
/// that publishes outside its policy.
constexpr int kCloseConnection = MOSQ_ERR_AUTH;
/// Ends ordinary routing of a message; its publisher gets its acknowledgement all the same.
constexpr int kHandledHere = MOSQ_ERR_ACL_DENIED;
constexpr int kRequestQos = 0;
/// AWS's limit of a client id's length in bytes.
constexpr std::size_t kMaxClientId = 128;
/// Client ids whose last connections are remembered for the rate at which they may connect.
constexpr std::size_t kMaxRemembered = 100'000;

/// @returns the certificate's fingerprint, or nothing for a client without one: it came over the private
///          listener, because the TLS listener requires a certificate
std::string fingerprint_of(const mosquitto* client) {
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      static_cast<X509*>(mosquitto_client_certificate(client)), &X509_free);
  if (!certificate) return {};
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (X509_digest(certificate.get(), EVP_sha256(), digest.data(), &size) != 1) return "-";
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 0xF];
  }
  return text;
}

/// What stands in Mosquitto's configuration (broker_config.cc).
struct PluginOptions {
  std::uint64_t first_connection = 1;
  std::string log_path = {};
  bool throttle = false;
};

PluginOptions read_options(const mosquitto_opt* options, int count) {
  PluginOptions read;
  for (const mosquitto_opt* option = options; option != options + count; ++option) {
    const std::string_view key = option->key;
    const std::string_view value = option->value;
    if (key == kFirstConnectionOption) {
      std::from_chars(value.data(), value.data() + value.size(), read.first_connection);
    } else if (key == kLogOption) {
      read.log_path = value;
    } else if (key == kThrottleOption) {
      read.throttle = value == "true";
    }
  }
  read.first_connection = std::max<std::uint64_t>(read.first_connection, 1);
  return read;
}

class Plugin {
 public:
  explicit Plugin(const PluginOptions& options)
      : table_(options.first_connection), log_(options.log_path), throttle_(options.throttle) {}

  int authenticate(const mosquitto_evt_basic_auth& event) {
    const char* const id = mosquitto_client_id(event.client);
    const std::string client_id = id == nullptr ? "" : id;
    if (event.client == ended_handle_) ended_handle_ = nullptr;
    forget(event.client);
    const std::string fingerprint = fingerprint_of(event.client);
    if (fingerprint.empty()) return authenticate_mirror(event.client, client_id);
    const Principal* const principal = table_.principal(fingerprint);
    if (principal == nullptr) {
      return refuse(client_id, fingerprint, "the certificate is not registered, or not active");
    }
    if (client_id == kMirrorClientId || client_id.empty() || client_id.size() > kMaxClientId) {
      return refuse(client_id, fingerprint, "a client id has 1 to 128 bytes, and is not the cloud's own");
    }
    if (!principal->may_connect(client_id)) {
      return refuse(client_id, fingerprint,
                    "the certificate's policies do not allow iot:Connect as this client");
    }
    if (throttle_ && !may_connect_again(client_id)) {
      return refuse(client_id, fingerprint, "the client id connects more than once a second");
    }
    const Connection& connection =
        table_.add(event.client, client_id, principal->thing_of(client_id), fingerprint);
    const char* const address = mosquitto_client_address(event.client);
    tell(ClientEvent::kConnected, client_id,
         {{"connection", connection.number},
          {"principal", fingerprint},
          {"ipAddress", address == nullptr ? "" : address}});
    return MOSQ_ERR_SUCCESS;
  }

  int check_access(const mosquitto_evt_acl_check& event) {
    if (event.client == mirror_) return MOSQ_ERR_SUCCESS;
    Connection* const connection = find_client(event.client, event.access);
    if (connection == nullptr) return MOSQ_ERR_ACL_DENIED;
    switch (event.access) {
      case MOSQ_ACL_READ:
        return may_receive(*connection, event) ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ACL_DENIED;
      case MOSQ_ACL_UNSUBSCRIBE:
        connection->subscriptions.erase(event.topic);
        return MOSQ_ERR_SUCCESS;
      case MOSQ_ACL_SUBSCRIBE:
        if (may_subscribe(*connection, event.topic)) return MOSQ_ERR_SUCCESS;
        deny(*connection, "subscribe", event.topic);
        return MOSQ_ERR_ACL_DENIED;
      case MOSQ_ACL_WRITE:
        if (!may_publish(*connection, event)) {
          deny(*connection, "publish", event.topic);
          table_.set_end_reason(event.client, EndReason::kForbiddenAccess);
          return kCloseConnection;
        }
        return is_within_rate(*connection, event.payloadlen) ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ACL_DENIED;
      default:
        return MOSQ_ERR_ACL_DENIED;
    }
  }

  int handle_message(const mosquitto_evt_message& event) {
    const std::string_view payload(static_cast<const char*>(event.payload), event.payloadlen);
    if (event.client == mirror_) return handle_mirror_message(event, payload);
    const Connection* const connection = table_.find(event.client);
    if (connection == nullptr) return kHandledHere;
    const TopicKind kind = kind_of(event.topic);
    if (kind == TopicKind::kApplication) return MOSQ_ERR_SUCCESS;
    if (kind != TopicKind::kRequest) return kHandledHere;
    send(kMirrorClientId, request_topic({connection->client_id, connection->number}, event.topic), payload,
         kRequestQos);
    return kHandledHere;
  }

  void note_disconnect(const mosquitto_evt_disconnect& event) {
    auto connection = forget(event.client);
    if (!connection) return;
    // Read at each end, so that a line is never taken for a later one's.
    const EndReason logged = log_.read_reason(connection->client_id);
    if (connection->end_reason == EndReason::kUnknown) connection->end_reason = logged;
    tell(ClientEvent::kDisconnected, connection->client_id,
         {{"connection", connection->number},
          {"principal", connection->fingerprint},
          {"disconnectReason", to_string(connection->end_reason)}});
    if (!mosquitto_client_clean_session(event.client)) table_.remember_session(*connection);
    ended_ = std::move(*connection);
    ended_handle_ = event.client;
  }

 private:
  /// Messages are also kept for a client that is away, if its session goes on.
  Connection* find_client(const mosquitto* client, int access) {
    Connection* const connection = table_.find(client);
    if (connection != nullptr) return connection;
    // Mosquitto asks about a last will right after it has told of the connection's end.
    if (access == MOSQ_ACL_WRITE) return client == ended_handle_ ? &ended_ : nullptr;
    if (access != MOSQ_ACL_READ) return nullptr;
    const char* const id = mosquitto_client_id(client);
    return id == nullptr ? nullptr : table_.find_session(id);
  }

  bool may_receive(Connection& connection, const mosquitto_evt_acl_check& event) {
    return is_fit_for_delivery(event.topic) &&
           table_.allows(connection, "iot:Receive", topic_resource(event.topic)) &&
           is_within_rate(connection, event.payloadlen);
  }

  bool may_subscribe(Connection& connection, const char* filter) {
    if (!is_fit_for_subscription(filter)) return false;
    auto& subscriptions = connection.subscriptions;
    if (subscriptions.size() >= kMaxSubscriptions && !subscriptions.contains(filter)) return false;
    if (!table_.allows(connection, "iot:Subscribe", topic_filter_resource(without_share(filter))))
      return false;
    subscriptions.insert(filter);
    return true;
  }

  [[nodiscard]] bool may_publish(const Connection& connection, const mosquitto_evt_acl_check& event) const {
    const TopicKind kind = kind_of(event.topic);
    // A will is routed as it is: one that is a request would reach nobody.
    const bool is_will = &connection == &ended_;
    if (kind != TopicKind::kApplication && (kind != TopicKind::kRequest || is_will)) return false;
    if (event.payloadlen > kMaxPayload) return false;
    const std::string resource = topic_resource(event.topic);
    if (!table_.allows(connection, "iot:Publish", resource)) return false;
    if (!event.retain) return true;
    return kind == TopicKind::kApplication && table_.allows(connection, "iot:RetainPublish", resource);
  }

  [[nodiscard]] bool is_within_rate(Connection& connection, std::uint32_t bytes) const {
    if (!throttle_) return true;
    const auto now = std::chrono::steady_clock::now();
    return connection.messages.take(1, now) && connection.bytes.take(bytes, now);
  }

  bool may_connect_again(const std::string& client_id) {
    if (connects_.size() > kMaxRemembered) connects_.clear();
    return connects_.try_emplace(client_id, kConnectsPerSecond)
        .first->second.take(1, std::chrono::steady_clock::now());
  }

  /// A handle is an address: before a client is let in, whatever is known of it is of an earlier one.
  std::optional<Connection> forget(ClientHandle handle) {
    if (handle == mirror_) mirror_ = nullptr;
    return table_.remove(handle);
  }

  int authenticate_mirror(const mosquitto* client, const std::string& client_id) {
    if (client_id != kMirrorClientId) {
      return refuse(client_id, "", "the private listener is the mirror's alone");
    }
    mirror_ = client;
    return MOSQ_ERR_SUCCESS;
  }

  int handle_mirror_message(const mosquitto_evt_message& event, std::string_view payload) {
    const std::string_view topic = event.topic;
    if (!topic.starts_with(kPrivatePrefix)) return MOSQ_ERR_SUCCESS;
    if (const auto delivery = parse_deliver_topic(topic)) {
      deliver(*delivery, payload, event.qos);
    } else if (const auto fingerprint = parse_principal_topic(topic)) {
      set_principal(*fingerprint, payload);
    } else if (const auto client_id = parse_kick_topic(topic)) {
      kick(*client_id);
    }
    return kHandledHere;
  }

  void deliver(const RoutedTopic& delivery, std::string_view payload, int qos) {
    Connection* const connection = table_.find_alive(delivery.client.client_id);
    if (connection == nullptr || !is_within_rate(*connection, static_cast<std::uint32_t>(payload.size())))
      return;
    if (delivery.client.connection != 0 && delivery.client.connection != connection->number) return;
    send(delivery.client.client_id, delivery.topic, payload, qos);
  }

  void set_principal(const std::string& fingerprint, std::string_view payload) {
    for (const std::string& client_id : table_.set_principal(fingerprint, parse_principal_payload(payload))) {
      end_connection(client_id);
    }
  }

  void kick(const std::string& client_id) {
    const Connection* const connection = table_.find_alive(client_id);
    if (connection == nullptr) return;
    tell(ClientEvent::kKicked, client_id,
         {{"fault", "broker.kick"}, {"device", client_id}, {"connection", connection->number}});
    end_connection(client_id);
  }

  void end_connection(const std::string& client_id) {
    table_.set_end_reason(client_id, EndReason::kServerInitiatedDisconnect);
    mosquitto_kick_client_by_clientid(client_id.c_str(), true);
  }

  int refuse(const std::string& client_id, const std::string& fingerprint, const char* reason) {
    tell(ClientEvent::kRefused, client_id,
         {{"principal", fingerprint}, {"disconnectReason", "AUTH_ERROR"}, {"message", reason}});
    mosquitto_log_printf(MOSQ_LOG_NOTICE, "otasim: client refused: %s.", reason);
    return MOSQ_ERR_AUTH;
  }

  void deny(const Connection& connection, const char* action, std::string_view topic) {
    tell(ClientEvent::kDenied, connection.client_id,
         {{"connection", connection.number}, {"action", action}, {"topic", topic.substr(0, kMaxTopic)}});
  }

  void tell(ClientEvent event, const std::string& client_id, nlohmann::json body) {
    body["clientId"] = client_id;
    // The client id is the client's choice: bytes that are no text are replaced.
    const std::string text = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    send(kMirrorClientId, client_event_topic(event, is_thing_name(client_id) ? client_id : "-"), text,
         kRequestQos);
  }

  static void send(const std::string& client_id, const std::string& topic, std::string_view payload,
                   int qos) {
    mosquitto_broker_publish_copy(client_id.c_str(), topic.c_str(), static_cast<int>(payload.size()),
                                  payload.data(), qos, false, nullptr);
  }

  ClientTable table_;
  DisconnectLog log_;
  bool throttle_;
  ClientHandle ended_handle_ = nullptr;  ///< the connection that has ended last
  Connection ended_;
  std::unordered_map<std::string, TokenBucket> connects_;  ///< by client id
  ClientHandle mirror_ = nullptr;
};

Plugin& self(void* userdata) {
  return *static_cast<Plugin*>(userdata);
}

int on_basic_auth(int, void* event, void* userdata) {
  try {
    return self(userdata).authenticate(*static_cast<mosquitto_evt_basic_auth*>(event));
  } catch (...) {
    return MOSQ_ERR_AUTH;
  }
}

int on_acl_check(int, void* event, void* userdata) {
  try {
    return self(userdata).check_access(*static_cast<mosquitto_evt_acl_check*>(event));
  } catch (...) {
    return MOSQ_ERR_ACL_DENIED;
  }
}

int on_message(int, void* event, void* userdata) {
  try {
    return self(userdata).handle_message(*static_cast<mosquitto_evt_message*>(event));
  } catch (...) {
    return MOSQ_ERR_ACL_DENIED;
  }
}

int on_disconnect(int, void* event, void* userdata) {
  try {
    self(userdata).note_disconnect(*static_cast<mosquitto_evt_disconnect*>(event));
  } catch (...) {
    return MOSQ_ERR_UNKNOWN;
  }
  return MOSQ_ERR_SUCCESS;
}

}  // namespace
}  // namespace otasim::broker

#define OTASIM_EXPORT extern "C" __attribute__((visibility("default")))

OTASIM_EXPORT int mosquitto_plugin_version(int count, const int* versions) {
  const int* const end = versions + count;
  return std::find(versions, end, MOSQ_PLUGIN_VERSION) == end ? -1 : MOSQ_PLUGIN_VERSION;
}

OTASIM_EXPORT int mosquitto_plugin_init(mosquitto_plugin_id_t* identifier, void** userdata,
                                        mosquitto_opt* options, int option_count) {
  using namespace otasim::broker;
  auto plugin = std::unique_ptr<Plugin>(new (std::nothrow) Plugin(read_options(options, option_count)));
  if (!plugin) return MOSQ_ERR_NOMEM;
  const std::array<std::pair<int, MOSQ_FUNC_generic_callback>, 4> callbacks{{
      {MOSQ_EVT_BASIC_AUTH, on_basic_auth},
      {MOSQ_EVT_ACL_CHECK, on_acl_check},
      {MOSQ_EVT_MESSAGE, on_message},
      {MOSQ_EVT_DISCONNECT, on_disconnect},
  }};
  for (const auto& [event, callback] : callbacks) {
    const int status = mosquitto_callback_register(identifier, event, callback, nullptr, plugin.get());
    if (status != MOSQ_ERR_SUCCESS) return status;
  }
  *userdata = plugin.release();
  return MOSQ_ERR_SUCCESS;
}

OTASIM_EXPORT int mosquitto_plugin_cleanup(void* userdata, mosquitto_opt*, int) {
  delete static_cast<otasim::broker::Plugin*>(userdata);
  return MOSQ_ERR_SUCCESS;
}
