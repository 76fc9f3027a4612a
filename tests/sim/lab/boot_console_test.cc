#include "sim/lab/boot_console.h"

#include <gtest/gtest.h>

namespace {

using otasim::lab::started_version;

TEST(StartedVersion, IsInTheLineAboutTheImageThatStarts) {
  EXPECT_EQ(started_version("boot: slot A 1.0.0 verified, starting"), "1.0.0");
  EXPECT_EQ(started_version("boot: slot A 1.0.0 verified, starting for the first time"), "1.0.0");
  EXPECT_EQ(started_version("boot: slot B 1.1.0 on trial (attempt 1 of 1)"), "1.1.0");
}

TEST(StartedVersion, IsInNoOtherLine) {
  for (const char* line :
       {"", "boot: slot A ", "boot: slot A 1.0.0", "boot: slot B 1.1.0 does not verify",
        "boot: slot C 1.0.0 verified, starting", "app: boot: slot A 1.0.0 verified, starting"}) {
    EXPECT_EQ(started_version(line), "") << line;
  }
}

}  // namespace
