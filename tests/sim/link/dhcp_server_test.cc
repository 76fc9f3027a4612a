#include "sim/link/dhcp_server.h"

#include <gtest/gtest.h>

#include "tests/sim/link/packets.h"

namespace otasim::link::test {
namespace {

constexpr std::uint8_t kOfferType = 2;
constexpr std::uint8_t kAckType = 5;
constexpr std::uint8_t kNakType = 6;

std::optional<DhcpReply> answer(const Frame& message) {
  return DhcpServer().answer(message);
}

Frame address_bytes(Ipv4Address address) {
  Frame bytes;
  append_u32(bytes, address.value);
  return bytes;
}

TEST(DhcpServer, DiscoverIsOfferedTheDevicesAddressAndAllItNeeds) {
  const auto reply = answer(dhcp_discover(0x01020304));
  ASSERT_TRUE(reply);
  const Bytes message = reply->payload;
  EXPECT_GE(message.size(), 300u);
  EXPECT_EQ(message[0], 2);
  EXPECT_EQ(read_u32(message, 4), 0x01020304u);
  EXPECT_EQ(read_ipv4(message, 16), kDeviceAddress);
  EXPECT_EQ(reply->client, kDeviceMac);
  EXPECT_EQ(dhcp_option(message, 53), Frame{kOfferType});
  EXPECT_EQ(dhcp_option(message, 1), address_bytes(kNetmask));
  EXPECT_EQ(dhcp_option(message, 3), address_bytes(kHostAddress));
  EXPECT_EQ(dhcp_option(message, 6), address_bytes(kDnsAddress));
  EXPECT_EQ(dhcp_option(message, 42), address_bytes(kHostAddress));
  EXPECT_EQ(dhcp_option(message, 54), address_bytes(kHostAddress));
  EXPECT_EQ(dhcp_option(message, 51), address_bytes({kLeaseSeconds}));
  EXPECT_FALSE(reply->new_lease);
}

TEST(DhcpServer, RequestOfTheDevicesAddressIsAcknowledged) {
  const auto reply = answer(dhcp_request(1, kDeviceAddress));
  ASSERT_TRUE(reply);
  EXPECT_EQ(dhcp_option(reply->payload, 53), Frame{kAckType});
  EXPECT_TRUE(reply->new_lease);
}

TEST(DhcpServer, RequestOfAnotherAddressIsRefusedByBroadcast) {
  const auto reply = answer(dhcp_request(1, ipv4(192, 168, 1, 20)));
  ASSERT_TRUE(reply);
  EXPECT_EQ(dhcp_option(reply->payload, 53), Frame{kNakType});
  EXPECT_EQ(read_ipv4(reply->payload, 16), Ipv4Address{});
  EXPECT_EQ(reply->destination, kBroadcastAddress);
  EXPECT_FALSE(reply->new_lease);
}

TEST(DhcpServer, ARenewalIsAcknowledgedWithoutBeingANewLease) {
  Frame renewal = dhcp_message(9, {53, 1, 3, 255});
  const Frame address = address_bytes(kDeviceAddress);
  std::copy(address.begin(), address.end(), renewal.begin() + 12);
  const auto reply = answer(renewal);
  ASSERT_TRUE(reply);
  EXPECT_EQ(dhcp_option(reply->payload, 53), Frame{kAckType});
  EXPECT_EQ(reply->destination, kDeviceAddress);
  EXPECT_FALSE(reply->new_lease);
}

TEST(DhcpServer, AClientThatAsksForBroadcastGetsIt) {
  Frame discover = dhcp_discover(1);
  EXPECT_EQ(answer(discover)->destination, kDeviceAddress);
  discover[10] = 0x80;
  EXPECT_EQ(answer(discover)->destination, kBroadcastAddress);
}

TEST(DhcpServer, ARequestToAnotherServerIsNotAnswered) {
  EXPECT_FALSE(answer(dhcp_message(1, {53, 1, 3, 50, 4, 10, 0, 2, 15, 54, 4, 10, 0, 2, 99, 255})));
}

TEST(DhcpServer, OtherMessagesAreNotAnswered) {
  for (const int type : {0, 2, 4, 5, 6, 7, 8, 255}) {
    EXPECT_FALSE(answer(dhcp_message(1, {53, 1, static_cast<std::uint8_t>(type), 255}))) << type;
  }
  EXPECT_FALSE(answer(dhcp_message(1, {255}))) << "no message type";
}

TEST(DhcpServer, NoTruncationIsAnswered) {
  const Frame whole = dhcp_request(1, kDeviceAddress);
  ASSERT_TRUE(answer(whole));
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    // A copy of exactly this size, so that the sanitizer sees a read behind it.
    const Frame cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(bytes));
    EXPECT_FALSE(answer(cut)) << bytes << " bytes";
  }
}

