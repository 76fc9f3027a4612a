// The figures of a run follow from its events alone.
#include "sim/scenario/run_figures.h"

#include <gtest/gtest.h>

#include <vector>

namespace {

using namespace otasim::scenario;
using nlohmann::json;

constexpr const char* kThing = "thing-1";
constexpr const char* kJob = "AFR_OTA-1";

json event(const char* source, const char* kind, std::int64_t ms, json fields = json::object()) {
  fields["source"] = source;
  fields["event"] = kind;
  fields["t_us"] = ms * 1000;
  return fields;
}
json power_on(std::int64_t ms, const char* device = kThing) {
  return event("device", "power_on", ms, {{"device", device}});
}
json connected(std::int64_t ms, const char* device = kThing) {
  return event("broker", "client_connected", ms, {{"clientId", device}});
}
json execution(std::int64_t ms, const char* status, json details = json::object(),
               const char* thing = kThing) {
  return event("cloud", "job_execution", ms,
               {{"job", kJob}, {"thing", thing}, {"status", status}, {"details", std::move(details)}});
}
json console(std::int64_t ms, const char* text) {
  return event("uart", "line", ms, {{"device", kThing}, {"text", text}});
}
json served(std::int64_t ms, const char* client = kThing) {
  return event("cloud", "stream_request", ms, {{"client", client}});
}
json start(const char* device, const char* version) {
  return event("boot", "start", 0, {{"device", device}, {"version", version}});
}
const json kReady = {{"self_test", "ready"}};

TEST(RunFigures, TimesAreCountedFromTheFirstPowerOn) {
  const std::vector<json> events{power_on(100),
                                 connected(350),
                                 execution(360, "QUEUED"),
                                 served(400),
                                 connected(900),
                                 execution(700, "IN_PROGRESS", kReady),
                                 power_on(800),
                                 execution(900, "IN_PROGRESS", kReady),
                                 execution(1100, "SUCCEEDED")};
  EXPECT_EQ(boot_to_connected_ms(events, kThing), 250);
  const JobTimes times = job_times(events, kThing, kJob);
  EXPECT_EQ(times.transfer_ms, 300);
  EXPECT_EQ(times.ended_ms, 1000);
}

TEST(RunFigures, ATransferBeginsWhenTheDeviceSaysSoOrWhenSomethingIsServed) {
  const std::vector<json> said{power_on(0), execution(5, "QUEUED"),
                               console(10, "app: job AFR_OTA-1 received, 4096 bytes"), served(50),
                               execution(70, "IN_PROGRESS", kReady)};
  EXPECT_EQ(job_times(said, kThing, kJob).transfer_ms, 60);
  const std::vector<json> silent{power_on(0), execution(5, "QUEUED"), event("cloud", "object_request", 50),
                                 execution(70, "IN_PROGRESS", kReady)};
  EXPECT_EQ(job_times(silent, kThing, kJob).transfer_ms, 20);
}

TEST(RunFigures, WhatWasServedBeforeTheJobIsNotItsTransfer) {
  const std::vector<json> events{power_on(0), served(1), execution(5, "QUEUED"), served(30),
                                 execution(70, "IN_PROGRESS", kReady)};
  EXPECT_EQ(job_times(events, kThing, kJob).transfer_ms, 40);
}

TEST(RunFigures, WhatHasNotHappenedHasNoTime) {
  EXPECT_FALSE(boot_to_connected_ms(std::vector<json>{connected(3)}, kThing)) << "it was never on";
  EXPECT_FALSE(boot_to_connected_ms(std::vector<json>{power_on(3)}, kThing));
  const std::vector<json> open{power_on(0), execution(5, "QUEUED"), served(9), execution(9, "IN_PROGRESS")};
  EXPECT_FALSE(job_times(open, kThing, kJob).transfer_ms);
  EXPECT_FALSE(job_times(open, kThing, kJob).ended_ms);
}

TEST(RunFigures, AnotherDevicesEventsAreNotItsOwn) {
  const std::vector<json> events{power_on(0, "thing-2"),
                                 power_on(100),
                                 connected(150, "thing-2"),
                                 connected(300),
                                 execution(310, "QUEUED"),
                                 served(320, "thing-2"),
                                 served(400),
                                 execution(500, "IN_PROGRESS", kReady, "thing-2"),
                                 execution(600, "IN_PROGRESS", kReady),
                                 execution(650, "FAILED", json::object(), "thing-2")};
  EXPECT_EQ(boot_to_connected_ms(events, kThing), 200);
  EXPECT_EQ(job_times(events, kThing, kJob).transfer_ms, 200);
  EXPECT_FALSE(job_times(events, kThing, kJob).ended_ms);
}

TEST(RunFigures, TheRunningVersionIsTheOneTheBootloaderStartedLast) {
  const std::vector<json> events{start(kThing, "1.0.0"), start(kThing, "1.1.0"), start("thing-2", "3.0.0")};
  EXPECT_EQ(running_version(events, kThing), "1.1.0");
  EXPECT_EQ(running_version({}, kThing), "nothing");
}

TEST(RunFigures, ADeviceThatWentOffByItselfSaysWhy) {
  const json exit = event("device", "exit", 9, {{"device", kThing}, {"message", "killed"}});
  EXPECT_EQ(went_off(std::vector<json>{power_on(0), exit}, kThing), "killed");
  EXPECT_EQ(went_off(std::vector<json>{power_on(0), exit}, "thing-2"), "");
}

TEST(RunFigures, EventsThatAreNotAsExpectedAreIgnored) {
  const std::vector<json> odd{json::object(),
                              event("cloud", "job_execution", 1, {{"job", 7}, {"details", 3}}),
                              event("device", "power_on", 1, {{"device", 1}}),
                              {{"t_us", "late"}}};
  EXPECT_FALSE(boot_to_connected_ms(odd, kThing));
  EXPECT_FALSE(job_times(odd, kThing, kJob).ended_ms);
}

}  // namespace
