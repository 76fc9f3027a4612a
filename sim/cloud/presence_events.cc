#include "sim/cloud/presence_events.h"

#include <algorithm>

#include "sim/base/json.h"
#include "sim/base/json_members.h"
#include "sim/broker/topic_rules.h"

namespace otasim::cloud {

namespace {

constexpr std::int64_t kMillisecondsPerSecond = 1000;
/// Client ids are clients' own choice; beyond this many, counting starts anew.
constexpr std::size_t kMaxClients = 100'000;

bool fits_into_topic(const std::string& client_id) {
  return client_id.find_first_of("/+#") == std::string::npos;
}

}  // namespace

std::optional<EventMessage> PresenceEvents::message_of(broker::ClientEvent event,
                                                       const nlohmann::json& fields) {
  const bool connected = event == broker::ClientEvent::kConnected;
  const auto client_id = text_member(fields, "clientId");
  if ((!connected && event != broker::ClientEvent::kDisconnected) || !client_id ||
      !fits_into_topic(*client_id)) {
    return std::nullopt;
  }
  if (clients_.size() >= kMaxClients) clients_.clear();
  Client& client = clients_[*client_id];
  if (connected || client.session.empty()) {
    client.session = uuid_();
    std::erase(client.session, '-');
  }
  const std::string type = connected ? "connected" : "disconnected";
  nlohmann::ordered_json body{{"clientId", *client_id},
                              {"timestamp", clock_.now() * kMillisecondsPerSecond},
                              {"eventType", type},
                              {"sessionIdentifier", client.session},
                              {"principalIdentifier", text_member(fields, "principal").value_or("")}};
  if (connected) {
    body["ipAddress"] = text_member(fields, "ipAddress").value_or("");
  } else {
    const auto reason = text_member(fields, "disconnectReason").value_or("UNKNOWN");
    body["clientInitiatedDisconnect"] = reason == "CLIENT_INITIATED_DISCONNECT";
    body["disconnectReason"] = reason;
  }
  body["versionNumber"] = ++client.version;
  return EventMessage{"$aws/events/presence/" + type + "/" + *client_id, body.dump()};
}

}  // namespace otasim::cloud
