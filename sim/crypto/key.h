// P-256 keys on the host, over OpenSSL: what signs images, updates and certificates.
//
// Failures here mean OpenSSL refused (out of entropy, broken file); they carry its reason.
#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sim/base/result.h"

namespace otasim::crypto {

using Bytes = std::vector<std::uint8_t>;

/// OpenSSL's oldest queued error as text; empties the queue.
[[nodiscard]] std::string openssl_reason();

class P256Key {
 public:
  [[nodiscard]] static Result<P256Key> generate();
  /// Reads a PEM private key. @returns kUsage for a file that is missing, no key, or not P-256.
  [[nodiscard]] static Result<P256Key> load_private(const std::string& path);
  /// Reads a PEM public or private key, for verification. @returns as load_private().
  [[nodiscard]] static Result<P256Key> load_any(const std::string& path);

  /// Signs SHA-256 of `data`; the signature is DER.
  [[nodiscard]] Result<Bytes> sign(std::span<const std::uint8_t> data) const;
  /// @returns true if `signature` is this key's over SHA-256 of `data`.
  [[nodiscard]] bool verify(std::span<const std::uint8_t> data,
                            std::span<const std::uint8_t> signature) const;

  /// SubjectPublicKeyInfo, DER.
  [[nodiscard]] Bytes public_der() const;
  /// EC private key, DER (SEC 1).
  [[nodiscard]] Bytes private_der() const;
  /// PKCS #8 PEM.
  [[nodiscard]] std::string private_pem() const;

  [[nodiscard]] EVP_PKEY* get() const { return key_.get(); }

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  explicit P256Key(EVP_PKEY* key) : key_(key) {}
  [[nodiscard]] static Result<P256Key> load(const std::string& path, bool allow_public);

  std::unique_ptr<EVP_PKEY, Free> key_;
};

[[nodiscard]] Bytes sha256(std::span<const std::uint8_t> data);
[[nodiscard]] std::string hex(std::span<const std::uint8_t> data);

}  // namespace otasim::crypto
