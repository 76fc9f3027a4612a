// Power is cut in every flash operation of the boots that write. However often it fails, the device converges
// and never starts what it must not.
#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "tests/agent/boot/boot_policy_fixture.h"

namespace {

using namespace boot_test;

/// Cuts power before, in and after every flash operation of a step, and looks what the next boots do. Cuts at
/// every byte are boot_control_test's; here each case costs several signature checks.
class PowerCutTest : public BootPolicyTest {
 protected:
  void save() { saved_ = snapshot(); }

  /// @param step     what power is cut in; starts from the saved flash each time
  /// @param recover  boots the device and checks it
  void cut_everywhere(const std::function<void()>& step, const std::function<void()>& recover) {
    for (std::uint32_t operation = 1;; ++operation) {
      for (const std::uint32_t bytes : {0U, 100U, flash::kControllerPart.sector_size}) {
        restore(saved_);
        flash().model().cut_power_at({flash().model().sequence() + operation, bytes});
        step();
        const bool was_cut = !flash().model().powered();
        flash().model().power_on();
        if (!was_cut) {
          EXPECT_GT(operation, 1U) << "the step writes nothing";
          return;
        }
        recover();
        ASSERT_FALSE(HasFailure()) << "operation " << operation << " byte " << bytes << "\n" << console_;
      }
    }
  }

 private:
  /// The parts of the window that a boot can change.
  static constexpr std::array<std::array<std::uint32_t, 2>, 4> kChanging{
      {{0, kBothPartitions},
       {flash::kSlotA.offset, flash::kControllerPart.sector_size},
       {flash::kSlotB.offset, flash::kControllerPart.sector_size},
       {flash::kOtpOffset, flash::kWindowSize - flash::kOtpOffset}}};

  static std::vector<Bytes> snapshot() {
    std::vector<Bytes> parts;
    for (const auto& [offset, size] : kChanging) {
      const auto part = flash().window().subspan(offset, size);
      parts.emplace_back(part.begin(), part.end());
    }
    return parts;
  }
  static void restore(const std::vector<Bytes>& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      std::copy(parts[i].begin(), parts[i].end(), flash().window().begin() + kChanging[i][0]);
    }
  }

  std::vector<Bytes> saved_;

 protected:
  std::uint32_t second_cut_ = 0;
};

TEST_F(PowerCutTest, FirstBootConverges) {
  write(Slot::kA, image_1());
  save();
  cut_everywhere([&] { boot_up(); },
                 [&] {
                   expect_runs(boot_up(), Slot::kA, image_1());
                   expect_runs(boot_up(), Slot::kA, image_1());
                   EXPECT_EQ(state().committed_slot, Slot::kA);
                   EXPECT_EQ(floor_now(), 1U);
                 });
}

TEST_F(PowerCutTest, TrialIsStartedAtMostOnce) {
  make_device();
  stage(image_2());
  save();
  cut_everywhere([&] { boot_up(); },
                 [&] {
                   int trials = 0;
                   for (int boots = 0; boots < 3; ++boots) {
                     const BootDecision decision = boot_up();
                     ASSERT_EQ(decision.start, Verdict::kYes);
                     trials += decision.is_trial() ? 1 : 0;
                   }
                   EXPECT_LE(trials, 1);
                   expect_runs(boot_up(), Slot::kA, image_1());
                   EXPECT_EQ(state().staged_state, StagedState::kRejected);
                 });
}

TEST_F(PowerCutTest, RejectionConverges) {
  make_device();
  stage(image_2());
  ASSERT_TRUE(boot_up().is_trial());
  save();
  cut_everywhere([&] { boot_up(); },
                 [&] {
                   expect_runs(boot_up(), Slot::kA, image_1());
                   EXPECT_EQ(state().staged_state, StagedState::kRejected);
                 });
}

TEST_F(PowerCutTest, AcceptanceIsAllOrNothing) {
  make_device();
  stage(image_2());
  ASSERT_TRUE(boot_up().is_trial());
  save();
  cut_everywhere([&] { static_cast<void>(accept_trial()); },
                 [&] {
                   const BootDecision decision = boot_up();
                   ASSERT_EQ(decision.start, Verdict::kYes);
                   EXPECT_FALSE(decision.is_trial());
                   const bool accepted = decision.slot == Slot::kB;
                   for (int boots = 0; boots < 2; ++boots) {
                     expect_runs(boot_up(), accepted ? Slot::kB : Slot::kA, accepted ? image_2() : image_1());
                   }
                   EXPECT_EQ(state().committed_slot, accepted ? Slot::kB : Slot::kA);
                   EXPECT_EQ(floor_now(), accepted ? 2U : 1U);
                 });
}

TEST_F(PowerCutTest, CommitIsFinishedAtTheNextBoot) {
  make_device();
  stage(image_2());
  ASSERT_TRUE(boot_up().is_trial());
  ASSERT_EQ(accept_trial(), Status::kOk);
  save();
  cut_everywhere([&] { boot_up(); },
                 [&] {
                   expect_runs(boot_up(), Slot::kB, image_2());
                   EXPECT_EQ(state().committed_slot, Slot::kB);
                   EXPECT_EQ(state().staged_state, StagedState::kEmpty);
                   EXPECT_EQ(floor_now(), 2U);
                   EXPECT_EQ(flash().window()[flash::kSlotA.offset], 0xFF);
                 });
}

TEST_F(PowerCutTest, CommitIsFinishedEvenIfTheBootAfterIsCutToo) {
  make_device();
  stage(image_2());
  ASSERT_TRUE(boot_up().is_trial());
  ASSERT_EQ(accept_trial(), Status::kOk);
  save();
  cut_everywhere([&] { boot_up(); },
                 [&] {
                   // The second cut strikes a few operations into the recovery, a different one each time.
                   const std::uint32_t operation = ++second_cut_ % 7;
                   flash().model().cut_power_at({flash().model().sequence() + operation, 50});
                   boot_up();
                   flash().model().power_on();
                   expect_runs(boot_up(), Slot::kB, image_2());
                   EXPECT_EQ(state().committed_slot, Slot::kB);
                   EXPECT_EQ(floor_now(), 2U);
                 });
}

}  // namespace
