// X.509 certificates for a lab: its CA, the endpoint's, the device's and the code signer's.
#pragma once

#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/crypto/key.h"

namespace otasim::crypto {

/// What a certificate may be used for; decides its basic constraints and key usages.
enum class Purpose {
  kAuthority,   ///< signs other certificates
  kTlsServer,   ///< serverAuth
  kTlsClient,   ///< clientAuth
  kCodeSigner,  ///< codeSigning, as AWS Signer asks (digitalSignature, extended key usage codeSigning)
};

struct CertificateRequest {
  std::string common_name;
  Purpose purpose = Purpose::kTlsClient;
  std::vector<std::string> dns_names;     ///< subject alternative names
  std::vector<std::string> ip_addresses;  ///< subject alternative names
  int valid_days = 3650;
  std::optional<std::int64_t> valid_from = {};   ///< seconds since 1970; none: a day ago
  std::optional<std::int64_t> valid_until = {};  ///< the same; none: `valid_days` from now
};

/// A certificate's time as seconds since 1970; nothing if it is none.
[[nodiscard]] std::optional<std::int64_t> epoch_seconds(const ASN1_TIME* time);

class Certificate {
 public:
  /// Issues a certificate for `key`, signed by `issuer` with `issuer_key`.
  [[nodiscard]] static Result<Certificate> issue(const CertificateRequest& request, const P256Key& key,
                                                 const Certificate& issuer, const P256Key& issuer_key);
  /// The same for a public key of any kind.
  [[nodiscard]] static Result<Certificate> issue_for(const CertificateRequest& request, EVP_PKEY* key,
                                                     const Certificate& issuer, const P256Key& issuer_key);
  /// Issues a certificate that is its own issuer.
  [[nodiscard]] static Result<Certificate> self_signed(const CertificateRequest& request, const P256Key& key);
  [[nodiscard]] static Result<Certificate> from_pem(const std::string& pem);
  [[nodiscard]] static Result<Certificate> from_der(std::span<const std::uint8_t> der);

  [[nodiscard]] Bytes der() const;
  [[nodiscard]] std::string pem() const;
  /// SHA-256 of the DER form, lower-case hex: the principal's id.
  [[nodiscard]] std::string fingerprint() const;

  /// Whether `key` is the private half of this certificate's key.
  [[nodiscard]] bool belongs_to(const P256Key& key) const;
  /// Whether `issuer` issued this certificate: its name is the issuer's, and its key made the signature.
  [[nodiscard]] bool is_issued_by(const Certificate& issuer) const;

  [[nodiscard]] X509* get() const { return certificate_.get(); }

 private:
  struct Free {
    void operator()(X509* certificate) const { X509_free(certificate); }
  };
  explicit Certificate(X509* certificate) : certificate_(certificate) {}
  [[nodiscard]] static Result<Certificate> build(const CertificateRequest& request, EVP_PKEY* key,
                                                 X509* issuer, const P256Key& issuer_key);

  std::unique_ptr<X509, Free> certificate_;
};

}  // namespace otasim::crypto
