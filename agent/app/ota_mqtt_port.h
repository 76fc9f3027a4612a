// The agent's MQTT interface over the application's client. Each call returns when the broker answered, and
// meanwhile the loop turns: messages that arrive are queued as events. The router hears of each subscription
// before the broker does: it tells the blocks of the stream in hand from late ones.
#pragma once

#include "agent/app/message_router.h"
#include "agent/app/mqtt_client.h"
#include "agent/include/ota_mqtt_interface.h"

namespace app::ota_mqtt_port {

/// `client` and `router` must outlive the agent. Call once.
[[nodiscard]] OtaMqttInterface_t bind(mqtt::Client& client, MessageRouter& router);

}  // namespace app::ota_mqtt_port
