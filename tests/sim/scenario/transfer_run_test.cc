// Real devices in QEMU fetch updates in every way they know, and over HTTP from a server that misbehaves.
//
// What the server does wrong once, the device makes good: by asking again, or for a new URL. What it cannot
// notice before the end (other bytes than it claims), the signature does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "sim/base/temp_dir.h"
#include "sim/report/event_log.h"
#include "sim/scenario/scenario_run.h"

namespace otasim::scenario {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kBoard = "mps2-an385";
constexpr const char* kSignatureCheckFailed = "0x000000e3: 0x00000000";  // OtaPalSignatureCheckFailed
constexpr int kForEver = 1'000'000;

class TransferRun : public testing::Test {
 protected:
  void prefer_http() { cell.data = "http"; }

  /// Strikes so many requests, from the `first` of the run on.
  void strike(int first, int times, const char* fault, json arguments) {
    prefer_http();
    device["request_wait_ms"] = 500;  // what the server did wrong is seen when this runs out
    if (first > 1) arguments["after"] = first - 1;
    arguments["times"] = times;
    faults.push_back({{fault, std::move(arguments)}});
  }

  void run() {
    auto log = report::EventLog::create(folder.file("events.jsonl"));
    ASSERT_TRUE(log) << log.error().message;
    auto scenario = Scenario::from_text(text(), folder.file("transfer.jsonc"), cell);
    ASSERT_TRUE(scenario) << scenario.error().message;
    const RunPlan plan{
        .scenario = std::move(*scenario), .cell = cell, .folder = folder.path().string(), .faults = faults};
    auto result = play(plan, **log);
    ASSERT_TRUE(result) << result.error().message << "\n" << console();
    outcome = *result;
    log->reset();
    std::ifstream lines(folder.file("events.jsonl"));
    for (std::string line; std::getline(lines, line);) events.push_back(json::parse(line));
  }

  void expect_updated(const char* version = "1.1.0") const {
    EXPECT_THAT(outcome.failures, testing::IsEmpty()) << console();
    EXPECT_EQ(job().at("status"), "SUCCEEDED") << job() << "\n" << console();
    EXPECT_EQ(outcome.devices[0].at("image"), "update");
    EXPECT_EQ(outcome.devices[0].at("running"), version);
    EXPECT_THAT(console(), Not(HasSubstr("frames lost")));
  }
  void expect_refused(const std::string& reason) const {
    EXPECT_THAT(outcome.failures, testing::IsEmpty()) << console();
    EXPECT_EQ(job().at("status"), "FAILED") << console();
    EXPECT_EQ(job().at("reason"), reason) << console();
    EXPECT_EQ(outcome.devices[0].at("image"), "factory");
    EXPECT_EQ(outcome.devices[0].at("running"), "1.0.0");
  }

