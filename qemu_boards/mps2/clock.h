// The 1 kHz tick and sleeping. board.h has millis() and wait_for_interrupt().
#pragma once

namespace mps2 {

void clock_init();

/// An interrupt handler calls this when it leaves work for the main loop: the next wait returns at once.
void wake_main_loop();

}  // namespace mps2
