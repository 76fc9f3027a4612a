#include "sim/broker/broker_config.h"

#include <fmt/format.h>

#include "sim/broker/private_topics.h"

namespace otasim::broker {

namespace {

/// Room for the fixed header and a topic beside a payload of the largest size.
constexpr std::uint32_t kMaxPacket = kMaxPayload + 4096;

/// AWS IoT's limit of unacknowledged messages per client.
constexpr int kMaxInflight = 100;
/// Blocks of several whole requests may wait for a slow device; beyond that it is not reading.
constexpr int kMaxQueued = 10'000;

}  // namespace

Result<std::string> render_config(const BrokerConfig& config) {
  for (const std::string* path :
       {&config.ca_path, &config.certificate_path, &config.key_path, &config.plugin_path, &config.socket_path,
        &config.log_path, &config.address}) {
    if (path->find_first_of("\r\n") != std::string::npos) {
      return fail(ExitCode::kUsage, fmt::format("the path '{}' has a line break in it.", *path),
                  "Mosquitto's configuration cannot hold it. Choose another folder.");
    }
  }
  std::string text = "# Written by otasim for this lab; overwritten at each start.\n";
  // As root, Mosquitto would drop to its own user and then fail to read the lab's folder.
  if (config.run_as_root) text += "user root\n";
  text += fmt::format(
      "per_listener_settings false\n"
      "allow_anonymous false\n"
      "persistence false\n"
      "sys_interval 0\n"
      "set_tcp_nodelay true\n"
      "max_packet_size {}\n"
      "max_inflight_messages {}\n"
      "max_queued_messages {}\n"
      "persistent_client_expiration 1h\n"
      "log_dest stderr\n"
      "log_type error\n"
      "log_type warning\n"
      "log_type notice\n"
      "log_type information\n"
      "plugin {}\n"
      "plugin_opt_{} {}\n"
      "plugin_opt_{} {}\n",
      kMaxPacket, kMaxInflight, kMaxQueued, config.plugin_path, kFirstConnectionOption,
      config.first_connection, kThrottleOption, config.throttle);
  if (!config.log_path.empty()) text += fmt::format("plugin_opt_{} {}\n", kLogOption, config.log_path);
  text += fmt::format(
      "\n"
      "listener {} {}\n"
      "max_qos 1\n"
      "cafile {}\n"
      "certfile {}\n"
      "keyfile {}\n"
      "require_certificate true\n",
      config.port, config.address, config.ca_path, config.certificate_path, config.key_path);
  // Last, so that the other listener is open once this one answers.
  text += fmt::format("\nlistener 0 {}\n", config.socket_path);
  return text;
}

}  // namespace otasim::broker
