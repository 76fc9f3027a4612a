// Power fails in every flash operation of an update, at its beginning, in its middle and at its end, and
// leaves the cells it did not get to as they were or marginal: those read differently from one boot to the
// next. Whatever was being written, the device starts a good image, and an update whose acceptance was
// confirmed stays.
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "pal_sim/flash/flash_map.h"
#include "tests/pal_sim/pal/device.h"

namespace pal_test {
namespace {

using boot::image::Version;

constexpr Version kOld{1, 0, 0, 0};
constexpr Version kNew{1, 1, 0, 0};
constexpr Version kNewer{1, 2, 0, 0};

enum class Progress { kNothing, kReceived, kStarted, kAccepted };

/// A whole update, as far as power lasts.
Progress receive(Device& device, const Bytes& image, const std::string& job) {
  File file(image, job);
  pal::Pal& pal = device.pal();
  if (pal.create_file(&file.context) != 0 || !write_all(pal, file)) return Progress::kNothing;
  if (pal.close_file(&file.context) != 0) return Progress::kNothing;
  return Progress::kReceived;
}

Progress update(Device& device) {
  return receive(device, image_1_1_0(), "AFR_OTA-u1");
}

/// What a new image does when its self test has passed.
Progress accept(Device& device) {
  return device.pal().set_image_state(nullptr, OtaImageStateAccepted) == 0 ? Progress::kAccepted
                                                                           : Progress::kStarted;
}

/// What a cut does to its operation.
struct Tear {
  std::uint32_t bytes;           ///< still done
  std::uint32_t marginal_bytes;  ///< after those
  std::uint32_t luck;            ///< decides how marginal cells read
};
constexpr std::uint32_t kAll = flash::kControllerPart.sector_size;
constexpr std::uint32_t kHalfAPage = flash::kPageSize / 2;
constexpr std::uint32_t kLucks = 7;
constexpr std::array<Tear, 10> kTears{{{0, 0, 0},
                                       {1, 0, 0},
                                       {kHalfAPage, 0, 0},
                                       {kAll, 0, 0},
                                       {0, kAll, 1},
                                       {0, kAll, 2},
                                       {0, kAll, 3},
                                       {1, 40, 4},
                                       {kHalfAPage, kAll, 5},
                                       {flash::kPageSize - 4, kAll, 6}}};

class PowerCut : public testing::Test {
 protected:
  /// Calls `check` after a cut at each operation and byte count of `act`, always from the state `prepare`
  /// made.
  template <typename Prepare, typename Act, typename Check>
  void sweep(Prepare prepare, Act act, Check check) {
    constexpr std::uint32_t kMaxOperations = 200;
    std::uint32_t operations = 0;
    for (std::uint32_t n = 1; n <= kMaxOperations; ++n) {
      bool was_cut = true;
      for (const Tear& tear : kTears) {
        SCOPED_TRACE("operation " + std::to_string(n) + ", " + std::to_string(tear.bytes) + " bytes, then " +
                     std::to_string(tear.marginal_bytes) + " marginal, luck " + std::to_string(tear.luck));
        device_.restore((n * kLucks + tear.luck) * kPowerOnsOfACase);
        prepare(device_);
        if (HasFatalFailure()) return;
        device_.model().cut_power_at({.operation = device_.model().sequence() + n,
                                      .bytes = tear.bytes,
                                      .marginal_bytes = tear.marginal_bytes});
        const Progress progress = act(device_);
        was_cut = !device_.model().powered();
        had_marginal_cells_ = had_marginal_cells_ || !device_.model().cell_state().marginal.empty();
        check(device_, progress);
        if (HasFailure()) return;
      }
      if (!was_cut) break;
      operations = n;
    }
    EXPECT_GT(operations, 1U);
    EXPECT_LT(operations, kMaxOperations);
    EXPECT_TRUE(had_marginal_cells_);
  }

  /// More than any case has, so that no two draw the same.
  static constexpr std::uint32_t kPowerOnsOfACase = 16;

