// What went over the link and what did not, counted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace otasim::link {

enum class DropReason : std::uint8_t {
  // From the device.
  kTooShort,        ///< no whole Ethernet header
  kTooLong,         ///< more than the MTU allows
  kIpv6,            ///< the lab is IPv4 only
  kOtherEtherType,  ///< neither ARP nor IPv4
  kBadArp,          ///< not an Ethernet/IPv4 ARP packet
  kBadIpv4,         ///< version, IHL, length or header checksum is wrong
  kIpv4Options,     ///< nothing in the lab uses them
  kFragment,        ///< part of a fragmented packet
  kForeignSource,   ///< the sender is not the device's address
  kOtherHost,       ///< to an address that the lab does not have
  kOtherProtocol,   ///< neither TCP nor UDP
  kBadTcp,          ///< header incomplete
  kBlockedTcpPort,  ///< a port that is not allowed
  kTooManyFlows,    ///< the device already has as many TCP connections as the link keeps
  kBadUdp,          ///< header incomplete, length or checksum wrong
  kBlockedUdpPort,  ///< neither DHCP, DNS nor SNTP
  kUnansweredDhcp,  ///< malformed, or a message that needs no answer
  kUnansweredDns,   ///< too malformed for an error reply
  kUnansweredSntp,  ///< not a request that a client makes
  // In either direction.
  kFault,  ///< an armed fault struck it
  // To the device; the first, with a delay, also from it.
  kQueueFull,  ///< more frames wait than the link keeps
  kDeviceOff,  ///< no QEMU at the other end
  kSendFailed,
  kCount,
};

/// "blocked_tcp_port" and so on.
[[nodiscard]] std::string_view name_of(DropReason reason);

struct Traffic {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
};

struct Statistics {
  Traffic from_device;  ///< all that arrived, also what was dropped then
  Traffic to_device;    ///< all that was handed over
  std::array<std::uint64_t, static_cast<std::size_t>(DropReason::kCount)> dropped{};
  std::uint64_t nat_complaints = 0;  ///< packets that libslirp found malformed

  [[nodiscard]] std::uint64_t dropped_for(DropReason reason) const {
    return dropped[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::uint64_t dropped_total() const;
};

}  // namespace otasim::link
