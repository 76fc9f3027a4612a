// SysTick (ARMv7-M Architecture Reference Manual, B3.3). Its interrupt only ends a sleep: time is a family's
// own counter, for counting interrupts would lose time whenever the processor cannot take one for a whole
// tick.
#include "qemu_boards/common/armv7m.h"
#include "qemu_boards/common/drivers.h"
#include "qemu_boards/common/handlers.h"

extern "C" void systick_handler() {}

namespace drivers {

void start_sys_tick(std::uint32_t core_clock_hz) {
  constexpr std::uint32_t kTicksPerSecond = 1000;
  constexpr std::uint32_t kEnable = 1U << 0;
  constexpr std::uint32_t kInterrupt = 1U << 1;
  constexpr std::uint32_t kCoreClock = 1U << 2;
  armv7m::reg(armv7m::kSysTickReload) = core_clock_hz / kTicksPerSecond - 1;
  armv7m::reg(armv7m::kSysTickValue) = 0;
  armv7m::reg(armv7m::kSysTickControl) = kEnable | kInterrupt | kCoreClock;
}

}  // namespace drivers
