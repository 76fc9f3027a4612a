// Real devices in QEMU fetch updates in every way they know, and over HTTP from a server that misbehaves.
//
// What the server does wrong once, the device makes good: by asking again, or for a new URL. What it cannot
// notice before the end (other bytes than it claims), the signature does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "sim/base/temp_dir.h"
#include "sim/lab/firmware.h"
#include "sim/report/event_log.h"
#include "sim/scenario/update_run.h"

namespace otasim::scenario {
namespace {

using cloud::ObjectFaults;
using cloud::ObjectRequest;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kBoard = "mps2-an385";
constexpr const char* kSignatureCheckFailed = "0x000000e3: 0x00000000";  // OtaPalSignatureCheckFailed

class TransferRun : public testing::Test {
 protected:
  void SetUp() override {
    auto products = lab::BuildProducts::find(kBoard);
    ASSERT_TRUE(products) << products.error().message;
    plan.board = kBoard;
    plan.products = *products;
    plan.factory_image = firmware("1.0.0");
    plan.update_image = firmware("1.1.0");
    plan.run_folder = folder.path().string();
    plan.last_line = "update complete";
  }

  [[nodiscard]] std::vector<std::uint8_t> firmware(const char* version) const {
    return lab::make_firmware({.version = version}, *lab::find_board(kBoard), plan.products).value();
  }

  void prefer_http() {
    plan.protocols = {cloud::Protocol::kHttp};
    plan.transfer.protocols = {.enabled = provisioning::kAllProtocols,
                               .primary = provisioning::kProtocolHttp};
  }

  /// Strikes requests number `first` to `last` of the run.
  void strike(std::int64_t first, std::int64_t last, const ObjectFaults& faults) {
    prefer_http();
    plan.request_wait_ms = 500;  // what the server did wrong is seen when this runs out
    plan.object_faults = [=](const ObjectRequest& request) {
      return request.number >= first && request.number <= last ? faults : ObjectFaults{};
    };
  }

  void run() {
    auto log = report::EventLog::create(folder.file("events.jsonl"));
    ASSERT_TRUE(log) << log.error().message;
    auto result = run_update(plan, **log);
    ASSERT_TRUE(result) << result.error().message << "\n" << text_of("uart.log");
    outcome = *result;
    log->reset();
    std::ifstream lines(folder.file("events.jsonl"));
    for (std::string line; std::getline(lines, line);) events.push_back(nlohmann::json::parse(line));
  }

  void expect_updated() const {
    EXPECT_EQ(outcome.status, "SUCCEEDED") << outcome.reason << "\n" << console();
    EXPECT_TRUE(outcome.flash_holds_update) << outcome.flash_problem;
    EXPECT_EQ(outcome.running_version, "1.1.0");
    EXPECT_THAT(console(), Not(HasSubstr("frames lost")));
  }
  void expect_refused(const std::string& reason) const {
    EXPECT_EQ(outcome.status, "FAILED") << console();
    EXPECT_EQ(outcome.reason, reason) << console();
    EXPECT_FALSE(outcome.flash_holds_update);
    EXPECT_EQ(outcome.running_version, "1.0.0");
  }

