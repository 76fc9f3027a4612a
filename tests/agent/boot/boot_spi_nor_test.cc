// The boot policy on a part with 64 KiB sectors and without locks and fuses (emcraft-sf2).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agent/boot/boot_policy_fixture.h"

namespace boot_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kUnlocked = "boot: unlocked reason=part-has-no-locks\n";

class BootOnSpiNor : public BootPolicyTest {
 protected:
  void SetUp() override { begin_on(flash::kSpiNorPart); }
};

TEST_F(BootOnSpiNor, GoesOnWithoutLocksAndSaysSoOnce) {
  make_device();
  expect_runs(boot_up(), Slot::kA, image_1());
  const auto at = console_.find(kUnlocked);
  ASSERT_NE(at, std::string::npos) << console_;
  EXPECT_EQ(console_.find(kUnlocked, at + 1), std::string::npos) << console_;
  EXPECT_THAT(console_, Not(HasSubstr("boot: halt")));
}

TEST_F(BootOnSpiNor, TheOtherPartDoesNotSaySo) {
  begin_on(flash::kControllerPart);
  make_device();
  expect_runs(boot_up(), Slot::kA, image_1());
  EXPECT_THAT(console_, Not(HasSubstr("boot: unlocked")));
}

TEST_F(BootOnSpiNor, CommitsAnUpdateAndBurnsTheFloorInTheLastSector) {
  make_device();
  stage(image_2());
  expect_runs(boot_up(), Slot::kB, image_2(), true);
  ASSERT_EQ(accept_trial(), Status::kOk);
  expect_runs(boot_up(), Slot::kB, image_2());
  EXPECT_THAT(console_, HasSubstr("boot: commit slot=B version=1.1.0 counter=2 result=ok"));
  EXPECT_EQ(floor_now(), 2U);
  EXPECT_EQ(flash().window()[flash::kOtpOffset], 0x00) << "two steps of four bits";
  EXPECT_EQ(flash().window()[flash::kSlotA.offset], 0xFF) << "the old image cannot start again";
}

TEST_F(BootOnSpiNor, AnOlderImageStaysOutOnceTheFloorIsBurned) {
  make_device();
  stage(image_2());
  ASSERT_TRUE(boot_up().is_trial());
  ASSERT_EQ(accept_trial(), Status::kOk);
  ASSERT_EQ(boot_up().start, Verdict::kYes);
  // Somebody puts the old image back everywhere, and the journal is gone.
  std::fill_n(flash().window().begin(), kBothPartitions, std::uint8_t{0xFF});
  write(Slot::kA, image_1());
  write(Slot::kB, image_1());
  EXPECT_EQ(boot_up().start, Verdict::kNo);
  EXPECT_THAT(console_, HasSubstr("result=counter-too-low"));
}

/// Every step from the acceptance to the commit, cut at places in every operation.
TEST_F(BootOnSpiNor, ACommitThatIsCutIsFinishedAtTheNextBoot) {
  make_device();
  stage(image_2());
  ASSERT_TRUE(boot_up().is_trial());
  ASSERT_EQ(accept_trial(), Status::kOk);
  const Bytes accepted(flash().window().begin(), flash().window().end());
  for (std::uint32_t operation = 1;; ++operation) {
    for (const std::uint32_t bytes : {0U, 1U, 100U, 0x1000U, 0x1'0000U}) {
      std::copy(accepted.begin(), accepted.end(), flash().window().begin());
      flash().model().set_cell_state({});
      flash().model().power_on();
      flash().model().cut_power_at(
          {.operation = flash().model().sequence() + operation, .bytes = bytes, .marginal_bytes = 0x1'0000});
      console_.clear();
      static_cast<void>(boot::decide(environment(flash())));
      const bool was_cut = !flash().model().powered();
      flash().model().power_on();
      if (!was_cut) {
        EXPECT_GT(operation, 4U) << "a commit burns, erases and records";
        return;
      }
      expect_runs(boot_up(), Slot::kB, image_2());
      expect_runs(boot_up(), Slot::kB, image_2());
      EXPECT_EQ(floor_now(), 2U);
      EXPECT_EQ(state().committed_slot, Slot::kB);
      EXPECT_EQ(state().staged_state, StagedState::kEmpty);
      ASSERT_FALSE(HasFailure()) << "operation " << operation << " byte " << bytes << "\n" << console_;
    }
  }
}

}  // namespace
}  // namespace boot_test
