// What the bootloader keeps in RAM over a reset, and what it hands over: the reason of the reset, and
// BootInfo.
#include "qemu_boards/common/board.h"
#include "qemu_boards/common/drivers.h"
#include "this_board.h"

namespace {

/// RAM that survives a reset. At power-on it holds anything, so each part proves itself: BootInfo by its
/// check value, the reason by its magic.
struct NoInit {
  boot::BootInfo boot_info;
  std::uint32_t reason_magic;
  boot::ResetReason reason;
};
static_assert(sizeof(NoInit) <= family::kNoInitSize);

constexpr std::uint32_t kReasonMagic = 0x5345'5252;  // "RRES" in memory

NoInit& no_init() {
  return *reinterpret_cast<NoInit*>(family::kKeptAddress);  // NOLINT(performance-no-int-to-ptr)
}

}  // namespace

namespace drivers {

void note_reset_reason(boot::ResetReason reason) {
  no_init().reason = reason;
  no_init().reason_magic = kReasonMagic;
}

void forget_reset_reason() {
  no_init().reason_magic = 0;
}

}  // namespace drivers

namespace board {

boot::ResetReason take_reset_reason() {
  const NoInit& memory = no_init();
  const bool was_noted =
      memory.reason_magic == kReasonMagic &&
      (memory.reason == boot::ResetReason::kSoftware || memory.reason == boot::ResetReason::kWatchdog);
  const boot::ResetReason reason = was_noted ? memory.reason : boot::ResetReason::kPowerOn;
  drivers::forget_reset_reason();
  return reason;
}

boot::BootInfo& boot_info() {
  return no_init().boot_info;
}

}  // namespace board
