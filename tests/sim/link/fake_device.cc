#include "tests/sim/link/fake_device.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "sim/base/unix_socket.h"

namespace otasim::link::test {
namespace {

constexpr std::chrono::seconds kLimit{15};

}  // namespace

FakeDevice::FakeDevice(const Link& link)
    : link_path_(link.link_socket_path()), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  const std::string path = link.qemu_socket_path();
  ::unlink(path.c_str());
  const auto address = unix_socket_address(path).value();
  EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
}

void FakeDevice::send(const Frame& frame) {
  const auto address = unix_socket_address(link_path_).value();
  EXPECT_EQ(::sendto(socket_.get(), frame.data(), frame.size(), 0,
                     reinterpret_cast<const sockaddr*>(&address), sizeof address),
            static_cast<ssize_t>(frame.size()));
}

std::optional<Frame> FakeDevice::receive(const std::function<bool(Bytes)>& wanted) {
  const auto deadline = std::chrono::steady_clock::now() + kLimit;
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd fd{socket_.get(), POLLIN, 0};
    if (left.count() <= 0 || ::poll(&fd, 1, static_cast<int>(left.count())) != 1) return std::nullopt;
    Frame frame(2048);
    const ssize_t bytes = ::recv(socket_.get(), frame.data(), frame.size(), 0);
    if (bytes < 0) return std::nullopt;
    frame.resize(static_cast<std::size_t>(bytes));
    if (wanted(frame)) return frame;
  }
}

int FakeDevice::drain() {
  int frames = 0;
  std::array<std::uint8_t, 2048> buffer;
  while (::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT) >= 0) ++frames;
  return frames;
}

std::optional<ReceivedTcp> as_tcp(Bytes frame, std::uint16_t device_port) {
  const auto ethernet = parse_ethernet(frame);
  if (!ethernet || ethernet->ether_type != kEtherTypeIpv4) return std::nullopt;
  const auto packet = parse_ipv4(ethernet->payload);
  if (!packet || packet->protocol != kProtocolTcp) return std::nullopt;
  const Bytes segment = packet->payload;
  if (segment.size() < kTcpHeaderBytes || read_u16(segment, 2) != device_port) return std::nullopt;
  const std::size_t header = std::size_t{4} * (segment[12] >> 4);
  if (header > segment.size()) return std::nullopt;
  const Bytes data = segment.subspan(header);
  return ReceivedTcp{read_u32(segment, 4), read_u32(segment, 8), segment[13], {data.begin(), data.end()}};
}

std::optional<Bytes> as_udp_from(Bytes frame, std::uint16_t source_port) {
  const auto ethernet = parse_ethernet(frame);
  if (!ethernet || ethernet->ether_type != kEtherTypeIpv4) return std::nullopt;
  const auto packet = parse_ipv4(ethernet->payload);
  if (!packet || packet->protocol != kProtocolUdp || !packet->header_checksum_ok) return std::nullopt;
  const auto udp = parse_udp(*packet);
  if (!udp || !udp->checksum_ok || udp->source_port != source_port) return std::nullopt;
  return udp->payload;
}

std::optional<MacAddress> as_arp_reply(Bytes frame, Ipv4Address address) {
  const auto ethernet = parse_ethernet(frame);
  if (!ethernet || ethernet->ether_type != kEtherTypeArp) return std::nullopt;
  const Bytes arp = ethernet->payload;
  if (arp.size() < kArpBytes || read_u16(arp, 6) != 2 || read_ipv4(arp, 14) != address) return std::nullopt;
  MacAddress mac;
  std::copy_n(arp.begin() + 8, mac.size(), mac.begin());
  return mac;
}

}  // namespace otasim::link::test
