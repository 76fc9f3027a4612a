// Flash that fails: every single program, erase and read of an update, reported by the part or not, and
// sectors that are worn out. The PAL says what failed or makes up for it; a file it confirmed is a file that
// starts; and the device never stops starting a good image.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "pal_sim/pal/pal.h"
#include "tests/agent/boot/journal_bytes.h"
#include "tests/pal_sim/pal/device.h"
#include "tests/pal_sim/pal/faulty_flash.h"

namespace pal_test {
namespace {

using boot::image::Version;

constexpr Version kOld{1, 0, 0, 0};
constexpr Version kNew{1, 1, 0, 0};

class FlashFailure : public testing::Test {
 protected:
  /// What a whole update came to: Success once its file was closed well.
  struct Received {
    OtaPalStatus_t status = 0;
    bool was_write_refused = false;

    [[nodiscard]] bool is_confirmed() const { return status == 0 && !was_write_refused; }
  };

  /// A Pal of the same boot, above flash that may fail.
  pal::Pal& start_pal() {
    boot_info_.slot = boot::Slot::kA;
    const pal::Platform sound = device_.platform(boot_info_, {});
    updates_.emplace(flash_);
    pal_.emplace(pal::Platform{.flash = flash_,
                               .updates = *updates_,
                               .settings = sound.settings,
                               .boot_info = boot_info_,
                               .code_signing_root = sound.code_signing_root,
                               .load_region = sound.load_region,
                               .reset = {}});
    EXPECT_EQ(pal_->start(), flash::Status::kOk);
    return *pal_;
  }

  Received update(pal::Pal& pal) {
    File file(image_1_1_0());
    Received received{.status = pal.create_file(&file.context)};
    if (received.status != 0) {
      EXPECT_EQ(file.context.pFile, nullptr);
      return received;
    }
    received.was_write_refused = !write_all(pal, file);
    if (received.was_write_refused) {
      EXPECT_EQ(pal.abort(&file.context), 0U);
      return received;
    }
    received.status = pal.close_file(&file.context);
    EXPECT_EQ(file.context.pFile, nullptr);
    return received;
  }

  void expect_good_image(const Received& received) {
    flash_.heal();
    ASSERT_TRUE(device_.boot());
    EXPECT_EQ(device_.version(), received.is_confirmed() ? kNew : kOld);
    ASSERT_TRUE(device_.boot());
    EXPECT_EQ(device_.version(), kOld) << "nothing was accepted";
    EXPECT_TRUE(update(start_pal()).is_confirmed()) << "the next attempt works";
  }

  /// Updates once for each operation that can fail, until there is none left to strike.
  void sweep(Fault fault) {
    constexpr std::uint32_t kMaxOperations = 500;
    for (operations_ = 0; operations_ < kMaxOperations; ++operations_) {
      SCOPED_TRACE("operation " + std::to_string(operations_ + 1));
      device_.restore();
      std::ranges::fill(device_.slot(boot::Slot::kB).first(2 * flash::kControllerPart.sector_size),
                        std::uint8_t{0});
      pal::Pal& pal = start_pal();
      flash_.plan(fault, operations_ + 1);
      const Received received = update(pal);
      if (!flash_.has_struck()) return;
      if (!received.is_confirmed()) ++stopped_;
      expect_good_image(received);
      if (HasFailure()) return;
    }
    FAIL() << "no end after " << kMaxOperations << " operations";
  }

  OtaPalStatus_t create(pal::Pal& pal) {
    File file(image_1_1_0());
    return pal.create_file(&file.context);
  }

