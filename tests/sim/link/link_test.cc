#include "sim/link/link.h"

#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>

#include "sim/base/file_io.h"
#include "sim/link/link_loop.h"
#include "tests/sim/link/link_fixture.h"

namespace otasim::link::test {
namespace {

TEST_F(LinkTest, ArpFindsTheHostAndTheNameServer) {
  start();
  EXPECT_EQ(resolve(kHostAddress), mac_of(kHostAddress));
  EXPECT_EQ(resolve(kDnsAddress), mac_of(kDnsAddress));
}

TEST_F(LinkTest, DhcpLeasesTheDevicesAddress) {
  start();
  const Frame offer = dhcp(dhcp_discover(7));
  EXPECT_EQ(dhcp_option(offer, 53), Frame{2});
  const Frame ack = dhcp(dhcp_request(7, kDeviceAddress));
  EXPECT_EQ(dhcp_option(ack, 53), Frame{5});
  ASSERT_GT(ack.size(), 20u);
  EXPECT_EQ(read_ipv4(ack, 16), kDeviceAddress);
}

TEST_F(LinkTest, ALeaseIsReportedOnceAndAgainAfterAReboot) {
  start();
  (void)dhcp(dhcp_discover(7));
  (void)dhcp(dhcp_request(7, kDeviceAddress));
  (void)dhcp(dhcp_request(7, kDeviceAddress));  // the device did not hear the first answer
  EXPECT_EQ(events_.wait_for("dhcp_ack", 1).size(), 1u);
  (void)dhcp(dhcp_discover(7));
  (void)dhcp(dhcp_request(7, kDeviceAddress));
  const auto leases = events_.wait_for("dhcp_ack", 2);
  ASSERT_EQ(leases.size(), 2u);
  EXPECT_EQ(leases[0]["address"], "10.0.2.15");
  EXPECT_EQ(leases[0]["mac"], "52:54:00:12:34:56");
}

TEST_F(LinkTest, DnsResolvesTheLabsNamesToTheHost) {
  start();
  for (const Ipv4Address server : {kDnsAddress, kHostAddress}) {
    device_->send(udp_frame(kDeviceAddress, server, 5'000, 53, dns_query("otasim.localhost")));
    const auto frame = device_->receive([](Bytes f) { return as_udp_from(f, 53).has_value(); });
    ASSERT_TRUE(frame);
    EXPECT_EQ(parse_ipv4(parse_ethernet(*frame)->payload)->source, server);
    const Bytes answer = *as_udp_from(*frame, 53);
    EXPECT_EQ(read_ipv4(answer, answer.size() - 4), kHostAddress);
  }
  const auto queries = events_.wait_for("dns_query", 2);
  ASSERT_EQ(queries.size(), 2u);
  EXPECT_EQ(queries[0]["name"], "otasim.localhost");
  EXPECT_EQ(queries[0]["answered"], true);
}

TEST_F(LinkTest, SntpTellsTheTimeOfTheConfiguredClock) {
  std::atomic<std::int64_t> now = 1'700'000'000;
  Config with = config();
  with.now = [&now] { return now.load(); };
  start(with);
  for (const std::int64_t time : {1'700'000'000, 1'800'000'000}) {
    now = time;
    device_->send(udp_frame(kDeviceAddress, kHostAddress, 5'000, 123, sntp_request()));
    const auto frame = device_->receive([](Bytes f) { return as_udp_from(f, 123).has_value(); });
    ASSERT_TRUE(frame);
    EXPECT_EQ(parse_ipv4(parse_ethernet(*frame)->payload)->source, kHostAddress);
    const Bytes answer = *as_udp_from(*frame, 123);
    EXPECT_EQ(std::int64_t{read_u32(answer, 40)} - 2'208'988'800, time);
  }
  const auto queries = events_.wait_for("sntp_query", 2);
  ASSERT_EQ(queries.size(), 2u);
  EXPECT_EQ(queries[1]["time"], 1'800'000'000);
  link_.reset();  // it asks the clock until then
}

TEST_F(LinkTest, AMalformedTimeRequestIsCountedAndNotAnswered) {
  start();
  device_->send(udp_frame(kDeviceAddress, kHostAddress, 5'000, 123, Frame(47)));
  ASSERT_TRUE(resolve(kHostAddress));  // answered after it
  EXPECT_EQ(link_->statistics().dropped_for(DropReason::kUnansweredSntp), 1u);
  EXPECT_TRUE(events_.all("sntp_query").empty());
  EXPECT_EQ(device_->drain(), 0);
}

TEST_F(LinkTest, TcpReachesAnAllowedPortAndCarriesDataBothWays) {
  start();
  ASSERT_TRUE(resolve(kHostAddress));
  const std::uint32_t host_sequence = open_connection(40'001);
  ASSERT_NE(host_sequence, 0u);
  const UniqueFd server = listener_.accept();

  expect_welcome(server);

  device_->send(tcp_frame({.source_port = 40'001,
                           .destination_port = listener_.port(),
                           .sequence = 1'001,
                           .acknowledgement = host_sequence + 7,
                           .flags = kPush | kAck,
                           .data = "hello"}));
  EXPECT_EQ(read_text(server, 5), "hello");
}

TEST_F(LinkTest, NoFrameComesBeforeTheDelayOfBothDirectionsHasPassed) {
  constexpr std::chrono::milliseconds kDelay{100};
  constexpr int kQueries = 50;
  Config delayed = config();
  delayed.one_way_delay = kDelay;
  start(delayed);
  const auto begun = std::chrono::steady_clock::now();
  const Frame query = udp_frame(kDeviceAddress, kDnsAddress, 5'000, 53, dns_query("otasim.localhost"));
  for (int i = 0; i < kQueries; ++i) device_->send(query);
  for (int i = 0; i < kQueries; ++i) {
    ASSERT_TRUE(device_->receive([](Bytes f) { return as_udp_from(f, 53).has_value(); })) << i;
    EXPECT_GE(std::chrono::steady_clock::now() - begun, 2 * kDelay);
  }
}

TEST_F(LinkTest, TcpWorksOverADelay) {
  Config delayed = config();
  delayed.one_way_delay = std::chrono::milliseconds(5);
  start(delayed);
  ASSERT_TRUE(resolve(kHostAddress));
  const std::uint32_t host_sequence = open_connection(40'001);
  ASSERT_NE(host_sequence, 0u);
  const UniqueFd server = listener_.accept();
  expect_welcome(server);
}

TEST_F(LinkTest, AnotherPortIsDroppedCountedAndReportedOnce) {
  start();
  const Listener forbidden;
  const Frame syn = tcp_frame({.destination_port = forbidden.port(), .sequence = 1, .flags = kSyn});
  device_->send(syn);
  const auto blocked = events_.wait_for("blocked", 1);
  ASSERT_EQ(blocked.size(), 1u);
  EXPECT_EQ(blocked[0]["port"], forbidden.port());
  EXPECT_EQ(link_->statistics().dropped_for(DropReason::kBlockedTcpPort), 1u);

  device_->send(syn);
  ASSERT_TRUE(resolve(kHostAddress));  // answered after the second SYN was handled
  EXPECT_EQ(link_->statistics().dropped_for(DropReason::kBlockedTcpPort), 2u);
  EXPECT_EQ(events_.all("blocked").size(), 1u);
  EXPECT_EQ(device_->drain(), 0);
}

TEST_F(LinkTest, AFlowOutlivesTheDevicesPower) {
  start();
  ASSERT_TRUE(resolve(kHostAddress));
  const std::uint32_t host_sequence = open_connection(40'002);
  ASSERT_NE(host_sequence, 0u);
  const UniqueFd server = listener_.accept();

  device_.reset();
  device_.emplace(*link_);
  EXPECT_TRUE(resolve(kHostAddress)) << "the new device is not found";
  char byte = 0;
  EXPECT_EQ(::recv(server.get(), &byte, 1, MSG_DONTWAIT), -1) << "the host saw an end of the connection";
  EXPECT_EQ(errno, EAGAIN);
  device_->send(tcp_frame({.source_port = 40'002,
                           .destination_port = listener_.port(),
                           .sequence = 1'001,
                           .acknowledgement = host_sequence,
                           .flags = kPush | kAck,
                           .data = "again"}));
  EXPECT_EQ(read_text(server, 5), "again");
}

TEST_F(LinkTest, FramesForADeviceThatIsOffAreDropped) {
  start();
  device_->send(udp_frame(kDeviceAddress, kDnsAddress, 5'000, 53, dns_query("first.example")));
  ASSERT_TRUE(device_->receive([](Bytes f) { return as_udp_from(f, 53).has_value(); }));
  // The path is gone and so is the socket behind it when the answer is due.
  std::filesystem::remove(link_->qemu_socket_path());
  device_->send(udp_frame(kDeviceAddress, kDnsAddress, 5'000, 53, dns_query("last.example")));
  device_.reset();
  ASSERT_EQ(events_.wait_for("dns_query", 2).size(), 2u);
  device_.emplace(*link_);
  EXPECT_TRUE(resolve(kDnsAddress));
  const Statistics statistics = link_->statistics();
  EXPECT_EQ(statistics.from_device.frames, 3u);
  EXPECT_EQ(statistics.to_device.frames + statistics.dropped_for(DropReason::kDeviceOff), 3u);
}

TEST_F(LinkTest, ADeviceThatDoesNotReadOverflowsABoundedQueueAndRecovers) {
  start();
  constexpr std::uint64_t kQueries = 2'500;
  const Frame query = udp_frame(kDeviceAddress, kDnsAddress, 5'000, 53, dns_query("otasim.localhost"));
  for (std::uint64_t i = 0; i < kQueries; ++i) device_->send(query);
  ASSERT_EQ(events_.wait_for("dns_query", kQueries).size(), kQueries);
  const std::uint64_t overflown = link_->statistics().dropped_for(DropReason::kQueueFull);
  EXPECT_GT(overflown, 0u);
  EXPECT_LE(overflown, kQueries - LinkLoop::kMaxQueuedFrames);
  for (std::uint64_t i = overflown; i < kQueries; ++i) {
    ASSERT_TRUE(device_->receive([](Bytes f) { return as_udp_from(f, 53).has_value(); })) << i;
    device_->send(Frame(60, 0));  // a sign of life that nobody answers
  }
  EXPECT_TRUE(resolve(kHostAddress));
  EXPECT_EQ(link_->statistics().to_device.frames, kQueries - overflown + 1);
}

TEST_F(LinkTest, TheDeviceCannotOpenFlowsWithoutLimit) {
  start();
  ASSERT_TRUE(resolve(kHostAddress));
  constexpr int kTooMany = 10;
  for (int i = 0; i < static_cast<int>(LinkLoop::kMaxFlows) + kTooMany; ++i) {
    device_->send(tcp_frame({.source_port = static_cast<std::uint16_t>(20'000 + i),
                             .destination_port = listener_.port(),
                             .sequence = 1,
                             .flags = kSyn}));
  }
  EXPECT_TRUE(resolve(kHostAddress));
  EXPECT_EQ(link_->statistics().dropped_for(DropReason::kTooManyFlows), static_cast<std::uint64_t>(kTooMany));
}

TEST_F(LinkTest, TheCaptureHoldsEveryFrameOfBothDirections) {
  Config with = config();
  with.pcap_path = folder_.file("link.pcap");
  start(with);
  ASSERT_TRUE(resolve(kHostAddress));
  device_->send(tcp_frame({.destination_port = 1, .sequence = 1, .flags = kSyn}));
  ASSERT_TRUE(resolve(kDnsAddress));
  // The second answer is captured a moment after it was received: stopping is the fence.
  link_.reset();

  const auto file = read_file(with.pcap_path).value();
  std::vector<std::size_t> sizes;
  for (std::size_t at = 24; at + 16 <= file.size();) {
    const std::size_t bytes = file[at + 8] | std::size_t{file[at + 9]} << 8;
    sizes.push_back(bytes);
    at += 16 + bytes;
  }
  ASSERT_EQ(sizes.size(), 5u);
  EXPECT_EQ(sizes[0], arp_request(kHostAddress).size());
  EXPECT_EQ(sizes[2], 54u);
}

TEST_F(LinkTest, EndingRemovesTheSockets) {
  start();
  const std::string own = link_->link_socket_path();
  const std::string qemu = link_->qemu_socket_path();
  EXPECT_TRUE(std::filesystem::exists(own));
  link_.reset();
  EXPECT_FALSE(std::filesystem::exists(own));
  EXPECT_FALSE(std::filesystem::exists(qemu));
}

TEST_F(LinkTest, QemuIsToldWhereTheSocketsAre) {
  Config with = config();
  with.folder = folder_.file("a,b");
  std::filesystem::create_directory(with.folder);
  start(with);
  EXPECT_THAT(
      link_->qemu_arguments("lan9118"),
      testing::ElementsAre("-netdev",
                           "dgram,id=n0,local.type=unix,local.path=" + folder_.file("a,,b/qemu.sock") +
                               ",remote.type=unix,remote.path=" + folder_.file("a,,b/link.sock"),
                           "-net", "nic,model=lan9118,netdev=n0,macaddr=52:54:00:12:34:56"));
}

TEST_F(LinkTest, StartingSaysWhatIsWrong) {
  Config missing = config();
  missing.folder = folder_.file("missing");
  const auto without_folder = Link::start(missing);
  ASSERT_FALSE(without_folder);
  EXPECT_EQ(without_folder.error().code, ExitCode::kEnvironment);
  EXPECT_THAT(without_folder.error().message, testing::HasSubstr("missing/link.sock"));

  Config no_capture = config();
  no_capture.pcap_path = folder_.file("missing/link.pcap");
  const auto without_capture = Link::start(no_capture);
  ASSERT_FALSE(without_capture);
  EXPECT_THAT(without_capture.error().message, testing::HasSubstr("link.pcap"));

  Config no_rate = config();
  no_rate.wire_rate_bits_per_second = 0;
  const auto without_rate = Link::start(no_rate);
  ASSERT_FALSE(without_rate);
  EXPECT_EQ(without_rate.error().code, ExitCode::kUsage);

  for (const std::chrono::microseconds delay :
       {std::chrono::microseconds(-1), kMaxOneWayDelay + std::chrono::microseconds(1)}) {
    Config impossible = config();
    impossible.one_way_delay = delay;
    const auto with_delay = Link::start(impossible);
    ASSERT_FALSE(with_delay) << delay.count();
    EXPECT_EQ(with_delay.error().code, ExitCode::kUsage);
  }
}

}  // namespace
}  // namespace otasim::link::test
