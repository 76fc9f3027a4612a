// What a scenario expects, against a run in which all went well: each expectation holds, and fails of its own
// cause.
#include "sim/scenario/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pal_sim/flash/flash_map.h"
#include "tests/sim/scenario/sound_run.h"

namespace otasim::scenario {
namespace {

using nlohmann::json;
using test::boot_event;
using test::execution_event;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class Judge : public testing::Test, protected test::SoundRun {
 protected:
  std::vector<std::string> judged(const char* expect) const {
    Scenario scenario;
    scenario.expect = json::parse(expect);
    return judge(scenario, evidence);
  }
};

TEST_F(Judge, ASoundRunIsAsExpected) {
  EXPECT_THAT(judged(R"({
    "jobs": [{"job": "AFR_OTA-u1", "status": "SUCCEEDED", "reason": "accepted v1.0.1"}],
    "devices": [{"device": "thing-1", "image": "update", "running": "1.0.1", "standing": "accepted", "slot": "B"}],
    "refused_by": [],
    "trace": [{"event": "boot.start", "slot": "A"}, {"event": "boot.start", "slot": "B"}],
    "never": [{"event": "boot.reject"}]})"),
              IsEmpty());
  EXPECT_THAT(judged("{}"), IsEmpty());
}

TEST_F(Judge, AJobsStatusAndReasonAreThoseSaidLast) {
  EXPECT_THAT(judged(R"({"jobs": [{"job": "AFR_OTA-u1", "status": "FAILED"}]})"),
              ElementsAre("the job AFR_OTA-u1 of thing-1 is SUCCEEDED (accepted v1.0.1), expected FAILED"));
  EXPECT_THAT(
      judged(R"({"jobs": [{"job": "AFR_OTA-u1", "status": "SUCCEEDED", "reason": {"contains": "1.0.2"}}]})"),
      ElementsAre("the job AFR_OTA-u1 of thing-1 has the reason 'accepted v1.0.1', expected "
                  "{\"contains\":\"1.0.2\"}"));
  EXPECT_THAT(
      judged(
          R"({"jobs": [{"job": "AFR_OTA-u1", "status": "SUCCEEDED", "reason": {"matches": "accepted .*"}}]})"),
      IsEmpty());
}

TEST_F(Judge, AJobThatNobodyHasIsSaid) {
  EXPECT_THAT(judged(R"({"jobs": [{"job": "AFR_OTA-u2", "status": "QUEUED"}]})"),
              ElementsAre("thing-1 has no execution of the job AFR_OTA-u2"));
}

TEST_F(Judge, ExecutionsAreTheDevicesOwn) {
  json other = execution_event("FAILED", "0x1");
  other["thing"] = "thing-2";
  evidence.events.push_back(other);
  EXPECT_THAT(judged(R"({"jobs": [{"job": "AFR_OTA-u1", "status": "SUCCEEDED"},
                                  {"job": "AFR_OTA-u1", "device": "thing-2", "status": "FAILED", "reason": "0x1"}]})"),
              IsEmpty());
}

TEST_F(Judge, TheImageIsComparedByteByByte) {
  EXPECT_THAT(judged(R"({"devices": [{"image": "factory"}]})"),
              ElementsAre("the flash of thing-1 does not approve the image 'factory', but 1.0.1 in slot B"));
  images["update"].back() ^= 1;
  EXPECT_THAT(judged(R"({"devices": [{"image": "update"}]})"),
              ElementsAre(HasSubstr("does not approve the image 'update'")));
}

