#include "sim/inspect/otp_bank.h"

#include <bit>

#include "agent/boot/key_revocation.h"
#include "agent/boot/security_counter.h"

namespace otasim::inspect {
namespace {

constexpr std::uint32_t kBitsOfSigner = 16;

std::uint32_t burned_bits(std::span<const std::uint8_t> bytes) {
  std::uint32_t burned = 0;
  for (const std::uint8_t byte : bytes) burned += 8U - static_cast<std::uint32_t>(std::popcount(byte));
  return burned;
}

OtpFloor read_floor(std::span<const std::uint8_t> bank) {
  OtpFloor floor;
  for (const std::uint8_t byte : bank) {
    for (const unsigned step : {byte & 0x0FU, unsigned{byte} >> 4U}) {
      const int left = std::popcount(step);
      floor.steps += left <= 1 ? 1U : 0U;
      floor.unsure_steps += left != 0 && left != 4 ? 1U : 0U;
    }
  }
  return floor;
}

}  // namespace

OtpBank read_otp_bank(std::span<const std::uint8_t> bank) {
  OtpBank otp{
      .application = read_floor(bank.first(boot::kFloorBankSize)),
      .recovery = read_floor(bank.subspan(boot::kFloorBankSize, boot::kFloorBankSize)),
      .revoked_signers = {},
      .unsure_signers = {},
      .burned_bits = burned_bits(bank),
      .burned_unused_bits = burned_bits(bank.subspan(boot::kRevocationOffset + boot::kRevocationSize))};
  for (std::uint32_t signer = 0; signer < boot::kMaxSigners; ++signer) {
    const std::uint32_t burned = burned_bits(bank.subspan(boot::kRevocationOffset + 2 * signer, 2));
    if (burned >= kBitsOfSigner / 2) otp.revoked_signers.push_back(signer);
    if (burned != 0 && burned != kBitsOfSigner) otp.unsure_signers.push_back(signer);
  }
  return otp;
}

}  // namespace otasim::inspect
