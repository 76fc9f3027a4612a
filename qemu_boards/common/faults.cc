// Faults: say where, then reset.
//
// A device that stops is a brick; one that resets comes back to the bootloader, which knows what to do with
// an image that did not accept itself.
#include <array>
#include <cstdint>
#include <string_view>

#include "qemu_boards/common/armv7m.h"
#include "qemu_boards/common/board.h"
#include "qemu_boards/common/handlers.h"

namespace {

void write_hex(std::string_view name, std::uint32_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<char, 8> text{};
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = kDigits[(value >> (28 - 4 * i)) & 0xFU];
  board::console_write(name);
  board::console_write({text.data(), text.size()});
}

}  // namespace

extern "C" {

/// The registers a Cortex-M3 pushes on exception entry.
struct ExceptionFrame {
  std::uint32_t r0, r1, r2, r3, r12, lr, pc, xpsr;
};

[[gnu::used]] void report_fault(const ExceptionFrame* frame) {
  write_hex("\nboard: fault at pc 0x", frame->pc);
  write_hex(", lr 0x", frame->lr);
  write_hex(", cfsr 0x", armv7m::reg(armv7m::kConfigurableFaultStatus));
  board::console_write(", resetting\n");
  board::reset();
}

/// Passes the frame of the faulting context, whichever stack that used.
[[gnu::naked]] void fault_handler() {
  __asm volatile(
      "tst lr, #4\n"
      "ite eq\n"
      "mrseq r0, msp\n"
      "mrsne r0, psp\n"
      "b report_fault\n");
}

}  // extern "C"
