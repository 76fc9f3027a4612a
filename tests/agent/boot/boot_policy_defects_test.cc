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

}  // namespace
