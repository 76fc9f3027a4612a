// What board.cc needs of the drivers beyond what board.h offers to everyone.
#pragma once

#include <cstdint>

#include "agent/boot/boot_info.h"

namespace mps2 {

void uart_init();
void system_timer_init();

/// Whether a received frame waits in the Ethernet controller.
[[nodiscard]] bool ethernet_has_frame();

/// Notes why the next reset happens, in RAM that survives it.
void note_reset_reason(boot::ResetReason reason);

}  // namespace mps2
