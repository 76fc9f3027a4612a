#include <bearssl.h>

#include <algorithm>

#include "agent/crypto/crypto.h"
#include "agent/crypto/p256.h"

namespace crypto {
namespace {

/// The base point of P-256 (FIPS 186-5), uncompressed.
constexpr P256PublicKey kBasePoint{
    0x04, 0x6B, 0x17, 0xD1, 0xF2, 0xE1, 0x2C, 0x42, 0x47, 0xF8, 0xBC, 0xE6, 0xE5, 0x63, 0xA4, 0x40, 0xF2,
    0x77, 0x03, 0x7D, 0x81, 0x2D, 0xEB, 0x33, 0xA0, 0xF4, 0xA1, 0x39, 0x45, 0xD8, 0x98, 0xC2, 0x96, 0x4F,
    0xE3, 0x42, 0xE2, 0xFE, 0x1A, 0x7F, 0x9B, 0x8E, 0xE7, 0xEB, 0x4A, 0x7C, 0x0F, 0x9E, 0x16, 0x2B, 0xCE,
    0x33, 0x57, 0x6B, 0x31, 0x5E, 0xCE, 0xCB, 0xB6, 0x40, 0x68, 0x37, 0xBF, 0x51, 0xF5};

/// The scalar is secret: mul() takes the same time for all of them.
std::size_t multiply_base_point(unsigned char* out, const unsigned char* scalar, std::size_t size,
                                int curve) {
  std::ranges::copy(kBasePoint, out);
  return crypto_p256.mul(out, kBasePoint.size(), scalar, size, curve) == 1 ? kBasePoint.size() : 0;
}

}  // namespace

std::optional<EcdsaSignature> ecdsa_p256_sign(const P256PrivateKey& key, const Sha256Digest& digest) {
  br_ec_impl curve = crypto_p256;
  curve.mulgen = multiply_base_point;
  P256PrivateKey scalar = key;  // BearSSL's type has no const
  const br_ec_private_key private_key{BR_EC_secp256r1, scalar.data(), scalar.size()};
  EcdsaSignature signature{};
  const std::size_t size =
      br_ecdsa_i31_sign_raw(&curve, &br_sha256_vtable, digest.data(), &private_key, signature.data());
  wipe(scalar);
  if (size != signature.size()) return std::nullopt;
  return signature;
}

void wipe(std::span<std::uint8_t> secret) {
  volatile std::uint8_t* bytes = secret.data();
  for (std::size_t i = 0; i < secret.size(); ++i) bytes[i] = 0;
}

}  // namespace crypto
