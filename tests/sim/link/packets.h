// Frames as a device makes them, written out by hand rather than with the link's own builder.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/link/ethernet.h"
#include "sim/link/lab_network.h"

namespace otasim::link::test {

using Frame = std::vector<std::uint8_t>;

inline constexpr MacAddress kDeviceMac = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

inline constexpr std::uint8_t kFin = 0x01;
inline constexpr std::uint8_t kSyn = 0x02;
inline constexpr std::uint8_t kPush = 0x08;
inline constexpr std::uint8_t kAck = 0x10;

struct TcpSegment {
  std::uint16_t source_port = 40'000;
  std::uint16_t destination_port = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  std::uint8_t flags = 0;
  std::string data{};
};

[[nodiscard]] Frame ethernet_frame(std::uint16_t ether_type, Bytes payload);
[[nodiscard]] Frame ipv4_frame(Ipv4Address source, Ipv4Address destination, std::uint8_t protocol,
                               Bytes payload);
[[nodiscard]] Frame udp_frame(Ipv4Address source, Ipv4Address destination, std::uint16_t source_port,
                              std::uint16_t destination_port, Bytes payload);
[[nodiscard]] Frame tcp_frame(const TcpSegment& segment, Ipv4Address destination = kHostAddress);
[[nodiscard]] Frame arp_request(Ipv4Address target, Ipv4Address sender = kDeviceAddress);

/// A DHCP message of the client; `options` ends with 255 if it is to be whole.
[[nodiscard]] Frame dhcp_message(std::uint32_t transaction, const Frame& options);
[[nodiscard]] Frame dhcp_discover(std::uint32_t transaction);
[[nodiscard]] Frame dhcp_request(std::uint32_t transaction, Ipv4Address address);
[[nodiscard]] Frame dhcp_frame(const Frame& message);
/// The value of an option in a DHCP message; empty if it is not there.
[[nodiscard]] Frame dhcp_option(Bytes message, std::uint8_t code);

/// A DNS query for one dotted name.
[[nodiscard]] Frame dns_query(const std::string& name, std::uint16_t type = 1, std::uint16_t id = 0x1234);

/// A client's request in SNTP version 4.
[[nodiscard]] Frame sntp_request(std::uint64_t transmit_time = 0x0102030405060708);

/// Puts the right checksum into the IPv4 header of a frame that was tampered with.
void fix_ipv4_checksum(Frame& frame);

}  // namespace otasim::link::test
