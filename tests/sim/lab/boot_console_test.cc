#include "sim/lab/boot_console.h"

#include <gtest/gtest.h>

namespace {

using otasim::lab::parse_boot_line;
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

TEST(BootLine, IsStageAndFields) {
  const auto line =
      parse_boot_line("boot: start slot=B version=1.1.0 state=trial attempt=1 of=1 deadline-ms=60000");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->stage, "start");
  EXPECT_EQ(line->fields, nlohmann::json({{"slot", "B"},
                                          {"version", "1.1.0"},
                                          {"state", "trial"},
                                          {"attempt", 1},
                                          {"of", 1},
                                          {"deadline-ms", 60000}}));
}

TEST(BootLine, IsNothingElse) {
  for (const char* line : {"", "boot:", "boot: ", "app: boot: start slot=A", "boot: start slot"}) {
    EXPECT_FALSE(parse_boot_line(line)) << line;
  }
}

TEST(BootLine, SaysNothingThatTheLogSaysItself) {
  for (const char* name : {"log_version", "epoch_us", "t_us", "n", "source", "event", "device"}) {
    EXPECT_FALSE(parse_boot_line(std::string("boot: x ") + name + "=2")) << name;
  }
  EXPECT_FALSE(parse_boot_line("boot: fault fault=link.loss"));
}

TEST(BootLine, HasNamesAndAFewFields) {
  for (const char* line : {"boot: Start slot=A", "boot: start =A", "boot: start \"slot\"=A"}) {
    EXPECT_FALSE(parse_boot_line(line)) << line;
  }
  std::string line = "boot: start";
  for (int i = 0; i < 16; ++i) line += " key-" + std::to_string(i) + "=1";
  EXPECT_TRUE(parse_boot_line(line));
  EXPECT_FALSE(parse_boot_line(line + " one-more=1"));
}

}  // namespace
