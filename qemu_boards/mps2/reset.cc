#include "qemu_boards/common/board.h"
#include "qemu_boards/mps2/no_init.h"
#include "qemu_boards/mps2/registers.h"

extern "C" mps2::NoInit __no_init;  // the linker script's

namespace mps2 {

NoInit& no_init() {
  return __no_init;
}

void reset_because(boot::ResetReason reason) {
  constexpr std::uint32_t kKey = 0x05FA'0000;
  constexpr std::uint32_t kSystemResetRequest = 1U << 2;
  NoInit& kept = no_init();
  kept.reason = static_cast<std::uint32_t>(reason);
  kept.reason_check = ~kept.reason;
  kept.reason_magic = NoInit::kReasonMagic;
  data_barrier();
  reg(scs::kReset) = kKey | kSystemResetRequest;
  data_barrier();
  for (;;) {
  }
}

}  // namespace mps2

namespace board {

void reset() {
  mps2::reset_because(boot::ResetReason::kSoftware);
}

boot::ResetReason take_reset_reason() {
  mps2::NoInit& kept = mps2::no_init();
  const bool is_left = kept.reason_magic == mps2::NoInit::kReasonMagic && kept.reason_check == ~kept.reason &&
                       kept.reason <= static_cast<std::uint32_t>(boot::ResetReason::kWatchdog);
  const auto reason = is_left ? static_cast<boot::ResetReason>(kept.reason) : boot::ResetReason::kPowerOn;
  kept.reason_magic = 0;
  return reason;
}

boot::BootInfo& boot_info() {
  return mps2::no_init().boot_info;
}

}  // namespace board