  Device device_;
  boot::BootInfo boot_info_{};
  FaultyFlash flash_{device_.flash()};
  std::optional<boot::LocalUpdateService> updates_;
  std::optional<pal::Pal> pal_;
  std::uint32_t operations_ = 0;  ///< that the last sweep struck
  std::uint32_t stopped_ = 0;     ///< updates that it stopped
};

OtaPalStatus_t with_flash(OtaPalMainStatus_t main, flash::Status status) {
  return OTA_PAL_COMBINE_ERR(main, status);
}

/// Programs of the file's pages stop the update; those of the journal are made good by it.
constexpr std::uint32_t kPagesOfTheFile = 23;
constexpr std::uint32_t kSectorsOfTheFile = 2;

TEST_F(FlashFailure, EveryProgramThatFails) {
  sweep(Fault::kProgramFails);
  EXPECT_EQ(stopped_, kPagesOfTheFile);
  EXPECT_GT(operations_, kPagesOfTheFile + 4);
}

TEST_F(FlashFailure, EveryProgramThatIsLost) {
  sweep(Fault::kProgramIsLost);
  EXPECT_EQ(stopped_, kPagesOfTheFile) << "found by reading back";
}

TEST_F(FlashFailure, EveryEraseThatFails) {
  sweep(Fault::kEraseFails);
  EXPECT_GE(stopped_, kSectorsOfTheFile);
  EXPECT_GT(operations_, kSectorsOfTheFile);
}

TEST_F(FlashFailure, EveryEraseThatIsLost) {
  sweep(Fault::kEraseIsLost);
  EXPECT_GE(stopped_, kSectorsOfTheFile) << "found by reading back";
}

TEST_F(FlashFailure, EveryReadThatFails) {
  sweep(Fault::kReadFails);
  EXPECT_GT(stopped_, kSectorsOfTheFile);
}

TEST_F(FlashFailure, AWornJournalIsBootInfoCreateFailed) {
  pal::Pal& pal = start_pal();
  flash_.wear(Fault::kProgramFails, flash::kBootControl0.offset, boot_test::kBothPartitions);
  EXPECT_EQ(create(pal), with_flash(OtaPalBootInfoCreateFailed, flash::Status::kProgramFailed));
  flash_.wear(Fault::kEraseFails, flash::kBootControl0.offset, boot_test::kBothPartitions);
  EXPECT_EQ(create(start_pal()), with_flash(OtaPalBootInfoCreateFailed, flash::Status::kEraseFailed));
  expect_good_image({.status = 1, .was_write_refused = false});
}

TEST_F(FlashFailure, AWornSectorOfTheSlotIsRxFileCreateFailed) {
  pal::Pal& pal = start_pal();
  flash_.wear(Fault::kEraseFails, flash::kSlotB.offset + flash::kControllerPart.sector_size,
              flash::kControllerPart.sector_size);
  EXPECT_EQ(create(pal), with_flash(OtaPalRxFileCreateFailed, flash::Status::kEraseFailed));
  expect_good_image({.status = 1, .was_write_refused = false});
}

TEST_F(FlashFailure, AFileThatCannotBeReadIsFileClose) {
  pal::Pal& pal = start_pal();
  File file(image_1_1_0());
  ASSERT_EQ(pal.create_file(&file.context), 0U);
  ASSERT_TRUE(write_all(pal, file));
  flash_.wear(Fault::kReadFails, flash::kSlotB.offset, flash::kControllerPart.sector_size);
  EXPECT_EQ(pal.close_file(&file.context), with_flash(OtaPalFileClose, flash::Status::kNoDevice));
  EXPECT_EQ(pal.image_state(), OtaPalImageStateInvalid);
  expect_good_image({.status = 1, .was_write_refused = false});
}

TEST_F(FlashFailure, ACounterFloorThatCannotBeReadStagesNothing) {
  pal::Pal& pal = start_pal();
  File file(image_1_1_0());
  ASSERT_EQ(pal.create_file(&file.context), 0U);
  ASSERT_TRUE(write_all(pal, file));
  flash_.plan(Fault::kOtpReadFails, 1);
  EXPECT_EQ(pal.close_file(&file.context),
            OTA_PAL_COMBINE_ERR(OtaPalFileClose, pal::Reason::kImageUnreadable));
  EXPECT_EQ(main_of(pal.activate()), OtaPalActivateFailed);
  expect_good_image({.status = 1, .was_write_refused = false});
}

TEST_F(FlashFailure, AVerifiedImageThatCannotBeRecordedIsFileClose) {
  pal::Pal& pal = start_pal();
  File file(image_1_1_0());
  ASSERT_EQ(pal.create_file(&file.context), 0U);
  ASSERT_TRUE(write_all(pal, file));
  flash_.wear(Fault::kProgramFails, flash::kBootControl0.offset, boot_test::kBothPartitions);
  EXPECT_EQ(main_of(pal.close_file(&file.context)), OtaPalFileClose);
  EXPECT_EQ(main_of(pal.activate()), OtaPalActivateFailed);
  EXPECT_EQ(main_of(pal.set_image_state(nullptr, OtaImageStateRejected)), OtaPalRejectFailed);
  EXPECT_EQ(main_of(pal.set_image_state(nullptr, OtaImageStateAborted)), OtaPalAbortFailed);
  expect_good_image({.status = 1, .was_write_refused = false});
}

}  // namespace
}  // namespace pal_test
