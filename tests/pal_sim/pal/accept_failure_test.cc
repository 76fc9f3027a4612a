// Flash that fails while an image accepts itself: what the agent was told is what the device does.
// CommitFailed ends the job as failed, so an image that was refused like that must never be committed; one
// that was accepted must be. Where neither can be made sure of, the device restarts before it has told
// anybody anything.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "agent/boot/boot_control.h"
#include "pal_sim/flash/flash_map.h"
#include "tests/agent/boot/journal_bytes.h"
#include "tests/pal_sim/pal/device.h"
#include "tests/pal_sim/pal/faulty_flash.h"

namespace pal_test {
namespace {

using boot::image::Version;

constexpr Version kNew{1, 1, 0, 0};
constexpr std::uint32_t kJournalSize = boot_test::kBothPartitions;

/// Which operations fail, counted from the beginning of the acceptance (1), and how.
struct Failures {
  std::uint32_t first = 1;
  std::uint32_t count = 1;
  std::uint32_t stride = 1;
  std::uint32_t bytes = 0;           ///< that each of them still applies
  std::uint32_t marginal_bytes = 0;  ///< that each of them leaves marginal after those
  bool is_silent = false;
  std::uint32_t begin = 0;  ///< only operations in [begin, end) of the part
  std::uint32_t end = kJournalSize;

  [[nodiscard]] std::string text() const {
    return std::to_string(count) + " failures from operation " + std::to_string(first) + ", every " +
           std::to_string(stride) + ", " + std::to_string(bytes) + " bytes, " +
           std::to_string(marginal_bytes) + " marginal, " + (is_silent ? "silent" : "reported") +
           ", from offset " + std::to_string(begin);
  }
};

/// Enough for every operation of an acceptance that goes wrong, and of what follows it.
constexpr std::uint32_t kWithoutEnd = 100;

class AcceptFailure : public testing::Test {
 protected:
  enum class Told { kAccepted, kFailed, kNothing };

  void SetUp() override {
    File file(image_1_1_0());
    ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
    ASSERT_TRUE(write_all(device_.pal(), file));
    ASSERT_EQ(device_.pal().close_file(&file.context), 0U);
    ASSERT_TRUE(device_.boot());
    ASSERT_TRUE(device_.is_trial());
    const auto journal = device_.flash().window().first(kJournalSize);
    journal_on_trial_.assign(journal.begin(), journal.end());
    cells_on_trial_ = device_.model().cell_state();
  }

  /// The device as it was when the trial began. A commit made the old image unbootable.
  void restore_trial() {
    std::ranges::copy(journal_on_trial_, device_.flash().window().begin());
    std::ranges::copy(image_1_0_0(), device_.slot(boot::Slot::kA).begin());
    // Each case draws anew what marginal cells read.
    cells_on_trial_.power_ons += kPowerOnsOfACase;
    device_.model().set_cell_state(cells_on_trial_);
    device_.model().power_on();
  }

  void plan(const Failures& failures) {
    for (std::uint32_t i = 0; i < failures.count; ++i) {
      device_.model().plan_failure(
          {.operation = device_.model().sequence() + failures.first + i * failures.stride,
           .begin = failures.begin,
           .end = failures.end,
           .bytes = failures.bytes,
           .marginal_bytes = failures.marginal_bytes,
           .is_silent = failures.is_silent});
    }
  }

  /// What the agent learns. A device that restarts itself learns nothing.
  Told accept(flash::FlashDriver& part) {
    boot::BootInfo boot_info{};
    boot_info.slot = boot::Slot::kB;
    boot_info.image_state = boot::ImageState::kTrial;
    int resets = 0;
    const auto count = [](void* context) { ++*static_cast<int*>(context); };
    const pal::Platform sound = device_.platform(boot_info, {count, &resets});
    boot::LocalUpdateService updates(part);
    pal::Pal pal({.flash = part,
                  .updates = updates,
                  .settings = sound.settings,
                  .boot_info = boot_info,
                  .code_signing_root = sound.code_signing_root,
                  .load_region = sound.load_region,
                  .reset = sound.reset});
    if (pal.start() != flash::Status::kOk) return Told::kNothing;
    const OtaPalStatus_t status = pal.set_image_state(nullptr, OtaImageStateAccepted);
    if (status == 0) return Told::kAccepted;
    EXPECT_EQ(main_of(status), OtaPalCommitFailed);
    if (resets > 0) return Told::kNothing;
    EXPECT_EQ(pal.image_state(), OtaPalImageStateInvalid) << "the agent gives the image up";
    return Told::kFailed;
  }

  void expect_the_truth(Told told) {
    ++(told == Told::kAccepted ? accepted_ : told == Told::kFailed ? failed_ : restarted_);
    ASSERT_TRUE(device_.boot());
    const bool is_committed = device_.version() == kNew;
    EXPECT_FALSE(device_.is_trial()) << "there is one attempt";
    if (told == Told::kAccepted) {
      EXPECT_TRUE(is_committed);
    }
    if (told == Told::kFailed) {
      EXPECT_FALSE(is_committed);
    }
    EXPECT_EQ(device_.pal().is_committed_job("AFR_OTA-u1"), is_committed);
    ASSERT_TRUE(device_.boot());
    EXPECT_EQ(device_.version() == kNew, is_committed) << "repeated boots agree";
  }

