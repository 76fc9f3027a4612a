// What the parts of a board need of each other, beyond what board.h offers to everyone.
//
// board.cc, idle.cc, faults.cc and startup.cc are the same for every family of ARMv7-M boards; a family's
// folder has the drivers, and a header this_board.h with the constants of its memory map, as namespace
// `family`.
#pragma once

#include <cstdint>

#include "agent/boot/boot_info.h"

namespace drivers {

void uart_init();
void system_timer_init();

/// Whether a received frame waits in the Ethernet controller.
[[nodiscard]] bool ethernet_has_frame();

/// SysTick at 1 kHz; its interrupt ends a sleep.
void start_sys_tick(std::uint32_t core_clock_hz);

/// Notes why the next reset happens, in RAM that survives it.
void note_reset_reason(boot::ResetReason reason);
/// Takes that back: a reset that comes without another note is a power-on.
void forget_reset_reason();

/// Resets the processor and its devices. Whoever calls it has noted why.
[[noreturn]] void request_reset();

}  // namespace drivers
