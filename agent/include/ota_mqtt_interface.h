/*
 * The MQTT client as the agent uses it. Each call returns when the broker answered (SUBACK, UNSUBACK, PUBACK
 * for QoS 1) or the attempt failed. Received messages come back as events, see OTA_SignalEvent().
 */
#ifndef OTA_MQTT_INTERFACE_H
#define OTA_MQTT_INTERFACE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum OtaMqttStatus {
  OtaMqttSuccess = 0,
  OtaMqttPublishFailed = 0xa0,
  OtaMqttSubscribeFailed,
  OtaMqttUnsubscribeFailed
} OtaMqttStatus_t;

/* Topics and filters are not NUL-terminated. */
typedef OtaMqttStatus_t (*OtaMqttSubscribe_t)(const char* pTopicFilter, uint16_t topicFilterLength,
                                              uint8_t ucQoS);

typedef OtaMqttStatus_t (*OtaMqttUnsubscribe_t)(const char* pTopicFilter, uint16_t topicFilterLength,
                                                uint8_t ucQoS);

typedef OtaMqttStatus_t (*OtaMqttPublish_t)(const char* const pacTopic, uint16_t usTopicLen,
                                            const char* pcMsg, uint32_t ulMsgSize, uint8_t ucQos);

typedef struct OtaMqttInterface {
  OtaMqttSubscribe_t subscribe;
  OtaMqttUnsubscribe_t unsubscribe;
  OtaMqttPublish_t publish;
} OtaMqttInterface_t;

#ifdef __cplusplus
}
#endif

#endif /* OTA_MQTT_INTERFACE_H */
