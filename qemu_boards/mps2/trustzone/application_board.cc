// The board as the application of the non-secure world sees it.
#include "qemu_boards/common/armv7m.h"
#include "qemu_boards/common/board.h"
#include "qemu_boards/common/drivers.h"
#include "qemu_boards/common/handlers.h"
#include "qemu_boards/mps2/trustzone/memory_map.h"
#include "qemu_boards/mps2/trustzone/secure_client.h"

namespace board {

std::string_view name() {
  return mps2::kBoard.name;
}

void init() {
  drivers::uart_init();
  drivers::system_timer_init();
  armv7m::enable_interrupts();
}

void reset() {
  mps2::ask(mps2::Service::kReset);
  for (;;) {
  }
}

/// The hand-over itself is the secure world's; this is a copy.
boot::BootInfo& boot_info() {
  static boot::BootInfo copy;
  static bool is_taken = false;
  if (!is_taken) {
    const std::span<std::uint8_t> bytes(reinterpret_cast<std::uint8_t*>(&copy), sizeof(copy));
    mps2::ask(mps2::Service::kBootInfo, 0, {}, bytes);
    is_taken = true;
  }
  return copy;
}

LoadRegion load_region() {
  return {mps2::kLoadAddress, mps2::kLoadSize, mps2::kLoadAddress};
}

void watchdog_start(std::uint32_t timeout_ms) {
  mps2::ask(mps2::Service::kWatchdogStart, timeout_ms);
}
void watchdog_feed() {
  mps2::ask(mps2::Service::kWatchdogFeed);
}
void watchdog_stop() {
  mps2::ask(mps2::Service::kWatchdogStop);
}
void end_trial() {
  mps2::ask(mps2::Service::kEndTrial);
}

}  // namespace board

extern "C" {

// HardFault, BusFault, NMI and SecureFault are the secure world's. Others reach this program only if it has
// enabled them, and an unexpected interrupt does.
void fault_handler() {
  board::console_write("\nboard: unexpected exception in the application, resetting\n");
  board::reset();
}
void nmi_handler() {
  fault_handler();
}

}  // extern "C"
