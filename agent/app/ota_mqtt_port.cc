#include "agent/app/ota_mqtt_port.h"

namespace app::ota_mqtt_port {
namespace {

/// The C interface carries no context; bind() names the client and the router it means.
mqtt::Client* bound_client = nullptr;
MessageRouter* bound_router = nullptr;

OtaMqttStatus_t subscribe(const char* filter, std::uint16_t length, std::uint8_t qos) {
  bound_router->on_subscribe({filter, length});
  if (bound_client->subscribe({filter, length}, qos)) return OtaMqttSuccess;
  bound_router->on_unsubscribe({filter, length});
  return OtaMqttSubscribeFailed;
}

OtaMqttStatus_t unsubscribe(const char* filter, std::uint16_t length, std::uint8_t) {
  bound_router->on_unsubscribe({filter, length});
  return bound_client->unsubscribe({filter, length}) ? OtaMqttSuccess : OtaMqttUnsubscribeFailed;
}

OtaMqttStatus_t publish(const char* topic, std::uint16_t topic_length, const char* message,
                        std::uint32_t size, std::uint8_t qos) {
  const std::span payload(reinterpret_cast<const std::uint8_t*>(message), size);
  return bound_client->publish({topic, topic_length}, payload, qos) ? OtaMqttSuccess : OtaMqttPublishFailed;
}

}  // namespace

OtaMqttInterface_t bind(mqtt::Client& client, MessageRouter& router) {
  bound_client = &client;
  bound_router = &router;
  return {subscribe, unsubscribe, publish};
}

}  // namespace app::ota_mqtt_port
