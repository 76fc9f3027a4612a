// The lab's DHCP server: one address for the one device.
//
// It gets the UDP payload of what the device sent and returns that of the answer. DISCOVER is offered
// 10.0.2.15; REQUEST of that address is acknowledged, of another one refused; every other message, one for
// another server, and anything malformed gets no answer.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/link/ethernet.h"

namespace otasim::link {

inline constexpr std::uint32_t kLeaseSeconds = 86'400;

struct DhcpReply {
  std::vector<std::uint8_t> payload{};
  MacAddress client{};
  Ipv4Address destination{};  ///< broadcast, or the device's address
  bool new_lease = false;     ///< an ACK that is neither a repetition nor a renewal
};

class DhcpServer {
 public:
  [[nodiscard]] std::optional<DhcpReply> answer(Bytes request);

 private:
  std::optional<std::uint32_t> acknowledged_transaction_;
};

}  // namespace otasim::link
