#include "sim/link/fault.h"

#include <gmock/gmock.h>

#include <limits>
#include <string>
#include <vector>

namespace otasim::link::test {
namespace {

using testing::HasSubstr;

TEST(LinkFault, EachHasItsName) {
  const std::pair<LinkFault, std::string_view> all[] = {
      {FrameFault(faults::Loss{}), "link.loss"},
      {FrameFault(faults::Duplicate{}), "link.duplicate"},
      {FrameFault(faults::Corrupt{}), "link.corrupt"},
      {FrameFault(faults::Reorder{}), "link.reorder"},
      {FrameFault(faults::Latency{}), "link.latency"},
      {FrameFault(faults::Rate{}), "link.rate"},
      {FrameFault(faults::Blackhole{}), "link.blackhole"},
      {faults::HalfOpen{}, "link.half_open"},
      {faults::Reset{}, "link.reset"},
      {ServiceFault(faults::DhcpMissing{}), "dhcp.missing"},
      {ServiceFault(faults::DhcpLate{}), "dhcp.late"},
      {ServiceFault(faults::DhcpForged{}), "dhcp.forged"},
      {ServiceFault(faults::DnsMissing{}), "dns.missing"},
      {ServiceFault(faults::DnsLate{}), "dns.late"},
      {ServiceFault(faults::DnsForged{}), "dns.forged"},
      {ServiceFault(faults::DnsNxdomain{}), "dns.nxdomain"},
      {ServiceFault(faults::SntpMissing{}), "sntp.missing"},
      {ServiceFault(faults::SntpLate{}), "sntp.late"},
      {ServiceFault(faults::SntpForged{}), "sntp.forged"},
  };
  for (const auto& [fault, name] : all) EXPECT_EQ(name_of(fault), name);
}

TEST(LinkFault, MembersThatMakeNoSenseAreNamed) {
  const struct {
    LinkFault fault;
    const char* member;
  } cases[] = {
      {FrameFault(faults::Loss{.strike = {.probability = 1.1}}), "link.loss cannot be armed: probability"},
      {FrameFault(faults::Loss{.strike = {.probability = -0.1}}), "probability"},
      {FrameFault(faults::Loss{.strike = {.probability = std::numeric_limits<double>::quiet_NaN()}}),
       "probability"},
      {ServiceFault(faults::DnsMissing{.strike = {.probability = 2}}), "dns.missing cannot be armed: prob"},
      {FrameFault(faults::Blackhole{.match = {.protocol = Protocol::kUdp, .tcp_port = 1}}), "tcp_port"},
      {FrameFault(faults::Reorder{.by = 0}), "by is 0"},
      {FrameFault(faults::Reorder{.by = faults::kMaxReorderBy + 1}), "by is"},
      {FrameFault(faults::Reorder{.hold_ms = faults::kMaxLatencyMs + 1}), "hold_ms"},
      {FrameFault(faults::Latency{.latency_ms = faults::kMaxLatencyMs + 1}), "latency_ms"},
      {FrameFault(faults::Latency{.jitter_ms = faults::kMaxLatencyMs + 1}), "jitter_ms"},
      {FrameFault(faults::Rate{}), "bits_per_second"},
      {ServiceFault(faults::DhcpLate{.delay_ms = faults::kMaxLatencyMs + 1}), "delay_ms"},
      {ServiceFault(faults::DnsLate{.delay_ms = faults::kMaxLatencyMs + 1}), "delay_ms"},
      {ServiceFault(faults::SntpLate{.delay_ms = faults::kMaxLatencyMs + 1}), "delay_ms"},
      {ServiceFault(faults::SntpForged{.offset_s = std::numeric_limits<std::int64_t>::min()}), "offset_s"},
      {ServiceFault(faults::SntpForged{.offset_s = std::numeric_limits<std::int64_t>::max()}), "offset_s"},
  };
  for (const auto& one : cases) {
    const auto checked = check(one.fault);
    ASSERT_FALSE(checked) << one.member;
    EXPECT_EQ(checked.error().code, ExitCode::kUsage);
    EXPECT_THAT(checked.error().message, HasSubstr(one.member));
  }
}

TEST(LinkFault, MembersAtTheirLimitsAreTaken) {
  const LinkFault cases[] = {
      FrameFault(faults::Loss{.strike = {.probability = 0}}),
      FrameFault(faults::Blackhole{.match = {.protocol = Protocol::kTcp, .tcp_port = 65'535}}),
      FrameFault(faults::Reorder{.by = faults::kMaxReorderBy, .hold_ms = faults::kMaxLatencyMs}),
      FrameFault(faults::Latency{.latency_ms = faults::kMaxLatencyMs, .jitter_ms = faults::kMaxLatencyMs}),
      FrameFault(faults::Rate{.bits_per_second = 1}),
      faults::HalfOpen{},
      faults::Reset{},
      ServiceFault(faults::DnsLate{.delay_ms = faults::kMaxLatencyMs}),
      ServiceFault(faults::SntpForged{.offset_s = -100LL * 365 * 86'400}),
  };
  for (const LinkFault& fault : cases) EXPECT_TRUE(check(fault)) << name_of(fault);
}

}  // namespace
}  // namespace otasim::link::test
