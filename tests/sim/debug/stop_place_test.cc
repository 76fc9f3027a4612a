#include "sim/debug/stop_place.h"

#include <gtest/gtest.h>

namespace otasim::debug {
namespace {

using nlohmann::json;

bool matches(const std::string& place, const json& event) {
  const auto parsed = StopPlace::parse(place);
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed && parsed->matches(event, "thing-1");
}

const json kVerify{
    {"source", "boot"}, {"event", "verify"}, {"device", "thing-1"}, {"slot", "B"}, {"counter", 2}};
const json kSucceeded{
    {"source", "cloud"}, {"event", "job_execution"}, {"thing", "thing-1"}, {"status", "SUCCEEDED"}};
const json kLine{
    {"source", "uart"}, {"event", "line"}, {"device", "thing-1"}, {"text", "demo: self test passed"}};

TEST(StopPlace, IsAnEventByItsName) {
  EXPECT_TRUE(matches("boot.verify", kVerify));
  EXPECT_FALSE(matches("boot.start", kVerify));
}

TEST(StopPlace, MayAskForAValueOfAnyMember) {
  EXPECT_TRUE(matches("cloud.job_execution:SUCCEEDED", kSucceeded));
  EXPECT_FALSE(matches("cloud.job_execution:FAILED", kSucceeded));
  EXPECT_TRUE(matches("boot.verify:2", kVerify)) << "numbers, too";
}

TEST(StopPlace, MayAskForTheValueOfOneMember) {
  EXPECT_TRUE(matches("boot.verify:slot=B", kVerify));
  EXPECT_FALSE(matches("boot.verify:slot=A", kVerify));
  EXPECT_TRUE(matches("boot.verify:counter=2", kVerify));
}

TEST(StopPlace, MayBeAPatternOrALine) {
  EXPECT_TRUE(matches(R"({"event": "boot.verify", "counter": {"at_least": 2}})", kVerify));
  EXPECT_TRUE(matches("line:self test", kLine));
  EXPECT_FALSE(matches("line:failed", kLine));
}

TEST(StopPlace, LeavesOutOtherDevices) {
  const auto place = StopPlace::parse("boot.verify");
  ASSERT_TRUE(place);
  EXPECT_FALSE(place->matches(kVerify, "thing-2"));
}

TEST(StopPlace, MayBeAnOperation) {
  const auto place = StopPlace::parse("op:17");
  ASSERT_TRUE(place);
  EXPECT_EQ(place->operation(), 17U);
  EXPECT_FALSE(place->matches(kVerify, "thing-1"));
}

TEST(StopPlace, SaysWhatIsWrong) {
  for (const char* text :
       {"", "verify", ".verify", "boot.", "op:", "op:0", "op:x", "op:1x", "line:", "{", "[1]",
        "boot.verify:", "boot.verify:=B", "boot.no_such_stage", R"({"slot": "B"})"}) {
    const auto place = StopPlace::parse(text);
    ASSERT_FALSE(place) << text;
    EXPECT_EQ(place.error().code, ExitCode::kUsage);
    EXPECT_NE(place.error().message.find("no place to stop"), std::string::npos) << text;
    EXPECT_NE(place.error().hint.find("line:TEXT"), std::string::npos);
  }
}

}  // namespace
}  // namespace otasim::debug
