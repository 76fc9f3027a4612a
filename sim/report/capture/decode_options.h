// What Wireshark has to be told of a lab's ports. It finds HTTP within TLS by itself, but MQTT only on the
// port it knows, and a lab's is chosen anew.
#pragma once

#include <cstdint>
#include <set>
#include <string>

namespace otasim::report::capture {

/// Where the broker listened, as the event log in the folder tells (`lab` `ports`). Several, if the simulator
/// was killed and the lab went on with another port.
[[nodiscard]] std::set<std::uint16_t> mqtt_ports(const std::string& folder);

/// Options for Wireshark and tshark: `-d tls.port==40123,mqtt`; empty if the log tells no port.
[[nodiscard]] std::string decode_options(const std::string& folder);

}  // namespace otasim::report::capture
