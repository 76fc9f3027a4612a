// The PAL of a recovery image: both application slots are destroyed, and whatever boot control still knows,
// an update is received, tried, accepted and committed. Only the device's own floor bounds what may come.
#include <gtest/gtest.h>

#include <algorithm>

#include "pal_sim/pal/pal.h"
#include "tests/pal_sim/pal/device.h"

namespace pal_test {
namespace {

using boot::Slot;
using boot::image::VerifyStatus;
using boot::image::Version;

const Bytes& recovery_image() {
  static const Bytes image =
      build_image({.version = {0, 0, 1, 0}, .kind = boot::image::Kind::kRecovery}, image_signer());
  return image;
}

class RecoveryPalTest : public testing::Test {
 protected:
  RecoveryPalTest() { std::ranges::copy(recovery_image(), device_.slot(Slot::kRecovery).begin()); }

  void destroy_applications() {
    for (const Slot slot : {Slot::kA, Slot::kB}) erase(device_.slot(slot).first(kTouched));
  }
  void erase_boot_control() {
    const flash::Partition& journal = flash::kBootControl0;
    erase(device_.flash().window().subspan(journal.offset, flash::kBootControl1.end() - journal.offset));
  }
  void boot_recovery() {
    ASSERT_TRUE(device_.boot());
    ASSERT_EQ(device_.running_slot(), Slot::kRecovery);
  }
  void receive(File& file) {
    ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
    ASSERT_TRUE(write_all(device_.pal(), file));
    ASSERT_EQ(device_.pal().close_file(&file.context), 0U);
  }
  /// From recovery to a committed `image` in `slot`.
  void expect_update_to(const Bytes& image, Version version, Slot slot) {
    File file(image, "AFR_OTA-rescue");
    receive(file);
    EXPECT_EQ(device_.pal().activate(), 0U);
    ASSERT_TRUE(device_.boot());
    EXPECT_EQ(device_.running_slot(), slot);
    EXPECT_EQ(device_.version(), version);
    EXPECT_EQ(device_.pal().image_state(), OtaPalImageStatePendingCommit);
    EXPECT_EQ(device_.pal().set_image_state(nullptr, OtaImageStateAccepted), 0U);
    ASSERT_TRUE(device_.boot());
    EXPECT_EQ(device_.running_slot(), slot);
    EXPECT_FALSE(device_.is_trial());
    EXPECT_TRUE(device_.pal().is_committed_job("AFR_OTA-rescue"));
  }
  /// An update that is committed in slot B.
  void update_to_1_1_0() {
    File file(image_1_1_0(), "AFR_OTA-u1");
    receive(file);
    ASSERT_TRUE(device_.boot());
    ASSERT_EQ(device_.pal().set_image_state(nullptr, OtaImageStateAccepted), 0U);
    ASSERT_TRUE(device_.boot());
  }

  static constexpr std::size_t kTouched = 64 * 1024;
  static void erase(std::span<std::uint8_t> bytes) { std::ranges::fill(bytes, std::uint8_t{0xFF}); }

  Device device_;
};

TEST_F(RecoveryPalTest, ReceivesIntoTheSlotThatIsNotOnRecord) {
  destroy_applications();
  boot_recovery();
  expect_update_to(image_1_2_0(), {1, 2, 0, 0}, Slot::kB);
}

TEST_F(RecoveryPalTest, ReceivesIntoSlotAIfTheDestroyedImageStoodInB) {
  update_to_1_1_0();
  destroy_applications();
  boot_recovery();
  expect_update_to(image_1_2_0(), {1, 2, 0, 0}, Slot::kA);
}

TEST_F(RecoveryPalTest, ReceivesWithoutAnyBootRecord) {
  destroy_applications();
  erase_boot_control();
  boot_recovery();
  expect_update_to(image_1_2_0(), {1, 2, 0, 0}, Slot::kB);
}

TEST_F(RecoveryPalTest, BeginsAnewAfterAPowerCutInItsDownload) {
  destroy_applications();
  erase_boot_control();
  boot_recovery();
  File file(image_1_2_0(), "AFR_OTA-rescue");
  ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
  ASSERT_EQ(device_.pal().write_block(&file.context, 0, std::span(file.content).first(256)), 256);
  boot_recovery();
  EXPECT_EQ(device_.pal().image_state(), OtaPalImageStateValid);
  expect_update_to(image_1_2_0(), {1, 2, 0, 0}, Slot::kB);
}

TEST_F(RecoveryPalTest, RunsAgainAfterATrialThatFailed) {
  destroy_applications();
  boot_recovery();
  File file(image_1_1_0(), "AFR_OTA-bad");
  receive(file);
  ASSERT_TRUE(device_.boot());
  ASSERT_TRUE(device_.is_trial());
  boot_recovery();
  EXPECT_EQ(device_.pal().image_state(), OtaPalImageStateInvalid) << "what was received last was rejected";
  expect_update_to(image_1_2_0(), {1, 2, 0, 0}, Slot::kB);
}

TEST_F(RecoveryPalTest, IsNeverOnTrialAndNeverWhatAJobBrought) {
  update_to_1_1_0();
  destroy_applications();
  boot_recovery();
  EXPECT_EQ(device_.pal().image_state(), OtaPalImageStateValid);
  EXPECT_FALSE(device_.pal().is_committed_job("AFR_OTA-u1")) << "the record's image does not run";
  EXPECT_FALSE(device_.pal().is_committed_job(""));
  EXPECT_EQ(device_.pal().set_image_state(nullptr, OtaImageStateAccepted),
            OTA_PAL_COMBINE_ERR(OtaPalCommitFailed, static_cast<std::uint32_t>(pal::Reason::kNotOnTrial)));
  EXPECT_EQ(device_.pal().set_image_state(nullptr, OtaImageStateRejected), 0U);
  EXPECT_EQ(main_of(device_.pal().activate()), OtaPalActivateFailed);
  boot_recovery();
}

TEST_F(RecoveryPalTest, LetsNothingInThatIsOlderThanTheFloor) {
  const Bytes newer = build_image({.version = {1, 1, 0, 0}, .security_counter = 3}, image_signer());
  expect_update_to(newer, {1, 1, 0, 0}, Slot::kB);
  destroy_applications();
  erase_boot_control();
  boot_recovery();
  File older(build_image({.version = {1, 2, 0, 0}, .security_counter = 2}, image_signer()));
  receive(older);
  EXPECT_EQ(
      device_.pal().activate(),
      OTA_PAL_COMBINE_ERR(OtaPalActivateFailed, static_cast<std::uint32_t>(VerifyStatus::kCounterTooLow)));
  boot_recovery();
}

TEST_F(RecoveryPalTest, DoesNotInstallItselfAsTheApplication) {
  destroy_applications();
  boot_recovery();
  File file(recovery_image());
  receive(file);
  EXPECT_EQ(device_.pal().activate(),
            OTA_PAL_COMBINE_ERR(OtaPalActivateFailed, static_cast<std::uint32_t>(VerifyStatus::kWrongKind)));
  boot_recovery();
}

TEST_F(RecoveryPalTest, CannotTouchTheSlotItStandsIn) {
  destroy_applications();
  boot_recovery();
  EXPECT_EQ(device_.flash().erase_sector(flash::kRecovery.offset), flash::Status::kProtected);
}

}  // namespace
}  // namespace pal_test
