// AWS IoT's lifecycle events: who connects and disconnects, told to whoever may subscribe to
// `$aws/events/presence/connected/<client id>` and `.../disconnected/<client id>`.
//
// Source: AWS IoT Core developer guide, "Connect/Disconnect events". A session identifier is one for each
// connection; versionNumber counts a client's events up, from 0 when the lab starts.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <unordered_map>

#include "sim/broker/private_topics.h"
#include "sim/cloud/clock.h"
#include "sim/cloud/random_id.h"

namespace otasim::cloud {

struct EventMessage {
  std::string topic;
  std::string payload;  ///< JSON
};

class PresenceEvents {
 public:
  PresenceEvents(const Clock& clock, UuidSource uuid) : clock_(clock), uuid_(std::move(uuid)) {}

  /// What to publish of an event of the broker's; nothing for those that are none of presence, and for client
  /// ids that do not fit into a topic. @param fields  the event's body (docs/broker.md, private topics)
  [[nodiscard]] std::optional<EventMessage> message_of(broker::ClientEvent event,
                                                       const nlohmann::json& fields);

 private:
  struct Client {
    std::string session;
    std::int64_t version = -1;
  };

  const Clock& clock_;
  UuidSource uuid_;
  std::unordered_map<std::string, Client> clients_;  ///< by client id
};

}  // namespace otasim::cloud
