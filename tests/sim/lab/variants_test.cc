// Updates that go wrong by what they are: the demo application's variants and files of uncommon sizes,
// offered to a real device in QEMU. Each ends with the reason that belongs to it and with the previous image
// running.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "pal_sim/flash/flash_map.h"
#include "sim/lab/variants.h"
#include "tests/sim/lab/one_device_lab.h"

namespace otasim::lab {
namespace {

using cloud::ExecutionStatus;
using cloud::ThingName;
using testing::HasSubstr;

class VariantsTest : public OneDeviceLab {
 protected:
  void SetUp() override {
    start_lab();
    power_on();
    ASSERT_TRUE(says("no job waiting"));
  }

  void offer(const Bytes& file) {
    const auto object = lab->cloud().objects().put("otasim", "update", file);
    ASSERT_TRUE(object);
    const auto update =
        lab->cloud().ota_updates().create({.id = cloud::OtaUpdateId::trusted("update"),
                                           .targets = {ThingName::trusted(kThing)},
                                           .files = {{.file_name = "/update.img",
                                                      .location = object->location,
                                                      .code_signing = cloud::LabSigning{kCodeSignerName}}}});
    ASSERT_TRUE(update);
    job = update->job_id;
  }
  void offer_variant(const char* variant) { offer(firmware({.variant = variant, .version = "1.1.0"})); }

  [[nodiscard]] cloud::ExecutionState execution() {
    return lab->cloud().jobs().execution(*job, ThingName::trusted(kThing)).value().state;
  }
  [[nodiscard]] testing::AssertionResult ends_as(ExecutionStatus status, const std::string& reason) {
    const bool is_over = wait_for([this] { return cloud::is_terminal(execution().status); });
    if (is_over && execution().status == status && execution().details["reason"] == reason) {
      return testing::AssertionSuccess();
    }
    return failure() << "the job is " << cloud::to_string(execution().status) << ", "
                     << execution().details["reason"];
  }
  /// The trial was ended, and 1.0.0 is back and connected.
  void expect_back(const char* reset_reason) {
    using std::string;
    EXPECT_TRUE(says("boot: reset board=" + test::board_name() + " reason=" + reset_reason));
    EXPECT_TRUE(says(string("app: otasim demo 1.0.0, slot A, committed, reset: ") + reset_reason));
    EXPECT_TRUE(wait_for([this] { return lab->is_connected(kThing); })) << failure().message();
  }

  std::optional<cloud::JobId> job;
};

/// Those that only a limit ends: the trial's deadline, a minute, or the time an image has to connect.
class SlowVariantsTest : public VariantsTest {};

TEST_F(VariantsTest, ACrashIsAResetAndTheImageBeforeReportsIt) {
  offer_variant("crash");
  EXPECT_TRUE(ends_as(ExecutionStatus::kFailed, "rejected: 0x00000010"));
  expect_back("software");
  EXPECT_TRUE(has_said("board: fault at pc"));
  EXPECT_FALSE(has_said("app: otasim demo 1.1.0")) << "it came that far";
}

TEST_F(VariantsTest, AFailedSelfTestIsReportedByTheImageThatFailedIt) {
  offer_variant("failed-self-test");
  EXPECT_TRUE(ends_as(ExecutionStatus::kFailed, "rejected: 0x00000000"));
  expect_back("software");
  EXPECT_TRUE(has_said("app: self test failed: a sensor of this image's does not answer"));
}

TEST_F(SlowVariantsTest, AHangInTheSelfTestIsEndedByTheWatchdog) {
  offer_variant("hang");
  EXPECT_TRUE(ends_as(ExecutionStatus::kFailed, "rejected: 0x0000000f"))
      << "the job says that 1.1.0 was at it: 1.0.0 is a downgrade";
  expect_back("watchdog");
  EXPECT_TRUE(has_said("app: self test hangs"));
}

TEST_F(SlowVariantsTest, AHangAtBootIsEndedByTheWatchdog) {
  offer_variant("hang-at-boot");
  EXPECT_TRUE(ends_as(ExecutionStatus::kFailed, "rejected: 0x00000010"));
  expect_back("watchdog");
  EXPECT_TRUE(has_said("app: otasim demo that hangs 1.1.0, slot B, on trial"));
}

TEST_F(SlowVariantsTest, AnImageThatCannotConnectGivesUp) {
  offer_variant("no-connection");
  EXPECT_TRUE(ends_as(ExecutionStatus::kFailed, "rejected: 0x00000010"));
  expect_back("software");
  EXPECT_TRUE(has_said("app: cannot connect to wrong-endpoint.invalid"));
}

TEST_F(VariantsTest, AnImageOfExactlyTheSlotsSizeIsInstalledAndRuns) {
  const Bytes image = firmware({.version = "1.1.0", .total_bytes = flash::kSlotSize});
  ASSERT_EQ(image.size(), flash::kSlotSize);
  offer(image);
  EXPECT_TRUE(ends_as(ExecutionStatus::kSucceeded, "accepted  v1.1.0"));
  EXPECT_TRUE(has_said("boot: start slot=B version=1.1.0 state=trial"));
  const auto slot = device->flash().subspan(flash::kSlotB.offset, flash::kSlotB.size);
  EXPECT_TRUE(std::ranges::equal(image, slot)) << "to the last byte";
}

TEST_F(VariantsTest, AFileOfOneByteIsNoImage) {
  offer(make_no_image(1));
  EXPECT_TRUE(ends_as(ExecutionStatus::kFailed, "rejected: 0xec000002"))
      << "OtaPalActivateFailed, boot::image::VerifyStatus::kNoImage";
  EXPECT_FALSE(has_said("reason=software")) << "nothing to restart for";
}

TEST(Variants, AnImageOfOneByteMoreThanASlotIsNotMade) {
  const auto products = BuildProducts::find(test::board_name()).value();
  const auto image = make_firmware({.version = "1.1.0", .total_bytes = flash::kSlotSize + 1},
                                   test::board_under_test(), products);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().code, ExitCode::kUsage);
}

TEST(Variants, AnUnknownOneIsToldWithThoseThereAre) {
  const auto products = BuildProducts::find(test::board_name()).value();
  const auto image =
      make_firmware({.variant = "slow", .version = "1.1.0"}, test::board_under_test(), products);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().code, ExitCode::kUsage);
  for (const Variant& variant : variants()) {
    EXPECT_THAT(image.error().hint, HasSubstr(std::string(variant.name)));
    EXPECT_TRUE(find_variant(variant.name, test::board_name())) << variant.name;
  }
}

}  // namespace
}  // namespace otasim::lab
