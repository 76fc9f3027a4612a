// The messages to Jobs and the topics, byte for byte.
#include "agent/src/job_status.h"

#include <gtest/gtest.h>

#include <string>

#include "agent/src/topics.h"

namespace ota {
namespace {

TEST(JobStatus, RequestCarriesACounterAndTheThing) {
  EXPECT_EQ(job_request_message(0, "T").text(), R"({"clientToken":"0:T"})");
  EXPECT_EQ(job_request_message(4294967295U, "T").text(), R"({"clientToken":"4294967295:T"})");
}

TEST(JobStatus, ClientTokenStaysWithin64Bytes) {
  const std::string thing(64, 'x');
  const StatusMessage message = job_request_message(4294967295U, thing);
  const std::string expected = R"({"clientToken":"4294967295:)" + std::string(53, 'x') + R"("})";
  EXPECT_EQ(message.text(), expected);
  EXPECT_EQ(expected.size() - std::string(R"({"clientToken":""})").size(), 64U);
}

TEST(JobStatus, Progress) {
  EXPECT_EQ(progress_message(1, 45).text(), R"({"status":"IN_PROGRESS","statusDetails":{"receive":"1/45"}})");
}

TEST(JobStatus, SelfTest) {
  EXPECT_EQ(self_test_message("ready", 0x0009'0001).text(),
            R"({"status":"IN_PROGRESS","statusDetails":{"self_test":"ready","updatedBy":"0x00090001"}})");
  EXPECT_EQ(self_test_message("active", 0xFEDC'BA98).text(),
            R"({"status":"IN_PROGRESS","statusDetails":{"self_test":"active","updatedBy":"0xfedcba98"}})");
}

TEST(JobStatus, AcceptedPrintsZeroPartsAndTwoBlanks) {
  EXPECT_EQ(accepted_message(0x0009'0002, 0x0009'0001).text(),
            R"({"status":"SUCCEEDED","statusDetails":{"reason":"accepted  v0.9.2","updatedBy":"  v0.9.1"}})");
  EXPECT_EQ(
      accepted_message(0xFFFF'FFFF, 0).text(),
      R"({"status":"SUCCEEDED","statusDetails":{"reason":"accepted  v255.255.65535","updatedBy":"  v0.0.0"}})");
}

TEST(JobStatus, Failed) {
  EXPECT_EQ(failed_message("rejected", 0x10).text(),
            R"({"status":"FAILED","statusDetails":{"reason":"rejected: 0x00000010"}})");
  EXPECT_EQ(failed_message("aborted", 0xE500'0000).text(),
            R"({"status":"FAILED","statusDetails":{"reason":"aborted: 0xe5000000"}})");
  EXPECT_EQ(failed_with_values_message(0xE3, 0xABCDEF).text(),
            R"({"status":"FAILED","statusDetails":{"reason":"0x000000e3: 0x00abcdef"}})");
}

TEST(Topics, AreTheServices) {
  EXPECT_EQ(notify_next_topic("T").text(), "$aws/things/T/jobs/notify-next");
  EXPECT_EQ(get_next_topic("T").text(), "$aws/things/T/jobs/$next/get");
  EXPECT_EQ(update_topic("T", "J").text(), "$aws/things/T/jobs/J/update");
  EXPECT_EQ(stream_data_topic("T", "S").text(), "$aws/things/T/streams/S/data/cbor");
  EXPECT_EQ(stream_get_topic("T", "S").text(), "$aws/things/T/streams/S/get/cbor");
}

TEST(Topics, LongestNamesFit) {
  const std::string thing(otaconfigMAX_THINGNAME_LEN, 'x');
  EXPECT_FALSE(update_topic(thing, std::string(kMaxJobId, 'j')).is_overflowed());
  EXPECT_FALSE(stream_data_topic(thing, std::string(kMaxStreamName, 's')).is_overflowed());
}

TEST(TextBuilder, OverflowEmptiesTheText) {
  TextBuilder<4> text;
  EXPECT_EQ(text.add("abcd").text(), "abcd");
  EXPECT_EQ(text.add("e").text(), "");
  EXPECT_TRUE(text.is_overflowed());
  EXPECT_EQ(text.add("").text(), "");
}

}  // namespace
}  // namespace ota
