// Access to memory-mapped registers, and the Cortex-M system registers the drivers use.
#pragma once

#include <cstdint>

namespace mps2 {

inline volatile std::uint32_t& reg(std::uint32_t address) {
  return *reinterpret_cast<volatile std::uint32_t*>(address);
}

/// Cortex-M3 system control space (ARMv7-M Architecture Reference Manual, B3).
namespace scs {
inline constexpr std::uint32_t kSysTickControl = 0xE000'E010;
inline constexpr std::uint32_t kSysTickReload = 0xE000'E014;
inline constexpr std::uint32_t kSysTickValue = 0xE000'E018;
inline constexpr std::uint32_t kNvicEnable = 0xE000'E100;
inline constexpr std::uint32_t kNvicDisable = 0xE000'E180;
inline constexpr std::uint32_t kNvicClearPending = 0xE000'E280;
inline constexpr std::uint32_t kInterruptControl = 0xE000'ED04;
inline constexpr std::uint32_t kVectorTable = 0xE000'ED08;
inline constexpr std::uint32_t kReset = 0xE000'ED0C;
inline constexpr std::uint32_t kFaultStatus = 0xE000'ED28;
inline constexpr std::uint32_t kHardFaultStatus = 0xE000'ED2C;
inline constexpr std::uint32_t kMemFaultAddress = 0xE000'ED34;
inline constexpr std::uint32_t kBusFaultAddress = 0xE000'ED38;
inline constexpr std::uint32_t kMpuControl = 0xE000'ED94;
inline constexpr std::uint32_t kMpuRegion = 0xE000'ED98;
inline constexpr std::uint32_t kMpuBase = 0xE000'ED9C;
inline constexpr std::uint32_t kMpuAttributes = 0xE000'EDA0;
}  // namespace scs

inline void data_barrier() {
  asm volatile("dsb" ::: "memory");
}

inline void instruction_barrier() {
  asm volatile("isb" ::: "memory");
}

}  // namespace mps2
