// AWS IoT policies in the store, and the certificates they are attached to. What they mean is iot_policy.h's;
// the broker obeys them. A certificate without a policy gets nobody in, as with AWS.
//
//   policies.create("device", document);
//   policies.attach("device", certificate_id);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/cloud/clock.h"
#include "sim/cloud/database.h"
#include "sim/cloud/identifiers.h"
#include "sim/cloud/page.h"
#include "sim/cloud/principals.h"
#include "sim/cloud/service_error.h"

namespace otasim::cloud {

/// What the lab's own devices have: ota_device_policy() of iot_policy.h.
inline constexpr const char* kOtaDevicePolicyName = "otasim-device";

/// AWS's limit of policies that one certificate has.
inline constexpr std::size_t kMaxPoliciesPerCertificate = 10;

struct Policy {
  PolicyName name;
  std::string document = {};
  std::int64_t created_at = 0;  ///< epoch seconds
};

class Policies {
 public:
  Policies(Database& database, const Clock& clock, Principals& principals)
      : database_(database), clock_(clock), principals_(principals) {}

  /// @returns kMalformedPolicy with what is wrong, kResourceAlreadyExists
  ServiceResult<Policy> create(const PolicyName& name, const std::string& document);
  /// @returns kResourceNotFound
  [[nodiscard]] ServiceResult<Policy> describe(const PolicyName& name);
  /// In order of their names. @returns kInvalidRequest for a bad page
  [[nodiscard]] ServiceResult<Page<Policy>> list(const PageRequest& page = {});
  /// @returns kResourceNotFound, kDeleteConflict while it is attached
  ServiceResult<void> remove(const PolicyName& name);

  /// One that is attached already stays so. @returns kResourceNotFound for the policy or the certificate,
  /// kLimitExceeded if the certificate has too many
  ServiceResult<void> attach(const PolicyName& name, const std::string& certificate_id);
  /// @returns kResourceNotFound if it is not attached
  ServiceResult<void> detach(const PolicyName& name, const std::string& certificate_id);
  /// What is attached to a certificate, in order of names. @returns kResourceNotFound
  [[nodiscard]] ServiceResult<Page<Policy>> attached_to(const std::string& certificate_id,
                                                        const PageRequest& page = {});
  /// The ids of the certificates that a policy is attached to, in order. @returns kResourceNotFound
  [[nodiscard]] ServiceResult<Page<std::string>> targets_of(const PolicyName& name,
                                                            const PageRequest& page = {});

 private:
  [[nodiscard]] ServiceResult<bool> exists(std::string_view sql, const std::string& key);

  Database& database_;
  const Clock& clock_;
  Principals& principals_;
};

}  // namespace otasim::cloud
