#include "sim/link/frame_filter.h"

#include <algorithm>

#include "sim/link/lab_network.h"

namespace otasim::link {
namespace {

constexpr std::uint16_t kArpHardwareEthernet = 1;
constexpr std::uint16_t kArpRequest = 1;
constexpr std::uint16_t kArpReply = 2;
constexpr std::size_t kArpSenderAddress = 14;

Verdict drop(DropReason reason) {
  return {.reason = reason};
}

/// A device that has no address yet sends from 0.0.0.0.
bool may_send_from(Ipv4Address source) {
  return source == kDeviceAddress || source == Ipv4Address{};
}

Verdict judge_arp(Bytes packet) {
  if (packet.size() < kArpBytes) return drop(DropReason::kBadArp);
  const std::uint16_t operation = read_u16(packet, 6);
  const bool well_formed = read_u16(packet, 0) == kArpHardwareEthernet &&
                           read_u16(packet, 2) == kEtherTypeIpv4 && packet[4] == 6 && packet[5] == 4 &&
                           (operation == kArpRequest || operation == kArpReply);
  if (!well_formed) return drop(DropReason::kBadArp);
  if (!may_send_from(read_ipv4(packet, kArpSenderAddress))) return drop(DropReason::kForeignSource);
  return {.destination = Destination::kNat};
}

Verdict judge_dhcp(const Ipv4View& packet, Verdict verdict, std::uint16_t source_port) {
  if (source_port != kDhcpClientPort) return drop(DropReason::kBlockedUdpPort);
  if (!may_send_from(packet.source)) return drop(DropReason::kForeignSource);
  if (packet.destination != kBroadcastAddress && packet.destination != kHostAddress) {
    return drop(DropReason::kOtherHost);
  }
  verdict.destination = Destination::kDhcp;
  return verdict;
}

Verdict judge_dns(const Ipv4View& packet, Verdict verdict) {
  if (packet.source != kDeviceAddress) return drop(DropReason::kForeignSource);
  if (packet.destination != kDnsAddress && packet.destination != kHostAddress) {
    return drop(DropReason::kOtherHost);
  }
  verdict.destination = Destination::kDns;
  return verdict;
}

Verdict judge_sntp(const Ipv4View& packet, Verdict verdict) {
  if (packet.source != kDeviceAddress) return drop(DropReason::kForeignSource);
  if (packet.destination != kHostAddress) return drop(DropReason::kOtherHost);
  verdict.destination = Destination::kSntp;
  return verdict;
}

Verdict judge_udp(const MacAddress& source_mac, const Ipv4View& packet) {
  const auto udp = parse_udp(packet);
  if (!udp || !udp->checksum_ok) return drop(DropReason::kBadUdp);
  const Verdict verdict{
      .datagram = {source_mac, packet.source, packet.destination, udp->source_port, udp->payload}};
  if (udp->destination_port == kDhcpServerPort) return judge_dhcp(packet, verdict, udp->source_port);
  if (udp->destination_port == kDnsPort) return judge_dns(packet, verdict);
  if (udp->destination_port == kSntpPort) return judge_sntp(packet, verdict);
  return drop(DropReason::kBlockedUdpPort);
}

}  // namespace

FrameFilter::FrameFilter(std::vector<std::uint16_t> allowed_tcp_ports)
    : allowed_tcp_ports_(std::move(allowed_tcp_ports)) {
  std::sort(allowed_tcp_ports_.begin(), allowed_tcp_ports_.end());
}

Verdict FrameFilter::judge(Bytes frame) const {
  const auto ethernet = parse_ethernet(frame);
  if (!ethernet) return drop(DropReason::kTooShort);
  if (frame.size() > kMaxFrameBytes) return drop(DropReason::kTooLong);
  switch (ethernet->ether_type) {
    case kEtherTypeArp:
      return judge_arp(ethernet->payload);
    case kEtherTypeIpv4:
      return judge_ipv4(*ethernet);
    case kEtherTypeIpv6:
      return drop(DropReason::kIpv6);
    default:
      return drop(DropReason::kOtherEtherType);
  }
}

Verdict FrameFilter::judge_ipv4(const EthernetView& frame) const {
  const auto packet = parse_ipv4(frame.payload);
  if (!packet || !packet->header_checksum_ok) return drop(DropReason::kBadIpv4);
  if (packet->has_options) return drop(DropReason::kIpv4Options);
  if (packet->is_fragment) return drop(DropReason::kFragment);
  switch (packet->protocol) {
    case kProtocolTcp:
      return judge_tcp(*packet);
    case kProtocolUdp:
      return judge_udp(frame.source, *packet);
    default:
      return drop(DropReason::kOtherProtocol);
  }
}

Verdict FrameFilter::judge_tcp(const Ipv4View& packet) const {
  if (packet.source != kDeviceAddress) return drop(DropReason::kForeignSource);
  if (packet.destination != kHostAddress) return drop(DropReason::kOtherHost);
  const auto tcp = parse_tcp(packet);
  if (!tcp) return drop(DropReason::kBadTcp);
  Verdict verdict{.opens_connection = tcp->opens_connection, .tcp_port = tcp->destination_port};
  if (std::binary_search(allowed_tcp_ports_.begin(), allowed_tcp_ports_.end(), tcp->destination_port)) {
    verdict.destination = Destination::kNat;
  } else {
    verdict.reason = DropReason::kBlockedTcpPort;
  }
  return verdict;
}

}  // namespace otasim::link
