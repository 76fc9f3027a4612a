// Time: the FPGA's free-running counter, scaled to milliseconds (AN385, "FPGA system control and I/O"), and
// SysTick at 1 kHz, whose interrupt only ends a sleep.
//
// Counting SysTick interrupts would lose time whenever the processor cannot take one for a whole tick.
#include "qemu_boards/common/armv7m.h"
#include "qemu_boards/common/board.h"
#include "qemu_boards/common/drivers.h"
#include "qemu_boards/mps2/this_board.h"

namespace {

constexpr std::uint32_t kCounter = mps2::kBoard.fpga_io + 0x18;
constexpr std::uint32_t kPrescale = mps2::kBoard.fpga_io + 0x1C;

constexpr std::uint32_t kTicksPerSecond = 1000;

/// The counter's value at init(); it runs on through a reset.
std::uint32_t g_start = 0;

}  // namespace

namespace drivers {

void system_timer_init() {
  armv7m::reg(kPrescale) = mps2::kBoard.core_clock_hz / kTicksPerSecond - 1;
  g_start = armv7m::reg(kCounter);
  start_sys_tick(mps2::kBoard.core_clock_hz);
}

}  // namespace drivers

namespace board {

std::uint32_t millis() {
  return armv7m::reg(kCounter) - g_start;
}

}  // namespace board
