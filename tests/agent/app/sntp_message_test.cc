#include "agent/app/sntp_message.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace app::sntp {
namespace {

constexpr Nonce kNonce{1, 2, 3, 4, 5, 6, 7, 8};

/// A primary server's answer to kNonce at `ntp_seconds`.
std::vector<std::uint8_t> answer_at(std::uint32_t ntp_seconds) {
  std::vector<std::uint8_t> bytes(kMessageSize);
  bytes[0] = 0x24;  // no warning, version 4, server
  bytes[1] = 1;
  std::ranges::copy(kNonce, bytes.begin() + 24);
  for (unsigned i = 0; i < 4; ++i) bytes[40 + i] = static_cast<std::uint8_t>(ntp_seconds >> (24 - 8 * i));
  return bytes;
}

TEST(SntpRequest, IsAClientsAndTellsNothingButTheNonce) {
  const Message request = make_request(kNonce);
  EXPECT_EQ(request[0], 0x23) << "version 4, client";
  EXPECT_TRUE(std::ranges::equal(std::span(request).subspan(40), kNonce));
  EXPECT_TRUE(std::ranges::all_of(std::span(request).subspan(1, 39), [](auto byte) { return byte == 0; }));
}

TEST(SntpAnswer, TellsTheServersTime) {
  const Answer answer = read_answer(answer_at(3'976'214'400), kNonce);
  EXPECT_EQ(answer.verdict, Verdict::kOk);
  EXPECT_EQ(answer.time, 1'767'225'600) << "2026-01-01";
}

TEST(SntpAnswer, GoesOnIn2036) {
  EXPECT_EQ(read_answer(answer_at(UINT32_MAX), kNonce).time, 2'085'978'495) << "2036-02-07T06:28:15Z";
  auto turned = answer_at(0);
  turned[44] = 1;  // zero seconds and a fraction: not "no time"
  EXPECT_EQ(read_answer(turned, kNonce).time, 2'085'978'496);
  EXPECT_EQ(read_answer(answer_at(0x7FFF'FFFF), kNonce).time, 4'233'462'143) << "2104";
}

TEST(SntpAnswer, MayBeVersionThreeAndCarryExtensions) {
  auto bytes = answer_at(3'976'214'400);
  bytes[0] = 0x1C;
  bytes.resize(kMessageSize + 20, 0xAA);
  EXPECT_EQ(read_answer(bytes, kNonce).verdict, Verdict::kOk);
}

TEST(SntpAnswer, NothingShorterThanAMessageIsRead) {
  const auto bytes = answer_at(3'976'214'400);
  for (std::size_t size = 0; size < kMessageSize; ++size) {
    const std::vector<std::uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(read_answer(cut, kNonce).verdict, Verdict::kTooShort) << size;
  }
}

TEST(SntpAnswer, IsJudgedByEveryFirstByte) {
  for (unsigned first = 0; first < 256; ++first) {
    auto bytes = answer_at(3'976'214'400);
    bytes[0] = static_cast<std::uint8_t>(first);
    const unsigned version = first >> 3 & 7;
    const Verdict expected = version != 3 && version != 4 ? Verdict::kOtherVersion
                             : (first & 7) != 4           ? Verdict::kNotFromServer
                             : first >> 6 == 3            ? Verdict::kUnsynchronised
                                                          : Verdict::kOk;
    EXPECT_EQ(read_answer(bytes, kNonce).verdict, expected) << first;
  }
}

TEST(SntpAnswer, IsJudgedByEveryStratum) {
  for (unsigned stratum = 0; stratum < 256; ++stratum) {
    auto bytes = answer_at(3'976'214'400);
    bytes[1] = static_cast<std::uint8_t>(stratum);
    const Verdict expected = stratum == 0   ? Verdict::kRefused
                             : stratum < 16 ? Verdict::kOk
                                            : Verdict::kUnsynchronised;
    EXPECT_EQ(read_answer(bytes, kNonce).verdict, expected) << stratum;
  }
}

TEST(SntpAnswer, MustRepeatTheNonceToTheBit) {
  for (std::size_t bit = 0; bit < 64; ++bit) {
    auto bytes = answer_at(3'976'214'400);
    bytes[24 + bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    EXPECT_EQ(read_answer(bytes, kNonce).verdict, Verdict::kOtherRequest) << bit;
  }
}

TEST(SntpAnswer, ARefusalCountsOnlyFromWhoSawTheRequest) {
  auto bytes = answer_at(3'976'214'400);
  bytes[1] = 0;
  bytes[24] ^= 1;
  EXPECT_EQ(read_answer(bytes, kNonce).verdict, Verdict::kOtherRequest);
}

TEST(SntpAnswer, MayHaveNoTime) {
  EXPECT_EQ(read_answer(answer_at(0), kNonce).verdict, Verdict::kNoTime);
}

TEST(SntpVerdict, EachHasItsOwnWords) {
  std::set<std::string> words;
  for (int i = 0; i <= static_cast<int>(Verdict::kNoTime); ++i)
    words.insert(to_string(static_cast<Verdict>(i)));
  EXPECT_EQ(words.size(), static_cast<std::size_t>(Verdict::kNoTime) + 1);
  EXPECT_FALSE(words.contains("unknown"));
}

}  // namespace
}  // namespace app::sntp
