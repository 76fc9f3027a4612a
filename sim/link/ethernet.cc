#include "sim/link/ethernet.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace otasim::link {
namespace {

constexpr std::uint16_t kMoreFragments = 0x2000;
constexpr std::uint16_t kFragmentOffset = 0x1fff;
constexpr std::uint16_t kDoNotFragment = 0x4000;
constexpr std::uint8_t kTimeToLive = 64;
constexpr std::uint8_t kTcpSyn = 0x02;
constexpr std::uint8_t kTcpRst = 0x04;
constexpr std::uint8_t kTcpAck = 0x10;

MacAddress read_mac(Bytes bytes, std::size_t at) {
  MacAddress mac;
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), mac.size(), mac.begin());
  return mac;
}

std::uint32_t sum_words(Bytes bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += read_u16(bytes, i);
  if (bytes.size() % 2 != 0) sum += std::uint32_t{bytes.back()} << 8;
  return sum;
}

/// Ethernet and IPv4 header of a packet with so many bytes behind them.
std::vector<std::uint8_t> start_frame(const Addressing& a, std::uint8_t protocol, std::size_t payload_bytes) {
  const std::size_t ip_bytes = kIpv4HeaderBytes + payload_bytes;
  assert(kEthernetHeaderBytes + ip_bytes <= kMaxFrameBytes);

  std::vector<std::uint8_t> frame;
  frame.reserve(kEthernetHeaderBytes + ip_bytes);
  frame.insert(frame.end(), a.destination_mac.begin(), a.destination_mac.end());
  frame.insert(frame.end(), a.source_mac.begin(), a.source_mac.end());
  append_u16(frame, kEtherTypeIpv4);

  append_u16(frame, 0x4500);
  append_u16(frame, static_cast<std::uint16_t>(ip_bytes));
  append_u16(frame, 0);  // identification: never fragmented
  append_u16(frame, kDoNotFragment);
  frame.push_back(kTimeToLive);
  frame.push_back(protocol);
  append_u16(frame, 0);
  append_u32(frame, a.source.value);
  append_u32(frame, a.destination.value);
  const std::span<std::uint8_t> ip = std::span(frame).subspan(kEthernetHeaderBytes, kIpv4HeaderBytes);
  write_u16(ip, 10, internet_checksum(ip));
  return frame;
}

/// The checksum over what stands behind the IPv4 header.
std::uint16_t transport_checksum(const Addressing& a, std::uint8_t protocol, Bytes frame) {
  const Bytes transport = frame.subspan(kEthernetHeaderBytes + kIpv4HeaderBytes);
  return internet_checksum(transport, pseudo_header_sum(a.source, a.destination, protocol, transport.size()));
}

}  // namespace

