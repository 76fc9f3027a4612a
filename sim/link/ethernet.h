// Ethernet, IPv4, UDP and TCP headers as bounded views, their checksums, and a builder for UDP frames.
//
// Every view is made from a span and trusts no length in it: a function that finds a header incomplete or
// inconsistent returns nothing. Numbers are in host order, addresses are types of their own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace otasim::link {

using Bytes = std::span<const std::uint8_t>;
using MacAddress = std::array<std::uint8_t, 6>;

/// An IPv4 address; `value` in host order.
struct Ipv4Address {
  std::uint32_t value = 0;
  friend constexpr bool operator==(Ipv4Address, Ipv4Address) = default;
};
[[nodiscard]] constexpr Ipv4Address ipv4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  return {std::uint32_t{a} << 24 | std::uint32_t{b} << 16 | std::uint32_t{c} << 8 | d};
}

inline constexpr std::size_t kEthernetHeaderBytes = 14;
inline constexpr std::size_t kIpv4HeaderBytes = 20;
inline constexpr std::size_t kUdpHeaderBytes = 8;
inline constexpr std::size_t kTcpHeaderBytes = 20;
inline constexpr std::size_t kArpBytes = 28;
/// Largest frame of an Ethernet with a 1500-byte MTU, without its check sequence.
inline constexpr std::size_t kMaxFrameBytes = kEthernetHeaderBytes + 1500;
inline constexpr MacAddress kBroadcastMac = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

inline constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr std::uint16_t kEtherTypeArp = 0x0806;
inline constexpr std::uint16_t kEtherTypeIpv6 = 0x86dd;
inline constexpr std::uint8_t kProtocolTcp = 6;
inline constexpr std::uint8_t kProtocolUdp = 17;

/// Big-endian numbers; the caller has checked that `at` and what follows is inside.
[[nodiscard]] std::uint16_t read_u16(Bytes bytes, std::size_t at);
[[nodiscard]] std::uint32_t read_u32(Bytes bytes, std::size_t at);
[[nodiscard]] Ipv4Address read_ipv4(Bytes bytes, std::size_t at);
void append_u16(std::vector<std::uint8_t>& out, std::uint16_t value);
void append_u32(std::vector<std::uint8_t>& out, std::uint32_t value);
void write_u16(std::span<std::uint8_t> bytes, std::size_t at, std::uint16_t value);

struct EthernetView {
  MacAddress destination;
  MacAddress source;
  std::uint16_t ether_type;
  Bytes payload;  ///< with the padding of a short frame
};
[[nodiscard]] std::optional<EthernetView> parse_ethernet(Bytes frame);

struct Ipv4View {
  Ipv4Address source;
  Ipv4Address destination;
  std::uint8_t protocol;
  bool has_options;
  bool is_fragment;
  bool header_checksum_ok;
  Bytes payload;  ///< as long as the header says, without padding
};
[[nodiscard]] std::optional<Ipv4View> parse_ipv4(Bytes packet);

struct UdpView {
  std::uint16_t source_port;
  std::uint16_t destination_port;
  bool checksum_ok;  ///< also true for a datagram without a checksum
  Bytes payload;
};
[[nodiscard]] std::optional<UdpView> parse_udp(const Ipv4View& packet);

struct TcpView {
  std::uint16_t source_port;
  std::uint16_t destination_port;
  std::uint32_t sequence;
  std::uint32_t acknowledgement;
  std::uint8_t flags;
  bool opens_connection;  ///< SYN without ACK
  Bytes payload;
};
[[nodiscard]] std::optional<TcpView> parse_tcp(const Ipv4View& packet);

/// The Internet checksum of `bytes`, added to a partial sum; 0 over data that includes a right checksum.
[[nodiscard]] std::uint16_t internet_checksum(Bytes bytes, std::uint32_t partial_sum = 0);
/// Partial sum of the pseudo-header that UDP and TCP checksums begin with.
[[nodiscard]] std::uint32_t pseudo_header_sum(Ipv4Address source, Ipv4Address destination,
                                              std::uint8_t protocol, std::size_t payload_bytes);

/// Whence and whither a UDP datagram or a TCP segment goes.
struct Addressing {
  MacAddress source_mac;
  MacAddress destination_mac;
  Ipv4Address source;
  Ipv4Address destination;
  std::uint16_t source_port;
  std::uint16_t destination_port;
};
/// A whole Ethernet frame with one UDP datagram, checksums included. `payload` must fit the MTU.
[[nodiscard]] std::vector<std::uint8_t> build_udp_frame(const Addressing& addressing, Bytes payload);

/// A whole Ethernet frame with a TCP segment that resets a connection: RST and ACK, without data.
[[nodiscard]] std::vector<std::uint8_t> build_reset_frame(const Addressing& addressing,
                                                          std::uint32_t sequence,
                                                          std::uint32_t acknowledgement);

/// "52:54:00:12:34:56"
[[nodiscard]] std::string to_string(const MacAddress& mac);
/// "10.0.2.15"
[[nodiscard]] std::string to_string(Ipv4Address address);

}  // namespace otasim::link
