// A code signer with its certificate, made with OpenSSL. Everything a certificate could get wrong can be set
// wrong.
#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace pal_test {

using Bytes = std::vector<std::uint8_t>;

struct CertificateSpec {
  std::string curve = "P-256";  ///< "RSA" for an RSA key
  std::string key_usage = "critical,digitalSignature";
  std::string extended_key_usage = "codeSigning";
  bool is_expired = false;
};

class CodeSigner {
 public:
  explicit CodeSigner(const CertificateSpec& spec = {});

  [[nodiscard]] const Bytes& certificate() const { return certificate_; }
  /// ECDSA over SHA-256 of `data`, in DER.
  [[nodiscard]] Bytes sign(std::span<const std::uint8_t> data) const;

 private:
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
  Bytes certificate_;
};

}  // namespace pal_test
