// The addresses of the lab's network, as the device sees it.
#pragma once

#include "sim/link/ethernet.h"

namespace otasim::link {

inline constexpr Ipv4Address kNetwork = ipv4(10, 0, 2, 0);
inline constexpr Ipv4Address kNetmask = ipv4(255, 255, 255, 0);
/// The host: its allowed ports are those of the host's loopback interface.
inline constexpr Ipv4Address kHostAddress = ipv4(10, 0, 2, 2);
inline constexpr Ipv4Address kDnsAddress = ipv4(10, 0, 2, 3);
inline constexpr Ipv4Address kDeviceAddress = ipv4(10, 0, 2, 15);
inline constexpr Ipv4Address kBroadcastAddress = ipv4(255, 255, 255, 255);

/// libslirp derives the hardware addresses of its own hosts from their IPv4 addresses; the answers that the
/// link gives itself use the same ones.
[[nodiscard]] constexpr MacAddress mac_of(Ipv4Address address) {
  const std::uint32_t v = address.value;
  return {0x52,
          0x55,
          static_cast<std::uint8_t>(v >> 24),
          static_cast<std::uint8_t>(v >> 16),
          static_cast<std::uint8_t>(v >> 8),
          static_cast<std::uint8_t>(v)};
}

inline constexpr std::uint16_t kDhcpServerPort = 67;
inline constexpr std::uint16_t kDhcpClientPort = 68;
inline constexpr std::uint16_t kDnsPort = 53;
inline constexpr std::uint16_t kSntpPort = 123;

}  // namespace otasim::link