TEST_F(Judge, StandingAndSlotAreThoseOfWhatStartsNext) {
  EXPECT_THAT(
      judged(R"({"devices": [{"standing": "committed"}]})"),
      ElementsAre(
          "the flash of thing-1 says that the image which starts next is 'accepted', expected 'committed'"));
  EXPECT_THAT(judged(R"({"devices": [{"slot": "A"}]})"),
              ElementsAre("thing-1 starts next from slot B, expected A"));
  damage(flash::kSlotB.offset + 1000, 1);
  EXPECT_THAT(judged(R"({"devices": [{"standing": "recovery", "slot": "recovery", "image": "recovery"}]})"),
              IsEmpty());
  damage(flash::kRecovery.offset + 1000, 1);
  EXPECT_THAT(judged(R"({"devices": [{"standing": "none"}]})"), IsEmpty());
  EXPECT_THAT(judged(R"({"devices": [{"slot": "B"}]})"),
              ElementsAre("thing-1 starts next from slot none, expected B"));
  EXPECT_THAT(judged(R"({"devices": [{"image": "update"}]})"),
              ElementsAre(HasSubstr("does not approve the image 'update', but none")));
}

TEST_F(Judge, RunningIsWhatTheBootloaderStartedLast) {
  EXPECT_THAT(judged(R"({"devices": [{"running": "1.0.0"}]})"),
              ElementsAre("thing-1 runs 1.0.1, expected 1.0.0"));
  json other = boot_event("start", {{"slot", "A"}, {"version", "9.9.9"}});
  other["device"] = "thing-2";
  evidence.events.push_back(other);
  EXPECT_THAT(judged(R"({"devices": [{"running": "1.0.1"}]})"), IsEmpty());
  evidence.events.clear();
  EXPECT_THAT(judged(R"({"devices": [{"running": "1.0.1"}]})"),
              ElementsAre("thing-1 runs nothing, expected 1.0.1"));
}

TEST_F(Judge, ATraceIsInOrderAndEachEventCountsOnce) {
  EXPECT_THAT(
      judged(R"({"trace": [{"event": "boot.start", "slot": "B"}, {"event": "boot.start", "slot": "A"}]})"),
      ElementsAre("the trace ends before its event 2 of 2: {\"event\":\"boot.start\",\"slot\":\"A\"}"));
  EXPECT_THAT(
      judged(R"({"trace": [{"event": "boot.start"}, {"event": "boot.start"}, {"event": "boot.start"}]})"),
      IsEmpty());
  EXPECT_THAT(judged(R"({"trace": [{"event": "boot.start"}, {"event": "boot.start"}, {"event": "boot.start"},
                                   {"event": "boot.start"}]})"),
              ElementsAre(StartsWith("the trace ends before its event 4 of 4")));
  EXPECT_THAT(judged(R"({"trace": [{"event": "boot.nothing"}, {"event": "boot.start"}]})"),
              ElementsAre(StartsWith("the trace ends before its event 1 of 2")));
}

TEST_F(Judge, WhatWasNeverToHappenIsShown) {
  EXPECT_THAT(
      judged(R"({"never": [{"event": "boot.commit", "slot": "A"}, {"event": "boot.commit", "slot": "B"}]})"),
      ElementsAre(AllOf(StartsWith("this was never to happen: {"), HasSubstr("\"event\":\"commit\""))));
}

TEST_F(Judge, AllThatDoesNotHoldIsSaid) {
  EXPECT_EQ(judged(R"({"jobs": [{"job": "x", "status": "QUEUED"}], "devices": [{"slot": "A", "running": "0"}],
                       "refused_by": ["pal"], "trace": [{"event": "boot.b"}], "never": [{"event": "boot.start"}]})")
                .size(),
            6U);
}

TEST_F(Judge, WhoRefusedMustBeExactlyWhoWasExpected) {
  EXPECT_THAT(judged(R"({"refused_by": ["pal", "bootloader"]})"),
              ElementsAre("refused by: nobody; expected: bootloader, pal"));
  evidence.events.push_back(execution_event("FAILED", "0x000000e3: 0x0000000a"));
  EXPECT_THAT(judged(R"({"refused_by": []})"), ElementsAre("refused by: pal; expected: nobody"));
  EXPECT_THAT(judged(R"({"refused_by": ["agent"]})"), ElementsAre("refused by: pal; expected: agent"));
  EXPECT_THAT(judged(R"({"refused_by": ["pal"]})"), IsEmpty());
  evidence.events.push_back(boot_event("reject", {{"slot", "B"}}));
  EXPECT_THAT(judged(R"({"refused_by": ["pal"]})"),
              ElementsAre("refused by: bootloader, pal; expected: pal"));
}

