// Code signers, and the roots that issue them, made with OpenSSL. Everything a certificate could get wrong
// can be set wrong.
#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace pal_test {

using Bytes = std::vector<std::uint8_t>;

/// The kind of key that the PAL under test verifies, and the one that it does not.
#ifdef OTASIM_PAL_RSA
inline constexpr const char* kGoodKey = "RSA-2048";
inline constexpr const char* kOtherKey = "P-256";
#else
inline constexpr const char* kGoodKey = "P-256";
inline constexpr const char* kOtherKey = "RSA-2048";
#endif

struct CertificateSpec {
  std::string key = kGoodKey;  ///< a curve's name, or RSA- and the number of bits
  std::string name = "signer";
  std::string basic_constraints = {};  ///< empty: no such extension; so for the other two
  std::string key_usage = "critical,digitalSignature";
  std::string extended_key_usage = "codeSigning";
  std::string digest = "SHA256";  ///< of the certificate's own signature
  bool is_expired = false;
};

/// What a root's certificate says.
[[nodiscard]] CertificateSpec authority_spec();

class CodeSigner {
 public:
  /// Issued by root(), or if it is null by itself.
  explicit CodeSigner(const CertificateSpec& spec = {}, const CodeSigner* issuer = &root());

  /// The root of all signers that nothing else is said of; a P-256 key, in every build.
  [[nodiscard]] static const CodeSigner& root();

  [[nodiscard]] const Bytes& certificate() const { return certificate_; }
  /// Over SHA-256 of `data`: ECDSA in DER, or RSA with PKCS#1 v1.5.
  [[nodiscard]] Bytes sign(std::span<const std::uint8_t> data) const;

 private:
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
  std::string name_;
  Bytes certificate_;
};

}  // namespace pal_test
