// The floating-point unit, on boards whose programs are compiled for one (ARMv7-M Architecture Reference
// Manual, B1.5.7 and B3.2.20). An interrupt handler that uses it is safe: the processor saves the interrupted
// program's registers, when the handler comes to use them.
#pragma once

#include "qemu_boards/common/armv7m.h"

namespace armv7m {

#ifdef __ARM_FP

/// Before any code that was compiled by a compiler: it may keep what it likes in these registers.
inline void start_fpu() {
  constexpr std::uint32_t kFullAccess = 0xFU << 20;  // coprocessors 10 and 11
  reg(kCoprocessorAccess) = kFullAccess;
  data_barrier();
}

/// As after a reset: nothing is left in its registers, and it is off.
inline void retire_fpu() {
  __asm volatile(
      "movs r0, #0\n"
      "vmov d0, r0, r0\n vmov d1, r0, r0\n vmov d2, r0, r0\n vmov d3, r0, r0\n"
      "vmov d4, r0, r0\n vmov d5, r0, r0\n vmov d6, r0, r0\n vmov d7, r0, r0\n"
      "vmov d8, r0, r0\n vmov d9, r0, r0\n vmov d10, r0, r0\n vmov d11, r0, r0\n"
      "vmov d12, r0, r0\n vmov d13, r0, r0\n vmov d14, r0, r0\n vmov d15, r0, r0\n"
      "vmsr fpscr, r0\n"
      "msr control, r0\n"  // no floating-point context is active
      "isb\n" ::
          : "r0", "memory");
  reg(kCoprocessorAccess) = 0;
  data_barrier();
}

#else

inline void start_fpu() {}
inline void retire_fpu() {}

#endif

}  // namespace armv7m
