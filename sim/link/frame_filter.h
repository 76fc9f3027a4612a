// Decides what becomes of a frame from the device, before libslirp sees it.
//
// What passes: ARP for the lab's network; TCP over IPv4 to the host's allowed ports; DHCP; DNS to the lab's
// name server or host; SNTP to the host. The last three are answered by the link itself. Everything else is
// dropped, with the reason: libslirp's own gateway to the host and the Internet is reachable through nothing
// but this filter.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/link/ethernet.h"
#include "sim/link/statistics.h"

namespace otasim::link {

enum class Destination : std::uint8_t { kNat, kDhcp, kDns, kSntp, kDropped };

/// A UDP datagram for the link's own servers.
struct Datagram {
  MacAddress source_mac{};
  Ipv4Address source{};
  Ipv4Address destination{};
  std::uint16_t source_port = 0;
  Bytes payload{};  ///< points into the frame
};

struct Verdict {
  Destination destination = Destination::kDropped;
  DropReason reason = DropReason::kCount;  ///< if dropped
  bool opens_connection = false;           ///< a TCP SYN
  std::uint16_t tcp_port = 0;              ///< TCP: the port it is for
  Datagram datagram{};                     ///< kDhcp, kDns and kSntp
};

class FrameFilter {
 public:
  explicit FrameFilter(std::vector<std::uint16_t> allowed_tcp_ports);

  [[nodiscard]] Verdict judge(Bytes frame) const;

 private:
  [[nodiscard]] Verdict judge_ipv4(const EthernetView& frame) const;
  [[nodiscard]] Verdict judge_tcp(const Ipv4View& packet) const;

  std::vector<std::uint16_t> allowed_tcp_ports_;  // sorted
};

}  // namespace otasim::link
