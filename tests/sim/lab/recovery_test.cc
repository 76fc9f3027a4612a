// The fail-safe mode, end to end: a real device whose application slots the host destroys. Its recovery image
// comes up, connects, and an ordinary update job brings the device back to health; nothing else gets in.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "agent/boot/image.h"
#include "pal_sim/flash/flash_map.h"
#include "sim/image/image.h"
#include "sim/scenario/oracle.h"
#include "tests/sim/lab/one_device_lab.h"

namespace otasim::lab {
namespace {

using boot::image::Kind;
using boot::image::VerifyStatus;
using cloud::ExecutionStatus;
using cloud::ThingName;

/// How both application slots are destroyed.
enum class Damage {
  kErased,   ///< as by an eraser
  kFlipped,  ///< one bit in each image
};

/// Of a job whose file is not activated: OtaPalActivateFailed, and why.
std::string reason_of(VerifyStatus why) {
  return fmt::format("rejected: 0xec{:06x}", static_cast<unsigned>(why));
}

class RecoveryTest : public OneDeviceLab {
 protected:
  void SetUp() override { start_services(); }

  // The device.

  void make_recoverable_device() {
    make_device(make_recovery_image(test::board_under_test(), products).value());
  }

  [[nodiscard]] Bytes firmware(const char* version, std::uint32_t security_counter = 1) const {
    return OneDeviceLab::firmware({.version = version, .security_counter = security_counter});
  }

  /// A device that was updated once: the committed image stands in slot B.
  void make_updated_device(std::uint32_t security_counter = 1) {
    make_recoverable_device();
    power_on();
    ASSERT_TRUE(says("no job waiting"));
    offer("u1", firmware("1.1.0", security_counter));
    ASSERT_TRUE(ends_as(ExecutionStatus::kSucceeded));
    ASSERT_TRUE(says("update complete, running 1.1.0"));
    restart_into("slot B, committed");
  }
  /// The commit itself is made at the next boot.
  void restart_into(const char* what) {
    device->cut();
    power_on();
    ASSERT_TRUE(says(what));
  }

  // What the host does to it while it is off.

  [[nodiscard]] std::span<std::uint8_t> flash_of(const flash::Partition& partition) {
    return flash_file().bytes().subspan(partition.offset, partition.size);
  }
  flash_file::FlashFile& flash_file() {
    if (!file) file = flash_file::FlashFile::open(folder.file("flash.bin")).value();
    return *file;
  }
  void destroy(const flash::Partition& slot, Damage damage) {
    constexpr std::size_t kSomewhere = 0x1000;
    if (damage == Damage::kErased) {
      std::ranges::fill(flash_of(slot), std::uint8_t{0xFF});
    } else {
      flash_of(slot)[kSomewhere] ^= 0x04;
    }
  }
  void destroy_applications(Damage damage = Damage::kErased) {
    device->cut();
    destroy(flash::kSlotA, damage);
    destroy(flash::kSlotB, damage);
  }
  void erase_boot_control() {
    for (const auto& sector : {flash::kBootControl0, flash::kBootControl1}) {
      std::ranges::fill(flash_of(sector), std::uint8_t{0xFF});
    }
  }

  // The cloud.

  void offer(const char* id, const Bytes& file_content) {
    const auto object = lab->cloud().objects().put("otasim", id, file_content);
    ASSERT_TRUE(object);
    const auto update =
        lab->cloud().ota_updates().create({.id = cloud::OtaUpdateId::trusted(id),
                                           .targets = {ThingName::trusted(kThing)},
                                           .files = {{.file_name = "/update.img",
                                                      .location = object->location,
                                                      .code_signing = cloud::LabSigning{kCodeSignerName}}}});
    ASSERT_TRUE(update);
    job = update->job_id;
  }
  [[nodiscard]] cloud::ExecutionState execution() {
    return lab->cloud().jobs().execution(*job, ThingName::trusted(kThing)).value().state;
  }
  [[nodiscard]] testing::AssertionResult ends_as(ExecutionStatus status) {
    const bool is_over = wait_for([this] { return cloud::is_terminal(execution().status); });
    if (is_over && execution().status == status) return testing::AssertionSuccess();
    return failure() << "the job is " << cloud::to_string(execution().status);
  }
  [[nodiscard]] std::string reason() { return execution().details["reason"]; }

