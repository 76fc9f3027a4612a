// Mosquitto's configuration for a lab: one listener for devices (TLS, client certificate required), one
// private unix socket for the mirror, and the plugin that decides everything else.
#pragma once

#include <cstdint>
#include <string>

#include "sim/base/result.h"

namespace otasim::broker {

/// AWS IoT's limit of a message's payload.
inline constexpr std::uint32_t kMaxPayload = 128 * 1024;

struct BrokerConfig {
  std::uint16_t port = 0;
  std::string ca_path = {};           ///< PEM: who signs clients' certificates
  std::string certificate_path = {};  ///< PEM: the listener's own
  std::string key_path = {};          ///< PEM
  std::string plugin_path = {};
  std::string socket_path = {};  ///< the private listener
  bool run_as_root = false;
  std::string log_path = {};           ///< where Mosquitto's log goes; empty: the plugin cannot read it
  std::string address = "127.0.0.1";   ///< the devices' listener
  bool throttle = false;               ///< whether AWS's rate limits apply (rate_limit.h)
  std::uint64_t first_connection = 1;  ///< its number
};

/// Renders `mosquitto.conf`.
/// @returns kUsage for a path that cannot be written in that format (it has a line break)
[[nodiscard]] Result<std::string> render_config(const BrokerConfig& config);

}  // namespace otasim::broker
