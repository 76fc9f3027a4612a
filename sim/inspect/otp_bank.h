// The OTP bank: floors against downgrades and revoked signers (docs/flash-layout.md, "OTP bank").
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace otasim::inspect {

struct OtpFloor {
  std::uint32_t steps = 0;  ///< the floor
  std::uint32_t unsure_steps =
      0;  ///< steps with some bits burned, fewer than all: a burn that was cut, or bits that failed
};

struct OtpBank {
  OtpFloor application;
  OtpFloor recovery;
  std::vector<std::uint32_t> revoked_signers;
  std::vector<std::uint32_t> unsure_signers;  ///< some of their bits are burned, not all
  std::uint32_t burned_bits = 0;
  std::uint32_t burned_unused_bits = 0;  ///< in the part of the bank that has no use
};

/// @param bank  kOtpSize bytes
[[nodiscard]] OtpBank read_otp_bank(std::span<const std::uint8_t> bank);

}  // namespace otasim::inspect