  // What must hold.

  void expect_recovery_runs() {
    power_on();
    ASSERT_TRUE(says("boot: start slot=recovery version=0.0.1 state=recovery"));
    EXPECT_TRUE(says("app: otasim recovery 0.0.1, slot recovery, recovery, reset: power-on"));
    EXPECT_TRUE(says("this is the recovery image, which can only update the device"));
    EXPECT_TRUE(device->is_in_recovery());
    const auto approved = scenario::approved_image(device->flash(), key());
    EXPECT_FALSE(approved);
    const auto fail_safe = scenario::fail_safe_image(device->flash(), key());
    EXPECT_TRUE(fail_safe) << fail_safe.error().message;
  }
  /// A job brings 1.2.0 into `slot`, and the device lives on with it.
  void expect_rescued(const char* slot, boot::Slot where) {
    if (!job || cloud::is_terminal(execution().status)) offer("rescue", firmware("1.2.0"));
    ASSERT_TRUE(
        says(std::string("app: otasim demo 1.2.0, slot ") + slot + ", on trial, attempt 1, reset: software"));
    ASSERT_TRUE(ends_as(ExecutionStatus::kSucceeded));
    EXPECT_EQ(reason(), "accepted  v1.2.0");
    ASSERT_TRUE(says("update complete, running 1.2.0"));
    EXPECT_FALSE(device->is_in_recovery());

    device->cut();
    power_on();
    ASSERT_TRUE(says(std::string("boot: commit slot=") + slot + " version=1.2.0"));
    ASSERT_TRUE(says(std::string("app: otasim demo 1.2.0, slot ") + slot + ", committed, reset: power-on"));
    ASSERT_TRUE(says("no job waiting"));
    EXPECT_FALSE(has_said("slot=recovery")) << "recovery is not even looked at";
    const auto approved = scenario::approved_image(device->flash(), key());
    ASSERT_TRUE(approved) << approved.error().message;
    EXPECT_EQ(approved->slot, where);
    EXPECT_EQ(approved->standing, "committed");
  }
  /// A job's file is not installed, and the recovery image runs on.
  void expect_refused(const char* id, const Bytes& file_content, VerifyStatus why) {
    offer(id, file_content);
    ASSERT_TRUE(ends_as(ExecutionStatus::kFailed));
    EXPECT_EQ(reason(), reason_of(why));
    EXPECT_TRUE(device->is_in_recovery());
    EXPECT_FALSE(scenario::approved_image(device->flash(), key()));
  }
  [[nodiscard]] crypto::P256Key key() const {
    return crypto::P256Key::load_private(products.boot_signing_key).value();
  }

