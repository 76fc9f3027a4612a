// The lab's DHCP server: one address for the one device.
//
// It gets the UDP payload of what the device sent and returns that of the answer. DISCOVER is offered
// 10.0.2.15; REQUEST of that address is acknowledged, of another one refused; every other message, one for
// another server, and anything malformed gets no answer. forge() gives what an attacker would answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "sim/link/ethernet.h"
#include "sim/link/lab_network.h"

namespace otasim::link {

inline constexpr std::uint32_t kLeaseSeconds = 86'400;

struct DhcpReply {
  std::vector<std::uint8_t> payload{};
  MacAddress client{};
  Ipv4Address destination{};   ///< broadcast, or the device's address
  std::string_view message{};  ///< "offer", "ack" or "nak"
  bool new_lease = false;      ///< an ACK that is neither a repetition nor a renewal
};

/// What a server gives to the device.
struct DhcpTerms {
  Ipv4Address server = kHostAddress;
  Ipv4Address address = kDeviceAddress;
  Ipv4Address router = kHostAddress;
  Ipv4Address name_server = kDnsAddress;
  Ipv4Address time_server = kHostAddress;
};

class DhcpServer {
 public:
  [[nodiscard]] std::optional<DhcpReply> answer(Bytes request);
  /// The answer did not reach the device: what it gets when it asks again is a new lease.
  void lost(const DhcpReply& reply);

  /// What an attacker answers before the lab does: an offer to DISCOVER, an acknowledgement to REQUEST,
  /// whomever it is for.
  [[nodiscard]] static std::optional<DhcpReply> forge(Bytes request, const DhcpTerms& terms);

 private:
  std::optional<std::uint32_t> acknowledged_transaction_;
};

}  // namespace otasim::link