struct Refusal {
  json event;
  const char* who;  ///< "" if nobody
};

TEST(WhoRefused, IsSaidByTheEvidenceOfEvents) {
  const auto line = [](const char* text) {
    return json{{"source", "uart"}, {"event", "line"}, {"text", text}};
  };
  const auto request = [](const char* result) {
    return json{{"source", "cloud"}, {"event", "mqtt_request"}, {"result", result}};
  };
  const std::vector<Refusal> table{
      {execution_event("FAILED", "0x000000e0: 0x00000000"), "pal"},
      {execution_event("FAILED", "0x000000ff: 0xffffffff"), "pal"},
      {execution_event("FAILED", "0x000000df: 0x00000000"), "agent"},
      {execution_event("FAILED", "0x00000100: 0x00000000"), "agent"},
      {execution_event("FAILED", "0x000000e3"), "agent"},
      {execution_event("FAILED", ""), "agent"},
      {execution_event("REJECTED", "not for me"), "agent"},
      {execution_event("SUCCEEDED", "0x000000e3: 0x00000000"), ""},
      {execution_event("IN_PROGRESS", ""), ""},
      {execution_event("CANCELED", ""), ""},
      {execution_event("TIMED_OUT", ""), ""},
      {boot_event("reject", {{"slot", "B"}}), "bootloader"},
      {boot_event("refused", {{"reason", "x"}}), "bootloader"},
      {boot_event("verify", {{"slot", "B"}, {"result", "bad-signature"}}), "bootloader"},
      {boot_event("verify", {{"slot", "B"}, {"result", "ok"}}), ""},
      {boot_event("start", {{"slot", "B"}}), ""},
      {{{"source", "cloud"}, {"event", "update_refused"}}, "cloud"},
      {request("InvalidTopic"), "cloud"},
      {request("accepted"), ""},
      {line("app: cannot connect: the server's certificate has expired"), "tls"},
      {line("the server's certificate has expired"), ""},
      {line("app: connected"), ""},
      {json::object(), ""},
      {{{"source", "cloud"}, {"event", 5}}, ""}};
  for (const Refusal& row : table) {
    const auto who = who_refused(std::vector<json>{row.event});
    EXPECT_EQ(who, *row.who == '\0' ? std::vector<std::string>{} : std::vector<std::string>{row.who})
        << row.event;
  }
}

TEST(WhoRefused, EachIsNamedOnce) {
  EXPECT_THAT(who_refused(std::vector<json>{execution_event("FAILED", "x"), execution_event("REJECTED", ""),
                                            boot_event("reject", json::object())}),
              ElementsAre("agent", "bootloader"));
}

TEST(Executions, AreTheLastStateOfEach) {
  Evidence evidence;
  evidence.events = {execution_event("QUEUED", ""), execution_event("QUEUED", "", "other"),
                     execution_event("FAILED", "why")};
  evidence.events.push_back({{"source", "cloud"},
                             {"event", "job_execution"},
                             {"job", "bare"},
                             {"thing", "t"},
                             {"status", "QUEUED"}});
  EXPECT_EQ(evidence.executions(), json::parse(R"([
      {"job": "other", "device": "thing-1", "status": "QUEUED", "reason": ""},
      {"job": "AFR_OTA-u1", "device": "thing-1", "status": "FAILED", "reason": "why"},
      {"job": "bare", "device": "t", "status": "QUEUED", "reason": ""}])"));
}

}  // namespace
}  // namespace otasim::scenario
