// AWS Signer: profiles that say how to sign, and jobs that sign an object.
//
//   jobs.put_profile({.name = "release", .platform = "AmazonFreeRTOS-Default", .certificate_arn = arn});
//   auto id = jobs.start({.source = object, .bucket = "signed", .prefix = "v1/", .profile = "release",
//                         .token = "once"});
//   jobs.describe(*id)->signature                    // what a device is to verify
//
// The key is an imported certificate's (signing_certificates.h), or the lab's for a profile without one. AWS
// signs in the background; here a job is over when start() returns, Succeeded or Failed with a reason. What
// it leaves in the destination is AWS's JSON form, which points to the source and holds the signature.
//
// Whether a device trusts the key is the device's business.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/cloud/clock.h"
#include "sim/cloud/database.h"
#include "sim/cloud/object_store.h"
#include "sim/cloud/page.h"
#include "sim/cloud/random_id.h"
#include "sim/cloud/service_error.h"
#include "sim/cloud/signer.h"
#include "sim/cloud/signing_certificates.h"

namespace otasim::cloud {

/// AWS's largest object for its FreeRTOS platforms.
inline constexpr std::int64_t kMaxSignedBytes = std::int64_t{16} << 20;

struct SigningPlatform {
  const char* id;
  const char* display_name;
  const char* partner;
  const char* target;
  const char* hash;       ///< `SHA256`
  const char* signature;  ///< `ECDSA`
};
[[nodiscard]] std::span<const SigningPlatform> signing_platforms();
/// @returns null if there is none of this id
[[nodiscard]] const SigningPlatform* find_signing_platform(std::string_view id);

/// The parameter of a profile that is the certificate's path on devices.
inline constexpr const char* kCertificatePathParameter = "certname";

struct SigningProfile {
  std::string name;
  std::string platform;
  std::string certificate_arn = {};  ///< empty: the lab's key
  std::map<std::string, std::string> parameters = {};
  std::string version = {};  ///< given by put_profile()
  bool canceled = false;

  [[nodiscard]] std::string arn() const;
  [[nodiscard]] std::string version_arn() const;
};

struct StartSigningJobRequest {
  ObjectLocation source;    ///< without a version: the latest
  std::string bucket = {};  ///< for the signed object; empty: none is made
  std::string prefix = {};
  std::string profile;
  std::string token = {};  ///< the same token again is the same job
};

struct SigningJob {
  std::string id;
  ObjectLocation source;
  SigningProfile profile;  ///< as it was
  bool succeeded = false;
  std::string reason = {};  ///< why it failed
  std::string signed_bucket = {};
  std::string signed_key = {};
  std::vector<std::uint8_t> signature = {};
  std::int64_t created_at = 0;
};

struct ListSigningProfilesRequest {
  bool include_canceled = false;
  std::string platform = {};  ///< empty: all
  PageRequest page = {};
};

struct ListSigningJobsRequest {
  std::optional<bool> succeeded = {};
  std::string platform = {};  ///< empty: all
  PageRequest page = {};
};

class SigningJobs {
 public:
  /// @param lab_signer  null if the lab has no key
  SigningJobs(Database& database, const Clock& clock, UuidSource uuid, ObjectStore& objects,
              SigningCertificates& certificates, const Signer* lab_signer);
  SigningJobs(const SigningJobs&) = delete;
  SigningJobs& operator=(const SigningJobs&) = delete;

  /// @returns the profile; kInvalidRequest for a bad name, a platform that is not known, or a key of another
  ///          kind than the platform's; kResourceAlreadyExists; kResourceNotFound for the certificate
  ServiceResult<SigningProfile> put_profile(SigningProfile profile);
  /// @returns kResourceNotFound
  [[nodiscard]] ServiceResult<SigningProfile> profile(const std::string& name);
  /// In order of their names. @returns kInvalidRequest for a bad page
  [[nodiscard]] ServiceResult<Page<SigningProfile>> list_profiles(
      const ListSigningProfilesRequest& request = {});
  /// It signs no more; its name stays taken. @returns kResourceNotFound
  ServiceResult<void> cancel_profile(const std::string& name);

  /// @returns the job's id; kResourceNotFound for the profile, kInvalidRequest if it is canceled
  ServiceResult<std::string> start(const StartSigningJobRequest& request);
  /// The same with a profile that is not kept. @returns kInvalidRequest, kResourceNotFound as put_profile()
  ServiceResult<std::string> start(const StartSigningJobRequest& request, const SigningProfile& profile);
  /// @returns kResourceNotFound
  [[nodiscard]] ServiceResult<SigningJob> describe(const std::string& id);
  /// Newest first. @returns kInvalidRequest for a bad page
  [[nodiscard]] ServiceResult<Page<SigningJob>> list(const ListSigningJobsRequest& request = {});

 private:
  [[nodiscard]] ServiceResult<void> check_profile(const SigningProfile& profile);
  [[nodiscard]] ServiceResult<void> carry_out(const StartSigningJobRequest& request, SigningJob& job);
  [[nodiscard]] ServiceResult<std::vector<std::uint8_t>> sign(const SigningProfile& profile,
                                                              std::span<const std::uint8_t> content);
  [[nodiscard]] ServiceResult<void> record(const StartSigningJobRequest& request, const SigningJob& job);

  Database& database_;
  const Clock& clock_;
  UuidSource uuid_;
  ObjectStore& objects_;
  SigningCertificates& certificates_;
  const Signer* lab_signer_;
};

}  // namespace otasim::cloud
