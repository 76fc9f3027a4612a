// Stands where QEMU would: the other end of the link's sockets, sending and receiving whole frames.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "sim/base/unique_fd.h"
#include "sim/link/link.h"
#include "tests/sim/link/packets.h"

namespace otasim::link::test {

class FakeDevice {
 public:
  /// Binds as QEMU does: whatever an earlier device left at the path is removed.
  explicit FakeDevice(const Link& link);

  void send(const Frame& frame);
  /// The next frame for which `wanted` holds, skipping others. Empty after kLimit without one.
  [[nodiscard]] std::optional<Frame> receive(const std::function<bool(Bytes)>& wanted);
  /// Frames that are there now.
  [[nodiscard]] int drain();

 private:
  std::string link_path_;
  UniqueFd socket_;
};

/// An IPv4 frame's TCP segment for this device port, if it is one.
struct ReceivedTcp {
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  std::uint8_t flags = 0;
  std::string data{};
};
[[nodiscard]] std::optional<ReceivedTcp> as_tcp(Bytes frame, std::uint16_t device_port);
/// The payload of a UDP frame from this port, with checksums verified.
[[nodiscard]] std::optional<Bytes> as_udp_from(Bytes frame, std::uint16_t source_port);
/// An ARP reply for this address gives the hardware address.
[[nodiscard]] std::optional<MacAddress> as_arp_reply(Bytes frame, Ipv4Address address);

}  // namespace otasim::link::test
