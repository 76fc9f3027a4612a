// Which of the ROM's signers are revoked, kept in the flash part's OTP bank.
//
// Each signer has 16 bits; a burn clears them all. A signer is revoked when half of them are 0: a bit that
// fails neither revokes a signer nor gives one back. A power cut inside a burn may leave fewer; burning again
// finishes it, and the commit that asked for it is not recorded before (docs/boot.md).
#pragma once

#include <cstdint>

#include "agent/boot/security_counter.h"
#include "pal_sim/flash/flash_driver.h"

namespace boot {

inline constexpr std::uint32_t kMaxSigners = 16;
inline constexpr std::uint32_t kRevocationOffset = 2 * kFloorBankSize;  ///< in the OTP bank
inline constexpr std::uint32_t kRevocationSize = 2 * kMaxSigners;
static_assert(kRevocationOffset + kRevocationSize <= flash::kOtpSize);

/// Reads which signers are revoked: bit n for signer n.
/// @returns what FlashDriver::otp_read returns; `revoked` is set only with kOk
[[nodiscard]] flash::Status read_revoked(flash::FlashDriver& flash, std::uint32_t& revoked);

/// Revokes the signers whose bits are set, also those that read as revoked already. Bits from kMaxSigners on
/// are ignored: there are no such signers.
/// @returns kOk, or what otp_program returns
[[nodiscard]] flash::Status burn_revoked(flash::FlashDriver& flash, std::uint32_t signers);

}  // namespace boot
