// A real device that has committed its update, and a cloud that was never told: as after a power cut, or a
// lost message, between the commit and its report. The device's own record of the job decides.
#include <gtest/gtest.h>

#include "tests/sim/lab/one_device_lab.h"

namespace otasim::lab {
namespace {

/// More than a deletion takes.
constexpr std::int64_t kDeletionSeconds = 2;

using cloud::ExecutionStatus;
using cloud::StatusDetails;
using cloud::ThingName;

class CommitReport : public OneDeviceLab {
 protected:
  void SetUp() override { start_lab(); }

  /// Makes the update; the second time one of the same id, in whose job nothing has happened yet.
  void offer_update() {
    auto& updates = lab->cloud().ota_updates();
    static_cast<void>(updates.remove(kUpdate, {.delete_stream = true, .force_delete_job = true}));
    lab->clock().jump(kDeletionSeconds);  // a job is deleted in the background; its id is taken until then
    const auto object = lab->cloud().objects().put("otasim", "update.img", firmware({.version = "1.1.0"}));
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
    ASSERT_TRUE(wait_for([this] { return has_said("no job waiting"); }));
    offer_update();
    ASSERT_TRUE(wait_for([this] { return has_said("update complete"); }));
    // The broker has acknowledged the device's report; the cloud may have it still before it.
    ASSERT_TRUE(wait_for([this] { return is_over(); }));
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
  ASSERT_TRUE(wait_for([this] { return has_said("reason=software"); }));
  EXPECT_EQ(device->running_version(), "1.1.0") << "and the committed image runs on";
}

}  // namespace
}  // namespace otasim::lab
