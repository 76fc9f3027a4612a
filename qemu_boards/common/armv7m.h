// Memory-mapped registers: a 32-bit access that the compiler neither removes nor reorders with another one.
#pragma once

#include <cstdint>

namespace armv7m {

inline volatile std::uint32_t& reg(std::uint32_t address) {
  return *reinterpret_cast<volatile std::uint32_t*>(address);  // NOLINT(performance-no-int-to-ptr)
}

// System control space (ARMv7-M Architecture Reference Manual, B3).
inline constexpr std::uint32_t kSysTickControl = 0xE000'E010;
inline constexpr std::uint32_t kSysTickReload = 0xE000'E014;
inline constexpr std::uint32_t kSysTickValue = 0xE000'E018;
inline constexpr std::uint32_t kNvicEnable = 0xE000'E100;
inline constexpr std::uint32_t kNvicDisable = 0xE000'E180;
inline constexpr std::uint32_t kNvicClearPending = 0xE000'E280;
inline constexpr std::uint32_t kInterruptControl = 0xE000'ED04;  // ICSR
inline constexpr std::uint32_t kVectorTableOffset = 0xE000'ED08;
inline constexpr std::uint32_t kResetControl = 0xE000'ED0C;    // AIRCR
inline constexpr std::uint32_t kHandlerControl = 0xE000'ED24;  // SHCSR
inline constexpr std::uint32_t kConfigurableFaultStatus = 0xE000'ED28;
inline constexpr std::uint32_t kCoprocessorAccess = 0xE000'ED88;  // CPACR
inline constexpr std::uint32_t kMpuControl = 0xE000'ED94;
inline constexpr std::uint32_t kMpuRegionNumber = 0xE000'ED98;
inline constexpr std::uint32_t kMpuRegionBase = 0xE000'ED9C;
inline constexpr std::uint32_t kMpuRegionAttributes = 0xE000'EDA0;

inline void data_barrier() {
  __asm volatile("dsb\n\tisb" ::: "memory");
}
inline void disable_interrupts() {
  __asm volatile("cpsid i" ::: "memory");
}
inline void enable_interrupts() {
  __asm volatile("cpsie i" ::: "memory");
}

}  // namespace armv7m
