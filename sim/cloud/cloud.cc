#include "sim/cloud/cloud.h"

#include "sim/cloud/schema.h"

namespace otasim::cloud {

namespace {

Subscription log_jobs(JobsService& jobs, report::EventLog& log) {
  return jobs.listen({.on_job_created =
                          [&log](const JobId& id) {
                            log.emit("cloud", "job_created", {{"job", id.str()}});
                          },
                      .on_execution_change =
                          [&log](const JobExecution& execution) {
                            log.emit("cloud", "job_execution",
                                     {{"job", execution.job_id.str()},
                                      {"thing", execution.thing.str()},
                                      {"number", execution.execution_number},
                                      {"status", to_string(execution.state.status)},
                                      {"details", execution.state.details},
                                      {"version", execution.state.version_number}});
                          }});
}

PresignerConfig with_key(PresignerConfig config) {
  if (config.access_key_id.empty()) config.access_key_id = "AKIAOTASIMPROCESS000";
  if (config.secret_access_key.empty()) config.secret_access_key = random_uuid();
  return config;
}

}  // namespace

Result<std::unique_ptr<Cloud>> Cloud::open(const std::string& folder, const Clock& clock,
                                           report::EventLog& log, CloudOptions options) {
  std::optional<Signer> signer;
  if (!options.signing_key_path.empty()) {
    auto loaded = Signer::load(options.signing_key_path);
    if (!loaded) return tl::unexpected(loaded.error());
    signer = std::move(*loaded);
  }
  auto database = Database::open(folder + "/cloud.sqlite");
  if (!database) return tl::unexpected(database.error());
  if (auto migrated = migrate(**database); !migrated) return tl::unexpected(migrated.error());
  return std::unique_ptr<Cloud>(
      new Cloud(folder, std::move(*database), std::move(signer), clock, log, std::move(options)));
}

Cloud::Cloud(const std::string& folder, std::unique_ptr<Database> database, std::optional<Signer> signer,
             const Clock& clock, report::EventLog& log, CloudOptions options)
    : clock_(clock),
      log_(log),
      faults_(log),
      database_(std::move(database)),
      signer_(std::move(signer)),
      urls_(with_key(std::move(options.presigner)), clock, options.uuid),
      objects_(*database_, clock, options.uuid, folder + "/objects"),
      uploads_(*database_, clock, options.uuid, objects_),
      streams_(*database_, clock, objects_),
      jobs_(*database_, clock, options.jobs,
            [this](const ObjectLocation& object, std::int64_t expires_in_sec) {
              return urls_.has_endpoint() ? urls_.presign_get(object, expires_in_sec)
                                          : presigned_placeholder(object);
            }),
      job_templates_(*database_, clock, jobs_),
      event_configurations_(*database_, clock),
      certificates_(*database_, clock),
      principals_(*database_, certificates_),
      policies_(*database_, clock, principals_),
      things_(*database_, clock, options.uuid, certificates_, principals_, jobs_),
      groups_(*database_, clock, options.uuid, jobs_),
      signing_certificates_(*database_, clock, options.uuid, folder + "/signing-keys"),
      signing_jobs_(*database_, clock, options.uuid, objects_, signing_certificates_,
                    signer_ ? &*signer_ : nullptr),
      ota_updates_(*database_, clock, options.uuid, objects_, streams_, jobs_, signer_ ? &*signer_ : nullptr,
                   signing_jobs_),
      tags_(*database_),
      logging_(log_jobs(jobs_, log)) {}

Subscription Cloud::on_execution_change(std::function<void(const JobExecution& execution)> handler) {
  return jobs_.listen({.on_execution_change = std::move(handler)});
}

}  // namespace otasim::cloud
