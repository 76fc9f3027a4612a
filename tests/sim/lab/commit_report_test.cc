// A real device that has committed its update, and a cloud that was never told: as after a power cut, or a
// lost message, between the commit and its report. The device's own record of the job decides.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "sim/base/temp_dir.h"
#include "sim/lab/firmware.h"
#include "sim/lab/lab_device.h"
#include "sim/lab/running_lab.h"
#include "sim/report/event_log.h"

namespace otasim::lab {
namespace {

using cloud::ExecutionStatus;
using cloud::StatusDetails;
using cloud::ThingName;

constexpr const char* kBoard = "mps2-an385";
constexpr const char* kThing = "thing-1";
constexpr std::chrono::seconds kLimit{60};

class CommitReport : public testing::Test {
 protected:
  void SetUp() override {
    auto found = BuildProducts::find(kBoard);
    ASSERT_TRUE(found) << found.error().message;
    products = *found;
    auto identities = Lab::create(folder.path().string());
    ASSERT_TRUE(identities) << identities.error().message;
    auto started = RunningLab::start(
        io, std::move(*identities),
        {.socket_folder = sockets.path().string(), .broker_plugin = products.broker_plugin}, *log);
    ASSERT_TRUE(started) << started.error().message;
    lab = std::move(*started);
    const DeviceSpec spec{.name = kThing,
                          .board = find_board(kBoard),
                          .mac = {0x02, 0, 0, 0, 0, 1},
                          .folder = folder.path().string(),
                          .socket_folder = sockets.path().string()};
    const auto identity = register_device(*lab, kThing);
    ASSERT_TRUE(identity) << identity.error().message;
    ASSERT_TRUE(equip_device(*lab, spec, *identity, {firmware("1.0.0")}, products));
    auto opened = LabDevice::open(*lab, spec, products);
    ASSERT_TRUE(opened) << opened.error().message;
    device = std::move(*opened);
    bool is_ready = false;
    lab->when_ready([&is_ready] { is_ready = true; });
    ASSERT_TRUE(wait_for([&is_ready] { return is_ready; }));
  }

  [[nodiscard]] std::vector<std::uint8_t> firmware(const char* version) const {
    return make_firmware({.version = version}, *find_board(kBoard), products).value();
  }

  template <typename Condition>
  [[nodiscard]] bool wait_for(Condition holds) {
    const auto end = std::chrono::steady_clock::now() + kLimit;
    while (!holds() && std::chrono::steady_clock::now() < end) io.run_one_for(std::chrono::milliseconds(200));
    return holds();
  }
  [[nodiscard]] bool has_line(std::string_view text) const {
    const auto& lines = device->console_lines();
    return std::any_of(lines.begin(), lines.end(),
                       [text](const std::string& line) { return line.find(text) != std::string::npos; });
  }

  /// Makes the update; the second time one of the same id, in whose job nothing has happened yet.
  void offer_update() {
    auto& updates = lab->cloud().ota_updates();
    static_cast<void>(updates.remove(kUpdate, {.delete_stream = true, .force_delete_job = true}));
    const auto object = lab->cloud().objects().put("otasim", "update.img", firmware("1.1.0"));
    ASSERT_TRUE(object);
    const auto update = updates.create({.id = kUpdate,
                                        .targets = {ThingName::trusted(kThing)},
                                        .files = {{.file_name = "/update.img",
                                                   .location = object->location,
                                                   .code_signing = cloud::LabSigning{kCodeSignerName}}}});
    ASSERT_TRUE(update);
    job = update->job_id;
  }
  [[nodiscard]] cloud::JobExecution execution() {
    return lab->cloud().jobs().execution(*job, ThingName::trusted(kThing)).value();
  }
  [[nodiscard]] bool is_over() { return cloud::is_terminal(execution().state.status); }

  void update_device() {
    ASSERT_TRUE(device->start());
    ASSERT_TRUE(wait_for([this] { return has_line("no job waiting"); }));
    offer_update();
    ASSERT_TRUE(wait_for([this] { return has_line("update complete"); }));
    ASSERT_EQ(execution().state.status, ExecutionStatus::kSucceeded);
    device->cut();
  }

  /// Puts the cloud back to where it stood before the report, and lets the device start again.
  void start_with_cloud_at(const StatusDetails& details) {
    offer_update();
    ASSERT_TRUE(lab->cloud().jobs().update(*job, ThingName::trusted(kThing), {.details = details}));
    ASSERT_TRUE(device->start());
    ASSERT_TRUE(wait_for([this] { return is_over(); }));
  }
  void expect_reported_again() {
    EXPECT_EQ(execution().state.status, ExecutionStatus::kSucceeded);
    EXPECT_EQ(execution().state.details.at("reason"), "accepted  v1.1.0");
    EXPECT_EQ(device->running_version(), "1.1.0");
  }

  const cloud::OtaUpdateId kUpdate = cloud::OtaUpdateId::trusted("u1");
  TempDir folder = TempDir::create().value();
  TempDir sockets = TempDir::create().value();
  boost::asio::io_context io;
  std::unique_ptr<report::EventLog> log = report::EventLog::in_memory();
  BuildProducts products;
  std::unique_ptr<RunningLab> lab;
  std::unique_ptr<LabDevice> device;
  std::optional<cloud::JobId> job;
};

TEST_F(CommitReport, IsMadeAgainAfterAPowerCutBeforeIt) {
  update_device();
  start_with_cloud_at({{"self_test", "active"}, {"updatedBy", "0x01010000"}});
  expect_reported_again();
}

TEST_F(CommitReport, IsMadeAlsoIfTheCloudDidNotEvenHearOfTheSelfTest) {
  update_device();
  start_with_cloud_at({{"self_test", "ready"}, {"updatedBy", "0x01000000"}});
  expect_reported_again();
}

TEST_F(CommitReport, IsNotMadeForAJobThatFellBack) {
  update_device();
  start_with_cloud_at({{"self_test", "ready"}, {"updatedBy", "0x01010000"}});  // fetched by this very version
  EXPECT_EQ(execution().state.status, ExecutionStatus::kFailed);
  EXPECT_EQ(execution().state.details.at("reason"), "rejected: 0x00000010");
  ASSERT_TRUE(wait_for([this] { return has_line("reason=software"); }));
  EXPECT_EQ(device->running_version(), "1.1.0") << "and the committed image runs on";
}

}  // namespace
}  // namespace otasim::lab
