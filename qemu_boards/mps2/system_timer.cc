// Time: the FPGA's free-running counter, scaled to milliseconds (AN385, "FPGA system control and I/O"), and
// SysTick at 1 kHz, whose interrupt only ends a sleep.
//
// Counting SysTick interrupts would lose time whenever the processor cannot take one for a whole tick.
#include "qemu_boards/common/board.h"
#include "qemu_boards/mps2/drivers.h"
#include "qemu_boards/mps2/handlers.h"
#include "qemu_boards/mps2/registers.h"
#include "qemu_boards/mps2/this_board.h"

namespace {

constexpr std::uint32_t kCounter = mps2::kBoard.fpga_io + 0x18;
constexpr std::uint32_t kPrescale = mps2::kBoard.fpga_io + 0x1C;

constexpr std::uint32_t kEnable = 1U << 0;
constexpr std::uint32_t kInterrupt = 1U << 1;
constexpr std::uint32_t kCoreClock = 1U << 2;
constexpr std::uint32_t kTicksPerSecond = 1000;

/// The counter's value at init(); it runs on through a reset.
std::uint32_t g_start = 0;

}  // namespace

extern "C" void systick_handler() {}

namespace mps2 {

void system_timer_init() {
  reg(kPrescale) = kBoard.core_clock_hz / kTicksPerSecond - 1;
  g_start = reg(kCounter);
  reg(kSysTickReload) = kBoard.core_clock_hz / kTicksPerSecond - 1;
  reg(kSysTickValue) = 0;
  reg(kSysTickControl) = kEnable | kInterrupt | kCoreClock;
}

}  // namespace mps2

namespace board {

std::uint32_t millis() {
  return mps2::reg(kCounter) - g_start;
}

}  // namespace board
