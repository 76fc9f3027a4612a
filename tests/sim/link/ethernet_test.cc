#include "sim/link/ethernet.h"

#include <gtest/gtest.h>

#include "sim/link/lab_network.h"
#include "tests/sim/link/packets.h"

namespace otasim::link::test {
namespace {

TEST(Ethernet, ChecksumIsThatOfTheStandardsExample) {
  const Frame words = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};  // RFC 1071, section 3
  EXPECT_EQ(internet_checksum(words), static_cast<std::uint16_t>(~0xddf2));
}

TEST(Ethernet, AnOddLastByteCountsAsTheHighOne) {
  EXPECT_EQ(internet_checksum(Frame{0x12}), static_cast<std::uint16_t>(~0x1200));
}

TEST(Ethernet, AResetFrameIsReadBackAsBuilt) {
  const Frame frame = build_reset_frame({.source_mac = mac_of(kHostAddress),
                                         .destination_mac = kDeviceMac,
                                         .source = kHostAddress,
                                         .destination = kDeviceAddress,
                                         .source_port = 8'883,
                                         .destination_port = 40'000},
                                        0x11223344, 0x55667788);
  const auto packet = parse_ipv4(parse_ethernet(frame)->payload);
  ASSERT_TRUE(packet);
  EXPECT_TRUE(packet->header_checksum_ok);
  EXPECT_EQ(internet_checksum(packet->payload, pseudo_header_sum(kHostAddress, kDeviceAddress, 6, 20)), 0);
  const auto tcp = parse_tcp(*packet);
  ASSERT_TRUE(tcp);
  EXPECT_EQ(tcp->source_port, 8'883);
  EXPECT_EQ(tcp->destination_port, 40'000);
  EXPECT_EQ(tcp->sequence, 0x11223344u);
  EXPECT_EQ(tcp->acknowledgement, 0x55667788u);
  EXPECT_EQ(tcp->flags, 0x14) << "RST and ACK";
  EXPECT_FALSE(tcp->opens_connection);
  EXPECT_TRUE(tcp->payload.empty());
}

TEST(Ethernet, AUdpFrameIsReadBackAsBuilt) {
  const Frame payload = {'o', 't', 'a'};
  const Frame frame = build_udp_frame({.source_mac = mac_of(kHostAddress),
                                       .destination_mac = kDeviceMac,
                                       .source = kHostAddress,
                                       .destination = kDeviceAddress,
                                       .source_port = 67,
                                       .destination_port = 68},
                                      payload);
  const auto ethernet = parse_ethernet(frame);
  ASSERT_TRUE(ethernet);
  EXPECT_EQ(ethernet->destination, kDeviceMac);
  EXPECT_EQ(ethernet->source, mac_of(kHostAddress));
  const auto packet = parse_ipv4(ethernet->payload);
  ASSERT_TRUE(packet);
  EXPECT_TRUE(packet->header_checksum_ok);
  EXPECT_EQ(packet->source, kHostAddress);
  EXPECT_EQ(packet->destination, kDeviceAddress);
  const auto udp = parse_udp(*packet);
  ASSERT_TRUE(udp);
  EXPECT_TRUE(udp->checksum_ok);
  EXPECT_NE(read_u16(packet->payload, 6), 0) << "a checksum was sent";
  EXPECT_TRUE(std::equal(payload.begin(), payload.end(), udp->payload.begin(), udp->payload.end()));
}

TEST(Ethernet, AddressesAreWrittenAsUsual) {
  EXPECT_EQ(to_string(kDeviceMac), "52:54:00:12:34:56");
  EXPECT_EQ(to_string(kDeviceAddress), "10.0.2.15");
}

}  // namespace
}  // namespace otasim::link::test
