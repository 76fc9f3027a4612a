// The messages to Jobs and the topics, byte for byte.
#include "agent/src/job_status.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include "agent/src/stream_json.h"
#include "agent/src/text.h"
#include "agent/src/topics.h"

namespace ota {
namespace {

std::string written(const char* format, std::initializer_list<TextValue> values) {
  Text<256> text;
  text.format(format, values.begin());
  return std::string(text.text());
}

std::string report(Report what, std::uint32_t first, std::uint32_t second) {
  Text<kMaxStatusMessage> text;
  write_report(text, what, first, second);
  return std::string(text.text());
}

std::string topic(Topic which, const char* thing, const char* name, std::uint32_t format = OTA_STREAM_CBOR) {
  Text<kMaxTopic> text;
  write_topic(text, which, thing, name, format);
  return std::string(text.text());
}

TEST(JobStatus, RequestCarriesACounterAndTheThing) {
  EXPECT_EQ(written(kJobRequest, {std::uint32_t{0}, "T"}), R"({"clientToken":"0:T"})");
}

TEST(JobStatus, LongestClientTokenHas64Bytes) {
  const std::string thing(kMaxThingNameInToken, 'x');
  const std::string token = written(kJobRequest, {UINT32_MAX, thing.c_str()});
  EXPECT_EQ(token, R"({"clientToken":"4294967295:)" + thing + R"("})");
  EXPECT_EQ(token.size() - std::string(R"({"clientToken":""})").size(), 64U);
}

TEST(JobStatus, Progress) {
  EXPECT_EQ(report(Report::kProgress, 1, 45),
            R"({"status":"IN_PROGRESS","statusDetails":{"receive":"1/45"}})");
}

TEST(JobStatus, SelfTest) {
  EXPECT_EQ(report(Report::kReady, 0, 0x0009'0001),
            R"({"status":"IN_PROGRESS","statusDetails":{"self_test":"ready","updatedBy":"0x00090001"}})");
  EXPECT_EQ(report(Report::kActive, 0, 0xFEDC'BA98),
            R"({"status":"IN_PROGRESS","statusDetails":{"self_test":"active","updatedBy":"0xfedcba98"}})");
}

TEST(JobStatus, AcceptedPrintsZeroPartsAndTwoBlanks) {
  EXPECT_EQ(report(Report::kAccepted, 0x0009'0002, 0x0009'0001),
            R"({"status":"SUCCEEDED","statusDetails":{"reason":"accepted  v0.9.2","updatedBy":"  v0.9.1"}})");
  EXPECT_EQ(
      report(Report::kAccepted, UINT32_MAX, 0),
      R"({"status":"SUCCEEDED","statusDetails":{"reason":"accepted  v255.255.65535","updatedBy":"  v0.0.0"}})");
}

TEST(JobStatus, Failed) {
  EXPECT_EQ(report(Report::kRejected, 0, 0x10),
            R"({"status":"FAILED","statusDetails":{"reason":"rejected: 0x00000010"}})");
  EXPECT_EQ(report(Report::kAborted, 0, 0xE500'0000),
            R"({"status":"FAILED","statusDetails":{"reason":"aborted: 0xe5000000"}})");
  EXPECT_EQ(report(Report::kFailed, 0xE3, 0xABCDEF),
            R"({"status":"FAILED","statusDetails":{"reason":"0x000000e3: 0x00abcdef"}})");
}

TEST(Topics, AreTheServices) {
  EXPECT_EQ(topic(Topic::kNotifyNext, "T", ""), "$aws/things/T/jobs/notify-next");
  EXPECT_EQ(topic(Topic::kGetNext, "T", ""), "$aws/things/T/jobs/$next/get");
  EXPECT_EQ(topic(Topic::kStartNext, "T", ""), "$aws/things/T/jobs/start-next");
  EXPECT_EQ(topic(Topic::kUpdate, "T", "J"), "$aws/things/T/jobs/J/update");
  EXPECT_EQ(topic(Topic::kStreamData, "T", "S"), "$aws/things/T/streams/S/data/cbor");
  EXPECT_EQ(topic(Topic::kStreamGet, "T", "S", OTA_STREAM_JSON), "$aws/things/T/streams/S/get/json");
}

TEST(Topics, LongestNamesFit) {
  const std::string thing(otaconfigMAX_THINGNAME_LEN, 'x');
  const std::string job(kMaxJobId, 'j');
  const std::string stream(kMaxStreamName, 's');
  EXPECT_EQ(topic(Topic::kUpdate, thing.c_str(), job.c_str()),
            "$aws/things/" + thing + "/jobs/" + job + "/update");
  EXPECT_EQ(topic(Topic::kStreamData, thing.c_str(), stream.c_str()),
            "$aws/things/" + thing + "/streams/" + stream + "/data/cbor");
}

TEST(Messages, LongestJsonRequestFits) {
  Text<stream_json::kMaxRequest> request;
  const TextValue values[] = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
  request.format(stream_json::kRequest, values);
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
  text.format("abcd", nullptr);
  EXPECT_EQ(text.text(), "abcd");
  text.format("e", nullptr);
  EXPECT_EQ(text.text(), "");
  EXPECT_TRUE(text.is_overflowed());
  text.format("", nullptr);
  EXPECT_EQ(text.text(), "");
}

}  // namespace
}  // namespace ota
