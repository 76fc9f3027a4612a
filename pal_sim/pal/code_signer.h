// A code signer's certificate, reduced to the one thing that verifies a file: its public key.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "agent/crypto/crypto.h"

namespace pal {

/// Reads an X.509 certificate in DER. It must hold a P-256 key, allow digital signatures, and name code
/// signing as its extended use. Its validity period and issuer are not asked: the certificate is trusted
/// because it was provisioned, and the device may have no calendar.
///
/// @returns nothing if any of this does not hold
[[nodiscard]] std::optional<crypto::P256PublicKey> code_signing_key(
    std::span<const std::uint8_t> certificate);

}  // namespace pal
