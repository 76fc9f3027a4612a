#include "sim/device/qemu_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace otasim::device {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

const QemuSockets kSockets{"m", "u", "w"};

TEST(QemuCommand, CommasInAPathDoNotStartAnotherOption) {
  EXPECT_EQ(option_value("/tmp/a,b=c"), "/tmp/a,,b=c");
  Config config;
  config.flash = FlashWindow{.path = "/tmp/x,share=off/flash.bin"};
  EXPECT_THAT(
      qemu_arguments(config, kSockets),
      Contains("memory-backend-file,id=flash,size=16777216,mem-path=/tmp/x,,share=off/flash.bin,share=on"));
}

TEST(QemuCommand, LoadsTheFlashControllerWithItsWindowLogAndSeed) {
  Config config;
  FlashWindow window{.path = "flash.bin", .plugin_path = "plugin.so", .op_log_path = "ops.log", .seed = 7};
  config.flash = window;
  EXPECT_THAT(qemu_arguments(config, kSockets), Contains("plugin.so,window=flash.bin,seed=7,oplog=ops.log"));
  window.fault_path = "a,b";
  window.wake_path = "wake";
  config.flash = window;
  EXPECT_THAT(qemu_arguments(config, kSockets),
              Contains("plugin.so,window=flash.bin,seed=7,oplog=ops.log,faults=a,,b,wake=wake"));
  window.plugin_path.clear();
  config.flash = window;
  EXPECT_THAT(qemu_arguments(config, kSockets), Not(Contains("-plugin")));
}

TEST(QemuCommand, TheControllerIsToldWhereTheBoardSeesItsWindow) {
  Config config;
  config.flash = FlashWindow{.path = "/f", .address = 0x2100'0000, .plugin_path = "/p.so", .seed = 3};
  EXPECT_THAT(qemu_arguments(config, kSockets), Contains("/p.so,window=/f,seed=3,address=553648128"));
}

TEST(QemuCommand, ASpiDriveIsServedOverASocketAndTheMachineHasNoWindow) {
  Config config;
  config.board = "emcraft-sf2";
  config.flash = SpiDrive{.socket_path = "/tmp/a,b/nbd.sock"};
  const auto arguments = qemu_arguments(config, kSockets);
  EXPECT_THAT(arguments, Contains("if=mtd,format=raw,file.driver=nbd,file.server.type=unix,"
                                  "file.server.path=/tmp/a,,b/nbd.sock"));
  EXPECT_THAT(arguments, Contains("emcraft-sf2"));
  EXPECT_THAT(arguments, Not(Contains("-object")));
}

TEST(QemuCommand, AWatchdogOfItsOwnHasTheSecondUart) {
  Config config;
  EXPECT_THAT(qemu_arguments(config, kSockets), Not(Contains("chardev:watchdog")));
  config.watchdog = SerialWatchdog{};
  const auto arguments = qemu_arguments(config, kSockets);
  const auto console = std::ranges::find(arguments, "chardev:uart");
  const auto watchdog = std::ranges::find(arguments, "chardev:watchdog");
  ASSERT_NE(watchdog, arguments.end());
  EXPECT_LT(console, watchdog) << "QEMU numbers them in this order";
  EXPECT_THAT(arguments, Contains("socket,id=watchdog,path=w,server=off"));
}

TEST(QemuCommand, AGuestsResetStopsTheMachineInsteadOfRestartingIt) {
  EXPECT_THAT(qemu_arguments({}, kSockets), Contains("reboot=shutdown,shutdown=pause"));
  EXPECT_THAT(qemu_arguments({}, kSockets), Contains("-S"));
}

TEST(QemuCommand, EndsWithTheLinksArguments) {
  Config config;
  config.more_arguments = {"-netdev", "x"};
  EXPECT_EQ(qemu_arguments(config, kSockets).back(), "x");
}

}  // namespace
}  // namespace otasim::device
