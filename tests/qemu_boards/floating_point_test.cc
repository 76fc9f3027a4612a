// The floating-point context of an application, on boards with a Cortex-M4F or M7: its registers are its own
// while interrupts use the unit too. On boards without one the program has no such code.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/qemu_boards/probe_device.h"

namespace otasim::test {
namespace {

TEST(FloatingPoint, RegistersSurviveInterruptsThatUseThem) {
  const bool has_unit = std::ranges::count(board_under_test().capabilities, "fpu") != 0;
  ProbeDevice device;
  device.write(boot::Slot::kA, device.make({.task = probe::Task::kFloatingPoint}));
  device.power_on();
  EXPECT_TRUE(device.says(has_unit ? "probe: floating-point registers kept"
                                   : "probe: floating-point registers none"));
}

}  // namespace
}  // namespace otasim::test
