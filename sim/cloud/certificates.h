// Certificates that devices may present: what AWS IoT keeps of them. A certificate's id is the SHA-256 of its
// DER form; as a principal it is attached to a thing (things.h). Only an ACTIVE one gets a device in.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "sim/cloud/clock.h"
#include "sim/cloud/database.h"
#include "sim/cloud/listeners.h"
#include "sim/cloud/page.h"
#include "sim/cloud/service_error.h"

namespace otasim::cloud {

enum class CertificateStatus { kActive, kInactive, kRevoked };
[[nodiscard]] std::string_view to_string(CertificateStatus status);

struct CertificateRecord {
  std::string id;   ///< SHA-256 of the DER form, lower-case hex
  std::string pem;  ///< empty if only its id is known
  CertificateStatus status = CertificateStatus::kActive;
  std::int64_t created_at = 0;  ///< epoch seconds
  std::int64_t last_modified_at = 0;
};

struct RemoveCertificateOptions {
  bool with_policies = false;  ///< takes its policies off it first
};

class Certificates {
 public:
  /// Hears of each certificate whose status changes.
  using StatusListener = std::function<void(const CertificateRecord& certificate)>;

  Certificates(Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  /// Keeps a certificate; one that is known already stays as it is.
  /// @returns kInvalidRequest for what is no PEM certificate
  ServiceResult<CertificateRecord> register_certificate(
      const std::string& pem, CertificateStatus status = CertificateStatus::kActive);
  /// @returns kResourceNotFound
  [[nodiscard]] ServiceResult<CertificateRecord> describe(const std::string& id);
  /// In order of their ids. @returns kInvalidRequest for a bad page
  [[nodiscard]] ServiceResult<Page<CertificateRecord>> list(const PageRequest& page = {});
  /// @returns kResourceNotFound
  ServiceResult<void> set_status(const std::string& id, CertificateStatus status);
  /// @returns kResourceNotFound, kInvalidRequest if it is active, kDeleteConflict if it is attached to a
  /// thing or, unless they go with it, has policies
  ServiceResult<void> remove(const std::string& id, RemoveCertificateOptions options = {});

  [[nodiscard]] Subscription listen(StatusListener listener) { return listeners_.add(std::move(listener)); }

 private:
  Database& database_;
  const Clock& clock_;
  Listeners<StatusListener> listeners_;
};

}  // namespace otasim::cloud
