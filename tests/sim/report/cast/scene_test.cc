// A run at its moments, from what it left in its folder.
#include "sim/report/cast/scene.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/report/cast/recorded_update.h"

namespace otasim::test {
namespace {

using report::cast::read_recorded_run;
using report::cast::RecordedRun;
using report::cast::Scene;
using report::cast::TimelineEntry;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

class Recorded : public ::testing::Test {
 protected:
  Recorded() {
    record_update(folder_);
    auto read = read_recorded_run(folder_.path());
    EXPECT_TRUE(read.has_value());
    run_ = std::move(*read);
  }

  [[nodiscard]] Scene at(std::int64_t t_us) const {
    Scene scene(run_);
    for (const auto& moment : run_.moments)
      if (moment.t_us <= t_us) scene.apply(moment);
    return scene;
  }

  RunFolder folder_;
  RecordedRun run_;
};

TEST_F(Recorded, KnowsWhatRuns) {
  EXPECT_FALSE(at(0).devices().front().is_on);
  EXPECT_TRUE(at(1'000).devices().front().version.empty()) << "the bootloader runs";
  const Scene before = at(2'500);
  EXPECT_EQ(before.devices().front().version, "0.1.0");
  EXPECT_EQ(before.devices().front().slot, "A");
  EXPECT_TRUE(at(7'000).devices().front().version.empty()) << "after the reset it is the bootloader again";
  EXPECT_EQ(at(7'500).devices().front().state, "trial");
}

TEST_F(Recorded, ShowsWhatFlashHolds) {
  const std::size_t page = flash::kSlotB.offset / flash::kPageSize;
  const auto before = at(6'199).devices().front().flash;
  EXPECT_TRUE(before.pages.at(flash::kSlotA.offset / flash::kPageSize)) << "the factory's";
  EXPECT_FALSE(before.pages.at(page));
  EXPECT_EQ(before.versions.at(1), "");
  EXPECT_EQ(before.erases, 1U);
  const auto after = at(6'200).devices().front().flash;
  EXPECT_TRUE(after.pages.at(page));
  EXPECT_EQ(after.versions.at(1), "0.2.0") << "read from the image header in flash";
  EXPECT_EQ(after.programs, 1U);
}

TEST_F(Recorded, TellsTheJobsStory) {
  const Scene scene = at(9'000);
  EXPECT_EQ(scene.job(), "AFR_OTA-u1");
  EXPECT_THAT(scene.timeline(),
              ElementsAre(Field(&TimelineEntry::text, "QUEUED"), Field(&TimelineEntry::text, "receiving"),
                          Field(&TimelineEntry::text, "link.blackhole"),
                          Field(&TimelineEntry::text, "SUCCEEDED: accepted  v0.2.0")));
  EXPECT_THAT(scene.caption().caption, HasSubstr("has succeeded"));
}

TEST_F(Recorded, CountsBlocks) {
  EXPECT_EQ(at(6'000).devices().front().done, 1);
  EXPECT_EQ(at(6'300).devices().front().done, 3);
  EXPECT_EQ(at(6'300).devices().front().total, 4);
}

TEST_F(Recorded, ConnectionThatWasTakenOverDoesNotEndTheNext) {
  folder_.event(10'000, "broker", "client_connected", {{"clientId", "thing-1"}, {"connection", 2}});
  folder_.event(10'100, "broker", "client_disconnected", {{"clientId", "thing-1"}, {"connection", 1}});
  folder_.event(10'200, "broker", "client_disconnected", {{"clientId", "thing-1"}, {"connection", 2}});
  run_ = read_recorded_run(folder_.path()).value();
  EXPECT_TRUE(at(10'100).devices().front().is_connected);
  EXPECT_FALSE(at(10'200).devices().front().is_connected);
}

TEST_F(Recorded, EndsWithTheVerdict) {
  Scene scene = at(9'000);
  EXPECT_FALSE(scene.is_over());
  scene.end();
  EXPECT_EQ(scene.verdict(), "passed");
  EXPECT_THAT(scene.caption().caption, HasSubstr("Passed"));
}

TEST_F(Recorded, WithoutFlashHasNoMapAndSaysWhy) {
  std::filesystem::remove(folder_.device() + "/factory.bin");
  run_ = read_recorded_run(folder_.path()).value();
  EXPECT_TRUE(at(9'000).devices().front().flash.pages.empty());
  EXPECT_THAT(run_.devices.front().flash_problem, HasSubstr("factory.bin"));
}

TEST_F(Recorded, EventsOfOtherTypesDoNoHarm) {
  folder_.line(R"({"t_us": 11000, "source": "cloud", "event": "job_execution", "job": 7, "details": "x"})");
  folder_.line(R"({"t_us": 11000, "source": "run", "event": "do", "arguments": [1]})");
  folder_.line(R"({"t_us": 11000, "source": "device", "event": "power_on", "device": null})");
  folder_.line("no event");
  const auto read = read_recorded_run(folder_.path());
  ASSERT_TRUE(read.has_value());
  Scene scene(*read);
  for (const auto& moment : read->moments) scene.apply(moment);
}

}  // namespace
}  // namespace otasim::test
