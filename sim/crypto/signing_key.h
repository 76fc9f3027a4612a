// A code-signing key of a user's own, RSA or P-256, with the hash that goes with it.
//
//   auto key = SigningKey::from_pem(pem);
//   auto signature = key->sign(HashAlgorithm::kSha256, content);
//
// The signature is what the FreeRTOS OTA library verifies: ECDSA as DER, RSA as PKCS #1 v1.5.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "sim/base/result.h"
#include "sim/crypto/key.h"

namespace otasim::crypto {

enum class HashAlgorithm { kSha1, kSha256 };
enum class KeyKind { kP256, kRsa };

class SigningKey {
 public:
  /// @returns kUsage  no unencrypted PEM private key, or neither P-256 nor RSA of 2048 to 4096 bits
  [[nodiscard]] static Result<SigningKey> from_pem(std::string_view pem);

  [[nodiscard]] KeyKind kind() const;
  [[nodiscard]] int bits() const { return EVP_PKEY_get_bits(key_.get()); }
  [[nodiscard]] Result<Bytes> sign(HashAlgorithm hash, std::span<const std::uint8_t> data) const;
  /// Whether it is the private half of the certificate's key.
  [[nodiscard]] bool belongs_to(const X509* certificate) const;

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  explicit SigningKey(EVP_PKEY* key) : key_(key) {}

  std::unique_ptr<EVP_PKEY, Free> key_;
};

/// @returns true if `signature` is the certificate's key's over the hash of `data`
[[nodiscard]] bool verify_signature(const X509* certificate, HashAlgorithm hash,
                                    std::span<const std::uint8_t> data,
                                    std::span<const std::uint8_t> signature);

}  // namespace otasim::crypto
