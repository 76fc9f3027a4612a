// Job templates: a document and configurations, kept for jobs to come.
//
//   templates.create({.id = ..., .description = "weekly", .document = ..., .rollout = ...});
//   CreateJobRequest job{.id = ..., .targets = ...};
//   templates.apply(id, arn, job);      // the template's document and what the job does not say itself
//   jobs.create(job);
//
// A template is a copy: what happens later to the job that it was made of, or to the template, changes no
// job.
#pragma once

#include <optional>
#include <string>

#include "sim/cloud/clock.h"
#include "sim/cloud/database.h"
#include "sim/cloud/identifiers.h"
#include "sim/cloud/jobs_service.h"
#include "sim/cloud/page.h"

namespace otasim::cloud {

inline constexpr std::int64_t kMaxJobTemplates = 100;

struct JobTemplate {
  JobTemplateId id;
  std::string description = {};
  std::string document = {};
  std::string document_source = {};  ///< empty: none
  std::optional<std::int64_t> presigned_expires_sec = {};
  RolloutConfig rollout = {};
  AbortConfig abort = {};
  std::optional<std::int64_t> in_progress_timeout_minutes = {};
  RetryConfig retries = {};
  std::vector<MaintenanceWindow> maintenance_windows = {};
  std::int64_t created_at = 0;  ///< epoch seconds
};

struct CreateJobTemplateRequest {
  JobTemplateId id;
  std::string description = {};      ///< required
  std::optional<JobId> job = {};     ///< takes over its document and configurations, where none is given here
  std::string document = {};         ///< required without a job
  std::string document_source = {};  ///< told by describe(); the caller has read the document from there
  std::optional<std::int64_t> presigned_expires_sec = {};
  std::optional<RolloutConfig> rollout = {};
  std::optional<AbortConfig> abort = {};
  std::optional<std::int64_t> in_progress_timeout_minutes = {};
  std::optional<RetryConfig> retries = {};
  std::vector<MaintenanceWindow> maintenance_windows = {};
};

class JobTemplates {
 public:
  JobTemplates(Database& database, const Clock& clock, JobsService& jobs)
      : database_(database), clock_(clock), jobs_(jobs) {}

  /// @returns kConflict if the id is taken, kLimitExceeded, kResourceNotFound for the job, kInvalidRequest as
  ///          for a job, and for neither document nor job
  ServiceResult<JobTemplate> create(const CreateJobTemplateRequest& request);
  /// @returns kResourceNotFound
  [[nodiscard]] ServiceResult<JobTemplate> describe(const JobTemplateId& id);
  /// In order of their ids. @returns kInvalidRequest for a bad page
  [[nodiscard]] ServiceResult<Page<JobTemplate>> list(const PageRequest& page = {});
  /// Jobs that were made of it stay as they are. @returns kResourceNotFound
  ServiceResult<void> remove(const JobTemplateId& id);

  /// Fills in what a request to create a job leaves out. Its `document_parameters` replace the document's
  /// placeholders (document_parameters.h). @param arn  told by the job's description
  /// @returns kResourceNotFound, kInvalidRequest for parameters that cannot be used; nothing is filled in
  ServiceResult<void> apply(const JobTemplateId& id, const std::string& arn, CreateJobRequest& request);

 private:
  [[nodiscard]] ServiceResult<JobTemplate> make(const CreateJobTemplateRequest& request);
  [[nodiscard]] ServiceResult<void> check(const JobTemplate& made) const;
  [[nodiscard]] ServiceResult<void> check_number();
  static void fill(const JobTemplate& from, CreateJobRequest& request);

  Database& database_;
  const Clock& clock_;
  JobsService& jobs_;
};

}  // namespace otasim::cloud
