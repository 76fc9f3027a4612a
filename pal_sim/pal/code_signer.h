// A code signer: a provisioned certificate that the device's code-signing root vouches for, and the check of
// one signature with its key.
//
//   CodeSigner signer;
//   if (signer.open(certificate, root) == SignerStatus::kOk && signer.verifies(digest, signature)) ...
//
// What open() asks, in this order:
//   - the certificate is one X.509 certificate in DER, with nothing after it;
//   - its key is of the kind this build verifies: P-256, or with OTASIM_PAL_RSA an RSA key of 2048 to 3072
//     bits;
//   - it may sign code and is no authority: key usage digitalSignature, extended key usage codeSigning (both
//     named);
//   - the root issued it: the root is an authority (basicConstraints CA, key usage keyCertSign), its subject
//     is the certificate's issuer, and its key made the certificate's signature (over SHA-256). There is
//     nothing between the two: intermediate authorities are not supported.
//
// A root that is itself a code signer and no authority is a pinned certificate: it vouches for itself and for
// nothing else. That is how AWS's guides make theirs (self-signed).
//
// Validity dates are not asked. The device has no calendar it could trust before it has talked to anybody,
// and certificates of the qualification group have long expired; a signer that must no longer be trusted is
// replaced by provisioning.
#pragma once

#include <mbedtls/x509_crt.h>

#include <cstdint>
#include <span>

#include "agent/crypto/crypto.h"

namespace pal {

/// Sub status of OtaPalBadSignerCert. The values are part of a failed job's reason and never change.
enum class SignerStatus : std::uint32_t {
  kOk = 0,
  kNotFound = 1,         ///< no certificate was provisioned under that name
  kUnreadable = 2,       ///< not exactly one X.509 certificate in DER
  kUnsupportedKey = 3,   ///< its key, or what it was signed with, is of a kind this build does not verify
  kNotCodeSigner = 4,    ///< its usages do not allow code signing, or it is an authority
  kNotIssuedByRoot = 5,  ///< the code-signing root did not issue it
  kBadRoot = 6,          ///< the code-signing root itself is no authority, or cannot be read
};

class CodeSigner {
 public:
  CodeSigner();
  ~CodeSigner();
  CodeSigner(const CodeSigner&) = delete;
  CodeSigner& operator=(const CodeSigner&) = delete;

  /// Call once. Both must outlive this object, and may be empty. @returns the first check that failed
  [[nodiscard]] SignerStatus open(std::span<const std::uint8_t> certificate,
                                  std::span<const std::uint8_t> root);

  /// Whether this signer made `signature` over what has this digest: ECDSA in DER, or with OTASIM_PAL_RSA RSA
  /// with PKCS#1 v1.5. False unless open() returned kOk.
  [[nodiscard]] bool verifies(const crypto::Sha256Digest& digest, std::span<const std::uint8_t> signature);

 private:
  mbedtls_x509_crt certificate_;
  bool is_authentic_ = false;
};

}  // namespace pal