  [[nodiscard]] json job() const { return outcome.jobs.at(0); }
  [[nodiscard]] std::string console() const {
    std::ifstream in(folder.file("devices/thing-1/uart.log"), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] std::vector<json> all(const char* event, const char* source = "cloud") const {
    std::vector<json> found;
    for (const auto& e : events) {
      if (e.value("event", "") == event && e.value("source", "") == source) found.push_back(e);
    }
    return found;
  }

  TempDir folder = TempDir::create().value();
  Cell cell{.board = kBoard, .data = "mqtt"};
  json factory = {{"version", "1.0.0"}};
  json image = {{"version", "1.1.0"}};
  json device = {{"name", "thing-1"}, {"image", "factory"}, {"transfer", json::object()}};
  json& transfer = device["transfer"];
  json update = {{"id", "u1"}, {"image", "update"}};
  std::vector<json> faults;
  RunResult outcome;
  std::vector<json> events;

 private:
  /// The device asks for work, is offered the update, and the job comes to its end.
  [[nodiscard]] std::string text() const {
    const json asked = {{"event", "cloud.mqtt_request"},
                        {"client", "thing-1"},
                        {"topic", {{"matches", ".*/jobs/(\\$next/get|start-next)"}}}};
    const json over = {{"event", "cloud.job_execution"},
                       {"status", {{"any_of", {"SUCCEEDED", "FAILED", "REJECTED", "TIMED_OUT"}}}}};
    const json scenario = {
        {"name", "transfer"},
        {"title", "One update"},
        {"images", {{"factory", factory}, {"update", image}}},
        {"devices", {device}},
        {"steps",
         {{{"wait", {{"for", asked}}}}, {{"update", update}}, {{"wait", {{"for", over}, {"limit_s", 60}}}}}},
        {"expect", json::object()}};
    return scenario.dump();
  }
};

TEST_F(TransferRun, OverHttpTheWholeImageComesInRangesAndNothingOverMqtt) {
  prefer_http();
  run();
  expect_updated();
  EXPECT_TRUE(all("stream_request").empty());
  std::uint64_t bytes = 0;
  for (const auto& request : all("object_request")) {
    EXPECT_EQ(request["status"], 206);
    bytes += request["bytes"].get<std::uint64_t>();
  }
  EXPECT_EQ(bytes, outcome.images.at("update").at("bytes")) << "each byte once";
  EXPECT_THAT(console(), HasSubstr("connections 1"));
}

TEST_F(TransferRun, AJobThatOffersBothIsFetchedAsTheDevicePrefers) {
  update["protocols"] = {"mqtt", "http"};
  run();
  expect_updated();
  EXPECT_TRUE(all("object_request").empty()) << "MQTT without any provisioning";
  EXPECT_FALSE(all("stream_request").empty());
}

TEST_F(TransferRun, OverHttpBlocksMayBeSmall) {
  prefer_http();
  transfer = {{"block_size", 512}, {"blocks_per_request", 3}, {"blocks_in_flight", 30}};
  run();
  expect_updated();
  for (const auto& request : all("object_request")) EXPECT_LE(request["bytes"], 3 * 512);
  EXPECT_GT(all("object_request").size(), 100U);
}

TEST_F(TransferRun, OverMqttInJsonAndWithStartNext) {
  transfer = {{"stream_format", "json"}, {"start_next", true}, {"block_size", 1024}};
  run();
  expect_updated();
  const auto requests = all("stream_request");
  ASSERT_FALSE(requests.empty());
  for (const auto& request : requests) EXPECT_EQ(request["encoding"], "json");
}

TEST_F(TransferRun, AnExpiredUrlIsRenewedAndTheDownloadGoesOn) {
  strike(2, 1, "http.status", {{"status", 403}});
  run();
  expect_updated();
  EXPECT_THAT(console(), HasSubstr("the server refused the URL, status 403"));
  EXPECT_EQ(all("object_request")[1]["status"], 403);
}

TEST_F(TransferRun, AUrlThatIsRefusedForEverEndsTheJob) {
  transfer["max_request_momentum"] = 3;
  strike(1, kForEver, "http.status", {{"status", 404}});
  run();
  EXPECT_EQ(job().at("status"), "FAILED") << console();
  EXPECT_THAT(job().at("reason").get<std::string>(), HasSubstr("aborted"));
  EXPECT_LE(all("object_request").size(), 8U);
}

TEST_F(TransferRun, AnIgnoredRangeIsAskedForAgain) {
  strike(1, 1, "http.ignore_range", json::object());
  run();
  expect_updated();
  EXPECT_THAT(console(), HasSubstr("the server sent the whole file instead of a range, status 200"));
}

TEST_F(TransferRun, AnotherRangeThatSaysSoIsAskedForAgain) {
  strike(2, 1, "http.wrong_range", {{"shift_bytes", -4096}, {"content_range_tells_shift", true}});
  run();
  expect_updated();
  EXPECT_THAT(console(), HasSubstr("the server sent another range than was asked for"));
}

TEST_F(TransferRun, AnotherRangeThatPretendsIsFoundByTheSignature) {
  strike(2, 1, "http.wrong_range", {{"shift_bytes", -4096}});
  run();
  expect_refused(kSignatureCheckFailed);
}

TEST_F(TransferRun, ADamagedByteIsFoundByTheSignature) {
  strike(1, 1, "http.corrupt", {{"at_bytes", 5000}});
  run();
  expect_refused(kSignatureCheckFailed);
}

TEST_F(TransferRun, AShortBodyIsAskedForAgain) {
  strike(2, 1, "http.truncate", {{"after_bytes", 10'000}});
  run();
  expect_updated();
  EXPECT_THAT(console(), HasSubstr("the connection ended within an answer"));
}

TEST_F(TransferRun, AResetConnectionIsOpenedAgain) {
  strike(2, 1, "http.reset", {{"after_bytes", 20'000}});
  run();
  expect_updated();
}

TEST_F(TransferRun, ABusyServerIsAskedAgain) {
  strike(1, 3, "http.status", {{"status", 503}});
  run();
  expect_updated();
  EXPECT_THAT(console(), HasSubstr("the server did not send a range, status 503"));
}

TEST_F(TransferRun, ASlowServerIsWaitedFor) {
  strike(1, 1, "http.slow", {{"bytes_per_second", 200'000}});
  device.erase("request_wait_ms");
  run();
  expect_updated();
  EXPECT_THAT(console(), HasSubstr("connections 1"));
}

TEST_F(TransferRun, AGenuineFileThatIsNoImageEndsTheJobWithItsReasonAndNoReset) {
  std::string anything;
  for (int i = 0; i < 20'000; ++i) anything += "42";
  image = {{"bytes", anything}};
  run();
  expect_refused("rejected: 0xec000002");  // OtaPalActivateFailed, boot::image::VerifyStatus::kNoImage
  EXPECT_TRUE(all("reset", "device").empty());
}

TEST_F(TransferRun, TheEndToEndTestsProgramUpdatesItself) {
  factory = {{"elf", E2E_TEST_ELF}, {"version", "0.9.1"}};
  image = {{"elf", E2E_TEST_ELF}, {"version", "0.9.2"}};
  run();
  expect_updated("0.9.2");
  EXPECT_THAT(console(), HasSubstr("app: otasim qualification 0.9.2, slot B, on trial"));
}

}  // namespace
}  // namespace otasim::scenario