std::uint16_t read_u16(Bytes bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

std::uint32_t read_u32(Bytes bytes, std::size_t at) {
  return std::uint32_t{read_u16(bytes, at)} << 16 | read_u16(bytes, at + 2);
}

Ipv4Address read_ipv4(Bytes bytes, std::size_t at) {
  return {read_u32(bytes, at)};
}

void append_u16(std::vector<std::uint8_t>& out, std::uint16_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

void append_u32(std::vector<std::uint8_t>& out, std::uint32_t value) {
  append_u16(out, static_cast<std::uint16_t>(value >> 16));
  append_u16(out, static_cast<std::uint16_t>(value));
}

void write_u16(std::span<std::uint8_t> bytes, std::size_t at, std::uint16_t value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}

std::optional<EthernetView> parse_ethernet(Bytes frame) {
  if (frame.size() < kEthernetHeaderBytes) return std::nullopt;
  return EthernetView{read_mac(frame, 0), read_mac(frame, 6), read_u16(frame, 12),
                      frame.subspan(kEthernetHeaderBytes)};
}

std::optional<Ipv4View> parse_ipv4(Bytes packet) {
  if (packet.size() < kIpv4HeaderBytes || packet[0] >> 4 != 4) return std::nullopt;
  const std::size_t header_bytes = std::size_t{4} * (packet[0] & 0x0f);
  const std::size_t total_bytes = read_u16(packet, 2);
  if (header_bytes < kIpv4HeaderBytes || total_bytes < header_bytes || total_bytes > packet.size()) {
    return std::nullopt;
  }
  const std::uint16_t fragment = read_u16(packet, 6);
  return Ipv4View{.source = read_ipv4(packet, 12),
                  .destination = read_ipv4(packet, 16),
                  .protocol = packet[9],
                  .has_options = header_bytes > kIpv4HeaderBytes,
                  .is_fragment = (fragment & (kMoreFragments | kFragmentOffset)) != 0,
                  .header_checksum_ok = internet_checksum(packet.first(header_bytes)) == 0,
                  .payload = packet.subspan(header_bytes, total_bytes - header_bytes)};
}

std::optional<UdpView> parse_udp(const Ipv4View& packet) {
  const Bytes datagram = packet.payload;
  if (datagram.size() < kUdpHeaderBytes) return std::nullopt;
  const std::size_t length = read_u16(datagram, 4);
  if (length < kUdpHeaderBytes || length > datagram.size()) return std::nullopt;
  const std::uint32_t pseudo = pseudo_header_sum(packet.source, packet.destination, kProtocolUdp, length);
  const bool checksum_ok =
      read_u16(datagram, 6) == 0 || internet_checksum(datagram.first(length), pseudo) == 0;
  return UdpView{read_u16(datagram, 0), read_u16(datagram, 2), checksum_ok,
                 datagram.subspan(kUdpHeaderBytes, length - kUdpHeaderBytes)};
}

std::optional<TcpView> parse_tcp(const Ipv4View& packet) {
  const Bytes segment = packet.payload;
  if (segment.size() < kTcpHeaderBytes) return std::nullopt;
  const std::size_t header_bytes = std::size_t{4} * (segment[12] >> 4);
  if (header_bytes < kTcpHeaderBytes || header_bytes > segment.size()) return std::nullopt;
  return TcpView{.source_port = read_u16(segment, 0),
                 .destination_port = read_u16(segment, 2),
                 .sequence = read_u32(segment, 4),
                 .acknowledgement = read_u32(segment, 8),
                 .flags = segment[13],
                 .opens_connection = (segment[13] & (kTcpSyn | kTcpAck)) == kTcpSyn,
                 .payload = segment.subspan(header_bytes)};
}

std::uint16_t internet_checksum(Bytes bytes, std::uint32_t partial_sum) {
  std::uint32_t sum = partial_sum + sum_words(bytes);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

std::uint32_t pseudo_header_sum(Ipv4Address source, Ipv4Address destination, std::uint8_t protocol,
                                std::size_t payload_bytes) {
  return (source.value >> 16) + (source.value & 0xffff) + (destination.value >> 16) +
         (destination.value & 0xffff) + protocol + static_cast<std::uint32_t>(payload_bytes);
}

std::vector<std::uint8_t> build_udp_frame(const Addressing& a, Bytes payload) {
  const std::size_t udp_bytes = kUdpHeaderBytes + payload.size();
  std::vector<std::uint8_t> frame = start_frame(a, kProtocolUdp, udp_bytes);
  append_u16(frame, a.source_port);
  append_u16(frame, a.destination_port);
  append_u16(frame, static_cast<std::uint16_t>(udp_bytes));
  append_u16(frame, 0);
  frame.insert(frame.end(), payload.begin(), payload.end());
  const std::uint16_t checksum = transport_checksum(a, kProtocolUdp, frame);
  // 0 would mean "no checksum"
  write_u16(frame, kEthernetHeaderBytes + kIpv4HeaderBytes + 6, checksum == 0 ? 0xffff : checksum);
  return frame;
}

std::vector<std::uint8_t> build_reset_frame(const Addressing& a, std::uint32_t sequence,
                                            std::uint32_t acknowledgement) {
  std::vector<std::uint8_t> frame = start_frame(a, kProtocolTcp, kTcpHeaderBytes);
  append_u16(frame, a.source_port);
  append_u16(frame, a.destination_port);
  append_u32(frame, sequence);
  append_u32(frame, acknowledgement);
  frame.push_back(kTcpHeaderBytes / 4 << 4);
  frame.push_back(kTcpRst | kTcpAck);
  append_u16(frame, 0);  // window
  append_u32(frame, 0);  // checksum, urgent pointer
  write_u16(frame, kEthernetHeaderBytes + kIpv4HeaderBytes + 16, transport_checksum(a, kProtocolTcp, frame));
  return frame;
}

std::string to_string(const MacAddress& mac) {
  return fmt::format("{:02x}", fmt::join(mac, ":"));
}

std::string to_string(Ipv4Address address) {
  const std::uint32_t v = address.value;
  return fmt::format("{}.{}.{}.{}", v >> 24, v >> 16 & 0xff, v >> 8 & 0xff, v & 0xff);
}

}  // namespace otasim::link
