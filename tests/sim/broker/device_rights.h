// What a device with the OTA documentation's policy may do: topic rules and policy together, as the plugin
// applies them.
#pragma once

#include <string>
#include <string_view>

#include "sim/broker/iot_policy.h"
#include "sim/broker/principal.h"
#include "sim/broker/topic_rules.h"

namespace otasim::testing {

inline bool device_may(std::string_view action, std::string_view thing, std::string_view resource) {
  static const broker::IotPolicy policy = broker::IotPolicy::parse(broker::ota_device_policy()).value();
  return broker::allows({&policy, 1}, action, resource, {std::string(thing), std::string(thing)});
}

inline bool may_request(std::string_view thing, std::string_view topic) {
  return broker::kind_of(topic) == broker::TopicKind::kRequest &&
         device_may("iot:Publish", thing, broker::topic_resource(topic));
}

inline bool may_receive(std::string_view thing, std::string_view topic) {
  return broker::is_fit_for_delivery(topic) &&
         device_may("iot:Receive", thing, broker::topic_resource(topic));
}

inline bool may_subscribe(std::string_view thing, std::string_view filter) {
  return broker::is_fit_for_subscription(filter) &&
         device_may("iot:Subscribe", thing, broker::topic_filter_resource(filter));
}

/// What the plugin is told of a device's certificate.
inline std::string device_grants(const std::string& thing) {
  return broker::principal_payload({thing}, {broker::ota_device_policy()});
}

}  // namespace otasim::testing
