// Time: timer 1 of the MSS (UG0331, "System timer"), which counts down freely at the clock of APB bus 0, and
// SysTick, whose interrupt only ends a sleep.
//
// The counter wraps after 2^32 ticks, the better part of a minute; each call of millis() takes over what has
// passed. No interrupt is needed for that, so that none that is masked loses time; a program that asks less
// often than the counter wraps does.
#include "qemu_boards/common/armv7m.h"
#include "qemu_boards/common/board.h"
#include "qemu_boards/common/drivers.h"
#include "qemu_boards/emcraft_sf2/memory_map.h"

namespace {

constexpr std::uint32_t kValue = emcraft_sf2::kTimer + 0x00;
constexpr std::uint32_t kLoadValue = emcraft_sf2::kTimer + 0x04;
constexpr std::uint32_t kControl = emcraft_sf2::kTimer + 0x0C;

constexpr std::uint32_t kEnable = 1U << 0;  // periodic, without an interrupt
constexpr std::uint32_t kTicksPerMs = emcraft_sf2::kTimerClockHz / 1000;

std::uint32_t g_last_value = 0;
std::uint32_t g_left_over_ticks = 0;
std::uint32_t g_millis = 0;

}  // namespace

namespace drivers {

void system_timer_init() {
  armv7m::reg(kControl) = 0;
  armv7m::reg(kLoadValue) = 0xFFFF'FFFF;
  armv7m::reg(kControl) = kEnable;
  g_last_value = armv7m::reg(kValue);
  start_sys_tick(emcraft_sf2::kCoreClockHz);
}

}  // namespace drivers

namespace board {

std::uint32_t millis() {
  const std::uint32_t value = armv7m::reg(kValue);
  const std::uint32_t passed = g_last_value - value;  // it counts down
  g_last_value = value;
  const std::uint64_t ticks = std::uint64_t{passed} + g_left_over_ticks;
  g_millis += static_cast<std::uint32_t>(ticks / kTicksPerMs);
  g_left_over_ticks = static_cast<std::uint32_t>(ticks % kTicksPerMs);
  return g_millis;
}

}  // namespace board
