// The board as the secure world sees it: identity, resets, and the hand-over to the application in the other
// world.
#include "qemu_boards/common/board.h"

#include <arm_cmse.h>

#include "qemu_boards/common/drivers.h"
#include "qemu_boards/common/rom_trust.h"
#include "qemu_boards/mps2/trustzone/memory_map.h"
#include "qemu_boards/mps2/trustzone/registers.h"
#include "qemu_boards/mps2/trustzone/secure_world.h"

extern "C" std::uint32_t __bss_end;  // the linker's

namespace {

/// AIRCR: key; non-secure exceptions rank below secure ones; only the secure world resets. HardFault,
/// BusFault and NMI stay secure (BFHFNMINS = 0).
constexpr std::uint32_t kControlKey = 0x05FA'0000;
constexpr std::uint32_t kSecureFirst = 1U << 14;
constexpr std::uint32_t kSecureResetOnly = 1U << 3;
constexpr std::uint32_t kResetRequest = 1U << 2;

void zero(std::uint32_t begin, std::uint32_t end) {
  for (std::uint32_t at = begin; at < end; at += sizeof(std::uint32_t)) armv7m::reg(at) = 0;
}

/// Zeroes what the application's world holds besides the image, where one that was refused may have stood.
void clear_application_memory(std::uint32_t image_end) {
  constexpr std::uint32_t kRam = mps2::kApplicationRamAddress;
  const std::uint32_t words = (image_end + 3) / 4 * 4;
  auto* tail = reinterpret_cast<volatile std::uint8_t*>(image_end);  // NOLINT(performance-no-int-to-ptr)
  for (std::uint32_t i = 0; i < words - image_end; ++i) tail[i] = 0;
  zero(words, mps2::kLoadAddress + mps2::kLoadSize);
  zero(kRam, kRam + mps2::kApplicationRamSize);
}

void stop_secure_interrupts() {
  constexpr std::uint32_t kClearPendingSysTick = 1U << 25;
  armv7m::reg(armv7m::kSysTickControl) = 0;
  armv7m::reg(armv7m::kInterruptControl) = kClearPendingSysTick;
  for (std::uint32_t i = 0; i < 16; i += 4) {
    armv7m::reg(armv7m::kNvicDisable + i) = 0xFFFF'FFFF;
    armv7m::reg(armv7m::kNvicClearPending + i) = 0xFFFF'FFFF;
  }
}

void take_control_of_exceptions() {
  constexpr std::uint32_t kSeparateFaults = 0xFU << 16;  // MemManage, BusFault, UsageFault, SecureFault
  armv7m::reg(armv7m::kResetControl) = kControlKey | kSecureFirst | kSecureResetOnly;
  armv7m::reg(armv7m::kHandlerControl) = armv7m::reg(armv7m::kHandlerControl) | kSeparateFaults;
}

/// The secure world's stack ends where its data does: an overflow faults.
void limit_stack() {
  __asm volatile("msr msplim, %0" ::"r"((reinterpret_cast<std::uint32_t>(&__bss_end) + 7) & ~7U));
}

/// The process stack is not used. What the other world might have the processor unstack from it by a forged
/// exception return is neither an integrity signature nor an address.
void seal_process_stack() {
  constexpr std::uint32_t kSeal = 0xFEF5'EDA5;
  alignas(8) static std::uint32_t stack[2];
  stack[0] = stack[1] = kSeal;
  __asm volatile("msr psp, %0" ::"r"(stack) : "memory");
}

void set_application_stacks(std::uint32_t stack_top) {
  __asm volatile(
      "msr msp_ns, %0\n"
      "msr psp_ns, %1\n"
      "msr msplim_ns, %1\n"
      "msr psplim_ns, %1\n"
      "msr control_ns, %1\n"
      "msr primask_ns, %1\n"
      "msr faultmask_ns, %1\n"
      "msr basepri_ns, %1\n" ::"r"(stack_top),
      "r"(0));
}

}  // namespace

namespace drivers {

void request_reset() {
  armv7m::data_barrier();
  armv7m::reg(armv7m::kResetControl) = kControlKey | kSecureFirst | kSecureResetOnly | kResetRequest;
  armv7m::data_barrier();
  for (;;) {
  }
}

}  // namespace drivers

namespace mps2 {

bool is_application_memory(const void* address, std::uint32_t size, bool is_written) {
  const auto begin = reinterpret_cast<std::uint32_t>(address);
  const auto lies_in = [&](std::uint32_t memory, std::uint32_t memory_size) {
    return begin >= memory && begin - memory <= memory_size && size <= memory_size - (begin - memory);
  };
  const bool is_ram = lies_in(kApplicationRamAddress, kApplicationRamSize);
  if (!is_ram && (is_written || !lies_in(kLoadAddress, kLoadSize))) return false;
  if (size == 0) return true;
  const int access = CMSE_NONSECURE | (is_written ? CMSE_MPU_READWRITE : CMSE_MPU_READ);
  return cmse_check_address_range(const_cast<void*>(address), size, access) != nullptr;
}

}  // namespace mps2

namespace board {

std::string_view name() {
  return mps2::kBoard.name;
}

void init() {
  drivers::uart_init();
  drivers::system_timer_init();
  take_control_of_exceptions();
  limit_stack();
  armv7m::enable_interrupts();
}

void reset() {
  drivers::note_reset_reason(boot::ResetReason::kSoftware);
  drivers::request_reset();
}

const boot::RomTrust& rom_trust() {
  return *reinterpret_cast<const boot::RomTrust*>(
      mps2::kSecureRomTrustAddress);  // NOLINT(performance-no-int-to-ptr)
}

LoadRegion load_region() {
  return {mps2::kLoadAddress, mps2::kLoadSize, mps2::kSecureLoadAddress};
}

void jump_to_application(std::uint32_t vector_table, std::uint32_t image_end) {
  typedef void __attribute__((cmse_nonsecure_call)) (*Application)();  // NOLINT(modernize-use-using)
  armv7m::disable_interrupts();
  stop_secure_interrupts();
  mps2::give_interrupts_away();
  // open_memory() has given the memories away: from here on they are seen at the application's addresses.
  clear_application_memory(image_end);
  armv7m::reg(armv7m::kVectorTableOffset + mps2::kNonSecureView) = vector_table;
  set_application_stacks(armv7m::reg(vector_table));
  seal_process_stack();
  const auto start = reinterpret_cast<Application>(armv7m::reg(vector_table + 4) & ~1U);  // NOLINT
  armv7m::data_barrier();
  armv7m::enable_interrupts();
  start();  // the compiler clears all registers
  // Only an application that returns to where nobody called it from gets here.
  drivers::uart_init();
  console_write("\nboard: the application returned, resetting\n");
  reset();
}

}  // namespace board
