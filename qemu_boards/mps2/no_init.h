// The first KiB of RAM: what survives a reset. Start-up code leaves it alone, and no section is linked there, so
// that neither QEMU's reset nor the C runtime writes to it. After power-on it holds nothing of meaning.
#pragma once

#include <cstdint>

#include "agent/boot/boot_info.h"

namespace mps2 {

struct NoInit {
  static constexpr std::uint32_t kReasonMagic = 0x4E53'4552;  // "RESN"

  std::uint32_t reason_magic;  ///< kReasonMagic if software left a reason; absent after power-on
  std::uint32_t reason;        ///< a boot::ResetReason
  std::uint32_t reason_check;  ///< ~reason
  std::uint32_t reserved;
  boot::BootInfo boot_info;
};
static_assert(sizeof(NoInit) <= 1024);

[[nodiscard]] NoInit& no_init();

/// Leaves the reason for the next boot and resets. Works in any handler and with any stack left.
[[noreturn]] void reset_because(boot::ResetReason reason);

}  // namespace mps2
