// The memory protection unit (ARMv7-M Architecture Reference Manual, B3.5): regions and their attributes.
//
// Order of use: set_regions(), then enable_mpu(). Where two regions overlap the one with the higher number
// counts; what none covers keeps its default attributes. The MPU is off again after a reset.
#pragma once

#include <cstdint>
#include <span>

#include "qemu_boards/common/armv7m.h"

namespace armv7m {

inline constexpr std::uint32_t kExecuteNever = 1U << 28;
inline constexpr std::uint32_t kNoAccess = 0U << 24;
inline constexpr std::uint32_t kReadOnly = 6U << 24;
inline constexpr std::uint32_t kReadWrite = 3U << 24;
inline constexpr std::uint32_t kNormalMemory = 1U << 17;                 // cacheable, write-through
inline constexpr std::uint32_t kDeviceMemory = (1U << 18) | (1U << 16);  // shareable, bufferable

/// A region of 2^n bytes, aligned to its size.
struct Region {
  std::uint32_t address;
  std::uint32_t log2_size;
  std::uint32_t attributes;
};

/// Where a Cortex-M3 or M4 shows each bit of a device's registers as a word of its own ("bit-banding",
/// ARMv7-M Architecture Reference Manual, B3.1): the same device, at an address that the MPU judges by
/// itself.
constexpr Region bit_band_alias(const Region& device) {
  constexpr std::uint32_t kDevices = 0x4000'0000;
  constexpr std::uint32_t kAlias = 0x4200'0000;
  return {kAlias + (device.address - kDevices) * 32, device.log2_size + 5, device.attributes};
}

/// The regions a processor of this kind has.
inline constexpr std::uint32_t kMpuRegions = 8;

inline void set_region(std::uint32_t number, const Region& region) {
  constexpr std::uint32_t kRegionEnable = 1U << 0;
  reg(kMpuRegionNumber) = number;
  reg(kMpuRegionBase) = region.address;
  reg(kMpuRegionAttributes) = region.attributes | ((region.log2_size - 1) << 1) | kRegionEnable;
}

inline void clear_region(std::uint32_t number) {
  reg(kMpuRegionNumber) = number;
  reg(kMpuRegionAttributes) = 0;
}

/// Numbers them from 0.
inline void set_regions(std::span<const Region> regions) {
  for (std::uint32_t number = 0; number < regions.size(); ++number) set_region(number, regions[number]);
}

/// Fault handlers and NMI are bound by it like everybody else.
inline void enable_mpu() {
  constexpr std::uint32_t kEnable = 1U << 0;
  constexpr std::uint32_t kAlsoInFaultHandlers = 1U << 1;  // HFNMIENA
  constexpr std::uint32_t kDefaultMapElsewhere = 1U << 2;
  reg(kMpuControl) = kEnable | kAlsoInFaultHandlers | kDefaultMapElsewhere;
  data_barrier();
}

}  // namespace armv7m
