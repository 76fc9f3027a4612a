#include "sim/link/frame_info.h"

namespace otasim::link {
namespace {

FlowKey flow_key(std::uint16_t source_port, std::uint16_t destination_port, Direction direction) {
  if (direction == Direction::kFromDevice) return {source_port, destination_port};
  return {destination_port, source_port};
}

FrameInfo inspect_tcp(const TcpView& tcp, Direction direction) {
  const int control = ((tcp.flags & kTcpSyn) != 0 ? 1 : 0) + ((tcp.flags & kTcpFin) != 0 ? 1 : 0);
  return {.kind = FrameInfo::Kind::kTcp,
          .ports = flow_key(tcp.source_port, tcp.destination_port, direction),
          .flags = tcp.flags,
          .sequence = tcp.sequence,
          .acknowledgement = tcp.acknowledgement,
          .sequence_length =
              static_cast<std::uint32_t>(tcp.payload.size()) + static_cast<std::uint32_t>(control)};
}

FrameInfo inspect_ipv4(const Ipv4View& packet, Direction direction) {
  if (packet.protocol == kProtocolTcp) {
    if (const auto tcp = parse_tcp(packet)) return inspect_tcp(*tcp, direction);
  } else if (packet.protocol == kProtocolUdp && packet.payload.size() >= kUdpHeaderBytes) {
    return {.kind = FrameInfo::Kind::kUdp,
            .ports = flow_key(read_u16(packet.payload, 0), read_u16(packet.payload, 2), direction)};
  }
  return {};
}

}  // namespace

FrameInfo inspect(Bytes frame, Direction direction) {
  const auto ethernet = parse_ethernet(frame);
  if (!ethernet) return {};
  if (ethernet->ether_type == kEtherTypeArp) return {.kind = FrameInfo::Kind::kArp};
  if (ethernet->ether_type != kEtherTypeIpv4) return {};
  const auto packet = parse_ipv4(ethernet->payload);
  if (!packet || packet->is_fragment) return {};
  return inspect_ipv4(*packet, direction);
}

std::string_view name_of(FrameInfo::Kind kind) {
  switch (kind) {
    case FrameInfo::Kind::kArp:
      return "arp";
    case FrameInfo::Kind::kUdp:
      return "udp";
    case FrameInfo::Kind::kTcp:
      return "tcp";
    case FrameInfo::Kind::kOther:
      break;
  }
  return "other";
}

std::string_view name_of(Direction direction) {
  switch (direction) {
    case Direction::kToDevice:
      return "to_device";
    case Direction::kFromDevice:
      return "from_device";
    case Direction::kBoth:
      break;
  }
  return "both";
}

bool matches(const FrameMatch& match, Direction direction, const FrameInfo& info) {
  if (match.direction != Direction::kBoth && match.direction != direction) return false;
  if (match.tcp_port != 0)
    return info.kind == FrameInfo::Kind::kTcp && info.ports.host_port == match.tcp_port;
  switch (match.protocol) {
    case Protocol::kTcp:
      return info.kind == FrameInfo::Kind::kTcp;
    case Protocol::kUdp:
      return info.kind == FrameInfo::Kind::kUdp;
    case Protocol::kAny:
      break;
  }
  return true;
}

}  // namespace otasim::link
