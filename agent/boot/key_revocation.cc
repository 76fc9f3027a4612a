#include "agent/boot/key_revocation.h"

#include <array>
#include <bit>

namespace boot {
namespace {

using Bank = std::array<std::uint8_t, kRevocationSize>;

constexpr int kRevokedFrom = 8;  ///< cleared bits of 16

}  // namespace

flash::Status read_revoked(flash::FlashDriver& flash, std::uint32_t& revoked) {
  Bank bank{};
  const flash::Status status = flash.otp_read(kRevocationOffset, bank);
  if (status != flash::Status::kOk) return status;
  revoked = 0;
  for (std::uint32_t signer = 0; signer < kMaxSigners; ++signer) {
    const int set = std::popcount(bank[2 * signer]) + std::popcount(bank[2 * signer + 1]);
    if (16 - set >= kRevokedFrom) revoked |= 1U << signer;
  }
  return flash::Status::kOk;
}

flash::Status burn_revoked(flash::FlashDriver& flash, std::uint32_t signers) {
  constexpr std::array<std::uint8_t, 2> kRevoked{0, 0};
  for (std::uint32_t signer = 0; signer < kMaxSigners; ++signer) {
    if ((signers & (1U << signer)) == 0) continue;
    const flash::Status status = flash.otp_program(kRevocationOffset + 2 * signer, kRevoked);
    if (status != flash::Status::kOk) return status;
  }
  return flash::Status::kOk;
}

}  // namespace boot