  std::optional<flash_file::FlashFile> file;
  std::optional<cloud::JobId> job;
};

class RecoveryAfter : public RecoveryTest, public testing::WithParamInterface<Damage> {};

TEST_P(RecoveryAfter, AnUpdateJobBringsTheDeviceBackToHealth) {
  make_updated_device();
  destroy_applications(GetParam());
  expect_recovery_runs();
  expect_rescued("A", boot::Slot::kA);
}

INSTANTIATE_TEST_SUITE_P(BothSlots, RecoveryAfter, testing::Values(Damage::kErased, Damage::kFlipped),
                         [](const auto& tested) {
                           return tested.param == Damage::kErased ? "Erased" : "WithOneBitFlipped";
                         });

TEST_F(RecoveryTest, NeedsNoBootRecord) {
  make_updated_device();
  destroy_applications();
  erase_boot_control();
  expect_recovery_runs();
  expect_rescued("B", boot::Slot::kB);
}

TEST_F(RecoveryTest, SurvivesAPowerCutInItsDownload) {
  make_updated_device();
  destroy_applications();
  expect_recovery_runs();
  Bytes image = firmware("1.2.0");
  // No two signatures are alike; one in 256 images ends as erased flash does.
  while (image.back() == 0xFF) image = firmware("1.2.0");
  offer("rescue", image);
  // The header is there, and the last byte, which no erased flash has, is not.
  const auto slot = flash_of(flash::kSlotA);
  ASSERT_TRUE(wait_for([&] { return slot[0] == image[0]; }));
  device->cut();
  ASSERT_NE(slot[image.size() - 1], image.back()) << "the power was cut too late";
  EXPECT_FALSE(cloud::is_terminal(execution().status));
  expect_recovery_runs();
  expect_rescued("A", boot::Slot::kA);
}

TEST_F(RecoveryTest, RunsAgainIfWhatItInstalledDoesNotBoot) {
  make_updated_device();
  destroy_applications();
  expect_recovery_runs();
  const auto stranger = crypto::P256Key::generate().value();
  const auto payload = Bytes(20'000, 0x42);
  const Bytes malicious =
      image::sign(payload, {.version = {1, 2, 0, 0}, .load_address = test::board_under_test().load_address},
                  stranger)
          .value();
  lines.clear();
  // A secure world verifies what was received before it is recorded.
  if (std::ranges::count(test::board_under_test().capabilities, "trustzone") != 0) {
    expect_refused("malicious", malicious, VerifyStatus::kUnknownKey);
    return expect_rescued("A", boot::Slot::kA);
  }
  offer("malicious", malicious);
  ASSERT_TRUE(says("boot: verify slot=A result=unknown-key"));
  ASSERT_TRUE(ends_as(ExecutionStatus::kFailed));
  EXPECT_EQ(reason(), "rejected: 0x00000010") << "the version that fetched it still runs";
  lines.clear();
  ASSERT_TRUE(says("app: otasim recovery 0.0.1, slot recovery, recovery, reset: software"));
  expect_rescued("A", boot::Slot::kA);
}

TEST_F(RecoveryTest, OpensNoDoorToADowngrade) {
  make_updated_device(7);
  destroy_applications();
  erase_boot_control();
  expect_recovery_runs();
  expect_refused("downgrade", firmware("1.2.0", 6), VerifyStatus::kCounterTooLow);
}

TEST_F(RecoveryTest, ItsImageIsNeverInstalledAsAnApplication) {
  make_recoverable_device();
  power_on();
  ASSERT_TRUE(says("app: otasim demo 1.0.0, slot A, committed, reset: power-on"));
  const Bytes recovery_2_0_0 =
      make_firmware({.elf = products.recovery_elf, .version = "2.0.0", .kind = Kind::kRecovery},
                    test::board_under_test(), products)
          .value();
  offer("wrong-kind", recovery_2_0_0);
  ASSERT_TRUE(ends_as(ExecutionStatus::kFailed));
  EXPECT_EQ(reason(), reason_of(VerifyStatus::kWrongKind));
  EXPECT_EQ(device->running_version(), "1.0.0");
  restart_into("app: otasim demo 1.0.0, slot A, committed");

  destroy_applications();
  expect_recovery_runs();
  expect_refused("wrong-kind-again", recovery_2_0_0, VerifyStatus::kWrongKind);
}

TEST_F(RecoveryTest, WithoutItsImageTheDeviceHaltsAndTheJobWaits) {
  make_device({});
  power_on();
  ASSERT_TRUE(says("no job waiting"));
  destroy_applications();
  offer("u1", firmware("1.2.0"));
  power_on();
  ASSERT_TRUE(says("boot: halt reason=no-image-may-start"));
  EXPECT_FALSE(has_said("boot: start")) << "nothing runs that could connect or report";
  EXPECT_FALSE(scenario::fail_safe_image(device->flash(), key()));
  EXPECT_EQ(execution().status, ExecutionStatus::kQueued);
  EXPECT_FALSE(device->is_in_recovery());
}

}  // namespace
}  // namespace otasim::lab
