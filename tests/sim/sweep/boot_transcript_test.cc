#include "sim/sweep/boot_transcript.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otasim::sweep {
namespace {

using ::testing::ElementsAre;

BootTranscript transcript_of(std::initializer_list<const char*> lines) {
  BootTranscript transcript;
  for (const char* line : lines) transcript.take(line);
  return transcript;
}

TEST(BootTranscript, EndsWithTheApplicationsFirstLine) {
  auto transcript = transcript_of({"boot: reset reason=power-on", "boot: start slot=A"});
  EXPECT_FALSE(transcript.is_over());
  EXPECT_TRUE(transcript.has_handed_over());
  transcript.take("");
  EXPECT_FALSE(transcript.is_over()) << "a line that says nothing is nobody's";
  transcript.take("app: hello");
  transcript.take("app: and more");
  EXPECT_TRUE(transcript.is_over());
  EXPECT_TRUE(transcript.reached_application());
  EXPECT_THAT(transcript.take_lines(),
              ElementsAre("boot: reset reason=power-on", "boot: start slot=A", "", "app: hello"));
}

TEST(BootTranscript, EndsWhenTheBootloaderHalts) {
  const auto transcript = transcript_of({"boot: reset reason=power-on", "boot: halt reason=none", "x"});
  EXPECT_TRUE(transcript.is_over());
  EXPECT_FALSE(transcript.reached_application());
  EXPECT_EQ(transcript.lines().size(), 2U);
}

TEST(BootTranscript, AResetOfItsOwnBelongsToTheBoot) {
  auto transcript = transcript_of(
      {"boot: reset reason=power-on", "boot: start slot=A", "boot: refused", "boot: reset reason=software"});
  EXPECT_FALSE(transcript.is_over());
  EXPECT_FALSE(transcript.has_handed_over());
  EXPECT_EQ(transcript.resets(), 1U);
  transcript.take("board: what a bootloader's run-time says");
  EXPECT_FALSE(transcript.is_over()) << "it has not handed over";
}

TEST(BootTranscript, AnApplicationMayNotPassForTheBootloader) {
  const auto transcript =
      transcript_of({"boot: reset reason=power-on", "boot: start slot=A", "boot: verify"});
  EXPECT_TRUE(transcript.reached_application());
}

}  // namespace
}  // namespace otasim::sweep
