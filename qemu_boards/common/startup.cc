// Vector table and start-up, for the bootloader and for applications alike: the linker script decides where
// they stand.
//
// reset_handler() copies .data, zeroes .bss, runs constructors and calls main(). RAM in front of the linker's
// RAM region (BootInfo, reset reason) is left alone.
#include <array>
#include <cstdint>

#include "qemu_boards/common/fpu.h"
#include "qemu_boards/common/handlers.h"
#include "this_board.h"

extern "C" {

extern std::uint32_t __data_load;
extern std::uint32_t __data_start;
extern std::uint32_t __data_end;
extern std::uint32_t __bss_start;
extern std::uint32_t __bss_end;
extern std::uint32_t __stack_top;
using Constructor = void (*)();
extern Constructor __init_array_start;
extern Constructor __init_array_end;

void reset_handler();
}

namespace {

using Handler = void (*)();

struct VectorTable {
  std::uint32_t* stack_top;
  std::array<Handler, 15> exceptions;
  std::array<Handler, family::kInterruptLines> interrupts;
};

constexpr std::array<Handler, family::kInterruptLines> interrupt_handlers() {
  std::array<Handler, family::kInterruptLines> handlers{};
  for (Handler& handler : handlers) handler = fault_handler;
  handlers[family::kEthernetIrq] = ethernet_handler;
  return handlers;
}

}  // namespace

extern "C" {

extern const VectorTable vector_table;
[[gnu::section(".vectors")]] const VectorTable vector_table = {
    &__stack_top,
    {reset_handler, nmi_handler, fault_handler /* HardFault */, fault_handler /* MemManage */,
     fault_handler /* BusFault */, fault_handler /* UsageFault */, fault_handler /* SecureFault */, nullptr,
     nullptr, nullptr, fault_handler /* SVCall */, fault_handler /* DebugMonitor */, nullptr,
     fault_handler /* PendSV */, systick_handler},
    interrupt_handlers()};

void reset_handler() {
  armv7m::start_fpu();
  const std::uint32_t* from = &__data_load;
  for (std::uint32_t* to = &__data_start; to != &__data_end;) *to++ = *from++;
  for (std::uint32_t* to = &__bss_start; to != &__bss_end;) *to++ = 0;
  for (Constructor* constructor = &__init_array_start; constructor != &__init_array_end; ++constructor)
    (*constructor)();
  // C++ does not let a program call its main(); start-up code may.
  __asm volatile("bl main" ::: "r0", "r1", "r2", "r3", "r12", "lr", "memory");
  // main() of a bootloader or an application does not return; if it does, that is a fault.
  fault_handler();
}

}  // extern "C"
