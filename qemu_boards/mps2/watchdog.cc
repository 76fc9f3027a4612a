// The watchdog: CMSDK APB watchdog. Its first timeout raises NMI; the handler leaves the reason and resets at
// once. Should NMI not run, the second timeout resets the board without a reason.
#include <algorithm>

#include "qemu_boards/common/board.h"
#include "qemu_boards/mps2/boards.h"
#include "qemu_boards/mps2/no_init.h"
#include "qemu_boards/mps2/registers.h"

namespace mps2 {
namespace {

constexpr std::uint32_t kLoad = kBoard.watchdog + 0x00;
constexpr std::uint32_t kControl = kBoard.watchdog + 0x08;
constexpr std::uint32_t kInterruptClear = kBoard.watchdog + 0x0C;
constexpr std::uint32_t kLock = kBoard.watchdog + 0xC00;

constexpr std::uint32_t kUnlockKey = 0x1ACC'E551;
constexpr std::uint32_t kInterruptEnable = 1U << 0;
constexpr std::uint32_t kResetEnable = 1U << 1;

constexpr std::uint32_t kTicksPerMillisecond = kBoard.clock_hz / 1000;
constexpr std::uint32_t kMaxTimeoutMs = 0xFFFF'FFFF / kTicksPerMillisecond;

/// Any other value written to LOCK closes the registers again.
class Unlocked {
 public:
  Unlocked() { reg(kLock) = kUnlockKey; }
  ~Unlocked() { reg(kLock) = 0; }
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;
};

}  // namespace
}  // namespace mps2

extern "C" void nmi_handler() {
  mps2::reset_because(boot::ResetReason::kWatchdog);
}

namespace board {

void watchdog_start(std::uint32_t timeout_ms) {
  using namespace mps2;
  const Unlocked unlocked;
  reg(kLoad) = std::min(timeout_ms, kMaxTimeoutMs) * kTicksPerMillisecond;
  reg(kInterruptClear) = 1;
  reg(kControl) = kInterruptEnable | kResetEnable;
}

void watchdog_feed() {
  const mps2::Unlocked unlocked;
  mps2::reg(mps2::kInterruptClear) = 1;
}

void watchdog_stop() {
  const mps2::Unlocked unlocked;
  mps2::reg(mps2::kControl) = 0;
}

}  // namespace board
