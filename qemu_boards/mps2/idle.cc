// Sleep, apart from the rest of the board: it knows of the Ethernet controller, which the bootloader does
// without.
#include "qemu_boards/common/board.h"
#include "qemu_boards/mps2/drivers.h"
#include "qemu_boards/mps2/registers.h"

namespace board {

void wait_for_interrupt() {
  // With interrupts masked, one that comes between the check and WFI still ends the sleep.
  mps2::disable_interrupts();
  if (!mps2::ethernet_has_frame()) __asm volatile("dsb\n\twfi" ::: "memory");
  mps2::enable_interrupts();
}

}  // namespace board
