// Board interface: identity, init, reset, and the hand-over to the application.
#include "qemu_boards/common/board.h"

#include "qemu_boards/common/rom_trust.h"
#include "qemu_boards/mps2/drivers.h"
#include "qemu_boards/mps2/fpu.h"
#include "qemu_boards/mps2/registers.h"
#include "qemu_boards/mps2/this_board.h"

namespace {

/// RAM that survives a reset. At power-on it holds anything, so each part proves itself: BootInfo by its
/// check value, the reason by its magic.
struct NoInit {
  boot::BootInfo boot_info;
  std::uint32_t reason_magic;
  boot::ResetReason reason;
};
static_assert(sizeof(NoInit) <= mps2::kNoInitSize);

constexpr std::uint32_t kReasonMagic = 0x5345'5252;  // "RRES" in memory

NoInit& no_init() {
  return *reinterpret_cast<NoInit*>(mps2::kRamAddress);  // NOLINT(performance-no-int-to-ptr)
}

}  // namespace

namespace mps2 {

void note_reset_reason(boot::ResetReason reason) {
  no_init().reason = reason;
  no_init().reason_magic = kReasonMagic;
}

}  // namespace mps2

namespace board {

std::string_view name() {
  return mps2::kBoard.name;
}

void init() {
  mps2::uart_init();
  mps2::system_timer_init();
  mps2::enable_interrupts();
}

void reset() {
  constexpr std::uint32_t kRequest = 0x05FA'0004;  // AIRCR: key, SYSRESETREQ
  mps2::note_reset_reason(boot::ResetReason::kSoftware);
  mps2::data_barrier();
  mps2::reg(mps2::kResetControl) = kRequest;
  mps2::data_barrier();
  for (;;) {
  }
}

boot::ResetReason take_reset_reason() {
  const NoInit& memory = no_init();
  const bool was_noted =
      memory.reason_magic == kReasonMagic &&
      (memory.reason == boot::ResetReason::kSoftware || memory.reason == boot::ResetReason::kWatchdog);
  const boot::ResetReason reason = was_noted ? memory.reason : boot::ResetReason::kPowerOn;
  no_init().reason_magic = 0;
  return reason;
}

boot::BootInfo& boot_info() {
  return no_init().boot_info;
}

const boot::RomTrust& rom_trust() {
  return *reinterpret_cast<const boot::RomTrust*>(
      mps2::kRomTrustAddress);  // NOLINT(performance-no-int-to-ptr)
}

LoadRegion load_region() {
  return {mps2::kLoadAddress, mps2::kLoadSize, mps2::kLoadAddress};
}

/// What clear_and_start() clears with one store.
constexpr std::uint32_t kClearedAtOnce = 32;
static_assert((mps2::kRamSize - mps2::kNoInitSize) % kClearedAtOnce == 0, "it would clear more than RAM");
static_assert(mps2::kRamAddress + mps2::kRamSize == 0x2040'0000, "the end of RAM is in the code below");

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
      "2: ldr r2, =0x20400000\n"
      "3: stmia r3!, {r4-r11}\n"
      "cmp r3, r2\n"
      "blo 3b\n"
      "ldr r1, [r0]\n"
      "msr msp, r1\n"
      "ldr r1, [r0, #4]\n"
      "cpsie i\n"
      "bx r1\n"
      ".ltorg\n");
}

void jump_to_application(std::uint32_t vector_table, std::uint32_t image_end) {
  constexpr std::uint32_t kClearPendingSysTick = 1U << 25;
  mps2::disable_interrupts();
  mps2::reg(mps2::kSysTickControl) = 0;
  mps2::reg(mps2::kInterruptControl) = kClearPendingSysTick;
  mps2::reg(mps2::kNvicDisable) = 0xFFFF'FFFF;
  mps2::reg(mps2::kNvicClearPending) = 0xFFFF'FFFF;
  mps2::reg(mps2::kVectorTableOffset) = vector_table;
  const std::uint32_t behind_image = (image_end + kClearedAtOnce - 1) / kClearedAtOnce * kClearedAtOnce;
  auto* tail = reinterpret_cast<volatile std::uint8_t*>(image_end);  // NOLINT(performance-no-int-to-ptr)
  for (std::uint32_t i = 0; i < behind_image - image_end; ++i) tail[i] = 0;
  mps2::retire_fpu();
  mps2::data_barrier();
  clear_and_start(vector_table, behind_image, mps2::kLoadAddress + mps2::kLoadSize,
                  mps2::kRamAddress + mps2::kNoInitSize);
}

}  // namespace board
