#include "sim/device/qemu_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otasim::device {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

TEST(QemuCommand, CommasInAPathDoNotStartAnotherOption) {
  EXPECT_EQ(option_value("/tmp/a,b=c"), "/tmp/a,,b=c");
  Config config;
  config.flash_path = "/tmp/x,share=off/flash.bin";
  EXPECT_THAT(
      qemu_arguments(config, "m", "u"),
      Contains("memory-backend-file,id=flash,size=16777216,mem-path=/tmp/x,,share=off/flash.bin,share=on"));
}

TEST(QemuCommand, LoadsTheFlashControllerWithItsWindowLogAndSeed) {
  Config config;
  config.flash_path = "flash.bin";
  config.flash_plugin_path = "plugin.so";
  config.op_log_path = "ops.log";
  config.seed = 7;
  EXPECT_THAT(qemu_arguments(config, "m", "u"), Contains("plugin.so,window=flash.bin,seed=7,oplog=ops.log"));
  config.fault_path = "a,b";
  config.wake_path = "wake";
  EXPECT_THAT(qemu_arguments(config, "m", "u"),
              Contains("plugin.so,window=flash.bin,seed=7,oplog=ops.log,faults=a,,b,wake=wake"));
  config.flash_plugin_path.clear();
  EXPECT_THAT(qemu_arguments(config, "m", "u"), Not(Contains("-plugin")));
}

TEST(QemuCommand, AGuestsResetStopsTheMachineInsteadOfRestartingIt) {
  EXPECT_THAT(qemu_arguments({}, "m", "u"), Contains("reboot=shutdown,shutdown=pause"));
  EXPECT_THAT(qemu_arguments({}, "m", "u"), Contains("-S"));
}

TEST(QemuCommand, EndsWithTheLinksArguments) {
  Config config;
  config.more_arguments = {"-netdev", "x"};
  EXPECT_EQ(qemu_arguments(config, "m", "u").back(), "x");
}

}  // namespace
}  // namespace otasim::device
