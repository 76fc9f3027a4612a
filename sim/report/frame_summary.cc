#include "sim/report/frame_summary.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "sim/link/ethernet.h"
#include "sim/link/frame_info.h"

namespace otasim::report {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint8_t kProtocolIcmp = 1;
// Devices' addresses begin with 02, the host side's with 52 (docs/link.md).
constexpr std::uint8_t kDeviceAddress = 2;

std::string flags_text(std::uint8_t flags) {
  constexpr std::array<std::pair<std::uint8_t, std::string_view>, 3> kNames{
      {{link::kTcpSyn, "syn"}, {link::kTcpFin, "fin"}, {link::kTcpRst, "rst"}}};
  std::string text;
  for (const auto& [bit, name] : kNames) {
    if ((flags & bit) == 0) continue;
    if (!text.empty()) text += ' ';
    text += name;
  }
  if (!text.empty() && (flags & link::kTcpAck) != 0) text += " ack";
  return text;
}

void set_ports(FrameSummary& frame, std::uint16_t source, std::uint16_t destination) {
  const bool is_from_device = frame.direction == FrameSummary::Direction::kFromDevice;
  frame.device_port = is_from_device ? source : destination;
  frame.host_port = is_from_device ? destination : source;
}

void describe_ipv4(FrameSummary& frame, Bytes bytes) {
  frame.protocol = "ipv4";
  const auto packet = link::parse_ipv4(bytes);
  if (!packet || packet->is_fragment) return;
  if (packet->protocol == kProtocolIcmp) {
    frame.protocol = "icmp";
  } else if (const auto tcp =
                 packet->protocol == link::kProtocolTcp ? link::parse_tcp(*packet) : std::nullopt) {
    frame.protocol = "tcp";
    set_ports(frame, tcp->source_port, tcp->destination_port);
    frame.flags = flags_text(tcp->flags);
    frame.payload_bytes = static_cast<std::uint32_t>(tcp->payload.size());
  } else if (const auto udp =
                 packet->protocol == link::kProtocolUdp ? link::parse_udp(*packet) : std::nullopt) {
    frame.protocol = "udp";
    set_ports(frame, udp->source_port, udp->destination_port);
    frame.payload_bytes = static_cast<std::uint32_t>(udp->payload.size());
  }
}

}  // namespace

std::string FrameSummary::text() const {
  std::string text(protocol);
  if (host_port != 0) text += fmt::format(" {}", host_port);
  if (!flags.empty()) text += ' ' + flags;
  return text;
}

std::string_view name_of(FrameSummary::Direction direction) {
  switch (direction) {
    case FrameSummary::Direction::kFromDevice:
      return "from_device";
    case FrameSummary::Direction::kToDevice:
      return "to_device";
    case FrameSummary::Direction::kToAll:
      break;
  }
  return "to_all";
}

FrameSummary sum_up_frame(Bytes bytes) {
  FrameSummary frame;
  const auto ethernet = link::parse_ethernet(bytes);
  if (!ethernet) return frame;
  const bool is_to_all = (ethernet->destination[0] & 1U) != 0;
  frame.direction = ethernet->source[0] == kDeviceAddress ? FrameSummary::Direction::kFromDevice
                    : is_to_all                           ? FrameSummary::Direction::kToAll
                                                          : FrameSummary::Direction::kToDevice;
  if (ethernet->ether_type == link::kEtherTypeArp) frame.protocol = "arp";
  if (ethernet->ether_type == link::kEtherTypeIpv4) describe_ipv4(frame, ethernet->payload);
  return frame;
}

}  // namespace otasim::report
