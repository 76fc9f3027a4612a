// The SNTP client between a transport and a clock that are played.
#include "agent/app/sntp_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "agent/app/random.h"
#include "tests/agent/app/fake_app.h"

/// Numbers that never come twice.
void app::random::fill(std::span<std::uint8_t> out) {
  static std::uint8_t next = 0;
  std::ranges::fill(out, ++next);
}

namespace app::sntp {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr EpochSeconds kBuilt = 1'800'000'000;
constexpr EpochSeconds kNow = kBuilt + 1'000'000;

struct PlayedTransport final : Transport {
  [[nodiscard]] bool has_server() const override { return server; }
  void send(std::span<const std::uint8_t> datagram) override {
    sent.emplace_back(datagram.begin(), datagram.end());
  }
  bool server = true;
  std::vector<std::vector<std::uint8_t>> sent;
};

/// What a server sends in answer to `request`.
std::vector<std::uint8_t> answer_to(const std::vector<std::uint8_t>& request, EpochSeconds time) {
  std::vector<std::uint8_t> bytes(kMessageSize);
  bytes[0] = 0x24;
  bytes[1] = 1;
  std::copy_n(request.begin() + 40, 8, bytes.begin() + 24);
  const auto seconds = static_cast<std::uint32_t>(time + 2'208'988'800);
  for (unsigned i = 0; i < 4; ++i) bytes[40 + i] = static_cast<std::uint8_t>(seconds >> (24 - 8 * i));
  return bytes;
}

/// Its clock wraps in every test.
struct FreshWorld {
  FreshWorld() {
    test::reset_world();
    test::world().now_ms = UINT32_MAX - 100;
  }
};

class SntpClientTest : public testing::Test, FreshWorld {
 protected:
  void pass(std::uint32_t ms) {
    test::world().now_ms += ms;
    time.tick();
    client.service();
  }
  void ask() {
    client.ask();
    client.service();
  }
  static const std::string& console() { return test::world().console; }

  CalendarTime time{kBuilt};
  PlayedTransport transport;
  Client client{time, transport};
};

TEST_F(SntpClientTest, SendsNothingUnasked) {
  pass(100'000);
  EXPECT_TRUE(transport.sent.empty());
}

TEST_F(SntpClientTest, OneRequestAndOneAnswerSetTheClock) {
  ask();
  ASSERT_EQ(transport.sent.size(), 1U);
  EXPECT_FALSE(client.may_connect()) << "the answer is on its way";
  client.on_datagram(answer_to(transport.sent[0], kNow));
  EXPECT_EQ(time.now(), kNow);
  EXPECT_TRUE(client.may_connect());
  EXPECT_THAT(console(), HasSubstr("app: time 2027-01-26T21:46:40Z\n"));
  pass(Client::kRefreshMs - 1);
  EXPECT_EQ(transport.sent.size(), 1U);
  pass(1);
  EXPECT_EQ(transport.sent.size(), 2U) << "a day later";
}

TEST_F(SntpClientTest, ARequestIsRepeatedWithBackOffThatIsBounded) {
  ask();
  std::vector<std::uint32_t> gaps;
  std::uint32_t last = test::world().now_ms;
  for (int i = 0; i < 12; ++i) {
    const std::size_t before = transport.sent.size();
    while (transport.sent.size() == before) pass(50);
    gaps.push_back(test::world().now_ms - last);
    last = test::world().now_ms;
  }
  EXPECT_THAT(gaps, testing::ElementsAre(250, 500, 1000, 2000, 4000, 8000, 16'000, 32'000, 64'000, 64'000,
                                         64'000, 64'000));
  std::ranges::sort(transport.sent);
  EXPECT_EQ(std::ranges::adjacent_find(transport.sent), transport.sent.end()) << "a nonce comes twice";
}

TEST_F(SntpClientTest, ASilentServerIsWaitedForOnceAndNotLong) {
  ask();
  EXPECT_FALSE(client.may_connect());
  pass(Client::kPatienceMs - 1);
  EXPECT_FALSE(client.may_connect());
  pass(1);
  EXPECT_TRUE(client.may_connect());
  EXPECT_THAT(console(), HasSubstr("app: no time from the server; it is 2027-01-15T08:00:01Z or later\n"));
  ask();
  EXPECT_TRUE(client.may_connect()) << "later connections do not wait again";
}

TEST_F(SntpClientTest, ALateAnswerToTheLastRequestCounts) {
  ask();
  pass(1000);
  ASSERT_GE(transport.sent.size(), 2U);
  client.on_datagram(answer_to(transport.sent[0], kNow));
  EXPECT_FALSE(time.is_known());
  EXPECT_THAT(console(), HasSubstr("not taken: it answers another request"));
  client.on_datagram(answer_to(transport.sent.back(), kNow));
  EXPECT_TRUE(time.is_known());
}

TEST_F(SntpClientTest, WithoutAServerNobodyWaits) {
  transport.server = false;
  ask();
  EXPECT_TRUE(client.may_connect());
  pass(100'000);
  EXPECT_TRUE(transport.sent.empty());
  EXPECT_THAT(console(), Not(HasSubstr("time")));
  transport.server = true;  // the next lease tells of one
  pass(1);
  EXPECT_EQ(transport.sent.size(), 1U);
}

TEST_F(SntpClientTest, AnAnswerCountsOnce) {
  ask();
  const auto answer = answer_to(transport.sent[0], kNow);
  client.on_datagram(answer);
  pass(5000);
  client.on_datagram(answer);
  EXPECT_EQ(time.now(), kNow + 5) << "a replayed one would set the clock back";
}

TEST_F(SntpClientTest, WhatCannotBeBelievedIsToldOnceAndAskedAgain) {
  ask();
  for (int i = 0; i < 100; ++i) client.on_datagram(std::vector<std::uint8_t>(kMessageSize, 0xFF));
  EXPECT_EQ(transport.sent.size(), 1U) << "no answer makes it send";
  EXPECT_EQ(console(), "app: the time server's answer is not taken: it is of another version\n");
  client.on_datagram(answer_to(transport.sent[0], kNow));
  EXPECT_EQ(time.now(), kNow) << "and the genuine one counts still";
}

TEST_F(SntpClientTest, ATimeBeforeTheFloorIsRefused) {
  ask();
  client.on_datagram(answer_to(transport.sent[0], kBuilt - 1));
  EXPECT_FALSE(time.is_known());
  EXPECT_THAT(console(), HasSubstr("not taken: its time is over already"));
  pass(Client::kFirstWaitMs);
  ASSERT_EQ(transport.sent.size(), 2U);
  client.on_datagram(answer_to(transport.sent[1], kNow));
  EXPECT_EQ(time.now(), kNow);
}

TEST_F(SntpClientTest, AServerThatDoesNotWantToBeAskedIsLeftAlone) {
  ask();
  auto refusal = answer_to(transport.sent[0], kNow);
  refusal[1] = 0;
  client.on_datagram(refusal);
  pass(Client::kLongestWaitMs - 1);
  EXPECT_EQ(transport.sent.size(), 1U);
  pass(1);
  EXPECT_EQ(transport.sent.size(), 2U);
}

TEST_F(SntpClientTest, AClockThatMayBeWrongIsAskedForAtOnceButNotTwice) {
  ask();
  client.on_datagram(answer_to(transport.sent[0], kNow + 1'000'000'000));  // forged
  ask();
  ask();
  ASSERT_EQ(transport.sent.size(), 2U);
  client.on_datagram(answer_to(transport.sent[1], kNow));
  EXPECT_EQ(time.now(), kNow) << "back to the truth";
}

}  // namespace
}  // namespace app::sntp
