// The update observer: what a run does next follows from the events alone.
#include "sim/scenario/update_observer.h"

#include <gtest/gtest.h>

namespace {

using otasim::scenario::UpdateObserver;
using Next = UpdateObserver::Next;

nlohmann::json event(const char* source, const char* kind, std::int64_t ms,
                     nlohmann::json fields = nlohmann::json::object()) {
  fields["source"] = source;
  fields["event"] = kind;
  fields["t_us"] = ms * 1000;
  return fields;
}

nlohmann::json console(const char* text) {
  return event("uart", "line", 0, {{"text", text}});
}

nlohmann::json execution(std::int64_t ms, const char* status, nlohmann::json details) {
  return event("cloud", "job_execution", ms,
               {{"job", "AFR_OTA-1"}, {"status", status}, {"details", std::move(details)}});
}

nlohmann::json request(const char* topic) {
  return event("cloud", "mqtt_request", 0, {{"topic", topic}});
}

TEST(UpdateObserver, TheUpdateIsOfferedOnceWhenThisDeviceAsksForWork) {
  UpdateObserver observer("thing-1", "");
  EXPECT_EQ(observer.observe(request("$aws/things/other/jobs/$next/get")), Next::kNothing);
  EXPECT_EQ(observer.observe(request("$aws/things/thing-1/jobs/$next/get")), Next::kOfferUpdate);
  EXPECT_EQ(observer.observe(request("$aws/things/thing-1/jobs/$next/get")), Next::kNothing);
}

TEST(UpdateObserver, TimesAreCountedFromPowerOn) {
  UpdateObserver observer("thing-1", "");
  static_cast<void>(observer.observe(event("device", "power_on", 100)));
  static_cast<void>(observer.observe(event("broker", "client_connected", 350)));
  static_cast<void>(observer.observe(event("broker", "client_connected", 900)));
  EXPECT_EQ(observer.observe(event("cloud", "stream_request", 400, {{"blocks", 16}})), Next::kShowProgress);
  EXPECT_EQ(observer.observe(execution(700, "IN_PROGRESS", {{"self_test", "ready"}})), Next::kNothing);
  EXPECT_EQ(observer.observe(execution(1100, "SUCCEEDED", {{"reason", "accepted  v1.1.0"}})), Next::kEnd);
  EXPECT_EQ(observer.outcome().boot_to_connected_ms, 250);
  EXPECT_EQ(observer.outcome().transfer_ms, 300);
  EXPECT_EQ(observer.outcome().wall_ms, 1000);
  EXPECT_EQ(observer.outcome().reason, "accepted  v1.1.0");
  EXPECT_EQ(observer.served_bytes(1024), 16U * 1024);
}

TEST(UpdateObserver, AnUpdateIsOfferedToADeviceThatAsksWithStartNext) {
  UpdateObserver observer("thing-1", "");
  EXPECT_EQ(observer.observe(request("$aws/things/thing-1/jobs/start-next")), Next::kOfferUpdate);
}

TEST(UpdateObserver, ATransferBeginsWhenTheDeviceSaysSoOrWhenSomethingIsServed) {
  UpdateObserver said("thing-1", "");
  nlohmann::json line = console("app: job AFR_OTA-1 received, 169200 bytes");
  line["t_us"] = 400'000;
  EXPECT_EQ(said.observe(line), Next::kNothing);
  EXPECT_EQ(said.observe(event("cloud", "object_request", 450, {{"bytes", 65536}})), Next::kShowProgress);
  EXPECT_EQ(said.observe(event("cloud", "object_request", 460, {{"bytes", 1000}})), Next::kShowProgress);
  EXPECT_EQ(said.served_bytes(4096), 66536U);
  EXPECT_EQ(said.observe(execution(700, "IN_PROGRESS", {{"self_test", "ready"}})), Next::kNothing);
  EXPECT_EQ(said.outcome().transfer_ms, 300);

  UpdateObserver silent("thing-1", "");
  EXPECT_EQ(silent.observe(event("cloud", "object_request", 450, {{"bytes", 1}})), Next::kShowProgress);
  EXPECT_EQ(silent.observe(execution(700, "IN_PROGRESS", {{"self_test", "ready"}})), Next::kNothing);
  EXPECT_EQ(silent.outcome().transfer_ms, 250);
}

TEST(UpdateObserver, TheRunningVersionIsTheOneTheBootloaderStartedLast) {
  UpdateObserver observer("thing-1", "");
  static_cast<void>(observer.observe(console("boot: start slot=A version=1.0.0 state=committed")));
  EXPECT_EQ(observer.outcome().running_version, "1.0.0");
  static_cast<void>(observer.observe(
      console("boot: start slot=B version=1.1.0 state=trial attempt=1 of=1 deadline-ms=60000")));
  EXPECT_EQ(observer.outcome().running_version, "1.1.0");
  for (const char* other :
       {"boot: verify slot=B version=9.9.9 counter=1 result=ok", "boot: start slot=A",
        "boot: start slot=B version=9.9.9", "app: boot: start slot=A version=7.7.7 state=trial", ""}) {
    static_cast<void>(observer.observe(console(other)));
    EXPECT_EQ(observer.outcome().running_version, "1.1.0") << other;
  }
}

TEST(UpdateObserver, ADeviceInItsFailSafeModeIsKnownByItsSlot) {
  UpdateObserver observer("thing-1", "");
  EXPECT_EQ(observer.outcome().running_slot, "");
  static_cast<void>(observer.observe(console("boot: start slot=recovery version=0.0.1 state=recovery")));
  EXPECT_EQ(observer.outcome().running_slot, "recovery");
  static_cast<void>(observer.observe(console("boot: verify slot=A result=no-image code=2")));
  EXPECT_EQ(observer.outcome().running_slot, "recovery");
  static_cast<void>(observer.observe(
      console("boot: start slot=A version=1.2.0 state=trial attempt=1 of=1 deadline-ms=60000")));
  EXPECT_EQ(observer.outcome().running_slot, "A");
}

TEST(UpdateObserver, SuccessWaitsForTheLastLineAndFailureDoesNot) {
  UpdateObserver success("thing-1", "update complete");
  EXPECT_EQ(success.observe(console("app: update complete, of an earlier boot")), Next::kNothing);
  EXPECT_EQ(success.observe(
                console("boot: start slot=B version=1.1.0 state=trial attempt=1 of=1 deadline-ms=60000")),
            Next::kNothing);
  EXPECT_EQ(success.observe(execution(1, "SUCCEEDED", {})), Next::kNothing);
  EXPECT_EQ(success.observe(console("app: update complete, running 1.1.0")), Next::kEnd);
  UpdateObserver failure("thing-1", "update complete");
  EXPECT_EQ(failure.observe(execution(1, "FAILED", {{"reason", "rejected: 0x00000010"}})), Next::kEnd);
}

TEST(UpdateObserver, TheLastLineMayComeBeforeTheCloudKnows) {
  UpdateObserver observer("thing-1", "update complete");
  EXPECT_EQ(observer.observe(
                console("boot: start slot=B version=1.1.0 state=trial attempt=1 of=1 deadline-ms=60000")),
            Next::kNothing);
  EXPECT_EQ(observer.observe(console("app: update complete, running 1.1.0")), Next::kNothing);
  EXPECT_EQ(observer.observe(execution(1, "SUCCEEDED", {})), Next::kEnd);
}

TEST(UpdateObserver, EventsThatAreNotAsExpectedAreIgnored) {
  UpdateObserver observer("thing-1", "");
  for (const auto& odd : {nlohmann::json::object(), nlohmann::json{{"source", 1}, {"event", 2}},
                          event("cloud", "job_execution", 1, {{"details", nlohmann::json::object()}}),
                          event("uart", "line", 1)}) {
    EXPECT_EQ(observer.observe(odd), Next::kNothing);
  }
}

}  // namespace