  bool had_marginal_cells_ = false;
  Device device_;
};

TEST_F(PowerCut, DuringCreateWriteAndCloseLeavesABootableDevice) {
  sweep([](Device&) {}, update,
        [](Device& device, Progress progress) {
          ASSERT_TRUE(device.boot());
          if (progress == Progress::kReceived) {
            EXPECT_EQ(device.version(), kNew) << "a close that was confirmed must hold";
          }
          EXPECT_EQ(device.is_trial(), device.version() == kNew) << "the new image is only ever on trial";
          ASSERT_TRUE(device.boot());
          EXPECT_EQ(device.version(), kOld) << "nothing was accepted";
          ASSERT_TRUE(device.boot());
          EXPECT_EQ(device.version(), kOld) << "repeated boots agree";
          ASSERT_EQ(update(device), Progress::kReceived) << "the next attempt works";
        });
}

TEST_F(PowerCut, DuringAcceptanceLeavesOneOfTheTwoImagesForGood) {
  sweep(
      [](Device& device) {
        ASSERT_EQ(update(device), Progress::kReceived);
        ASSERT_TRUE(device.boot());
        ASSERT_TRUE(device.is_trial());
      },
      accept,
      [](Device& device, Progress progress) {
        ASSERT_TRUE(device.boot());
        const Version first = device.version();
        if (progress == Progress::kAccepted) {
          EXPECT_EQ(first, kNew) << "an acceptance that was confirmed must hold";
          EXPECT_TRUE(device.pal().is_committed_job("AFR_OTA-u1"));
        }
        EXPECT_FALSE(device.is_trial()) << "there is one attempt";
        EXPECT_EQ(device.pal().is_committed_job("AFR_OTA-u1"), first == kNew);
        ASSERT_TRUE(device.boot());
        EXPECT_EQ(device.version(), first) << "repeated boots agree";
      });
}

TEST_F(PowerCut, DuringRejectionNeverKeepsTheImage) {
  sweep(
      [](Device& device) {
        ASSERT_EQ(update(device), Progress::kReceived);
        ASSERT_TRUE(device.boot());
      },
      [](Device& device) {
        static_cast<void>(device.pal().set_image_state(nullptr, OtaImageStateRejected));
        return Progress::kStarted;
      },
      [](Device& device, Progress) {
        ASSERT_TRUE(device.boot());
        EXPECT_EQ(device.version(), kOld);
      });
}

TEST_F(PowerCut, DuringTheNextFileTakesBackTheVerifiedOneOrLeavesIt) {
  sweep([](Device& device) { ASSERT_EQ(update(device), Progress::kReceived); },
        [](Device& device) {
          File file(image_1_2_0(), "AFR_OTA-u2");
          const bool is_open = device.pal().create_file(&file.context) == 0;
          return is_open ? Progress::kReceived : Progress::kNothing;
        },
        [](Device& device, Progress progress) {
          ASSERT_TRUE(device.boot());
          if (progress == Progress::kReceived) {
            EXPECT_EQ(device.version(), kOld) << "the other file took its place";
          }
          EXPECT_EQ(device.is_trial(), device.version() == kNew);
          ASSERT_TRUE(device.boot());
          EXPECT_EQ(device.version(), kOld);
          ASSERT_EQ(update(device), Progress::kReceived) << "the next attempt works";
        });
}

TEST_F(PowerCut, DuringAnAbortNeverKeepsTheFile) {
  sweep([](Device& device) { ASSERT_EQ(update(device), Progress::kReceived); },
        [](Device& device) {
          File file(image_1_1_0());
          const bool is_aborted = device.pal().set_image_state(&file.context, OtaImageStateAborted) == 0;
          return is_aborted ? Progress::kReceived : Progress::kNothing;
        },
        [](Device& device, Progress progress) {
          ASSERT_TRUE(device.boot());
          if (progress == Progress::kReceived) {
            EXPECT_EQ(device.version(), kOld) << "an abort that was confirmed must hold";
          }
          ASSERT_TRUE(device.boot());
          EXPECT_EQ(device.version(), kOld);
        });
}

TEST_F(PowerCut, DuringASecondUpdateLeavesTheFirst) {
  sweep(
      [](Device& device) {
        ASSERT_EQ(update(device), Progress::kReceived);
        ASSERT_TRUE(device.boot());
        ASSERT_EQ(accept(device), Progress::kAccepted);
        ASSERT_TRUE(device.boot());
        ASSERT_FALSE(device.is_trial());
      },
      [](Device& device) { return receive(device, image_1_2_0(), "AFR_OTA-u2"); },
      [](Device& device, Progress progress) {
        ASSERT_TRUE(device.boot());
        if (progress == Progress::kReceived) {
          EXPECT_EQ(device.version(), kNewer);
        }
        EXPECT_EQ(device.version(), device.is_trial() ? kNewer : kNew);
        ASSERT_TRUE(device.boot());
        EXPECT_EQ(device.version(), kNew);
        EXPECT_TRUE(device.pal().is_committed_job("AFR_OTA-u1"));
      });
}

}  // namespace
}  // namespace pal_test
