// The two primitives that decide what runs: SHA-256, and ECDSA P-256 verification.
//
// Used by the bootloader over the RAM copy of an image and by the PAL over a received file. Implemented by
// mbedTLS on every target. No heap: contexts live on the caller's stack or in a static pool.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace crypto {

using Sha256Digest = std::array<std::uint8_t, 32>;
/// An uncompressed P-256 point as X9.62 encodes it: 0x04, X, Y.
using P256PublicKey = std::array<std::uint8_t, 65>;

/// Incremental SHA-256 (FIPS 180-4).
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::span<const std::uint8_t> data);
  /// The digest of all that was given to update(). Call once.
  [[nodiscard]] Sha256Digest finish();

 private:
  alignas(8) std::array<std::uint8_t, 160> state_;
};

[[nodiscard]] Sha256Digest sha256(std::span<const std::uint8_t> data);

/// Verifies an ECDSA signature over a SHA-256 digest (FIPS 186-5).
///
/// @param der_signature  ASN.1 SEQUENCE of r and s, strictly DER, nothing after it
/// @returns true only if the key is a point on the curve and the signature holds; every malformed input is
///          false
[[nodiscard]] bool ecdsa_p256_verify(const P256PublicKey& key, const Sha256Digest& digest,
                                     std::span<const std::uint8_t> der_signature);

/// Compares without an early exit. Lengths that differ are unequal.
[[nodiscard]] bool equal_constant_time(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b);

}  // namespace crypto
