// The MQTT topics that the lab has, as docs/aws-conformance.md lists them.
#pragma once

#include <span>
#include <string_view>

namespace otasim::testing {

struct Topic {
  std::string_view topic;      ///< names in braces
  std::string_view use;        ///< who publishes what
  std::string_view deviation;  ///< from AWS; empty for none that is known
};

[[nodiscard]] std::span<const Topic> mqtt_topics();

}  // namespace otasim::testing
