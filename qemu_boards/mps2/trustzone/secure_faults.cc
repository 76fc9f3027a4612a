// Faults, all of them taken by the secure world: say which and where, then reset, so that an image on trial
// which reaches for what is not its own has had its one attempt.
//
// A SecureFault does not tell the address: the pc of the frame does. Of a frame in the other world nothing is
// believed but that it may be read.
#include <array>
#include <cstdint>
#include <string_view>

#include "qemu_boards/common/board.h"
#include "qemu_boards/common/drivers.h"
#include "qemu_boards/common/handlers.h"
#include "qemu_boards/mps2/trustzone/registers.h"
#include "qemu_boards/mps2/trustzone/secure_world.h"

namespace {

constexpr std::uint32_t kWasSecure = 1U << 6;         // EXC_RETURN.S
constexpr std::uint32_t kWasThread = 1U << 3;         // EXC_RETURN.Mode
constexpr std::uint32_t kUsedProcessStack = 1U << 2;  // EXC_RETURN.SPSEL

/// The registers a processor pushes on exception entry.
struct ExceptionFrame {
  std::uint32_t r0, r1, r2, r3, r12, lr, pc, xpsr;
};

void write_hex(std::string_view name, std::uint32_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<char, 8> text{};
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = kDigits[(value >> (28 - 4 * i)) & 0xFU];
  board::console_write(name);
  board::console_write({text.data(), text.size()});
}

std::uint32_t application_stack_pointer(std::uint32_t exc_return) {
  std::uint32_t value = 0;
  if ((exc_return & kWasThread) != 0 && (exc_return & kUsedProcessStack) != 0) {
    __asm volatile("mrs %0, psp_ns" : "=r"(value));
  } else {
    __asm volatile("mrs %0, msp_ns" : "=r"(value));
  }
  return value;
}

/// @returns null if the frame cannot be read
const ExceptionFrame* frame_of(std::uint32_t exc_return, const ExceptionFrame* secure_frame) {
  if ((exc_return & kWasSecure) != 0) return secure_frame;
  const auto* frame =
      reinterpret_cast<const ExceptionFrame*>(application_stack_pointer(exc_return));  // NOLINT
  return mps2::is_application_memory(frame, sizeof(*frame), false) ? frame : nullptr;
}

}  // namespace

extern "C" {

[[gnu::used]] void report_fault(std::uint32_t exc_return, const ExceptionFrame* secure_frame) {
  const bool is_secure = (exc_return & kWasSecure) != 0;
  const ExceptionFrame* frame = frame_of(exc_return, secure_frame);
  drivers::uart_init();  // the application may have left it unable to send, and a full one would be waited
                         // for
  board::console_write(is_secure ? "\nboard: fault at secure pc 0x" : "\nboard: fault at pc 0x");
  if (frame != nullptr) {
    write_hex("", frame->pc);
    write_hex(", lr 0x", frame->lr);
  } else {
    board::console_write("unknown (no stack)");
  }
  write_hex(", cfsr 0x", armv7m::reg(armv7m::kConfigurableFaultStatus));
  write_hex(", sfsr 0x", armv7m::reg(mps2::kSecureFaultStatus));
  board::console_write(", resetting\n");
  board::reset();
}

/// Secure exceptions use the main stack, and so does the secure world's own code.
[[gnu::naked]] void fault_handler() {
  __asm volatile(
      "mov r0, lr\n"
      "mrs r1, msp\n"
      "b report_fault\n");
}

}  // extern "C"
