// A thousand devices, each with the agent that boards have, and what a rollout looks like from their side.
#include "tests/sim/cloud/native_fleet.h"

#include "tests/sim/cloud/cloud_fixture.h"

namespace otasim::cloud::testing {
namespace {

using ::testing::ElementsAre;

constexpr int kDevices = 1000;
constexpr std::size_t kImageSize = 5000;

class NativeFleetTest : public CloudFixture {
 protected:
  NativeFleetTest() { fleet_.add(kDevices); }

  void update_fleet(RolloutConfig rollout, AbortConfig abort = {},
                    std::optional<std::int64_t> timeout_minutes = {}, RetryConfig retries = {}) {
    const auto object = upload(pattern(kImageSize));
    const auto made = cloud_->ota_updates().create(
        {.id = OtaUpdateId::trusted("u"),
         .targets = {NativeFleet::group()},
         .files = {{.file_name = "/fw.bin",
                    .location = object.location,
                    .code_signing = CustomSigning{std::vector<std::uint8_t>{1, 2, 3, 4}, "/signer.pem"}}},
         .in_progress_timeout_minutes = timeout_minutes,
         .retries = retries,
         .rollout = rollout,
         .abort = std::move(abort)});
    ASSERT_TRUE(made && !made->error) << (made ? made->error->message : made.error().message);
    fleet_.settle();
  }
  void pass_minutes(int minutes) {
    for (int i = 0; i < minutes; ++i) fleet_.minute();
  }
  JobProcessDetails counts() { return jobs().process_details(id_).value(); }
  Job job_now() { return jobs().describe_job(id_).value(); }
  std::int64_t updated() {
    std::int64_t number = 0;
    for (std::size_t i = 0; i < fleet_.size(); ++i) {
      const NativeDevice& device = fleet_.device(i);
      number += device.runs_new_image() && device.image() == pattern(kImageSize) ? 1 : 0;
    }
    return number;
  }

  const JobId id_ = job("AFR_OTA-u");
  NativeFleet fleet_{*cloud_, clock_, *log_};
};

TEST_F(NativeFleetTest, AConstantRateIsWhatTheDevicesSee) {
  update_fleet({.maximum_per_minute = 100});
  pass_minutes(9);
  EXPECT_THAT(fleet_.notified_each_minute(kNow, 10),
              ElementsAre(100, 100, 100, 100, 100, 100, 100, 100, 100, 100));
  EXPECT_EQ(updated(), kDevices) << "each runs the image, byte for byte";
  EXPECT_EQ(counts().succeeded, kDevices);
  EXPECT_EQ(job_now().status, JobStatus::kCompleted);
}

TEST_F(NativeFleetTest, AnExponentialRateGrowsWithWhatTheDevicesWereTold) {
  update_fleet({.maximum_per_minute = 300, .exponential = ExponentialRate{50, 20, 100, {}}});
  pass_minutes(5);
  EXPECT_THAT(fleet_.notified_each_minute(kNow, 6), ElementsAre(50, 50, 100, 200, 300, 300));
  EXPECT_EQ(updated(), kDevices);
}

TEST_F(NativeFleetTest, AnExponentialRateGrowsWithWhatTheDevicesAchieve) {
  for (std::size_t i = 0; i < kDevices; i += 2) fleet_.device(i).behavior = Behavior::kFails;
  update_fleet({.exponential = ExponentialRate{50, 20, {}, 100}});
  pass_minutes(7);
  // Half of them succeed: 100 have after four minutes, 200 after six, 300 after seven.
  EXPECT_THAT(fleet_.notified_each_minute(kNow, 8), ElementsAre(50, 50, 50, 50, 100, 100, 200, 400));
  EXPECT_EQ(counts().succeeded, kDevices / 2);
  EXPECT_EQ(counts().failed, kDevices / 2);
  EXPECT_EQ(job_now().status, JobStatus::kCompleted);
}

TEST_F(NativeFleetTest, DevicesThatFailStopTheRollout) {
  for (std::size_t i = 0; i < kDevices; ++i) {
    if (i % 4 == 0) fleet_.device(i).behavior = Behavior::kFails;
    if (i % 10 == 9) fleet_.device(i).behavior = Behavior::kIsOff;
  }
  update_fleet({.maximum_per_minute = 100}, {{{AbortFailure::kFailed, 20'00, 150}}});
  EXPECT_EQ(job_now().status, JobStatus::kInProgress) << "90 have ended, and 150 were asked for";
  pass_minutes(10);
  const Job now = job_now();
  EXPECT_EQ(now.status, JobStatus::kCanceled);
  EXPECT_EQ(now.reason_code, kAbortCriteriaMet);
  const auto end = counts();
  EXPECT_EQ(end.canceled, 20) << "who was off had not begun";
  EXPECT_EQ(end.succeeded + end.failed, 180) << "who had begun went on to the end";
  EXPECT_EQ(end.failed, 50);
  EXPECT_THAT(fleet_.notified_each_minute(kNow, 11), ElementsAre(90, 90, 0, 0, 0, 0, 0, 0, 0, 0, 0));
}

TEST_F(NativeFleetTest, DevicesThatFallSilentTimeOutAndAreTriedAgain) {
  for (std::size_t i = 0; i < kDevices; i += 10) fleet_.device(i).behavior = Behavior::kFallsSilent;
  update_fleet({.maximum_per_minute = 1000}, {}, 5, {.timed_out = 1});
  EXPECT_EQ(counts().in_progress, kDevices / 10);
  pass_minutes(4);
  EXPECT_EQ(counts().timed_out, 0);
  pass_minutes(1);
  EXPECT_EQ(counts().timed_out, kDevices / 10);
  EXPECT_EQ(counts().queued, kDevices / 10) << "the second attempts";

  for (std::size_t i = 0; i < kDevices; i += 10) {
    NativeDevice& device = fleet_.device(i);
    // Every other one falls silent again.
    if (i % 20 == 0) device.behavior = Behavior::kUpdates;
    device.wake();
  }
  fleet_.settle();
  EXPECT_EQ(counts().succeeded, kDevices - kDevices / 20);
  EXPECT_EQ(job_now().status, JobStatus::kInProgress);
  pass_minutes(5);
  EXPECT_EQ(counts().timed_out, kDevices / 10 + kDevices / 20) << "there is no third attempt";
  EXPECT_EQ(job_now().status, JobStatus::kCompleted);
  EXPECT_EQ(updated(), kDevices - kDevices / 20);
}

}  // namespace
}  // namespace otasim::cloud::testing
