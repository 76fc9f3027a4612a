#include "sim/link/sntp_server.h"

#include <gtest/gtest.h>

#include <chrono>

#include "tests/sim/link/packets.h"

namespace otasim::link::test {
namespace {

constexpr std::int64_t kNow = 1'700'000'000;
/// The same moment in NTP's era: 1900 is 2,208,988,800 seconds before 1970.
constexpr std::uint32_t kNowInNtp = 3'908'988'800;

std::optional<SntpReply> answer(const Frame& request, std::int64_t offset_s = 0) {
  return SntpServer([] { return kNow; }).answer(request, offset_s);
}

Frame with_first_byte(int leap, int version, int mode) {
  Frame request = sntp_request();
  request[0] = static_cast<std::uint8_t>(leap << 6 | version << 3 | mode);
  return request;
}

TEST(SntpServer, AClientIsToldTheTimeByAPrimaryServer) {
  const auto reply = answer(sntp_request(0x1122334455667788));
  ASSERT_TRUE(reply);
  const Bytes message = reply->payload;
  ASSERT_EQ(message.size(), 48u);
  EXPECT_EQ(message[0], 0x24) << "no leap warning, version 4, mode server";
  EXPECT_EQ(message[1], 1) << "stratum";
  EXPECT_EQ(read_u32(message, 24), 0x11223344u) << "originate: the request's transmit time";
  EXPECT_EQ(read_u32(message, 28), 0x55667788u);
  for (const std::size_t at : {16U, 32U, 40U}) {  // reference, receive, transmit
    EXPECT_EQ(read_u32(message, at), kNowInNtp) << at;
    EXPECT_NE(read_u32(message, at + 4), 0u) << at;
  }
  EXPECT_EQ(reply->time, kNow);
}

TEST(SntpServer, TheVersionAndPollIntervalOfTheRequestAreRepeated) {
  for (int version = 1; version <= 4; ++version) {
    Frame request = with_first_byte(3, version, 3);
    request[2] = 10;
    const auto reply = answer(request);
    ASSERT_TRUE(reply) << version;
    EXPECT_EQ(reply->payload[0], version << 3 | 4) << "a client's leap indicator is not repeated";
    EXPECT_EQ(reply->payload[2], 10);
  }
}

TEST(SntpServer, OtherModesAndVersionsAreNotAnswered) {
  for (int first = 0; first < 256; ++first) {
    const int version = first >> 3 & 7;
    const bool expected = (first & 7) == 3 && version >= 1 && version <= 4;
    Frame request = sntp_request();
    request[0] = static_cast<std::uint8_t>(first);
    EXPECT_EQ(answer(request).has_value(), expected) << first;
  }
}

TEST(SntpServer, NoOtherLengthIsAnswered) {
  for (std::size_t bytes = 0; bytes < 128; ++bytes) {
    Frame request = sntp_request();
    request.resize(bytes);
    request.shrink_to_fit();  // so that the sanitizer sees a read behind it
    EXPECT_EQ(answer(request).has_value(), bytes == 48) << bytes << " bytes";
  }
}

TEST(SntpServer, AnOffsetMakesTheAnswerWrongByIt) {
  const auto reply = answer(sntp_request(), -86'400);
  ASSERT_TRUE(reply);
  EXPECT_EQ(read_u32(reply->payload, 40), kNowInNtp - 86'400);
  EXPECT_EQ(reply->time, kNow - 86'400);
}

TEST(SntpServer, TimeGoesOnInTheNextEra) {
  const SntpServer server([] { return std::int64_t{2'085'978'496}; });  // 2036-02-07 06:28:16
  const auto reply = server.answer(sntp_request());
  ASSERT_TRUE(reply);
  EXPECT_EQ(read_u32(reply->payload, 40), 0u);
  EXPECT_NE(read_u32(reply->payload, 44), 0u) << "all zeros would mean that there is no time";
}

TEST(SntpServer, WithoutAClockItHasTheSystemsTime) {
  using namespace std::chrono;
  const auto seconds_now = [] {
    return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
  };
  const std::int64_t before = seconds_now();
  const auto reply = SntpServer({}).answer(sntp_request());
  ASSERT_TRUE(reply);
  EXPECT_GE(reply->time, before);
  EXPECT_LE(reply->time, seconds_now());
}

}  // namespace
}  // namespace otasim::link::test
