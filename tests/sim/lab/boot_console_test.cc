#include "sim/lab/boot_console.h"

#include <gtest/gtest.h>

namespace {

using otasim::lab::started_slot;
using otasim::lab::started_version;

TEST(StartedVersion, IsInTheLineAboutTheImageThatStarts) {
  EXPECT_EQ(started_version("boot: start slot=A version=1.0.0 state=committed"), "1.0.0");
  EXPECT_EQ(started_version("boot: start slot=B version=1.1.0 state=trial attempt=1 of=1 deadline-ms=60000"),
            "1.1.0");
}

TEST(StartedSlot, IsInTheSameLine) {
  EXPECT_EQ(started_slot("boot: start slot=A version=1.0.0 state=committed"), "A");
  EXPECT_EQ(started_slot("boot: start slot=recovery version=0.0.1 state=recovery"), "recovery");
}

TEST(StartedVersion, IsInNoOtherLine) {
  for (const char* line : {"", "boot: start slot=A", "boot: start slot=A version=1.0.0",
                           "boot: verify slot=B version=1.1.0 counter=1 result=ok",
                           "app: boot: start slot=A version=1.0.0 state=committed"}) {
    EXPECT_EQ(started_version(line), "") << line;
    EXPECT_EQ(started_slot(line), "") << line;
  }
}

}  // namespace
