// The cloud mirror: AWS IoT's services over one store in the lab's folder.
//
//   auto cloud = Cloud::open(folder, clock, log, {.signing_key_path = ...});
//   (*cloud)->things().create(thing);
//   auto certificate = (*cloud)->certificates().register_certificate(pem);
//   (*cloud)->things().attach_principal(thing, certificate->id);
//   (*cloud)->policies().attach(PolicyName::trusted(kOtaDevicePolicyName), certificate->id);
//   auto image = (*cloud)->objects().put("firmware", "app.bin", bytes);
//   auto watch = (*cloud)->on_execution_change([](const JobExecution& e) { ... });
//   (*cloud)->ota_updates().create({...});
//
// The services know neither broker nor network; a front end brings them requests (broker_link.h). Everything
// runs on one thread. Opening the same folder again goes on where it was left, however it was left.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include "sim/cloud/certificates.h"
#include "sim/cloud/clock.h"
#include "sim/cloud/cloud_faults.h"
#include "sim/cloud/database.h"
#include "sim/cloud/event_configurations.h"
#include "sim/cloud/job_templates.h"
#include "sim/cloud/jobs_service.h"
#include "sim/cloud/multipart_uploads.h"
#include "sim/cloud/object_store.h"
#include "sim/cloud/ota_updates.h"
#include "sim/cloud/policies.h"
#include "sim/cloud/presigned_url.h"
#include "sim/cloud/principals.h"
#include "sim/cloud/random_id.h"
#include "sim/cloud/signer.h"
#include "sim/cloud/signing_certificates.h"
#include "sim/cloud/signing_jobs.h"
#include "sim/cloud/streams_service.h"
#include "sim/cloud/tags.h"
#include "sim/cloud/thing_groups.h"
#include "sim/cloud/things.h"
#include "sim/report/event_log.h"

namespace otasim::cloud {

struct CloudOptions {
  std::string signing_key_path = {};  ///< PEM, P-256; empty: the lab signs nothing
  JobsOptions jobs = {};
  UuidSource uuid = random_uuid;
  /// Without a key, URLs are good for this process alone; without an endpoint, none are made until urls() has
  /// one.
  PresignerConfig presigner = {};
};

class Cloud {
 public:
  /// Opens or makes `cloud.sqlite`, `objects/` and `signing-keys/` in a folder, which must exist.
  /// @returns kEnvironment if the store cannot be used, kUsage if the signing key cannot be read
  [[nodiscard]] static Result<std::unique_ptr<Cloud>> open(const std::string& folder, const Clock& clock,
                                                           report::EventLog& log, CloudOptions options = {});
  Cloud(const Cloud&) = delete;
  Cloud& operator=(const Cloud&) = delete;

  [[nodiscard]] Certificates& certificates() { return certificates_; }
  [[nodiscard]] Principals& principals() { return principals_; }
  [[nodiscard]] Policies& policies() { return policies_; }
  [[nodiscard]] Things& things() { return things_; }
  [[nodiscard]] ThingGroups& groups() { return groups_; }
  [[nodiscard]] ObjectStore& objects() { return objects_; }
  [[nodiscard]] MultipartUploads& uploads() { return uploads_; }
  /// Makes the presigned URLs in job documents, and checks those that come back. While it has no endpoint,
  /// placeholders stay in the documents.
  [[nodiscard]] UrlPresigner& urls() { return urls_; }
  [[nodiscard]] StreamsService& streams() { return streams_; }
  [[nodiscard]] JobsService& jobs() { return jobs_; }
  [[nodiscard]] JobTemplates& job_templates() { return job_templates_; }
  [[nodiscard]] EventConfigurations& event_configurations() { return event_configurations_; }
  [[nodiscard]] OtaUpdates& ota_updates() { return ota_updates_; }
  [[nodiscard]] SigningCertificates& signing_certificates() { return signing_certificates_; }
  [[nodiscard]] SigningJobs& signing_jobs() { return signing_jobs_; }
  [[nodiscard]] Tags& tags() { return tags_; }
  /// Null if the lab signs nothing.
  [[nodiscard]] const Signer* signer() const { return signer_ ? &*signer_ : nullptr; }
  [[nodiscard]] const Clock& clock() const { return clock_; }
  [[nodiscard]] report::EventLog& log() { return log_; }
  /// Makes several calls of services as one: all is kept if `body` returns a value, nothing if it returns an
  /// error. @param body  returns a ServiceResult
  template <typename Body>
  auto in_one_transaction(const Body& body) -> std::invoke_result_t<Body> {
    return database_->transaction(body);
  }
  /// What the front ends do wrong on purpose.
  [[nodiscard]] CloudFaults& faults() { return faults_; }

  /// Calls `handler` for each execution that is made or changes, after it is kept, until the subscription is
  /// let go.
  [[nodiscard]] Subscription on_execution_change(std::function<void(const JobExecution& execution)> handler);

 private:
  Cloud(const std::string& folder, std::unique_ptr<Database> database, std::optional<Signer> signer,
        const Clock& clock, report::EventLog& log, CloudOptions options);

  const Clock& clock_;
  report::EventLog& log_;
  CloudFaults faults_;
  std::unique_ptr<Database> database_;
  std::optional<Signer> signer_;
  UrlPresigner urls_;
  ObjectStore objects_;
  MultipartUploads uploads_;
  StreamsService streams_;
  JobsService jobs_;
  JobTemplates job_templates_;
  EventConfigurations event_configurations_;
  Certificates certificates_;
  Principals principals_;
  Policies policies_;
  Things things_;
  ThingGroups groups_;
  SigningCertificates signing_certificates_;
  SigningJobs signing_jobs_;
  OtaUpdates ota_updates_;
  Tags tags_;
  Subscription logging_;
};

}  // namespace otasim::cloud
