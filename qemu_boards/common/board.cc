// Board interface: identity, init, reset, and the hand-over to the application.
#include "qemu_boards/common/board.h"

#include "qemu_boards/common/armv7m.h"
#include "qemu_boards/common/drivers.h"
#include "qemu_boards/common/fpu.h"
#include "qemu_boards/common/rom_trust.h"
#include "this_board.h"

namespace drivers {

void request_reset() {
  constexpr std::uint32_t kRequest = 0x05FA'0004;  // AIRCR: key, SYSRESETREQ
  armv7m::data_barrier();
  armv7m::reg(armv7m::kResetControl) = kRequest;
  armv7m::data_barrier();
  for (;;) {
  }
}

}  // namespace drivers

namespace board {

std::string_view name() {
  return family::kBoard.name;
}

void init() {
  drivers::uart_init();
  drivers::system_timer_init();
  armv7m::enable_interrupts();
}

void reset() {
  drivers::note_reset_reason(boot::ResetReason::kSoftware);
  drivers::request_reset();
}

const boot::RomTrust& rom_trust() {
  return *reinterpret_cast<const boot::RomTrust*>(
      family::kRomTrustAddress);  // NOLINT(performance-no-int-to-ptr)
}

LoadRegion load_region() {
  return {family::kLoadAddress, family::kLoadSize, family::kLoadAddress};
}

/// What clear_and_start() clears with one store.
constexpr std::uint32_t kClearedAtOnce = 32;
constexpr std::uint32_t kRamEnd = family::kRamAddress + family::kRamSize;
static_assert((family::kRamSize - family::kNoInitSize) % kClearedAtOnce == 0, "it would clear more than RAM");
static_assert(family::kClearedEnd % kClearedAtOnce == 0, "it would clear more than load memory");

/// Zeroes what stands behind the image, then RAM, and starts the image. The bootloader's own stack and data
/// go with it, so that nothing of it is left to the application; hence registers only.
[[gnu::naked, noreturn]] static void clear_and_start(std::uint32_t /*vector_table*/,
                                                     std::uint32_t /*behind_image*/,
                                                     std::uint32_t /*load_end*/,
                                                     std::uint32_t /*ram_start*/) {
  __asm volatile(
      "movs r4, #0\n"
      "movs r5, #0\n"
      "movs r6, #0\n"
      "movs r7, #0\n"
      "mov r8, r4\n"
      "mov r9, r4\n"
      "mov r10, r4\n"
      "mov r11, r4\n"
      "1: cmp r1, r2\n"
      "bhs 2f\n"
      "stmia r1!, {r4-r11}\n"
      "b 1b\n"
      "2: ldr r2, =%c0\n"
      "3: stmia r3!, {r4-r11}\n"
      "cmp r3, r2\n"
      "blo 3b\n"
      "ldr r1, [r0]\n"
      "msr msp, r1\n"
      "ldr r1, [r0, #4]\n"
      "cpsie i\n"
      "bx r1\n"
      ".ltorg\n" ::"i"(kRamEnd));
}

void jump_to_application(std::uint32_t vector_table, std::uint32_t image_end) {
  constexpr std::uint32_t kClearPendingSysTick = 1U << 25;
  armv7m::disable_interrupts();
  armv7m::reg(armv7m::kSysTickControl) = 0;
  armv7m::reg(armv7m::kInterruptControl) = kClearPendingSysTick;
  armv7m::reg(armv7m::kNvicDisable) = 0xFFFF'FFFF;
  armv7m::reg(armv7m::kNvicClearPending) = 0xFFFF'FFFF;
  armv7m::reg(armv7m::kVectorTableOffset) = vector_table;
  const std::uint32_t behind_image = (image_end + kClearedAtOnce - 1) / kClearedAtOnce * kClearedAtOnce;
  auto* tail = reinterpret_cast<volatile std::uint8_t*>(image_end);  // NOLINT(performance-no-int-to-ptr)
  for (std::uint32_t i = 0; i < behind_image - image_end; ++i) tail[i] = 0;
  armv7m::retire_fpu();
  armv7m::data_barrier();
  clear_and_start(vector_table, behind_image, family::kClearedEnd, family::kRamAddress + family::kNoInitSize);
}

}  // namespace board