TEST(DhcpServer, OptionsThatRunPastTheEndAreNotAnswered) {
  EXPECT_FALSE(answer(dhcp_message(1, {53, 1, 1, 12, 200, 'h', 'i', 255})));
  EXPECT_FALSE(answer(dhcp_message(1, {53, 1, 1, 12, 255})));
  EXPECT_FALSE(answer(dhcp_message(1, {53, 1, 1, 12})));
  EXPECT_FALSE(answer(dhcp_message(1, {53, 1, 1, 0, 0, 0}))) << "only padding, no end";
}

TEST(DhcpServer, OptionsOfTheWrongSizeAreNotAnswered) {
  EXPECT_FALSE(answer(dhcp_message(1, {53, 0, 255})));
  EXPECT_FALSE(answer(dhcp_message(1, {53, 2, 1, 1, 255})));
  EXPECT_FALSE(answer(dhcp_message(1, {53, 1, 3, 50, 3, 10, 0, 2, 255})));
  EXPECT_FALSE(answer(dhcp_message(1, {53, 1, 3, 54, 5, 10, 0, 2, 2, 0, 255})));
}

TEST(DhcpServer, WhatIsNotARequestOfAnEthernetClientIsNotAnswered) {
  // Message kind, hardware type and length, relay address, cookie.
  for (const std::size_t at : {0U, 1U, 2U, 24U, 27U, 236U, 239U}) {
    Frame message = dhcp_discover(1);
    message[at] ^= 0x40;
    EXPECT_FALSE(answer(message)) << "byte " << at;
  }
}

TEST(DhcpServer, AnAnswerThatWasLostIsANewLeaseWhenItIsRepeated) {
  DhcpServer server;
  const Frame request = dhcp_request(1, kDeviceAddress);
  const auto first = server.answer(request);
  ASSERT_TRUE(first && first->new_lease);
  EXPECT_FALSE(server.answer(request)->new_lease);
  server.lost(*first);
  EXPECT_TRUE(server.answer(request)->new_lease);
}

TEST(DhcpServer, AForgerOffersItsTermsAndAcknowledgesWhomeverARequestIsFor) {
  const DhcpTerms terms{.server = ipv4(10, 0, 2, 66),
                        .address = ipv4(10, 0, 2, 99),
                        .router = ipv4(10, 0, 2, 67),
                        .name_server = ipv4(10, 0, 2, 68),
                        .time_server = ipv4(10, 0, 2, 69)};
  const std::pair<Frame, std::uint8_t> cases[] = {
      {dhcp_discover(5), kOfferType},
      {dhcp_request(5, kDeviceAddress), kAckType},
      {dhcp_message(5, {53, 1, 3, 50, 4, 10, 0, 2, 99, 54, 4, 10, 0, 2, 66, 255}), kAckType}};
  for (const auto& [request, type] : cases) {
    const auto reply = DhcpServer::forge(request, terms);
    ASSERT_TRUE(reply);
    EXPECT_EQ(read_u32(reply->payload, 4), 5u);
    EXPECT_EQ(read_ipv4(reply->payload, 16), terms.address);
    EXPECT_EQ(dhcp_option(reply->payload, 53), Frame{type});
    EXPECT_EQ(dhcp_option(reply->payload, 54), address_bytes(terms.server));
    EXPECT_EQ(dhcp_option(reply->payload, 3), address_bytes(terms.router));
    EXPECT_EQ(dhcp_option(reply->payload, 6), address_bytes(terms.name_server));
    EXPECT_EQ(dhcp_option(reply->payload, 42), address_bytes(terms.time_server));
    EXPECT_EQ(reply->destination, terms.address);
    EXPECT_FALSE(reply->new_lease);
  }
  EXPECT_FALSE(DhcpServer::forge(dhcp_message(5, {53, 1, 7, 255}), terms)) << "a RELEASE";
  EXPECT_FALSE(DhcpServer::forge(dhcp_message(5, {53, 1}), terms));
}

}  // namespace
}  // namespace otasim::link::test
