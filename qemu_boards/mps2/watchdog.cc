// Watchdog: CMSDK APB watchdog (Cortex-M System Design Kit, "APB watchdog").
//
// The first expiry is an NMI. Its handler notes the reason and resets at once; if the processor cannot run it
// any more, the second expiry resets the device without it.
#include "qemu_boards/common/armv7m.h"
#include "qemu_boards/common/board.h"
#include "qemu_boards/common/drivers.h"
#include "qemu_boards/common/handlers.h"
#include "qemu_boards/mps2/this_board.h"

namespace {

constexpr std::uint32_t kLoad = mps2::kBoard.watchdog + 0x000;
constexpr std::uint32_t kControl = mps2::kBoard.watchdog + 0x008;
constexpr std::uint32_t kInterruptClear = mps2::kBoard.watchdog + 0x00C;
constexpr std::uint32_t kLock = mps2::kBoard.watchdog + 0xC00;

constexpr std::uint32_t kUnlockKey = 0x1ACC'E551;
constexpr std::uint32_t kRelock = 0;
constexpr std::uint32_t kInterruptEnable = 1U << 0;
constexpr std::uint32_t kResetEnable = 1U << 1;
constexpr std::uint32_t kTicksPerMs = mps2::kBoard.core_clock_hz / 1000;
constexpr std::uint32_t kMaxTimeoutMs = 0xFFFF'FFFFU / kTicksPerMs;

}  // namespace

extern "C" void nmi_handler() {
  drivers::note_reset_reason(boot::ResetReason::kWatchdog);
  drivers::uart_init();  // the application may have left it unable to send, and a full one would be waited
                         // for
  board::console_write("\nboard: watchdog expired, resetting\n");
  drivers::request_reset();
}

namespace board {

void watchdog_start(std::uint32_t timeout_ms) {
  const std::uint32_t limited = timeout_ms < kMaxTimeoutMs ? timeout_ms : kMaxTimeoutMs;
  armv7m::reg(kLock) = kUnlockKey;
  armv7m::reg(kLoad) = limited * kTicksPerMs;
  armv7m::reg(kInterruptClear) = 1;
  armv7m::reg(kControl) = kInterruptEnable | kResetEnable;
  armv7m::reg(kLock) = kRelock;
}

void watchdog_feed() {
  armv7m::reg(kLock) = kUnlockKey;
  armv7m::reg(kInterruptClear) = 1;  // reloads the counter
  armv7m::reg(kLock) = kRelock;
}

void watchdog_stop() {
  armv7m::reg(kLock) = kUnlockKey;
  armv7m::reg(kControl) = 0;
  armv7m::reg(kInterruptClear) = 1;
  armv7m::reg(kLock) = kRelock;
}

}  // namespace board
