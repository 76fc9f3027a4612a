// What Wireshark has to be told of a lab's ports: they are chosen anew for each lab, and the protocol within
// TLS goes by the port.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace otasim::report::capture {

/// Ports and the protocol ("mqtt" or "http") behind TLS there, as the run's event log tells them (`lab`
/// `ports`); several labs of one run, after its simulator was killed, add up.
[[nodiscard]] std::map<std::uint16_t, std::string> tls_ports(const std::string& folder);

/// Options for Wireshark and tshark: `-d tls.port==40123,mqtt -d tls.port==40124,http`; empty if the log
/// tells no ports.
[[nodiscard]] std::string decode_options(const std::string& folder);

}  // namespace otasim::report::capture
