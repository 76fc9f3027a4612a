#include "sim/link/statistics.h"

#include <numeric>

namespace otasim::link {

std::string_view name_of(DropReason reason) {
  switch (reason) {
    case DropReason::kTooShort:
      return "too_short";
    case DropReason::kTooLong:
      return "too_long";
    case DropReason::kIpv6:
      return "ipv6";
    case DropReason::kOtherEtherType:
      return "other_ether_type";
    case DropReason::kBadArp:
      return "bad_arp";
    case DropReason::kBadIpv4:
      return "bad_ipv4";
    case DropReason::kIpv4Options:
      return "ipv4_options";
    case DropReason::kFragment:
      return "fragment";
    case DropReason::kForeignSource:
      return "foreign_source";
    case DropReason::kOtherHost:
      return "other_host";
    case DropReason::kOtherProtocol:
      return "other_protocol";
    case DropReason::kBadTcp:
      return "bad_tcp";
    case DropReason::kBlockedTcpPort:
      return "blocked_tcp_port";
    case DropReason::kTooManyFlows:
      return "too_many_flows";
    case DropReason::kBadUdp:
      return "bad_udp";
    case DropReason::kBlockedUdpPort:
      return "blocked_udp_port";
    case DropReason::kUnansweredDhcp:
      return "unanswered_dhcp";
    case DropReason::kUnansweredDns:
      return "unanswered_dns";
    case DropReason::kUnansweredSntp:
      return "unanswered_sntp";
    case DropReason::kFault:
      return "fault";
    case DropReason::kQueueFull:
      return "queue_full";
    case DropReason::kDeviceOff:
      return "device_off";
    case DropReason::kSendFailed:
      return "send_failed";
    case DropReason::kCount:
      break;
  }
  return "unknown";
}

std::uint64_t Statistics::dropped_total() const {
  return std::accumulate(dropped.begin(), dropped.end(), std::uint64_t{0});
}

}  // namespace otasim::link
