#include "sim/link/frame_faults.h"

#include <gmock/gmock.h>

#include <bit>
#include <set>
#include <string>

#include "tests/sim/link/packets.h"

namespace otasim::link::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint16_t kHostPort = 8'883;
constexpr std::uint16_t kOtherHostPort = 9'000;
constexpr std::uint16_t kDevicePort = 40'000;

Frame tcp(Direction direction, const std::string& data, std::uint16_t host_port = kHostPort,
          std::uint16_t device_port = kDevicePort, std::uint8_t flags = kAck) {
  const bool from_device = direction == Direction::kFromDevice;
  return tcp_frame({.source_port = from_device ? device_port : host_port,
                    .destination_port = from_device ? host_port : device_port,
                    .flags = flags,
                    .data = data});
}

Frame udp() {
  return udp_frame(kDeviceAddress, kDnsAddress, 5'000, 53, dns_query("otasim.localhost"));
}

/// A chain of faults between two ends, and a clock that is moved by hand.
class FrameFaultsTest : public testing::Test {
 protected:
  using Clock = FrameFaults::Clock;

  struct Passed {
    Direction direction;
    Frame bytes;
    const std::uint8_t* data;
    nanoseconds at;
  };

  FaultId arm(const FrameFault& fault) {
    const FaultId id{++last_};
    faults_.arm(id, fault);
    return id;
  }
  void take(Direction direction, const Frame& frame) { faults_.take(direction, frame, now_); }
  void send(const std::string& data) { take(Direction::kToDevice, tcp(Direction::kToDevice, data)); }
  void send_all(std::initializer_list<const char*> all) {
    for (const char* data : all) send(data);
  }
  /// Lets time pass, and frames go when they are due.
  void pass_time(nanoseconds time) {
    const Clock::time_point end = now_ + time;
    for (auto wait = faults_.wait(now_); wait && now_ + *wait <= end; wait = faults_.wait(now_)) {
      now_ += *wait;
      faults_.release(now_);
    }
    now_ = end;
  }

  /// What came out, by the data of its TCP segments.
  std::vector<std::string> passed() const {
    std::vector<std::string> all;
    for (const Passed& one : passed_) all.push_back(data_of(one.bytes));
    return all;
  }
  static std::string data_of(const Frame& frame) { return {frame.begin() + 54, frame.end()}; }
  std::vector<nlohmann::json> told(const std::string& event) const {
    std::vector<nlohmann::json> all;
    for (const auto& [name, members] : told_) {
      if (name == event) all.push_back(members);
    }
    return all;
  }

  Clock::time_point start_{seconds(1'000)};
  Clock::time_point now_ = start_;
  std::uint64_t last_ = 0;
  std::vector<Passed> passed_;
  std::vector<DropReason> lost_;
  std::vector<std::pair<std::string, nlohmann::json>> told_;
  FrameFaults faults_{
      {.pass =
           [this](Direction direction, Bytes frame) {
             passed_.push_back({direction, {frame.begin(), frame.end()}, frame.data(), now_ - start_});
           },
       .lost = [this](DropReason reason) { lost_.push_back(reason); },
       .tell = [this](std::string_view event,
                      nlohmann::json members) { told_.emplace_back(event, std::move(members)); }}};
};

TEST_F(FrameFaultsTest, WhatNoFaultStrikesPassesUncopied) {
  EXPECT_TRUE(faults_.is_empty());
  const Frame frame = tcp(Direction::kToDevice, "a");
  take(Direction::kToDevice, frame);
  const StrikePlan never{.times = 0};
  arm(faults::Loss{.strike = never});
  arm(faults::Duplicate{.strike = never});
  arm(faults::Corrupt{.strike = never});
  arm(faults::Reorder{.strike = never});
  arm(faults::Latency{.match = {.direction = Direction::kFromDevice}, .latency_ms = 10});
  EXPECT_FALSE(faults_.is_empty());
  take(Direction::kToDevice, frame);
  ASSERT_EQ(passed_.size(), 2u);
  EXPECT_EQ(passed_[0].data, frame.data());
  EXPECT_EQ(passed_[1].data, frame.data());
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_EQ(faults_.wait(now_), std::nullopt);
}

TEST_F(FrameFaultsTest, LossStrikesTheFramesOfItsPlan) {
  arm(faults::Loss{.strike = {.after = 2, .times = 2}});
  send_all({"1", "2", "3", "4", "5"});
  EXPECT_THAT(passed(), ElementsAre("1", "2", "5"));
  EXPECT_THAT(lost_, ElementsAre(DropReason::kFault, DropReason::kFault));
  const auto strikes = told("fault");
  ASSERT_EQ(strikes.size(), 2u);
  EXPECT_EQ(strikes[0], (nlohmann::json{{"fault", "link.loss"},
                                        {"direction", "to_device"},
                                        {"protocol", "tcp"},
                                        {"bytes", 55},
                                        {"device_port", kDevicePort},
                                        {"host_port", kHostPort}}));
}

TEST_F(FrameFaultsTest, TheSeedDecidesWhichFramesAreLost) {
  const auto survivors = [this](std::uint64_t seed) {
    passed_.clear();
    const FaultId id = arm(faults::Loss{.strike = {.probability = 0.1, .seed = seed}});
    for (int i = 0; i < 2'000; ++i) send(std::to_string(i));
    EXPECT_TRUE(faults_.clear(id, now_));
    return passed();
  };
  const auto first = survivors(7);
  EXPECT_GT(first.size(), 1'700u);
  EXPECT_LT(first.size(), 1'900u);
  EXPECT_EQ(survivors(7), first);
  EXPECT_NE(survivors(8), first);
}

TEST_F(FrameFaultsTest, AFaultIsAboutFramesThatMatchAndNoOthers) {
  constexpr auto kTo = Direction::kToDevice;
  constexpr auto kFrom = Direction::kFromDevice;
  const struct {
    Direction direction;
    Frame frame;
  } frames[] = {{kTo, tcp(kTo, "x")},
                {kFrom, tcp(kFrom, "x")},
                {kTo, tcp(kTo, "x", kOtherHostPort)},
                {kFrom, tcp(kFrom, "x", kOtherHostPort)},
                {kFrom, udp()},
                {kFrom, arp_request(kHostAddress)},
                // The device's own port is none of the host.
                {kFrom, tcp(kFrom, "x", kOtherHostPort, kHostPort)}};
  const struct {
    FrameMatch match;
    std::vector<std::size_t> struck;
  } cases[] = {{{}, {0, 1, 2, 3, 4, 5, 6}},
               {{.direction = kTo}, {0, 2}},
               {{.direction = kFrom}, {1, 3, 4, 5, 6}},
               {{.protocol = Protocol::kTcp}, {0, 1, 2, 3, 6}},
               {{.protocol = Protocol::kUdp}, {4}},
               {{.tcp_port = kHostPort}, {0, 1}},
               {{.direction = kFrom, .protocol = Protocol::kTcp, .tcp_port = kOtherHostPort}, {3, 6}}};
  for (const auto& one : cases) {
    const FaultId id = arm(faults::Blackhole{.match = one.match});
    std::vector<std::size_t> struck;
    for (std::size_t i = 0; i < std::size(frames); ++i) {
      const std::size_t before = lost_.size();
      take(frames[i].direction, frames[i].frame);
      if (lost_.size() > before) struck.push_back(i);
    }
    EXPECT_EQ(struck, one.struck) << &one - cases;
    EXPECT_TRUE(faults_.clear(id, now_));
  }
}

TEST_F(FrameFaultsTest, FramesOfNoSenseMatchNoProtocol) {
  arm(faults::Loss{.match = {.protocol = Protocol::kTcp}});
  arm(faults::Loss{.match = {.protocol = Protocol::kUdp}});
  const Frame whole = tcp(Direction::kFromDevice, "");
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    const Frame cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(bytes));
    take(Direction::kFromDevice, cut);
  }
  EXPECT_EQ(passed_.size(), whole.size());
}

TEST_F(FrameFaultsTest, ADuplicateComesRightBehind) {
  arm(faults::Duplicate{.strike = {.after = 1, .times = 1}});
  send_all({"1", "2", "3"});
  EXPECT_THAT(passed(), ElementsAre("1", "2", "2", "3"));
  EXPECT_EQ(passed_[1].bytes, passed_[2].bytes);
  EXPECT_EQ(told("fault").size(), 1u);
}

bool is_sound(const Frame& frame) {
  const auto packet = parse_ipv4(parse_ethernet(frame)->payload);
  if (!packet || !packet->header_checksum_ok) return false;
  return internet_checksum(packet->payload, pseudo_header_sum(packet->source, packet->destination,
                                                              packet->protocol, packet->payload.size())) == 0;
}

TEST_F(FrameFaultsTest, CorruptionInvertsOneBitThatChecksumsFind) {
  Frame frame = tcp(Direction::kToDevice, "some data");
  const std::size_t packet_end = frame.size();
  frame.resize(packet_end + 20);  // padding
  ASSERT_TRUE(is_sound(frame));
  const Frame before = frame;
  std::set<std::size_t> places;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const FaultId id = arm(faults::Corrupt{.strike = {.times = 1, .seed = seed}});
    take(Direction::kToDevice, frame);
    const Frame& damaged = passed_.back().bytes;
    const nlohmann::json what = told_.back().second;
    const auto offset = what["offset"].get<std::size_t>();
    ASSERT_EQ(damaged.size(), frame.size());
    ASSERT_GE(offset, kEthernetHeaderBytes);
    ASSERT_LT(offset, packet_end);
    EXPECT_EQ(damaged[offset] ^ frame[offset], 1 << what["bit"].get<int>());
    int differing_bits = 0;
    for (std::size_t i = 0; i < frame.size(); ++i) {
      differing_bits += std::popcount(static_cast<unsigned>(damaged[i] ^ frame[i]));
    }
    EXPECT_EQ(differing_bits, 1);
    EXPECT_FALSE(is_sound(damaged)) << offset;
    places.insert(offset);
    EXPECT_TRUE(faults_.clear(id, now_));
  }
  EXPECT_EQ(frame, before) << "the sender's own copy";
  EXPECT_GT(places.size(), 40u) << "any byte can be struck";
}

TEST_F(FrameFaultsTest, TheSeedDecidesWhichBitIsCorrupted) {
  const auto damage = [this](std::uint64_t seed) {
    const FaultId id = arm(faults::Corrupt{.strike = {.seed = seed}});
    std::vector<Frame> damaged;
    for (int i = 0; i < 10; ++i) {
      send("a segment");
      damaged.push_back(passed_.back().bytes);
    }
    EXPECT_TRUE(faults_.clear(id, now_));
    return damaged;
  };
  const auto first = damage(3);
  EXPECT_EQ(damage(3), first);
  EXPECT_NE(damage(4), first);
}

TEST_F(FrameFaultsTest, AReorderedFrameIsPassedByOthersOfItsDirection) {
  arm(faults::Reorder{
      .match = {.protocol = Protocol::kTcp}, .strike = {.after = 1, .times = 1}, .by = 2, .hold_ms = 1'000});
  send_all({"1", "2"});
  take(Direction::kFromDevice, tcp(Direction::kFromDevice, "other direction"));
  take(Direction::kToDevice, arp_request(kDeviceAddress));  // does not match
  send("3");
  EXPECT_EQ(passed_.size(), 4u) << "one frame has passed it, not two";
  passed_.clear();
  send_all({"4", "5"});
  EXPECT_THAT(passed(), ElementsAre("4", "2", "5"));
  EXPECT_EQ(faults_.wait(now_), std::nullopt);
}

TEST_F(FrameFaultsTest, AReorderedFrameIsNotHeldForLongerThanItsTime) {
  arm(faults::Reorder{.by = 5, .hold_ms = 30});
  send("1");
  pass_time(milliseconds(10));
  send("2");
  EXPECT_EQ(faults_.wait(now_), nanoseconds(milliseconds(20)));
  pass_time(milliseconds(100));
  EXPECT_THAT(passed(), ElementsAre("2", "1"));
  EXPECT_EQ(passed_[1].at, milliseconds(30));
}

TEST_F(FrameFaultsTest, EveryFrameReorderedMeansThatPairsAreSwapped) {
  arm(faults::Reorder{});
  send_all({"1", "2", "3", "4"});
  EXPECT_THAT(passed(), ElementsAre("2", "1", "4", "3"));
}

TEST_F(FrameFaultsTest, LatencyDelaysEveryFrameAndIsToldOnce) {
  const FaultId id = arm(faults::Latency{.latency_ms = 50});
  send("1");
  pass_time(milliseconds(20));
  send("2");
  take(Direction::kFromDevice, tcp(Direction::kFromDevice, "3"));
  EXPECT_THAT(passed(), IsEmpty());
  pass_time(milliseconds(200));
  EXPECT_THAT(passed(), ElementsAre("1", "2", "3"));
  EXPECT_EQ(passed_[0].at, milliseconds(50));
  EXPECT_EQ(passed_[1].at, milliseconds(70));
  EXPECT_EQ(passed_[2].at, milliseconds(70));
  EXPECT_EQ(told("fault").size(), 1u);
  EXPECT_TRUE(faults_.clear(id, now_));
  const auto cleared = told("fault_cleared");
  ASSERT_EQ(cleared.size(), 1u);
  EXPECT_EQ(cleared[0], (nlohmann::json{{"fault", "link.latency"}, {"struck", 3}}));
}

TEST_F(FrameFaultsTest, JitterIsWithinItsBoundsKeepsTheOrderAndFollowsItsSeed) {
  const auto times = [this](std::uint64_t seed) {
    passed_.clear();
    start_ = now_;
    const FaultId id = arm(faults::Latency{.latency_ms = 100, .jitter_ms = 20, .seed = seed});
    std::vector<nanoseconds> sent;
    std::vector<std::string> in_order;
    for (int i = 0; i < 100; ++i) {
      sent.push_back(now_ - start_);
      in_order.push_back(std::to_string(i));
      send(in_order.back());
      pass_time(milliseconds(3));
    }
    pass_time(seconds(1));
    EXPECT_EQ(passed(), in_order);
    EXPECT_TRUE(faults_.clear(id, now_));
    std::vector<nanoseconds> all;
    for (std::size_t i = 0; i < passed_.size(); ++i) {
      all.push_back(passed_[i].at - sent[i]);
      EXPECT_GE(all.back(), milliseconds(100));
      EXPECT_LE(all.back(), milliseconds(120));
    }
    return all;
  };
  const auto first = times(5);
  EXPECT_GT(std::set<nanoseconds>(first.begin(), first.end()).size(), 50u) << "they differ";
  EXPECT_EQ(times(5), first);
  EXPECT_NE(times(6), first);
}

TEST_F(FrameFaultsTest, ARateSpacesFramesInEachDirectionByItself) {
  arm(faults::Rate{.bits_per_second = 80'000});  // 100 us a byte
  const Frame frame = tcp(Direction::kToDevice, std::string(76, 'x'));
  const nanoseconds on_wire = (frame.size() + 24) * std::chrono::microseconds(100);
  take(Direction::kToDevice, frame);
  take(Direction::kToDevice, frame);
  take(Direction::kFromDevice, frame);
  pass_time(seconds(1));
  take(Direction::kToDevice, frame);
  pass_time(seconds(1));
  ASSERT_EQ(passed_.size(), 4u);
  EXPECT_EQ(passed_[0].at, on_wire);
  EXPECT_EQ(passed_[1].at, on_wire);
  EXPECT_EQ(passed_[2].at, 2 * on_wire);
  EXPECT_EQ(passed_[3].at, seconds(1) + on_wire) << "idle time is not saved up";
  EXPECT_NE(passed_[0].direction, passed_[1].direction);
}

TEST_F(FrameFaultsTest, NothingPassesABlackholeUntilItIsCleared) {
  const FaultId id = arm(faults::Blackhole{.match = {.direction = Direction::kToDevice}});
  send_all({"1", "2", "3"});
  take(Direction::kFromDevice, tcp(Direction::kFromDevice, "out"));
  EXPECT_THAT(passed(), ElementsAre("out"));
  EXPECT_EQ(told("fault").size(), 1u);
  EXPECT_TRUE(faults_.clear(id, now_));
  EXPECT_EQ(told("fault_cleared").at(0)["struck"], 3);
  send("4");
  EXPECT_THAT(passed(), ElementsAre("out", "4"));
}

TEST_F(FrameFaultsTest, HalfOpenFlowsAreLostInBothDirectionsAndNewOnesWork) {
  constexpr std::uint16_t kNew = 40'001;
  faults_.arm(FaultId{9}, {Flow{.key = {kDevicePort, kHostPort}}});
  const auto told_of = told("fault");
  ASSERT_EQ(told_of.size(), 1u);
  EXPECT_EQ(
      told_of[0],
      (nlohmann::json{{"fault", "link.half_open"}, {"device_port", kDevicePort}, {"host_port", kHostPort}}));
  for (const Direction direction : {Direction::kToDevice, Direction::kFromDevice}) {
    take(direction, tcp(direction, "old"));
    take(direction, tcp(direction, "new", kHostPort, kNew));
    take(direction, tcp(direction, "other port", kOtherHostPort));
  }
  take(Direction::kFromDevice, udp());
  EXPECT_EQ(lost_.size(), 2u);
  EXPECT_EQ(passed_.size(), 5u);

  passed_.clear();
  take(Direction::kFromDevice, tcp(Direction::kFromDevice, "", kHostPort, kDevicePort, kSyn));
  take(Direction::kToDevice, tcp(Direction::kToDevice, "again"));
  EXPECT_THAT(passed(), ElementsAre("", "again")) << "the same port, a new connection";
}

TEST_F(FrameFaultsTest, FaultsActInTheOrderOfTheirArming) {
  arm(faults::Duplicate{});
  arm(faults::Loss{.strike = {.after = 1, .times = 1}});
  send_all({"1", "2"});
  EXPECT_THAT(passed(), ElementsAre("1", "2", "2")) << "one of the first one's copies was lost";
}

TEST_F(FrameFaultsTest, ClearingOneFaultLeavesTheOthers) {
  const FaultId first = arm(faults::Latency{.latency_ms = 10});
  const FaultId second = arm(faults::Latency{.latency_ms = 20});
  send("1");
  EXPECT_TRUE(faults_.clear(first, now_));
  EXPECT_THAT(passed(), IsEmpty()) << "it waits in the second one";
  EXPECT_FALSE(faults_.clear(first, now_));
  pass_time(milliseconds(20));
  EXPECT_THAT(passed(), ElementsAre("1"));
  EXPECT_EQ(passed_[0].at, milliseconds(20));
  EXPECT_TRUE(faults_.clear(second, now_));
  EXPECT_TRUE(faults_.is_empty());
}

TEST_F(FrameFaultsTest, WhatAClearedFaultHoldsGoesOnItsWayInOrder) {
  const FaultId latency = arm(faults::Latency{.latency_ms = 1'000});
  send_all({"1", "2", "3"});
  EXPECT_TRUE(faults_.clear(latency, now_));
  const FaultId reorder = arm(faults::Reorder{.by = 9});
  send("4");
  EXPECT_TRUE(faults_.clear(reorder, now_));
  EXPECT_THAT(passed(), ElementsAre("1", "2", "3", "4"));
  EXPECT_EQ(passed_[3].at, nanoseconds(0));
}

TEST_F(FrameFaultsTest, WhatIsHeldIsBoundedAndComesOutInParts) {
  arm(faults::Latency{.latency_ms = 10});
  const Frame frame = tcp(Direction::kToDevice, "x");
  for (std::size_t i = 0; i < FrameFaults::kMaxHeldFrames + 3; ++i) take(Direction::kToDevice, frame);
  EXPECT_EQ(lost_, std::vector<DropReason>(3, DropReason::kQueueFull));
  now_ += milliseconds(10);
  faults_.release(now_);
  EXPECT_EQ(passed_.size(), static_cast<std::size_t>(FrameFaults::kMaxReleasedFrames));
  EXPECT_EQ(faults_.wait(now_), nanoseconds(0)) << "the rest is due";
  pass_time(nanoseconds(0));
  EXPECT_EQ(passed_.size(), FrameFaults::kMaxHeldFrames);
}

TEST_F(FrameFaultsTest, AFaultWithoutEndDoesNotFillTheEventLog) {
  const FaultId id = arm(faults::Loss{});
  const Frame frame = tcp(Direction::kToDevice, "x");
  for (std::uint64_t i = 0; i < FrameFaults::kMaxEventsPerFault + 5; ++i) take(Direction::kToDevice, frame);
  EXPECT_EQ(told("fault").size(), FrameFaults::kMaxEventsPerFault);
  EXPECT_TRUE(faults_.clear(id, now_));
  EXPECT_EQ(told("fault_cleared").at(0)["struck"], FrameFaults::kMaxEventsPerFault + 5);
}

}  // namespace
}  // namespace otasim::link::test
