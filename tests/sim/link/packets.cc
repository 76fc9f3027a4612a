#include "tests/sim/link/packets.h"

#include <algorithm>
#include <initializer_list>

namespace otasim::link::test {
namespace {

void append(Frame& out, std::initializer_list<int> bytes) {
  for (const int byte : bytes) out.push_back(static_cast<std::uint8_t>(byte));
}

void append(Frame& out, Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_address(Frame& out, Ipv4Address address) {
  append_u32(out, address.value);
}

}  // namespace

Frame ethernet_frame(std::uint16_t ether_type, Bytes payload) {
  Frame frame(kBroadcastMac.begin(), kBroadcastMac.end());
  append(frame, kDeviceMac);
  append_u16(frame, ether_type);
  append(frame, payload);
  return frame;
}

Frame ipv4_frame(Ipv4Address source, Ipv4Address destination, std::uint8_t protocol, Bytes payload) {
  Frame packet;
  append(packet, {0x45, 0});
  append_u16(packet, static_cast<std::uint16_t>(20 + payload.size()));
  append(packet, {0, 0, 0, 0, 64, protocol, 0, 0});
  append_address(packet, source);
  append_address(packet, destination);
  append(packet, payload);
  Frame frame = ethernet_frame(0x0800, packet);
  fix_ipv4_checksum(frame);
  return frame;
}

void fix_ipv4_checksum(Frame& frame) {
  const std::size_t header = std::size_t{4} * (frame[14] & 0x0f);
  frame[24] = frame[25] = 0;
  const std::uint16_t sum = internet_checksum(Bytes(frame).subspan(14, header));
  frame[24] = static_cast<std::uint8_t>(sum >> 8);
  frame[25] = static_cast<std::uint8_t>(sum);
}

Frame udp_frame(Ipv4Address source, Ipv4Address destination, std::uint16_t source_port,
                std::uint16_t destination_port, Bytes payload) {
  Frame datagram;
  append_u16(datagram, source_port);
  append_u16(datagram, destination_port);
  append_u16(datagram, static_cast<std::uint16_t>(8 + payload.size()));
  append_u16(datagram, 0);
  append(datagram, payload);
  const std::uint16_t sum =
      internet_checksum(datagram, pseudo_header_sum(source, destination, 17, datagram.size()));
  datagram[6] = static_cast<std::uint8_t>(sum >> 8);
  datagram[7] = static_cast<std::uint8_t>(sum);
  return ipv4_frame(source, destination, 17, datagram);
}

Frame tcp_frame(const TcpSegment& s, Ipv4Address destination) {
  Frame segment;
  append_u16(segment, s.source_port);
  append_u16(segment, s.destination_port);
  append_u32(segment, s.sequence);
  append_u32(segment, s.acknowledgement);
  append(segment, {0x50, s.flags});
  append_u16(segment, 8'192);  // window
  append_u32(segment, 0);      // checksum, urgent pointer
  segment.insert(segment.end(), s.data.begin(), s.data.end());
  const std::uint16_t sum =
      internet_checksum(segment, pseudo_header_sum(kDeviceAddress, destination, 6, segment.size()));
  segment[16] = static_cast<std::uint8_t>(sum >> 8);
  segment[17] = static_cast<std::uint8_t>(sum);
  return ipv4_frame(kDeviceAddress, destination, 6, segment);
}

Frame arp_request(Ipv4Address target, Ipv4Address sender) {
  Frame packet;
  append(packet, {0, 1, 8, 0, 6, 4, 0, 1});
  append(packet, kDeviceMac);
  append_address(packet, sender);
  append(packet, {0, 0, 0, 0, 0, 0});
  append_address(packet, target);
  return ethernet_frame(0x0806, packet);
}

Frame dhcp_message(std::uint32_t transaction, const Frame& options) {
  Frame message{1, 1, 6, 0};
  append_u32(message, transaction);
  message.resize(28, 0);
  append(message, kDeviceMac);
  message.resize(236, 0);
  append(message, {0x63, 0x82, 0x53, 0x63});
  append(message, options);
  return message;
}

Frame dhcp_discover(std::uint32_t transaction) {
  return dhcp_message(transaction, {53, 1, 1, 255});
}

Frame dhcp_request(std::uint32_t transaction, Ipv4Address address) {
  Frame options{53, 1, 3, 50, 4};
  append_address(options, address);
  append(options, {54, 4, 10, 0, 2, 2, 255});
  return dhcp_message(transaction, options);
}

Frame dhcp_frame(const Frame& message) {
  return udp_frame({}, kBroadcastAddress, 68, 67, message);
}

Frame dhcp_option(Bytes message, std::uint8_t code) {
  std::size_t at = 240;
  while (at + 1 < message.size() && message[at] != 255) {
    const std::size_t length = message[at + 1];
    if (message[at] == code && at + 2 + length <= message.size()) {
      const Bytes value = message.subspan(at + 2, length);
      return {value.begin(), value.end()};
    }
    at += 2 + length;
  }
  return {};
}

Frame dns_query(const std::string& name, std::uint16_t type, std::uint16_t id) {
  Frame query;
  append_u16(query, id);
  append(query, {1, 0, 0, 1, 0, 0, 0, 0, 0, 0});
  for (std::size_t start = 0; start < name.size();) {
    const std::size_t end = std::min(name.find('.', start), name.size());
    query.push_back(static_cast<std::uint8_t>(end - start));
    for (std::size_t i = start; i < end; ++i) query.push_back(static_cast<std::uint8_t>(name[i]));
    start = end + 1;
  }
  query.push_back(0);
  append_u16(query, type);
  append_u16(query, 1);
  return query;
}

Frame sntp_request(std::uint64_t transmit_time) {
  Frame request(48);
  request[0] = 0x23;  // no leap warning, version 4, mode client
  for (std::size_t i = 0; i < 8; ++i)
    request[40 + i] = static_cast<std::uint8_t>(transmit_time >> (56 - 8 * i));
  return request;
}

}  // namespace otasim::link::test
