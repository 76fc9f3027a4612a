// A guest that drives the flash controller by its registers alone, for flash_plugin_test.
//
// It reports each step's status on the UART and resets itself once; flash remembers which boot this is. The
// test compares the transcript, and the flash file with what the guest claims to have done.
#include <cstdint>

#include "pal_sim/flash/controller_registers.h"
#include "tests/sim/flash/doorbell_program.h"

extern "C" std::uint32_t stack_top;
extern "C" [[noreturn]] void reset_handler();

// Doorbells where QEMU translates differently: its pages for this core have 1 KiB.
extern "C" void ring_before_page_end();
extern "C" void ring_across_page_end();
asm(R"(
  .section .text.page_ends, "ax"
  .balign 1024
  .space 1024 - 6
  .global ring_before_page_end
  .thumb_func
ring_before_page_end:
  .inst.w 0xf3af80a5
  nop.w  @ lies on both pages
  bx lr
  .balign 1024
  .space 1024 - 2
  .global ring_across_page_end
  .thumb_func
ring_across_page_end:
  .inst.w 0xf3af80a5
  bx lr
  .text
)");

namespace {

using namespace flash;
using namespace doorbell_program;

constexpr std::uint32_t kWindow = 0x2100'0000;
constexpr std::uint32_t kUart = 0x4000'4000;
constexpr std::uint32_t kAircr = 0xE000'ED0C;
constexpr std::uint32_t kAircrSystemReset = 0x05FA'0004;

volatile std::uint32_t& word(std::uint32_t address) {
  return *reinterpret_cast<volatile std::uint32_t*>(address);
}

volatile std::uint8_t& flash_byte(std::uint32_t offset) {
  return *reinterpret_cast<volatile std::uint8_t*>(kWindow + offset);
}

volatile std::uint32_t& reg(std::uint32_t offset) {
  return word(kWindow + kRegistersOffset + offset);
}

void put(char c) {
  word(kUart) = static_cast<std::uint8_t>(c);
}

void report(const char* step, std::uint32_t value) {
  while (*step != '\0') put(*step++);
  put('=');
  for (int shift = 28; shift >= 0; shift -= 4) put("0123456789abcdef"[(value >> shift) & 0xF]);
  put('\n');
}

std::uint32_t run_with(void (*ring)(), std::uint32_t command, std::uint32_t offset, std::uint32_t length) {
  reg(controller::kRegOffset) = offset;
  reg(controller::kRegLength) = length;
  reg(controller::kRegStatus) = static_cast<std::uint32_t>(Status::kNoDevice);
  reg(controller::kRegCommand) = command;
  ring();
  return reg(controller::kRegStatus);
}

void ring() {
  asm volatile(".inst.w 0xf3af80a5" ::: "memory");
}

std::uint32_t run(std::uint32_t command, std::uint32_t offset, std::uint32_t length) {
  return run_with(ring, command, offset, length);
}

std::uint32_t program(std::uint32_t offset, std::uint32_t length, std::uint8_t seed) {
  for (std::uint32_t i = 0; i < length; ++i) flash_byte(kPageBufferOffset + i) = pattern(seed, i);
  return run(controller::kProgram, offset, length);
}

void first_boot() {
  report("id", reg(controller::kRegId));
  report("program", program(kProgrammed, kPageSize, kFirstSeed));
  report("readback", flash_byte(kProgrammed + 7));
  report("over", program(kProgrammed, kPageSize, kSecondSeed));
  report("erase", run(controller::kEraseSector, kErased, 0));
  report("unaligned", run(controller::kEraseSector, kErased + 4, 0));
  report("page-end", run_with(ring_before_page_end, controller::kEraseSector, kErased + 4, 0));
  report("across", run_with(ring_across_page_end, controller::kEraseSector, kErased + 4, 0));
  report("hostile", run(controller::kProgram, 0, 0xFFFF'FFFF));
  report("lock", run(controller::kLock, kLocked, kControllerPart.sector_size));
  report("locked", program(kLocked, kPageSize, kFirstSeed));
  report("otp-lock", run(controller::kOtpLock, 0, 0));
  report("entropy", run(controller::kEntropy, 0, kPageSize));
  report("keep", run(controller::kProgram, kEntropyKept, kPageSize));
  report("mark", program(kBootMark, 4, 0));
}

void second_boot() {
  report("locks", reg(controller::kRegLockCount));
  report("otp-locked", reg(controller::kRegOtpLocked));
  report("unlocked", program(kLocked, kPageSize, kFirstSeed));
  report("sequence", reg(controller::kRegSequence));
  report("done", 0);
}

void store_directly() {
  flash_byte(kProgrammed) = 0x11;
  report("byte", flash_byte(kProgrammed));
  word(kWindow + kProgrammed + 4) = 0;
  report("word", word(kWindow + kProgrammed + 4));
  flash_byte(kOtpOffset) = 0;
  report("otp", flash_byte(kOtpOffset));
  flash_byte(kPageBufferOffset) = 0x5A;
  report("buffer", flash_byte(kPageBufferOffset));
  report("program", program(kProgrammed, 1, kFirstSeed));
  report("done", 0);
}

std::uint32_t wait_until_ready(const char* name) {
  std::uint32_t polls = 0;
  while (reg(controller::kRegStatus) == static_cast<std::uint32_t>(Status::kBusy) && polls < 1'000'000)
    ++polls;
  report(name, polls > 10 ? 1 : 0);
  return reg(controller::kRegStatus);
}

void poll() {
  report("busy", run(controller::kEraseBlock, kErased, 0));
  report("ready", wait_until_ready("waited"));
  report("busy", program(kErased, 16, kFirstSeed));
  report("again", program(kErased + 16, 16, kFirstSeed));
  report("ready", wait_until_ready("waited"));
  report("lock", run(controller::kLock, kLocked, kControllerPart.sector_size));
  report("sequence", reg(controller::kRegSequence));
  report("done", 0);
}

void read_again_and_again() {
  std::uint32_t all = 0xFFFF'FFFF;
  for (std::uint32_t i = 0; i < kTimesRead; ++i) {
    for (std::uint32_t at = 0; at < kControllerPart.sector_size; at += 4) all &= word(kWindow + kRead + at);
  }
  report("read", all == 0xFFFF'FFFF ? 0 : 1);
  report("done", 0);
}

void run_mode() {
  switch (flash_byte(kMode)) {
    case kStoresDirectly:
      return store_directly();
    case kPolls:
      return poll();
    case kReads:
      return read_again_and_again();
    default:
      if (flash_byte(kBootMark) != 0xFF) return second_boot();
      first_boot();
      word(kAircr) = kAircrSystemReset;
  }
}

}  // namespace

extern "C" void reset_handler() {
  word(kUart + 8) = 1;    // transmit enable
  word(kUart + 16) = 16;  // the smallest legal baud divisor
  run_mode();
  for (;;) asm volatile("wfi");
}

extern "C" [[gnu::section(".vectors"), gnu::used]] const void* const vectors[] = {
    &stack_top, reinterpret_cast<const void*>(reset_handler)};
