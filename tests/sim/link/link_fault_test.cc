// Faults on a running link: what the device and the host see of each.
//
// Nothing is waited for but frames, bytes and events. Whether something did not come is known from what was
// sent after it.
#include <gmock/gmock.h>

#include <cerrno>
#include <initializer_list>

#include "tests/sim/link/link_fixture.h"

namespace otasim::link::test {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

constexpr std::uint32_t kNoLimitMs = 60'000;  ///< longer than a test would wait

class LinkFaultTest : public LinkTest {
 protected:
  FaultId arm(const LinkFault& fault) {
    const auto id = link_->arm(fault);
    EXPECT_TRUE(id) << id.error().message;
    return id.value_or(FaultId{});
  }

  void ask_dns(std::uint16_t id, const std::string& name = "otasim.localhost") {
    device_->send(udp_frame(kDeviceAddress, kDnsAddress, 5'000, 53, dns_query(name, 1, id)));
  }
  void ask_dns_each(std::initializer_list<std::uint16_t> ids) {
    for (const std::uint16_t id : ids) ask_dns(id);
  }
  void ask_time() { device_->send(udp_frame(kDeviceAddress, kHostAddress, 5'000, 123, sntp_request())); }
  /// The next sound UDP payload from this port.
  Frame receive_udp(std::uint16_t port) {
    const auto frame = device_->receive([port](Bytes f) { return as_udp_from(f, port).has_value(); });
    if (!frame) return {};
    const Bytes payload = *as_udp_from(*frame, port);
    return {payload.begin(), payload.end()};
  }
  /// The ids of the next answers of the name server.
  std::vector<int> receive_dns(int count) {
    std::vector<int> ids;
    for (int i = 0; i < count; ++i) {
      const Frame answer = receive_udp(53);
      ids.push_back(answer.empty() ? -1 : read_u16(answer, 0));
    }
    return ids;
  }
  static Ipv4Address last_address(const Frame& dns_answer) {
    return read_ipv4(dns_answer, dns_answer.size() - 4);
  }
  std::int64_t receive_time() {
    const Frame answer = receive_udp(123);
    return answer.empty() ? 0 : std::int64_t{read_u32(answer, 40)} - 2'208'988'800;
  }
  /// The names of the faults that struck.
  std::vector<std::string> struck() {
    std::vector<std::string> names;
    for (const auto& event : events_.all("fault")) names.push_back(event["fault"]);
    return names;
  }

  /// A connection to the listener, whose other end is returned.
  UniqueFd connect(std::uint16_t device_port, std::uint32_t* host_sequence = nullptr) {
    const std::uint32_t sequence = open_connection(device_port);
    EXPECT_NE(sequence, 0u);
    if (host_sequence != nullptr) *host_sequence = sequence;
    return listener_.accept();
  }
  void send_data(std::uint16_t device_port, std::uint32_t host_sequence, const std::string& data) {
    device_->send(tcp_frame({.source_port = device_port,
                             .destination_port = listener_.port(),
                             .sequence = 1'001,
                             .acknowledgement = host_sequence,
                             .flags = kPush | kAck,
                             .data = data}));
  }
  /// Nothing to read, and no end.
  static bool is_open_and_silent(const UniqueFd& socket) {
    char byte = 0;
    return ::recv(socket.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) == -1 && errno == EAGAIN;
  }
};

TEST_F(LinkFaultTest, LossTakesTheDevicesFrame) {
  Config with = config();
  with.device = "dut";
  start(with);
  arm(FrameFault(
      faults::Loss{.match = {.direction = Direction::kFromDevice}, .strike = {.after = 1, .times = 1}}));
  ask_dns_each({1, 2, 3});
  EXPECT_THAT(receive_dns(2), ElementsAre(1, 3));
  EXPECT_EQ(link_->statistics().dropped_for(DropReason::kFault), 1u);
  const auto strikes = events_.wait_for("fault", 1);
  ASSERT_EQ(strikes.size(), 1u);
  EXPECT_EQ(strikes[0]["fault"], "link.loss");
  EXPECT_EQ(strikes[0]["device"], "dut");
  EXPECT_EQ(strikes[0]["direction"], "from_device");
  EXPECT_EQ(strikes[0]["host_port"], 53);
}

TEST_F(LinkFaultTest, LossTakesTheHostsFrame) {
  start();
  arm(FrameFault(faults::Loss{.match = {.direction = Direction::kToDevice}, .strike = {.times = 1}}));
  ask_dns_each({1, 2});
  EXPECT_THAT(receive_dns(1), ElementsAre(2));
  EXPECT_EQ(events_.wait_for("dns_query", 2).size(), 2u) << "both were asked";
  EXPECT_EQ(link_->statistics().from_device.frames, 2u);
  EXPECT_EQ(link_->statistics().to_device.frames, 1u);
}

TEST_F(LinkFaultTest, ADuplicateReachesTheDevice) {
  start();
  arm(FrameFault(
      faults::Duplicate{.match = {.direction = Direction::kToDevice}, .strike = {.after = 1, .times = 1}}));
  ask_dns_each({1, 2, 3});
  EXPECT_THAT(receive_dns(4), ElementsAre(1, 2, 2, 3));
}

TEST_F(LinkFaultTest, ACorruptFrameOfTheDeviceIsNotAnswered) {
  start();
  arm(FrameFault(faults::Corrupt{.match = {.direction = Direction::kFromDevice, .protocol = Protocol::kUdp},
                                 .strike = {.times = 5}}));
  ask_dns_each({1, 2, 3, 4, 5, 6});
  EXPECT_THAT(receive_dns(1), ElementsAre(6));
  EXPECT_EQ(link_->statistics().dropped_total(), 5u) << "by the filter, which checks checksums";
  EXPECT_EQ(link_->statistics().dropped_for(DropReason::kFault), 0u);
}

TEST_F(LinkFaultTest, ACorruptFrameReachesTheDevice) {
  start();
  arm(FrameFault(faults::Corrupt{.match = {.direction = Direction::kToDevice}, .strike = {.times = 1}}));
  ask_dns(1);
  const auto damaged = device_->receive([](Bytes) { return true; });
  ASSERT_TRUE(damaged);
  EXPECT_FALSE(as_udp_from(*damaged, 53));
  ask_dns(2);
  EXPECT_THAT(receive_dns(1), ElementsAre(2));
  EXPECT_EQ(link_->statistics().to_device.frames, 2u);
}

TEST_F(LinkFaultTest, AReorderedFrameComesAfterTheNext) {
  start();
  arm(FrameFault(faults::Reorder{
      .match = {.direction = Direction::kFromDevice}, .strike = {.times = 1}, .hold_ms = kNoLimitMs}));
  ask_dns_each({1, 2, 3});
  EXPECT_THAT(receive_dns(3), ElementsAre(2, 1, 3));
}

TEST_F(LinkFaultTest, AReorderedFrameThatNothingFollowsComesInTheEnd) {
  start();
  arm(FrameFault(faults::Reorder{.match = {.direction = Direction::kFromDevice}, .hold_ms = 20}));
  ask_dns(1);
  EXPECT_THAT(receive_dns(1), ElementsAre(1));
}

TEST_F(LinkFaultTest, LatencyTakesItsTimeInEachDirectionAndEndsWhenCleared) {
  start();
  const auto begun = std::chrono::steady_clock::now();
  const FaultId id = arm(FrameFault(faults::Latency{.latency_ms = 50, .jitter_ms = 10}));
  ask_dns_each({1, 2, 3});
  EXPECT_THAT(receive_dns(3), ElementsAre(1, 2, 3));
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(100));

  const FaultId endless = arm(FrameFault(faults::Latency{.latency_ms = kNoLimitMs}));
  ask_dns(4);
  EXPECT_EQ(events_.wait_for("fault", 2).size(), 2u) << "it is held";
  link_->clear(id);
  link_->clear(endless);
  ask_dns(5);
  EXPECT_THAT(receive_dns(2), ElementsAre(4, 5));
  EXPECT_EQ(events_.wait_for("fault_cleared", 2)[1]["struck"], 1) << "the answers met no fault";
}

TEST_F(LinkFaultTest, ARateLimitsTheDevicesDirection) {
  start();
  const auto begun = std::chrono::steady_clock::now();
  // An answer of 92 bytes is 116 on the wire, which take 11.6 ms.
  arm(FrameFault(faults::Rate{.match = {.direction = Direction::kToDevice}, .bits_per_second = 80'000}));
  ask_dns_each({1, 2, 3, 4, 5, 6, 7, 8, 9});
  EXPECT_THAT(receive_dns(9), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(90));
}

TEST_F(LinkFaultTest, ABlackholeSwallowsWhatItIsAboutAndHeals) {
  start();
  ASSERT_TRUE(resolve(kHostAddress));
  const FaultId id = arm(FrameFault(faults::Blackhole{.match = {.protocol = Protocol::kUdp}}));
  ask_dns_each({1, 2, 3});
  ASSERT_TRUE(resolve(kHostAddress)) << "not UDP";
  EXPECT_EQ(link_->statistics().dropped_for(DropReason::kFault), 3u);
  link_->clear(id);
  ask_dns(4);
  EXPECT_THAT(receive_dns(1), ElementsAre(4));
  EXPECT_EQ(events_.wait_for("fault_cleared", 1)[0]["struck"], 3);
  EXPECT_TRUE(events_.all("blocked").empty());
}

TEST_F(LinkFaultTest, HalfOpenLosesTheConnectionsThatExistAndNoNewOne) {
  start();
  ASSERT_TRUE(resolve(kHostAddress));
  std::uint32_t old_sequence = 0;
  const UniqueFd old = connect(40'002, &old_sequence);
  const FaultId id = arm(faults::HalfOpen{});
  ASSERT_EQ(events_.wait_for("fault", 1).size(), 1u);
  EXPECT_EQ(events_.all("fault")[0]["device_port"], 40'002);
  EXPECT_EQ(events_.all("fault")[0]["host_port"], listener_.port());

  send_data(40'002, old_sequence, "lost");
  ASSERT_EQ(::send(old.get(), "gone", 4, MSG_NOSIGNAL), 4);
  std::uint32_t new_sequence = 0;
  const UniqueFd fresh = connect(40'001, &new_sequence);
  expect_welcome(fresh);
  send_data(40'001, new_sequence + 7, "hello");
  EXPECT_EQ(read_text(fresh, 5), "hello");
  EXPECT_TRUE(is_open_and_silent(old)) << "the host knows of nothing";

  link_->clear(id);
  send_data(40'002, old_sequence, "again");
  EXPECT_EQ(read_text(old, 5), "again");
  EXPECT_EQ(events_.all("fault").size(), 1u);
}

TEST_F(LinkFaultTest, ResetEndsTheConnectionsThatExistAtBothEnds) {
  start();
  ASSERT_TRUE(resolve(kHostAddress));
  std::uint32_t host_sequence = 0;
  const UniqueFd server = connect(40'002, &host_sequence);
  send_data(40'002, host_sequence, "hello");
  ASSERT_EQ(read_text(server, 5), "hello");

  arm(faults::Reset{});
  const auto reset = receive_tcp(40'002, [](const ReceivedTcp& s) { return (s.flags & 0x04) != 0; });
  ASSERT_TRUE(reset);
  EXPECT_EQ(reset->sequence, host_sequence) << "what the device expects next";
  EXPECT_EQ(reset->acknowledgement, 1'006u);
  char byte = 0;
  const ssize_t ended = ::recv(server.get(), &byte, 1, 0);
  EXPECT_TRUE(ended == 0 || (ended == -1 && errno == ECONNRESET)) << ended << ", errno " << errno;
  EXPECT_EQ(events_.wait_for("fault", 1)[0]["device_port"], 40'002);

  const UniqueFd again = connect(40'001);
  expect_welcome(again);
}

TEST_F(LinkFaultTest, AResetSegmentIsWhole) {
  start();
  ASSERT_TRUE(resolve(kHostAddress));
  const UniqueFd server = connect(40'002);
  arm(faults::Reset{});
  const auto frame = device_->receive([](Bytes f) {
    const auto segment = as_tcp(f, 40'002);
    return segment && (segment->flags & 0x04) != 0;
  });
  ASSERT_TRUE(frame);
  EXPECT_EQ(parse_ethernet(*frame)->destination, kDeviceMac);
  const auto packet = parse_ipv4(parse_ethernet(*frame)->payload);
  ASSERT_TRUE(packet);
  EXPECT_TRUE(packet->header_checksum_ok);
  EXPECT_EQ(packet->source, kHostAddress);
  EXPECT_EQ(packet->destination, kDeviceAddress);
  EXPECT_EQ(internet_checksum(packet->payload, pseudo_header_sum(packet->source, packet->destination, 6,
                                                                 packet->payload.size())),
            0);
}

TEST_F(LinkFaultTest, ResetLeavesConnectionsOfOtherPortsAlone) {
  const Listener other;
  Config with = config();
  with.allowed_tcp_ports.push_back(other.port());
  start(with);
  ASSERT_TRUE(resolve(kHostAddress));
  const UniqueFd server = connect(40'001);
  arm(faults::Reset{.tcp_port = other.port()});
  expect_welcome(server);
  EXPECT_TRUE(events_.all("fault").empty());
}

TEST_F(LinkFaultTest, AConnectionThatHasEndedIsNeitherResetNorLost) {
  start();
  ASSERT_TRUE(resolve(kHostAddress));
  std::uint32_t host_sequence = 0;
  UniqueFd server = connect(40'002, &host_sequence);
  server = UniqueFd();  // the host closes
  const auto is_fin = [](const ReceivedTcp& s) { return (s.flags & kFin) != 0; };
  ASSERT_TRUE(receive_tcp(40'002, is_fin));
  device_->send(tcp_frame({.source_port = 40'002,
                           .destination_port = listener_.port(),
                           .sequence = 1'001,
                           .acknowledgement = host_sequence + 1,
                           .flags = kFin | kAck}));
  ask_dns(1);
  ASSERT_THAT(receive_dns(1), ElementsAre(1));
  arm(faults::Reset{});
  arm(faults::HalfOpen{});
  ask_dns(2);
  ASSERT_THAT(receive_dns(1), ElementsAre(2));
  EXPECT_TRUE(events_.all("fault").empty());
}

TEST_F(LinkFaultTest, ADhcpAnswerThatIsMissingIsNoLease) {
  start();
  (void)dhcp(dhcp_discover(7));
  const FaultId id = arm(ServiceFault(faults::DhcpMissing{}));
  device_->send(dhcp_frame(dhcp_request(7, kDeviceAddress)));
  ASSERT_EQ(events_.wait_for("fault", 1).size(), 1u);
  EXPECT_EQ(events_.all("fault")[0]["answer"], "ack");
  ASSERT_TRUE(resolve(kHostAddress));
  EXPECT_EQ(device_->drain(), 0);
  EXPECT_TRUE(events_.all("dhcp_ack").empty());
  link_->clear(id);
  EXPECT_EQ(dhcp_option(dhcp(dhcp_request(7, kDeviceAddress)), 53), Frame{5});
  EXPECT_EQ(events_.wait_for("dhcp_ack", 1).size(), 1u);
}

TEST_F(LinkFaultTest, ALateDhcpAnswerComesAfterItsDelayOrWhenItIsCleared) {
  start();
  const auto begun = std::chrono::steady_clock::now();
  const FaultId first = arm(ServiceFault(faults::DhcpLate{.delay_ms = 50}));
  EXPECT_EQ(dhcp_option(dhcp(dhcp_discover(7)), 53), Frame{2});
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(50));
  link_->clear(first);
  const FaultId endless = arm(ServiceFault(faults::DhcpLate{.delay_ms = kNoLimitMs}));
  device_->send(dhcp_frame(dhcp_request(7, kDeviceAddress)));
  ask_dns(1);
  EXPECT_THAT(receive_dns(1), ElementsAre(1)) << "other answers are not late";
  link_->clear(endless);
  EXPECT_EQ(dhcp_option(receive_udp(67), 53), Frame{5});
}

TEST_F(LinkFaultTest, AForgedOfferComesBeforeTheLabs) {
  start();
  const FaultId id = arm(ServiceFault(faults::DhcpForged{.address = ipv4(10, 0, 2, 99)}));
  device_->send(dhcp_frame(dhcp_discover(7)));
  const Frame forged = receive_udp(67);
  ASSERT_GE(forged.size(), 240u);
  const Frame attacker = {10, 0, 2, 66};
  EXPECT_EQ(read_ipv4(forged, 16), ipv4(10, 0, 2, 99));
  for (const std::uint8_t option : Frame{3, 6, 42, 54})
    EXPECT_EQ(dhcp_option(forged, option), attacker) << option;
  const Frame own = receive_udp(67);
  EXPECT_EQ(read_ipv4(own, 16), kDeviceAddress);

  // The device takes the attacker's: its REQUEST names the attacker, who alone answers.
  device_->send(dhcp_frame(dhcp_message(7, {53, 1, 3, 50, 4, 10, 0, 2, 99, 54, 4, 10, 0, 2, 66, 255})));
  const Frame ack = receive_udp(67);
  EXPECT_EQ(dhcp_option(ack, 53), Frame{5});
  EXPECT_EQ(dhcp_option(ack, 54), attacker);
  ASSERT_TRUE(resolve(kHostAddress));
  EXPECT_EQ(device_->drain(), 0);
  EXPECT_TRUE(events_.all("dhcp_ack").empty()) << "none of the lab's";
  const auto strikes = events_.all("fault");
  ASSERT_EQ(strikes.size(), 2u);
  EXPECT_EQ(strikes[1]["fault"], "dhcp.forged");
  EXPECT_EQ(strikes[1]["answer"], "ack");
  EXPECT_EQ(strikes[1]["address"], "10.0.2.99");
  EXPECT_EQ(strikes[1]["name_server"], "10.0.2.66");

  link_->clear(id);
  EXPECT_EQ(dhcp_option(dhcp(dhcp_discover(8)), 54), (Frame{10, 0, 2, 2}));
}

TEST_F(LinkFaultTest, MissingDnsAnswersAreAsked) {
  start();
  arm(ServiceFault(faults::DnsMissing{.strike = {.times = 1}}));
  ask_dns_each({1, 2});
  EXPECT_THAT(receive_dns(1), ElementsAre(2));
  const auto queries = events_.wait_for("dns_query", 2);
  ASSERT_EQ(queries.size(), 2u);
  EXPECT_EQ(queries[0]["answered"], false);
  EXPECT_EQ(queries[1]["answered"], true);
  EXPECT_EQ(events_.all("fault").at(0)["name"], "otasim.localhost");
}

TEST_F(LinkFaultTest, ALateDnsAnswerIsOvertaken) {
  start();
  arm(ServiceFault(faults::DnsLate{.strike = {.times = 1}, .delay_ms = 50}));
  const auto begun = std::chrono::steady_clock::now();
  ask_dns_each({1, 2});
  EXPECT_THAT(receive_dns(2), ElementsAre(2, 1));
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(50));
}

TEST_F(LinkFaultTest, AForgedDnsAnswerLeadsElsewhereWhateverIsAsked) {
  start();
  const FaultId id = arm(ServiceFault(faults::DnsForged{}));
  for (const char* name : {"otasim.localhost", "no.such.name"}) {
    ask_dns(1, name);
    const Frame answer = receive_udp(53);
    EXPECT_EQ(last_address(answer), faults::kAttackerAddress);
    EXPECT_EQ(read_u32(answer, answer.size() - 10), 0u) << "not to be kept";
  }
  link_->clear(id);
  arm(ServiceFault(faults::DnsForged{.address = ipv4(192, 0, 2, 1), .ttl_s = 300}));
  ask_dns(1);
  const Frame answer = receive_udp(53);
  EXPECT_EQ(last_address(answer), ipv4(192, 0, 2, 1));
  EXPECT_EQ(read_u32(answer, answer.size() - 10), 300u);
  EXPECT_THAT(struck(), ElementsAre("dns.forged", "dns.forged", "dns.forged"));
}

TEST_F(LinkFaultTest, NoNameExistsUntilItIsCleared) {
  start();
  const FaultId id = arm(ServiceFault(faults::DnsNxdomain{}));
  ask_dns(1);
  EXPECT_EQ(receive_udp(53)[3] & 0x0f, 3);
  link_->clear(id);
  ask_dns(2);
  EXPECT_EQ(last_address(receive_udp(53)), kHostAddress);
}

TEST_F(LinkFaultTest, TheTimeIsForgedLateOrMissing) {
  constexpr std::int64_t kNow = 1'700'000'000;
  Config with = config();
  with.now = [] { return kNow; };
  start(with);
  const FaultId forged = arm(ServiceFault(faults::SntpForged{.offset_s = -86'400}));
  ask_time();
  EXPECT_EQ(receive_time(), kNow - 86'400);
  link_->clear(forged);
  ask_time();
  EXPECT_EQ(receive_time(), kNow);

  const auto begun = std::chrono::steady_clock::now();
  const FaultId late = arm(ServiceFault(faults::SntpLate{.delay_ms = 30}));
  ask_time();
  EXPECT_EQ(receive_time(), kNow);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(30));
  link_->clear(late);

  const FaultId missing = arm(ServiceFault(faults::SntpMissing{}));
  ask_time();
  ask_dns(1);
  EXPECT_THAT(receive_dns(1), ElementsAre(1));
  EXPECT_EQ(events_.wait_for("sntp_query", 3).size(), 3u);
  link_->clear(missing);
  ask_time();
  EXPECT_EQ(receive_time(), kNow);
  EXPECT_THAT(struck(), ElementsAre("sntp.forged", "sntp.late", "sntp.missing"));
}

TEST_F(LinkFaultTest, MalformedRequestsAreNotStruck) {
  start();
  arm(ServiceFault(faults::DhcpMissing{.strike = {.times = 1}}));
  arm(ServiceFault(faults::DhcpForged{}));
  arm(ServiceFault(faults::DnsMissing{.strike = {.times = 1}}));
  arm(ServiceFault(faults::SntpMissing{.strike = {.times = 1}}));
  device_->send(dhcp_frame(dhcp_message(1, {53, 1})));
  device_->send(udp_frame(kDeviceAddress, kDnsAddress, 5'000, 53, Frame(12)));
  device_->send(udp_frame(kDeviceAddress, kHostAddress, 5'000, 123, Frame(48)));
  ASSERT_TRUE(resolve(kHostAddress));
  EXPECT_TRUE(events_.all("fault").empty());
}

TEST_F(LinkFaultTest, WhatCannotBeArmedIsSaidAndChangesNothing) {
  start();
  const auto refused = link_->arm(FrameFault(faults::Rate{}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ExitCode::kUsage);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("link.rate"));
  link_->clear(FaultId{77});
  ask_dns(1);
  EXPECT_THAT(receive_dns(1), ElementsAre(1));
  EXPECT_TRUE(events_.all("fault_cleared").empty());
}

TEST_F(LinkFaultTest, ClearingOneLeavesTheOther) {
  start();
  const FaultId first = arm(FrameFault(faults::Blackhole{.match = {.protocol = Protocol::kUdp}}));
  const FaultId second = arm(ServiceFault(faults::DnsNxdomain{}));
  EXPECT_NE(first, second);
  link_->clear(first);
  ask_dns(1);
  EXPECT_EQ(receive_udp(53)[3] & 0x0f, 3);
  link_->clear(second);
  ask_dns(2);
  EXPECT_EQ(last_address(receive_udp(53)), kHostAddress);
}

TEST_F(LinkFaultTest, ALinkEndsWithFaultsArmedAndFramesHeld) {
  start();
  arm(FrameFault(faults::Latency{.latency_ms = kNoLimitMs}));
  arm(ServiceFault(faults::DnsLate{.delay_ms = kNoLimitMs}));
  ask_dns_each({1, 2, 3});
  ASSERT_EQ(events_.wait_for("fault", 1).size(), 1u);
  link_.reset();
  EXPECT_TRUE(events_.all("dns_query").empty());
}

}  // namespace
}  // namespace otasim::link::test
