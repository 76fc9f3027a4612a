#include "agent/app/ota_mqtt_port.h"

namespace app::ota_mqtt_port {
namespace {

/// The C interface carries no context; bind() names the client it means.
mqtt::Client* bound_client = nullptr;

OtaMqttStatus_t subscribe(const char* filter, std::uint16_t length, std::uint8_t qos) {
  return bound_client->subscribe({filter, length}, qos) ? OtaMqttSuccess : OtaMqttSubscribeFailed;
}

OtaMqttStatus_t unsubscribe(const char* filter, std::uint16_t length, std::uint8_t) {
  return bound_client->unsubscribe({filter, length}) ? OtaMqttSuccess : OtaMqttUnsubscribeFailed;
}

OtaMqttStatus_t publish(const char* topic, std::uint16_t topic_length, const char* message,
                        std::uint32_t size, std::uint8_t qos) {
  const std::span payload(reinterpret_cast<const std::uint8_t*>(message), size);
  return bound_client->publish({topic, topic_length}, payload, qos) ? OtaMqttSuccess : OtaMqttPublishFailed;
}

}  // namespace

OtaMqttInterface_t bind(mqtt::Client& client) {
  bound_client = &client;
  return {subscribe, unsubscribe, publish};
}

}  // namespace app::ota_mqtt_port
