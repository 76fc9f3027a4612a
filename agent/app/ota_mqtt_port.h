// The agent's MQTT interface over the application's client. Each call returns when the broker answered, and
// meanwhile the loop turns: messages that arrive are queued as events.
#pragma once

#include "agent/app/mqtt_client.h"
#include "agent/include/ota_mqtt_interface.h"

namespace app::ota_mqtt_port {

/// `client` must outlive the agent. Call once.
[[nodiscard]] OtaMqttInterface_t bind(mqtt::Client& client);

}  // namespace app::ota_mqtt_port
