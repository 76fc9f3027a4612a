#include "qemu_boards/mps2/clock.h"

#include "qemu_boards/common/board.h"
#include "qemu_boards/mps2/boards.h"
#include "qemu_boards/mps2/registers.h"

namespace mps2 {
namespace {

constexpr std::uint32_t kTicksPerSecond = 1000;
constexpr std::uint32_t kEnable = 1U << 0;
constexpr std::uint32_t kTickInterrupt = 1U << 1;
constexpr std::uint32_t kProcessorClock = 1U << 2;

volatile std::uint32_t milliseconds = 0;
volatile bool work_waits = false;

}  // namespace

void clock_init() {
  reg(scs::kSysTickReload) = kBoard.clock_hz / kTicksPerSecond - 1;
  reg(scs::kSysTickValue) = 0;
  reg(scs::kSysTickControl) = kEnable | kTickInterrupt | kProcessorClock;
}

void wake_main_loop() {
  work_waits = true;
}

}  // namespace mps2

extern "C" void systick_handler() {
  mps2::milliseconds = mps2::milliseconds + 1;
}

namespace board {

std::uint32_t millis() {
  return mps2::milliseconds;
}

void wait_for_interrupt() {
  // With interrupts masked, one that comes between the test and the sleep stays pending and ends the sleep.
  asm volatile("cpsid i" ::: "memory");
  if (!mps2::work_waits) asm volatile("dsb\n wfi" ::: "memory");
  asm volatile("cpsie i\n isb" ::: "memory");
  // Whatever was left until here is seen by the caller, who looks after this returns.
  mps2::work_waits = false;
}

}  // namespace board
