#include "sim/link/service_faults.h"

#include <gtest/gtest.h>

namespace otasim::link::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using Frame = ServiceFaults::Frame;

constexpr ServiceFaults::Clock::time_point kStart{seconds(1'000)};
constexpr ServiceRequest kBoth{.answer = true, .forgery = true};

class ServiceFaultsTest : public testing::Test {
 protected:
  ServiceStrikes strike(Service service, ServiceRequest request = kBoth) {
    return faults_.strike(service, request, {{"name", "x"}});
  }
  std::vector<nlohmann::json> told(const std::string& event) const {
    std::vector<nlohmann::json> all;
    for (const auto& [name, members] : told_) {
      if (name == event) all.push_back(members);
    }
    return all;
  }

  std::vector<std::pair<std::string, nlohmann::json>> told_;
  ServiceFaults faults_{[this](std::string_view event, nlohmann::json members) {
    told_.emplace_back(event, std::move(members));
  }};
};

TEST_F(ServiceFaultsTest, AFaultIsAboutItsOwnServiceOnly) {
  EXPECT_FALSE(faults_.has_any(Service::kDns));
  faults_.arm(FaultId{1}, faults::DnsMissing{});
  EXPECT_TRUE(faults_.has_any(Service::kDns));
  EXPECT_FALSE(faults_.has_any(Service::kDhcp));
  EXPECT_TRUE(strike(Service::kDns).missing);
  EXPECT_FALSE(strike(Service::kDhcp).missing);
  EXPECT_FALSE(strike(Service::kSntp).missing);
  ASSERT_EQ(told("fault").size(), 1u);
  EXPECT_EQ(told("fault")[0], (nlohmann::json{{"fault", "dns.missing"}, {"name", "x"}}));
}

TEST_F(ServiceFaultsTest, OnlyRequestsThatAFaultCouldStrikeAreCounted) {
  faults_.arm(FaultId{1}, faults::DhcpMissing{.strike = {.after = 1, .times = 1}});
  faults_.arm(FaultId{2}, faults::DhcpForged{.strike = {.after = 1, .times = 1}});
  EXPECT_FALSE(strike(Service::kDhcp, {.answer = true}).missing);
  const auto no_answer = strike(Service::kDhcp, {.forgery = true});
  EXPECT_FALSE(no_answer.missing);
  EXPECT_FALSE(no_answer.dhcp_forged);
  const auto second = strike(Service::kDhcp);
  EXPECT_TRUE(second.missing) << "its second answer";
  EXPECT_TRUE(second.dhcp_forged) << "its second request";
  const auto third = strike(Service::kDhcp);
  EXPECT_FALSE(third.missing || third.dhcp_forged);
}

TEST_F(ServiceFaultsTest, TheLastArmedForgeryCountsAndDelaysAddUp) {
  faults_.arm(FaultId{1}, faults::DnsForged{.address = ipv4(1, 2, 3, 4)});
  faults_.arm(FaultId{2}, faults::DnsNxdomain{});
  faults_.arm(FaultId{3}, faults::DnsLate{.delay_ms = 20});
  faults_.arm(FaultId{4}, faults::DnsLate{.delay_ms = 30});
  const auto nobody = strike(Service::kDns);
  EXPECT_TRUE(nobody.nxdomain);
  EXPECT_FALSE(nobody.dns_forged);
  EXPECT_EQ(nobody.delay, milliseconds(50));
  faults_.arm(FaultId{5}, faults::DnsForged{.address = ipv4(5, 6, 7, 8)});
  const auto forged = strike(Service::kDns);
  EXPECT_FALSE(forged.nxdomain);
  EXPECT_EQ(forged.dns_forged->address, ipv4(5, 6, 7, 8));
  EXPECT_EQ(told("fault").back()["address"], "5.6.7.8");
}

TEST_F(ServiceFaultsTest, LateAnswersComeOutWhenTheyAreDue) {
  faults_.arm(FaultId{1}, faults::SntpLate{.delay_ms = 40});
  ASSERT_TRUE(faults_.hold(strike(Service::kSntp), Frame{1}, kStart));
  ASSERT_TRUE(faults_.hold(strike(Service::kSntp), Frame{2}, kStart));
  EXPECT_EQ(faults_.wait(kStart), nanoseconds(milliseconds(40)));
  EXPECT_EQ(faults_.pop(kStart + milliseconds(40) - nanoseconds(1)), std::nullopt);
  EXPECT_EQ(faults_.pop(kStart + milliseconds(40)), Frame{1});
  EXPECT_EQ(faults_.pop(kStart + milliseconds(40)), Frame{2});
  EXPECT_EQ(faults_.wait(kStart), std::nullopt);
}

TEST_F(ServiceFaultsTest, ClearingLetsOutItsOwnLateAnswersOnly) {
  faults_.arm(FaultId{1}, faults::SntpLate{.delay_ms = 40});
  ASSERT_TRUE(faults_.hold(strike(Service::kSntp), Frame{1}, kStart));
  faults_.arm(FaultId{2}, faults::DnsLate{.delay_ms = 40});
  ASSERT_TRUE(faults_.hold(strike(Service::kDns), Frame{2}, kStart));
  EXPECT_TRUE(faults_.clear(FaultId{1}, kStart));
  EXPECT_FALSE(faults_.clear(FaultId{1}, kStart));
  EXPECT_EQ(faults_.pop(kStart), Frame{1});
  EXPECT_EQ(faults_.pop(kStart), std::nullopt);
  EXPECT_EQ(faults_.wait(kStart), nanoseconds(milliseconds(40)));
  EXPECT_EQ(strike(Service::kSntp).delay, milliseconds(0));
  ASSERT_EQ(told("fault_cleared").size(), 1u);
  EXPECT_EQ(told("fault_cleared")[0], (nlohmann::json{{"fault", "sntp.late"}, {"struck", 1}}));
}

TEST_F(ServiceFaultsTest, LateAnswersAreBounded) {
  faults_.arm(FaultId{1}, faults::DnsLate{.delay_ms = 40});
  const auto late = strike(Service::kDns);
  for (std::size_t i = 0; i < ServiceFaults::kMaxLateAnswers; ++i) {
    ASSERT_TRUE(faults_.hold(late, Frame{1}, kStart));
  }
  EXPECT_FALSE(faults_.hold(late, Frame{1}, kStart));
}

}  // namespace
}  // namespace otasim::link::test
