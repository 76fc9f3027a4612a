// Sleep, apart from the rest of the board: it knows of the Ethernet controller, which the bootloader does
// without.
#include "qemu_boards/common/armv7m.h"
#include "qemu_boards/common/board.h"
#include "qemu_boards/common/drivers.h"

namespace board {

void wait_for_interrupt() {
  // With interrupts masked, one that comes between the check and WFI still ends the sleep.
  armv7m::disable_interrupts();
  if (!drivers::ethernet_has_frame()) __asm volatile("dsb\n\twfi" ::: "memory");
  armv7m::enable_interrupts();
}

}  // namespace board
