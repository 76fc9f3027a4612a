// Registers of the TrustZone parts: ARMv8-M Architecture Reference Manual (SAU, the non-secure view of the
// system control space), Arm CoreLink SSE-200 and AN505 (memory and peripheral protection controllers).
#pragma once

#include "qemu_boards/common/armv7m.h"

namespace mps2 {

// Security attribution unit.
inline constexpr std::uint32_t kSauControl = 0xE000'EDD0;
inline constexpr std::uint32_t kSauRegionNumber = 0xE000'EDD8;
inline constexpr std::uint32_t kSauRegionBase = 0xE000'EDDC;
inline constexpr std::uint32_t kSauRegionLimit = 0xE000'EDE0;
inline constexpr std::uint32_t kSecureFaultStatus = 0xE000'EDE4;
inline constexpr std::uint32_t kSecureFaultAddress = 0xE000'EDE8;
inline constexpr std::uint32_t kBusFaultAddress = 0xE000'ED38;
/// Which interrupts are the non-secure world's, 32 in each word.
inline constexpr std::uint32_t kInterruptTargets = 0xE000'E380;

// ARMv8-M memory protection unit; at the addresses of ARMv7-M's where the names are the same.
inline constexpr std::uint32_t kMpuRegionLimit = 0xE000'EDA0;
inline constexpr std::uint32_t kMpuAttributes0 = 0xE000'EDC0;

/// The other world's system control space, for the secure world.
inline constexpr std::uint32_t kNonSecureView = 0x0002'0000;

// Secure privilege control block: which devices are the non-secure world's.
inline constexpr std::uint32_t kSecurityControl = 0x5008'0000;
inline constexpr std::uint32_t kErrorResponse = kSecurityControl + 0x10;
inline constexpr std::uint32_t kNonSecureCallable = kSecurityControl + 0x14;
inline constexpr std::uint32_t kNonSecureAhbExpansion0 = kSecurityControl + 0x60;
inline constexpr std::uint32_t kNonSecureApbExpansion1 = kSecurityControl + 0x84;
inline constexpr std::uint32_t kNonSecureApbExpansion2 = kSecurityControl + 0x88;

// Memory protection controllers.
inline constexpr std::uint32_t kCodeMemoryProtection = 0x5800'7000;
inline constexpr std::uint32_t kApplicationRamProtection = 0x5800'9000;

}  // namespace mps2
