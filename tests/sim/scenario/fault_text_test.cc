// Faults as a command line has them.
#include "sim/scenario/fault_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otasim::scenario {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json fault(const std::string& text) {
  const auto parsed = parse_fault(text);
  EXPECT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().message);
  return parsed.value_or(json());
}

Error problem(const std::string& text) {
  const auto parsed = parse_fault(text);
  EXPECT_FALSE(parsed.has_value()) << text;
  if (parsed) return {};
  EXPECT_EQ(parsed.error().code, ExitCode::kUsage);
  return parsed.error();
}

TEST(FaultText, ANameAloneIsAFault) {
  EXPECT_EQ(fault("device.reset"), json({{"device.reset", json::object()}}));
}

TEST(FaultText, MembersFollowWithValuesOfTheirTypes) {
  EXPECT_EQ(fault("device.reset,device=thing-2,after_ms=250"),
            json({{"device.reset", {{"device", "thing-2"}, {"after_ms", 250}}}}));
  EXPECT_EQ(fault("device.reset,id=\"5\""), json({{"device.reset", {{"id", "5"}}}}))
      << "JSON's quotes make a text";
  EXPECT_EQ(fault("device.reset,id=a=b"), json({{"device.reset", {{"id", "a=b"}}}}));
  EXPECT_EQ(fault("device.reset,id="), json({{"device.reset", {{"id", ""}}}}));
}

TEST(FaultText, JsonSaysAll) {
  const json whole = {{"device.power_cut", {{"when", {{"event", "cloud.job_created"}}}, {"when_times", 2}}}};
  EXPECT_EQ(fault(whole.dump()), whole);
  EXPECT_EQ(fault("{\"device.reset\": {} /* now */}"), json({{"device.reset", json::object()}}));
}

TEST(FaultText, AnUnknownFaultIsSaidWithTheNearestOne) {
  const Error error = problem("device.power-cut");
  EXPECT_EQ(error.message, "--fault 'device.power-cut': fault has no member 'device.power-cut'");
  EXPECT_EQ(error.hint, "Did you mean 'device.power_cut'?");
}

TEST(FaultText, AnUnknownOrWrongMemberIsSaid) {
  EXPECT_EQ(problem("device.reset,devise=x").hint, "Did you mean 'device'?");
  EXPECT_EQ(problem("device.reset,after_ms=soon").message,
            "--fault 'device.reset,after_ms=soon': 'after_ms' must be a whole number");
  EXPECT_EQ(problem("device.reset,after_ms=-1").message,
            "--fault 'device.reset,after_ms=-1': 'after_ms' is -1, but must be from 0 to 86400000");
  EXPECT_EQ(problem("device.reset,id=5").message, "--fault 'device.reset,id=5': 'id' must be a text");
}

TEST(FaultText, WhatIsNoFaultIsRefused) {
  EXPECT_THAT(problem("").message, HasSubstr("fault has no member ''"));
  EXPECT_EQ(problem("device.reset,now").message, "--fault 'device.reset,now': 'now' is not MEMBER=VALUE");
  EXPECT_EQ(problem("device.reset,=1").hint, "Write NAME,MEMBER=VALUE,... or JSON.");
  EXPECT_EQ(problem("device.reset,").message, "--fault 'device.reset,': '' is not MEMBER=VALUE");
  EXPECT_THAT(problem("{").message, HasSubstr("--fault '{':1: no JSON"));
  EXPECT_THAT(problem("{}").message, HasSubstr("exactly one of its members, this one has 0"));
  EXPECT_THAT(problem("[]").message, HasSubstr("fault has no member '[]'"));
  EXPECT_THAT(problem(R"({"device.reset": {}, "device.power_cut": {}})").message,
              HasSubstr("this one has 2"));
  EXPECT_THAT(problem(R"({"device.reset": 5})").message, HasSubstr("'device.reset' must be an object {...}"));
  EXPECT_THAT(problem(R"({"device.reset": {"id": "a", "id": "b"}})").message,
              HasSubstr("'id' is given twice"));
}

TEST(FaultText, TriggersMustBePatterns) {
  EXPECT_THAT(problem(R"({"device.reset": {"when": {"event": "reset"}}})").message,
              HasSubstr("'when': a pattern of events needs the member 'event'"));
  EXPECT_THAT(
      problem(R"({"device.reset": {"until": {"event": "boot.start", "x": {"at_least": "y"}}}})").message,
      HasSubstr("'until': 'at_least' takes a number"));
  EXPECT_THAT(problem(R"({"device.reset": {"when": {"even": "boot.b"}}})").message,
              HasSubstr("needs the member 'event'"));
}

TEST(FaultText, WhatItNamesWronglyIsSaidWithTheNearestName) {
  EXPECT_EQ(problem("flash.power_cut,kind=programm").hint, "Did you mean 'program'?");
  const Error partition = problem("flash.power_cut,partition=slotb");
  EXPECT_EQ(partition.message, "--fault 'flash.power_cut,partition=slotb': 'partition' cannot be 'slotb'");
  EXPECT_EQ(partition.hint, "Did you mean 'slot-b'?");
  const Error stage = problem(R"({"device.reset": {"when": {"event": "boot.comit"}}})");
  EXPECT_THAT(stage.message, HasSubstr("'when': there is no stage of the boot 'boot.comit'"));
  EXPECT_EQ(stage.hint, "Did you mean 'boot.commit'?");
  EXPECT_TRUE(parse_fault(R"({"device.reset": {"when": {"event": "boot.commit"}}})"));
}

TEST(FaultText, NestingIsLimited) {
  std::string deep = R"({"device.reset": {"when": {"event": "boot.start", "x": )";
  for (int i = 0; i < 20'000; ++i) deep += R"({"x":)";
  deep += '1';
  for (int i = 0; i < 20'000; ++i) deep += '}';
  EXPECT_THAT(problem(deep + "}}}").message, HasSubstr("nested too deeply"));
}

}  // namespace
}  // namespace otasim::scenario