  /// @returns false if none of the planned failures was reached
  bool run(const Failures& failures) {
    SCOPED_TRACE(failures.text());
    restore_trial();
    plan(failures);
    const std::uint32_t first = device_.model().sequence() + failures.first;
    const Told told = accept(device_.flash());
    device_.model().forget_failures();
    const bool was_reached = device_.model().sequence() >= first;
    expect_the_truth(told);
    return was_reached;
  }

  /// Lets the failures begin at each operation in turn, until the acceptance ends before they do.
  void sweep(Failures failures) {
    for (failures.first = 1; run(failures); ++failures.first) {
      ASSERT_LT(failures.first, kWithoutEnd);
      if (HasFailure()) return;
    }
    EXPECT_GT(failures.first, 4U) << "a sector is opened, and three records are written";
  }

  static constexpr std::uint32_t kPowerOnsOfACase = 4;

  Device device_;
  Bytes journal_on_trial_;
  flash::CellState cells_on_trial_;
  int accepted_ = 0;
  int failed_ = 0;
  int restarted_ = 0;
};

constexpr std::uint32_t kHalfAPage = flash::kPageSize / 2;

TEST_F(AcceptFailure, OfOneOperationIsToldAsItIs) {
  for (const std::uint32_t bytes : {0U, kHalfAPage, flash::kControllerPart.sector_size}) {
    sweep({.bytes = bytes});
    sweep({.bytes = bytes, .marginal_bytes = flash::kControllerPart.sector_size});
    if (bytes != flash::kControllerPart.sector_size) sweep({.bytes = bytes, .is_silent = true});
    if (HasFailure()) return;
  }
  EXPECT_GT(accepted_, 0) << "a failed program is made good";
  EXPECT_GT(failed_, 0) << "a failed erase is not";
}

/// A part that says that it failed, and did all of it: the record and its confirmations stand.
TEST_F(AcceptFailure, OfSomeOperationsIsToldAsItIs) {
  for (const std::uint32_t bytes : {0U, kHalfAPage, flash::kControllerPart.sector_size}) {
    for (const std::uint32_t stride : {1U, 2U, 3U}) {
      for (const std::uint32_t count : {2U, 3U, 4U, 6U}) {
        sweep({.count = count, .stride = stride, .bytes = bytes});
        sweep({.count = count,
               .stride = stride,
               .bytes = bytes,
               .marginal_bytes = flash::kControllerPart.sector_size});
        if (HasFailure()) return;
      }
    }
  }
  EXPECT_GT(accepted_, 0);
  EXPECT_GT(failed_, 0);
  EXPECT_GT(restarted_, 0);
}

TEST_F(AcceptFailure, ThatStaysIsNeverToldWrong) {
  for (const std::uint32_t bytes : {0U, kHalfAPage, flash::kControllerPart.sector_size}) {
    for (const std::uint32_t stride : {1U, 3U}) {
      sweep({.count = kWithoutEnd, .stride = stride, .bytes = bytes});
      sweep({.count = kWithoutEnd,
             .stride = stride,
             .bytes = bytes,
             .marginal_bytes = flash::kControllerPart.sector_size});
      if (bytes != flash::kControllerPart.sector_size) {
        sweep({.count = kWithoutEnd, .stride = stride, .bytes = bytes, .is_silent = true});
      }
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(restarted_, 0) << "nothing can be recorded any more";
}

TEST_F(AcceptFailure, OfAWornSectorIsNeverToldWrong) {
  for (const std::uint32_t sector : {flash::kBootControl0.offset, flash::kBootControl1.offset}) {
    for (const bool is_silent : {false, true}) {
      for (std::uint32_t first = 1; first < 12; ++first) {
        static_cast<void>(run({.first = first,
                               .count = kWithoutEnd,
                               .is_silent = is_silent,
                               .begin = sector,
                               .end = sector + flash::kControllerPart.sector_size}));
        if (HasFailure()) return;
      }
    }
  }
  EXPECT_GT(accepted_, 0);
  EXPECT_GT(failed_ + restarted_, 0);
}

TEST_F(AcceptFailure, OfReadingBackIsToldAsItIs) {
  for (std::uint32_t nth = 1; nth < kWithoutEnd; ++nth) {
    SCOPED_TRACE("read " + std::to_string(nth));
    restore_trial();
    FaultyFlash flash(device_.flash());
    flash.plan(Fault::kReadFails, nth);
    expect_the_truth(accept(flash));
    if (HasFailure() || !flash.has_struck()) break;
  }
  EXPECT_GT(failed_, 2) << "a read after each of the three records";
}

/// The case the others are about: the second confirmation fails each time, so that what stands would be
/// committed at the next boot.
TEST_F(AcceptFailure, WithARecordThatStandsIsTakenBack) {
  constexpr std::uint32_t kSecondConfirmation = 4;  // after the erase, the record and the first confirmation
  ASSERT_TRUE(run({.first = kSecondConfirmation, .count = boot::BootControl::kMaxWriteTries, .stride = 3}));
  EXPECT_EQ(failed_, 1);
}

}  // namespace
}  // namespace pal_test
