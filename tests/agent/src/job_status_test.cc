// The messages to Jobs and the topics, byte for byte.
#include "agent/src/job_status.h"

#include <gtest/gtest.h>

#include <string>

#include "agent/src/stream_json.h"
#include "agent/src/text.h"
#include "agent/src/topics.h"

namespace ota {
namespace {

std::string written(const char* format, TextValues values) {
  Text<256> text;
  text.format(format, values);
  return std::string(text.text());
}

std::string status(const char* format, TextValues values) {
  Text<kMaxStatusMessage> text;
  text.format(format, values);
  return std::string(text.text());
}

TEST(JobStatus, RequestCarriesACounterAndTheThing) {
  EXPECT_EQ(status(kJobRequest, {std::uint32_t{0}, "T"}), R"({"clientToken":"0:T"})");
}

TEST(JobStatus, LongestClientTokenHas64Bytes) {
  const std::string token = status(kJobRequest, {UINT32_MAX, std::string(kMaxThingNameInToken, 'x').c_str()});
  EXPECT_EQ(token, R"({"clientToken":"4294967295:)" + std::string(53, 'x') + R"("})");
  EXPECT_EQ(token.size() - std::string(R"({"clientToken":""})").size(), 64U);
}

TEST(JobStatus, Progress) {
  EXPECT_EQ(status(kProgress, {1U, 45U}), R"({"status":"IN_PROGRESS","statusDetails":{"receive":"1/45"}})");
}

TEST(JobStatus, SelfTest) {
  EXPECT_EQ(status(kSelfTest, {kSelfTestReady, 0x0009'0001U}),
            R"({"status":"IN_PROGRESS","statusDetails":{"self_test":"ready","updatedBy":"0x00090001"}})");
  EXPECT_EQ(status(kSelfTest, {kSelfTestActive, 0xFEDC'BA98U}),
            R"({"status":"IN_PROGRESS","statusDetails":{"self_test":"active","updatedBy":"0xfedcba98"}})");
}

TEST(JobStatus, AcceptedPrintsZeroPartsAndTwoBlanks) {
  EXPECT_EQ(status(kAccepted, {0x0009'0002U, 0x0009'0001U}),
            R"({"status":"SUCCEEDED","statusDetails":{"reason":"accepted  v0.9.2","updatedBy":"  v0.9.1"}})");
  EXPECT_EQ(
      status(kAccepted, {UINT32_MAX, std::uint32_t{0}}),
      R"({"status":"SUCCEEDED","statusDetails":{"reason":"accepted  v255.255.65535","updatedBy":"  v0.0.0"}})");
}

TEST(JobStatus, Failed) {
  EXPECT_EQ(status(kFailed, {kRejected, 0x10U}),
            R"({"status":"FAILED","statusDetails":{"reason":"rejected: 0x00000010"}})");
  EXPECT_EQ(status(kFailed, {kAborted, 0xE500'0000U}),
            R"({"status":"FAILED","statusDetails":{"reason":"aborted: 0xe5000000"}})");
  EXPECT_EQ(status(kFailedWithValues, {0xE3U, 0xABCDEFU}),
            R"({"status":"FAILED","statusDetails":{"reason":"0x000000e3: 0x00abcdef"}})");
}

TEST(Topics, AreTheServices) {
  EXPECT_EQ(written(kNotifyNextTopic, {"T"}), "$aws/things/T/jobs/notify-next");
  EXPECT_EQ(written(kGetNextTopic, {"T"}), "$aws/things/T/jobs/$next/get");
  EXPECT_EQ(written(kStartNextTopic, {"T"}), "$aws/things/T/jobs/start-next");
  EXPECT_EQ(written(kUpdateTopic, {"T", "J"}), "$aws/things/T/jobs/J/update");
  EXPECT_EQ(written(kStreamTopic, {"T", "S", kData, kCbor}), "$aws/things/T/streams/S/data/cbor");
  EXPECT_EQ(written(kStreamTopic, {"T", "S", kGet, kJson}), "$aws/things/T/streams/S/get/json");
}

TEST(Topics, LongestNamesFit) {
  const std::string thing_text(otaconfigMAX_THINGNAME_LEN, 'x');
  const std::string job(kMaxJobId, 'j');
  const std::string stream_text(kMaxStreamName, 's');
  const char* thing = thing_text.c_str();
  Text<kMaxTopic> update;
  update.format(kUpdateTopic, {thing, job.c_str()});
  EXPECT_FALSE(update.is_overflowed());
  Text<kMaxTopic> stream;
  stream.format(kStreamTopic, {thing, stream_text.c_str(), kData, kCbor});
  EXPECT_FALSE(stream.is_overflowed());
}

TEST(Messages, LongestJsonRequestFits) {
  Text<stream_json::kMaxRequest> request;
  request.format(stream_json::kRequest, {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX});
  EXPECT_EQ(request.text(), R"({"c":"rdy","f":4294967295,"l":4294967295,"o":4294967295,"n":4294967295})");
}

TEST(Text, NumbersOfEveryLength) {
  for (std::uint32_t number = 1; number < 1'000'000'000; number = number * 10 + 9) {
    EXPECT_EQ(written("%d", {number}), std::to_string(number));
  }
  EXPECT_EQ(written("%d", {std::uint32_t{0}}), "0");
  EXPECT_EQ(written("%d", {UINT32_MAX}), "4294967295");
  EXPECT_EQ(written("%x", {std::uint32_t{0}}), "00000000");
}

TEST(Text, TextsEndAtTheirSizeOrAtANul) {
  EXPECT_EQ(written("[%s]", {std::string_view("abcdef", 3)}), "[abc]");
  EXPECT_EQ(written("[%s]", {"abc"}), "[abc]");
  EXPECT_EQ(written("[%s]", {""}), "[]");
}

TEST(Text, OverflowEmptiesTheText) {
  Text<4> text;
  text.format("abcd", {});
  EXPECT_EQ(text.text(), "abcd");
  text.format("e", {});
  EXPECT_EQ(text.text(), "");
  EXPECT_TRUE(text.is_overflowed());
  text.format("", {});
  EXPECT_EQ(text.text(), "");
}

}  // namespace
}  // namespace ota
