// Time: SysTick at 1 kHz from the core clock (ARMv7-M Architecture Reference Manual, B3.3).
#include "qemu_boards/common/board.h"
#include "qemu_boards/mps2/drivers.h"
#include "qemu_boards/mps2/handlers.h"
#include "qemu_boards/mps2/memory_map.h"
#include "qemu_boards/mps2/registers.h"

namespace {

constexpr std::uint32_t kEnable = 1U << 0;
constexpr std::uint32_t kInterrupt = 1U << 1;
constexpr std::uint32_t kCoreClock = 1U << 2;
constexpr std::uint32_t kTicksPerSecond = 1000;

volatile std::uint32_t g_millis = 0;

}  // namespace

extern "C" void systick_handler() {
  g_millis = g_millis + 1;
}

namespace mps2 {

void system_timer_init() {
  reg(kSysTickReload) = kCoreClockHz / kTicksPerSecond - 1;
  reg(kSysTickValue) = 0;
  reg(kSysTickControl) = kEnable | kInterrupt | kCoreClock;
}

}  // namespace mps2

namespace board {

std::uint32_t millis() {
  return g_millis;
}

}  // namespace board
