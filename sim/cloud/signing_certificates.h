// Certificates with their private keys that users import to sign code: ACM's part.
//
//   auto arn = certificates.import({.certificate = pem, .private_key = key_pem});
//   certificates.describe(*arn);
//   auto key = certificates.key_of(*arn);           // to sign with
//
// The private key is a file of its own in the lab's folder, `signing-keys/<id>.pem`, which only its owner may
// read; all else is in the store. The file is there before the store names it, and the store forgets it
// before it goes; what a kill leaves is removed at the next opening.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/cloud/clock.h"
#include "sim/cloud/database.h"
#include "sim/cloud/page.h"
#include "sim/cloud/random_id.h"
#include "sim/cloud/service_error.h"
#include "sim/crypto/signing_key.h"

namespace otasim::cloud {

/// All PEM.
struct CertificateImport {
  std::string certificate;
  std::string private_key;
  std::string chain = {};  ///< kept and not looked at
};

struct SigningCertificate {
  std::string arn;
  std::string certificate;  ///< PEM
  std::string chain;        ///< PEM, may be empty
  std::int64_t imported_at = 0;
  // As the certificate says:
  std::string common_name = {};
  std::string subject = {};
  std::string issuer = {};
  std::string serial = {};  ///< hex, bytes parted by colons
  std::int64_t not_before = 0;
  std::int64_t not_after = 0;
  crypto::KeyKind key = crypto::KeyKind::kP256;
  int key_bits = 0;
};

class SigningCertificates {
 public:
  /// @param folder  where the keys go; made by the first import if it is missing
  SigningCertificates(Database& database, const Clock& clock, UuidSource uuid, std::string folder);

  /// @param arn  to replace what was imported before; empty for a new one
  /// @returns the ARN; kInvalidRequest for what is no certificate or key, a key of another certificate, or
  ///          one that cannot sign code; kResourceNotFound for the ARN
  ServiceResult<std::string> import(const CertificateImport& import, const std::string& arn = {});
  /// @returns kResourceNotFound
  [[nodiscard]] ServiceResult<SigningCertificate> describe(const std::string& arn);
  /// @returns kResourceNotFound; kInternalError if the key's file is gone
  [[nodiscard]] ServiceResult<crypto::SigningKey> key_of(const std::string& arn);
  /// In order of their ARNs. @returns kInvalidRequest for a bad page
  [[nodiscard]] ServiceResult<Page<SigningCertificate>> list(const PageRequest& page = {});
  /// @returns kResourceNotFound
  ServiceResult<void> remove(const std::string& arn);

 private:
  [[nodiscard]] std::string path_of(const std::string& key_file) const;
  [[nodiscard]] ServiceResult<std::optional<std::string>> key_file_of(const std::string& arn);
  void forget(const std::string& key_file);
  void remove_orphans();

  Database& database_;
  const Clock& clock_;
  UuidSource uuid_;
  std::string folder_;
};

}  // namespace otasim::cloud
