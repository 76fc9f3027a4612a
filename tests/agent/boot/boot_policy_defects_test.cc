// Defects that random histories found (boot_history_property_test.cc), each as the shortest story of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/boot/key_revocation.h"
#include "tests/agent/boot/boot_policy_fixture.h"

namespace {

using namespace boot_test;
using testing::HasSubstr;

class BootPolicyDefectsTest : public BootPolicyTest {
 protected:
  void SetUp() override {
    BootPolicyTest::SetUp();
    flash().model().forget_failures();
  }
  void TearDown() override { flash().model().forget_failures(); }

  static std::uint32_t revoked_now() {
    std::uint32_t revoked = 0;
    EXPECT_EQ(boot::read_revoked(flash(), revoked), Status::kOk);
    return revoked;
  }
};

TEST_F(BootPolicyDefectsTest, AFactoryImageRevokesToo) {
  const Bytes image =
      build_image({.more_protected = {{boot::image::kTlvRevokedKeys, little_endian(0b10)}}}, signer());
  write(Slot::kA, image);
  expect_runs(boot_up(), Slot::kA, image);
  EXPECT_EQ(revoked_now(), 0b10U);
}

/// The factory image's record failed, the application started a download all the same, and what came was
/// rejected. The factory image is still there.
TEST_F(BootPolicyDefectsTest, ARejectedUpdateWithoutACommittedImageLeavesTheFactoryImage) {
  write(Slot::kA, image_1());
  flash().model().plan_failure({.kind = flash::OpKind::kProgram});
  expect_runs(boot_up(), Slot::kA, image_1());
  EXPECT_THAT(console_, HasSubstr("boot: failure step=record-first-image"));
  flash().model().forget_failures();
  stage(image_2());
  ASSERT_EQ(state().committed_slot, Slot::kNone);
  expect_runs(boot_up(), Slot::kB, image_2(), true);
  expect_runs(boot_up(), Slot::kA, image_1());
  EXPECT_EQ(state().committed_slot, Slot::kA);
  EXPECT_EQ(state().staged_state, StagedState::kRejected);
  EXPECT_EQ(state().staged.job_id.view(), "job-1");
}

TEST_F(BootPolicyDefectsTest, TheStagedImageIsNoFactoryImage) {
  write(Slot::kA, image_1());
  flash().model().plan_failure({.kind = flash::OpKind::kProgram});
  expect_runs(boot_up(), Slot::kA, image_1());
  flash().model().forget_failures();
  stage(image_2());
  expect_runs(boot_up(), Slot::kB, image_2(), true);
  write(Slot::kA, Bytes(flash::kControllerPart.sector_size, 0xFF));
  EXPECT_EQ(boot_up().start, Verdict::kNo) << "a rejected image started as the factory's";
}

}  // namespace