  [[nodiscard]] std::string text_of(const char* file) const {
    std::ifstream in(folder.file(file), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] std::string console() const { return text_of("uart.log"); }
  [[nodiscard]] std::vector<nlohmann::json> all(const char* event, const char* source = "cloud") const {
    std::vector<nlohmann::json> found;
    for (const auto& e : events) {
      if (e.value("event", "") == event && e.value("source", "") == source) found.push_back(e);
    }
    return found;
  }

  TempDir folder = TempDir::create().value();
  UpdatePlan plan;
  UpdateOutcome outcome;
  std::vector<nlohmann::json> events;
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
  EXPECT_EQ(bytes, plan.update_image.size()) << "each byte once";
  EXPECT_THAT(console(), HasSubstr("connections 1"));
}

TEST_F(TransferRun, AJobThatOffersBothIsFetchedAsTheDevicePrefers) {
  plan.protocols = {cloud::Protocol::kMqtt, cloud::Protocol::kHttp};
  run();
  expect_updated();
  EXPECT_TRUE(all("object_request").empty()) << "MQTT without any provisioning";
  EXPECT_FALSE(all("stream_request").empty());
}

TEST_F(TransferRun, OverHttpBlocksMayBeSmall) {
  prefer_http();
  plan.transfer.block_size = 512;
  plan.transfer.blocks_per_request = 3;
  plan.transfer.blocks_in_flight = 30;
  run();
  expect_updated();
  for (const auto& request : all("object_request")) EXPECT_LE(request["bytes"], 3 * 512);
  EXPECT_GT(all("object_request").size(), 100U);
}

TEST_F(TransferRun, OverMqttInJsonAndWithStartNext) {
  plan.transfer.stream_format = provisioning::StreamFormat::kJson;
  plan.transfer.start_next = true;
  plan.transfer.block_size = 1024;
  run();
  expect_updated();
  const auto requests = all("stream_request");
  ASSERT_FALSE(requests.empty());
  for (const auto& request : requests) EXPECT_EQ(request["encoding"], "json");
}

TEST_F(TransferRun, AnExpiredUrlIsRenewedAndTheDownloadGoesOn) {
  strike(2, 2, {.status = 403});
  run();
  expect_updated();
  EXPECT_THAT(console(), HasSubstr("the server refused the URL, status 403"));
  EXPECT_EQ(all("object_request")[1]["status"], 403);
}

TEST_F(TransferRun, AUrlThatIsRefusedForEverEndsTheJob) {
  plan.transfer.max_request_momentum = 3;
  strike(1, INT64_MAX, {.status = 404});
  run();
  EXPECT_EQ(outcome.status, "FAILED") << console();
  EXPECT_THAT(outcome.reason, HasSubstr("aborted"));
  EXPECT_LE(all("object_request").size(), 8U);
}

TEST_F(TransferRun, AnIgnoredRangeIsAskedForAgain) {
  strike(1, 1, {.ignore_range = true});
  run();
  expect_updated();
  EXPECT_THAT(console(), HasSubstr("the server sent the whole file instead of a range, status 200"));
}

TEST_F(TransferRun, AnotherRangeThatSaysSoIsAskedForAgain) {
  strike(2, 2, {.shift_range = -4096, .content_range_tells_shift = true});
  run();
  expect_updated();
  EXPECT_THAT(console(), HasSubstr("the server sent another range than was asked for"));
}

TEST_F(TransferRun, AnotherRangeThatPretendsIsFoundByTheSignature) {
  strike(2, 2, {.shift_range = -4096});
  run();
  expect_refused(kSignatureCheckFailed);
}

TEST_F(TransferRun, ADamagedByteIsFoundByTheSignature) {
  strike(1, 1, {.corrupt_at = 5000});
  run();
  expect_refused(kSignatureCheckFailed);
}

TEST_F(TransferRun, AShortBodyIsAskedForAgain) {
  strike(2, 2, {.truncate_after = 10'000});
  run();
  expect_updated();
  EXPECT_THAT(console(), HasSubstr("the connection ended within an answer"));
}

TEST_F(TransferRun, AResetConnectionIsOpenedAgain) {
  strike(2, 2, {.reset_after = 20'000});
  run();
  expect_updated();
}

TEST_F(TransferRun, ABusyServerIsAskedAgain) {
  strike(1, 3, {.status = 503});
  run();
  expect_updated();
  EXPECT_THAT(console(), HasSubstr("the server did not send a range, status 503"));
}

TEST_F(TransferRun, ASlowServerIsWaitedFor) {
  strike(1, 1, {.bytes_per_second = 200'000});
  plan.request_wait_ms = lab::DeviceSettings{}.request_wait_ms;
  run();
  expect_updated();
  EXPECT_THAT(console(), HasSubstr("connections 1"));
}

TEST_F(TransferRun, AGenuineFileThatIsNoImageEndsTheJobWithItsReasonAndNoReset) {
  plan.update_image = std::vector<std::uint8_t>(20'000, 0x42);
  run();
  expect_refused("rejected: 0xec000002");  // OtaPalActivateFailed, boot::image::VerifyStatus::kNoImage
  EXPECT_TRUE(all("reset", "device").empty());
}

TEST_F(TransferRun, TheEndToEndTestsProgramUpdatesItself) {
  plan.factory_image =
      lab::make_firmware({.elf = E2E_TEST_ELF, .version = "0.9.1"}, *lab::find_board(kBoard), plan.products)
          .value();
  plan.update_image =
      lab::make_firmware({.elf = E2E_TEST_ELF, .version = "0.9.2"}, *lab::find_board(kBoard), plan.products)
          .value();
  run();
  EXPECT_EQ(outcome.status, "SUCCEEDED") << outcome.reason << "\n" << console();
  EXPECT_EQ(outcome.running_version, "0.9.2");
  EXPECT_THAT(console(), HasSubstr("app: otasim qualification 0.9.2, slot B, on trial"));
}

}  // namespace
}  // namespace otasim::scenario
