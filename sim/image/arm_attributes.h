// What an ARM ELF file says of the processor it was compiled for: its build attributes (Addenda to, and
// Errata in, the ABI for the Arm Architecture, "Build attributes"), which compilers write into section
// .ARM.attributes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace otasim::image {

/// Values of Tag_CPU_arch, of the M profile's architectures.
enum CpuArch : std::uint32_t {
  kArchV7 = 10,  ///< v7-M if the profile is 'M'
  kArchV6M = 11,
  kArchV6SM = 12,
  kArchV7EM = 13,
  kArchV8MBase = 16,
  kArchV8MMain = 17,
  kArchV81MMain = 21,
};

/// Values of Tag_FP_arch that compilers for the M profile write.
enum FpArch : std::uint32_t { kFpNone = 0, kFpV4D16 = 6, kFpV5D16 = 8 };

struct ArmAttributes {
  std::uint32_t cpu_arch = 0;     ///< a CpuArch, or another profile's
  std::uint32_t cpu_profile = 0;  ///< 'M', 'A', 'R', or 0
  std::uint32_t fp_arch = 0;      ///< an FpArch; 0: no floating-point instructions
};

/// @returns nothing if the file has no such section, or it cannot be read
[[nodiscard]] std::optional<ArmAttributes> arm_attributes(std::span<const std::uint8_t> elf);

/// "ARMv7E-M with FPv5", as people write it.
[[nodiscard]] std::string to_string(const ArmAttributes& attributes);

}  // namespace otasim::image
