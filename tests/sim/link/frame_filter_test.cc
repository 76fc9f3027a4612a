#include "sim/link/frame_filter.h"

#include <gtest/gtest.h>

#include <initializer_list>

#include "tests/sim/link/packets.h"

namespace otasim::link::test {
namespace {

constexpr std::uint16_t kAllowedPort = 8'883;

class FrameFilterTest : public testing::Test {
 protected:
  Verdict judge(const Frame& frame) const { return filter_.judge(frame); }
  void expect_dropped(const Frame& frame, DropReason reason) const {
    const Verdict verdict = judge(frame);
    EXPECT_EQ(verdict.destination, Destination::kDropped) << name_of(reason);
    EXPECT_EQ(name_of(verdict.reason), name_of(reason));
  }
  static Frame syn(std::uint16_t port = kAllowedPort, Ipv4Address host = kHostAddress) {
    return tcp_frame({.destination_port = port, .flags = kSyn}, host);
  }
  static Frame udp(Ipv4Address source, Ipv4Address destination, std::uint16_t source_port,
                   std::uint16_t destination_port) {
    return udp_frame(source, destination, source_port, destination_port, Frame{'x'});
  }

  FrameFilter filter_{{9'000, kAllowedPort}};
};

TEST_F(FrameFilterTest, TcpToAnAllowedPortPasses) {
  const Verdict verdict = judge(syn());
  EXPECT_EQ(verdict.destination, Destination::kNat);
  EXPECT_TRUE(verdict.opens_connection);
  EXPECT_EQ(verdict.tcp_port, kAllowedPort);
  EXPECT_EQ(judge(syn(9'000)).destination, Destination::kNat);
  EXPECT_FALSE(judge(tcp_frame({.destination_port = kAllowedPort, .flags = kSyn | kAck})).opens_connection);
  EXPECT_FALSE(judge(tcp_frame({.destination_port = kAllowedPort, .flags = kAck})).opens_connection);
}

TEST_F(FrameFilterTest, TcpToAnotherPortIsDropped) {
  for (const std::uint16_t port : std::initializer_list<std::uint16_t>{0, 22, 53, 67, 8'882, 8'884, 65'535}) {
    expect_dropped(syn(port), DropReason::kBlockedTcpPort);
    EXPECT_EQ(judge(syn(port)).tcp_port, port);
  }
}

TEST_F(FrameFilterTest, TcpToAnotherHostIsDropped) {
  for (const Ipv4Address host : {kDnsAddress, kNetwork, kBroadcastAddress, ipv4(10, 0, 2, 255),
                                 ipv4(127, 0, 0, 1), ipv4(93, 184, 216, 34)}) {
    expect_dropped(syn(kAllowedPort, host), DropReason::kOtherHost);
  }
}

TEST_F(FrameFilterTest, ASenderThatIsNotTheDeviceIsDropped) {
  Frame segment = syn();
  segment[29] = 16;  // 10.0.2.16
  fix_ipv4_checksum(segment);
  expect_dropped(segment, DropReason::kForeignSource);
  expect_dropped(arp_request(kHostAddress, kHostAddress), DropReason::kForeignSource);
  expect_dropped(udp(ipv4(10, 0, 2, 16), kDnsAddress, 5'000, 53), DropReason::kForeignSource);
  expect_dropped(udp(ipv4(10, 0, 2, 16), kBroadcastAddress, 68, 67), DropReason::kForeignSource);
}

TEST_F(FrameFilterTest, ArpPassesIfWellFormed) {
  EXPECT_EQ(judge(arp_request(kHostAddress)).destination, Destination::kNat);
  EXPECT_EQ(judge(arp_request(kHostAddress, Ipv4Address{})).destination, Destination::kNat);
  const Frame whole = arp_request(kHostAddress);
  for (std::size_t bytes = 14; bytes < whole.size(); ++bytes) {
    expect_dropped(Frame(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(bytes)),
                   DropReason::kBadArp);
  }
  for (const std::size_t at : {15U, 16U, 18U, 19U, 20U, 21U}) {  // types, lengths, operation
    Frame bad = whole;
    bad[at] = 9;
    expect_dropped(bad, DropReason::kBadArp);
  }
}

TEST_F(FrameFilterTest, DhcpAndDnsGoToTheLinksOwnServers) {
  const Verdict dhcp = judge(udp(Ipv4Address{}, kBroadcastAddress, 68, 67));
  EXPECT_EQ(dhcp.destination, Destination::kDhcp);
  EXPECT_EQ(dhcp.datagram.source_mac, kDeviceMac);
  EXPECT_EQ(dhcp.datagram.payload.size(), 1u);
  EXPECT_EQ(judge(udp(kDeviceAddress, kHostAddress, 68, 67)).destination, Destination::kDhcp);
  for (const Ipv4Address server : {kDnsAddress, kHostAddress}) {
    const Verdict dns = judge(udp(kDeviceAddress, server, 5'000, 53));
    EXPECT_EQ(dns.destination, Destination::kDns);
    EXPECT_EQ(dns.datagram.destination, server);
    EXPECT_EQ(dns.datagram.source_port, 5'000);
  }
}

TEST_F(FrameFilterTest, SntpToTheHostGoesToTheLinksOwnServerAndToNobodyElse) {
  const Verdict sntp = judge(udp(kDeviceAddress, kHostAddress, 123, 123));
  EXPECT_EQ(sntp.destination, Destination::kSntp);
  EXPECT_EQ(sntp.datagram.source_port, 123);
  EXPECT_EQ(judge(udp(kDeviceAddress, kHostAddress, 5'000, 123)).destination, Destination::kSntp);
  for (const Ipv4Address other : {kDnsAddress, kBroadcastAddress, ipv4(10, 0, 2, 255), ipv4(9, 9, 9, 9)}) {
    expect_dropped(udp(kDeviceAddress, other, 123, 123), DropReason::kOtherHost);
  }
  expect_dropped(udp(Ipv4Address{}, kHostAddress, 123, 123), DropReason::kForeignSource);
  expect_dropped(udp(kDeviceAddress, kHostAddress, 123, 124), DropReason::kBlockedUdpPort);
}

TEST_F(FrameFilterTest, OtherUdpIsDropped) {
  expect_dropped(udp(kDeviceAddress, kHostAddress, 5'000, 69), DropReason::kBlockedUdpPort);
  expect_dropped(udp(kDeviceAddress, kHostAddress, 5'000, kAllowedPort), DropReason::kBlockedUdpPort);
  expect_dropped(udp(kDeviceAddress, kHostAddress, 5'000, 67), DropReason::kBlockedUdpPort);
  expect_dropped(udp(kDeviceAddress, ipv4(8, 8, 8, 8), 5'000, 53), DropReason::kOtherHost);
  expect_dropped(udp(Ipv4Address{}, ipv4(10, 0, 2, 9), 68, 67), DropReason::kOtherHost);
  expect_dropped(udp(Ipv4Address{}, kDnsAddress, 5'000, 53), DropReason::kForeignSource);
}

TEST_F(FrameFilterTest, UdpThatLiesAboutItselfIsDropped) {
  Frame changed = udp(kDeviceAddress, kDnsAddress, 5'000, 53);
  changed.back() ^= 1;
  expect_dropped(changed, DropReason::kBadUdp);
  for (const std::uint8_t length : std::initializer_list<std::uint8_t>{0, 7, 10}) {
    Frame lying = udp(kDeviceAddress, kDnsAddress, 5'000, 53);
    lying[39] = length;
    expect_dropped(lying, DropReason::kBadUdp);
  }
  expect_dropped(ipv4_frame(kDeviceAddress, kDnsAddress, 17, Frame(7)), DropReason::kBadUdp);
}

TEST_F(FrameFilterTest, UdpWithoutAChecksumPasses) {
  Frame without = udp(kDeviceAddress, kDnsAddress, 5'000, 53);
  without[40] = without[41] = 0;
  EXPECT_EQ(judge(without).destination, Destination::kDns);
}

TEST_F(FrameFilterTest, OtherProtocolsAreDropped) {
  expect_dropped(ipv4_frame(kDeviceAddress, kHostAddress, 1, Frame(8)), DropReason::kOtherProtocol);
  expect_dropped(ipv4_frame(kDeviceAddress, kHostAddress, 41, Frame(40)), DropReason::kOtherProtocol);
  expect_dropped(ethernet_frame(0x86dd, Frame(40)), DropReason::kIpv6);
  expect_dropped(ethernet_frame(0x8100, Frame(46)), DropReason::kOtherEtherType);
  expect_dropped(ethernet_frame(46, Frame(46)), DropReason::kOtherEtherType);
}

TEST_F(FrameFilterTest, FragmentsAreDropped) {
  for (const std::uint16_t field : std::initializer_list<std::uint16_t>{0x2000, 0x0001, 0x1fff, 0x2001}) {
    Frame fragment = syn();
    fragment[20] = static_cast<std::uint8_t>(field >> 8);
    fragment[21] = static_cast<std::uint8_t>(field);
    fix_ipv4_checksum(fragment);
    expect_dropped(fragment, DropReason::kFragment);
  }
  Frame do_not_fragment = syn();
  do_not_fragment[20] = 0x40;
  fix_ipv4_checksum(do_not_fragment);
  EXPECT_EQ(judge(do_not_fragment).destination, Destination::kNat);
}

TEST_F(FrameFilterTest, ABadIpv4HeaderIsDropped) {
  for (const std::uint8_t first : std::initializer_list<std::uint8_t>{
           0x44, 0x40, 0x65, 0x05, 0x4f}) {  // IHL below 5, versions, past the end
    Frame bad = syn();
    bad[14] = first;
    expect_dropped(bad, DropReason::kBadIpv4);
  }
  Frame longer_than_frame = syn();
  longer_than_frame[17] = 41;
  fix_ipv4_checksum(longer_than_frame);
  expect_dropped(longer_than_frame, DropReason::kBadIpv4);
  Frame shorter_than_header = syn();
  shorter_than_header[17] = 19;
  fix_ipv4_checksum(shorter_than_header);
  expect_dropped(shorter_than_header, DropReason::kBadIpv4);
  Frame checksum = syn();
  checksum[24] ^= 1;
  expect_dropped(checksum, DropReason::kBadIpv4);
}

TEST_F(FrameFilterTest, Ipv4OptionsAreDropped) {
  Frame options = syn();
  options[14] = 0x46;
  fix_ipv4_checksum(options);
  expect_dropped(options, DropReason::kIpv4Options);
}

TEST_F(FrameFilterTest, ABadTcpHeaderIsDropped) {
  for (const std::uint8_t offset : std::initializer_list<std::uint8_t>{0x00, 0x40, 0x60, 0xf0}) {
    Frame bad = syn();
    bad[46] = offset;
    expect_dropped(bad, DropReason::kBadTcp);
  }
  expect_dropped(ipv4_frame(kDeviceAddress, kHostAddress, 6, Frame(19)), DropReason::kBadTcp);
}

TEST_F(FrameFilterTest, NoTruncationPasses) {
  for (const Frame& whole : {syn(), udp(kDeviceAddress, kDnsAddress, 5'000, 53)}) {
    for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
      const Frame cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(bytes));
      expect_dropped(cut, bytes < 14 ? DropReason::kTooShort : DropReason::kBadIpv4);
    }
  }
}

TEST_F(FrameFilterTest, FramesBeyondTheMtuAreDropped) {
  Frame padded = syn();
  padded.resize(kMaxFrameBytes);
  EXPECT_EQ(judge(padded).destination, Destination::kNat) << "padding is allowed";
  padded.push_back(0);
  expect_dropped(padded, DropReason::kTooLong);
}

}  // namespace
}  // namespace otasim::link::test
