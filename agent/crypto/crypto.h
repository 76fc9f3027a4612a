// The primitives below images and files: SHA-256, ECDSA P-256 verification, and what opens encrypted images.
//
// Used by the bootloader over the RAM copy of an image and by the PAL over a received file. Implemented by
// BearSSL on every target (docs/decisions/0008): no heap, no global state; what a function needs is on its
// stack. No branch or address depends on a secret, but for the range of a private key; nothing is secret to
// ecdsa_p256_verify(). On a Cortex-M3 the time of a multiplication depends on its operands all the same.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "agent/crypto/verdict.h"

namespace crypto {

using Sha256Digest = std::array<std::uint8_t, 32>;
/// An uncompressed P-256 point as X9.62 encodes it: 0x04, X, Y.
using P256PublicKey = std::array<std::uint8_t, 65>;
/// A scalar below the curve's order, big-endian.
using P256PrivateKey = std::array<std::uint8_t, 32>;
using Aes128Key = std::array<std::uint8_t, 16>;

/// r and s of ECDSA P-256, big-endian.
using EcdsaSignature = std::array<std::uint8_t, 64>;

/// The longest DER signature of ECDSA P-256.
inline constexpr std::size_t kMaxEcdsaSignature = 72;

/// Incremental SHA-256 (FIPS 180-4).
class Sha256 {
 public:
  Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::span<const std::uint8_t> data);
  /// The digest of all that was given to update().
  [[nodiscard]] Sha256Digest finish() const;

 private:
  alignas(8) std::array<std::uint8_t, 128> state_{};
};

[[nodiscard]] Sha256Digest sha256(std::span<const std::uint8_t> data);

/// Verifies an ECDSA signature over a SHA-256 digest (FIPS 186-5).
///
/// @param der_signature  ASN.1 SEQUENCE of r and s, strictly DER, nothing after it
/// @returns kYes only if the key is a point on the curve and the signature holds; every malformed input is
/// kNo
[[nodiscard]] Verdict ecdsa_p256_verify(const P256PublicKey& key, const Sha256Digest& digest,
                                        std::span<const std::uint8_t> der_signature);

/// Signs a SHA-256 digest with ECDSA P-256, deterministically (RFC 6979): it needs no random numbers, and
/// never gives two signatures of one digest away that would tell the key.
/// @returns nothing if the key is zero or not below the order
[[nodiscard]] std::optional<EcdsaSignature> ecdsa_p256_sign(const P256PrivateKey& key,
                                                            const Sha256Digest& digest);

/// The scalar of a private key in DER, SEC 1 (RFC 5915) or PKCS #8 (RFC 5208). What else stands in it, the
/// public key or attributes, is not looked at.
/// @returns nothing if it is neither, or says it is on another curve
[[nodiscard]] std::optional<P256PrivateKey> parse_p256_private_key(std::span<const std::uint8_t> der);

/// Overwrites a secret that is no longer needed, also if nobody looks at it any more.
void wipe(std::span<std::uint8_t> secret);

/// Compares without an early exit. Lengths that differ are unequal.
[[nodiscard]] bool equal_constant_time(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b);

/// ECDH on P-256 (SP 800-56A): the X coordinate both sides share.
/// @returns nothing if `peer` is no point on the curve, or `own` is zero or not below the order
[[nodiscard]] std::optional<std::array<std::uint8_t, 32>> p256_shared_secret(const P256PrivateKey& own,
                                                                             const P256PublicKey& peer);

/// HKDF with SHA-256 and without a salt (RFC 5869).
/// @param out  at most 255 * 32 bytes
void hkdf_sha256(std::span<const std::uint8_t> input, std::span<const std::uint8_t> info,
                 std::span<std::uint8_t> out);

/// HMAC with SHA-256 (FIPS 198-1).
[[nodiscard]] Sha256Digest hmac_sha256(std::span<const std::uint8_t> key, std::span<const std::uint8_t> data);

/// AES-128 in counter mode (SP 800-38A) with a counter block that starts at zero: encrypts or decrypts in
/// place.
/// @param data  fewer than 2^32 blocks
void aes128_ctr(const Aes128Key& key, std::span<std::uint8_t> data);

}  // namespace crypto
