#include "sim/cloud/job_store.h"

#include <array>
#include <utility>

#include "sim/base/json.h"
#include "sim/cloud/job_execution.h"

namespace otasim::cloud {

namespace {

constexpr std::string_view kThingKind = "thing";
constexpr std::string_view kGroupKind = "group";
constexpr std::string_view kNoConfig = "{}";

using Json = nlohmann::ordered_json;

// The columns that read_job() takes, in its order.
#define OTASIM_SELECT_JOB                                                                              \
  "SELECT job_id, status, document, description, target_selection, force_canceled, reason_code, "      \
  "comment, presigned_expires_sec, in_progress_timeout_minutes, failed_retries, timed_out_retries, "   \
  "any_retries, created_at, last_updated_at, completed_at, rollout, abort, scheduling, namespace_id, " \
  "document_source, template_arn, document_parameters, planned, rollout_stopped, notified, "           \
  "minute_started_at, minute_left, due_at FROM jobs "

/// A configuration that was checked before it was kept; the empty one without being parsed.
template <typename Config, typename FromJson>
Config read_config(const std::string& text, const FromJson& from_json) {
  if (text == kNoConfig) return {};
  return from_json(Json::parse(text, nullptr, /*allow_exceptions=*/false)).value_or(Config{});
}

template <typename Config>
std::string config_text(const Config& config) {
  return config == Config{} ? std::string{kNoConfig} : to_json(config).dump();
}

std::string parameters_text(const DocumentParameters& parameters) {
  return Json(parameters).dump(-1, ' ', false, Json::error_handler_t::replace);
}

DocumentParameters read_parameters(const std::string& text) {
  DocumentParameters parameters;
  if (text == kNoConfig) return parameters;
  const auto json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  for (const auto& [name, value] : json.items()) {
    if (value.is_string()) parameters.emplace(name, value.get<std::string>());
  }
  return parameters;
}

Job read_job(const Row& row) {
  Job job{JobId::trusted(row.text(0)), job_status(row.text(1)).value_or(JobStatus::kCanceled)};
  job.document = row.text(2);
  job.description = row.text(3);
  job.target_selection = target_selection(row.text(4)).value_or(TargetSelection::kSnapshot);
  job.force_canceled = row.integer(5) != 0;
  job.reason_code = row.text(6);
  job.comment = row.text(7);
  job.presigned_expires_sec = row.integer(8);
  job.in_progress_timeout_minutes = row.optional_integer(9);
  job.retries = {row.integer(10), row.integer(11), row.integer(12)};
  job.created_at = row.integer(13);
  job.last_updated_at = row.integer(14);
  job.completed_at = row.optional_integer(15);
  job.rollout = read_config<RolloutConfig>(row.text(16), rollout_config_from_json);
  job.abort = read_config<AbortConfig>(row.text(17), abort_config_from_json);
  job.scheduling = read_config<SchedulingConfig>(row.text(18), scheduling_config_from_json);
  job.namespace_id = row.text(19);
  job.document_source = row.text(20);
  job.template_arn = row.text(21);
  job.document_parameters = read_parameters(row.text(22));
  job.progress = {row.integer(23) != 0,     row.integer(24) != 0, row.integer(25),
                  row.optional_integer(26), row.integer(27),      row.optional_integer(28)};
  return job;
}

std::pair<std::string_view, std::string_view> kind_and_name(const JobTarget& target) {
  if (const auto* thing = std::get_if<ThingName>(&target)) return {kThingKind, thing->str()};
  return {kGroupKind, std::get<GroupName>(target).str()};
}

}  // namespace

Result<void> JobStore::add(const Job& job, const std::vector<JobTarget>& targets) {
  auto added = database_.execute(
      "INSERT INTO jobs(job_id, status, document, description, target_selection, created_at, "
      "last_updated_at, scheduling, namespace_id, document_source, template_arn, document_parameters) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {job.id.str(), to_string(job.status), job.document, job.description, to_string(job.target_selection),
       job.created_at, job.last_updated_at, config_text(job.scheduling), job.namespace_id,
       job.document_source, job.template_arn, parameters_text(job.document_parameters)});
  if (added) added = save(job);
  for (const JobTarget& target : targets) {
    if (!added) return added;
    added = add_target(job.id, target);
  }
  return added;
}

Result<void> JobStore::add_target(const JobId& id, const JobTarget& target) {
  const auto [kind, name] = kind_and_name(target);
  return database_.execute("INSERT OR IGNORE INTO job_targets(job_id, kind, name) VALUES (?, ?, ?)",
                           {id.str(), kind, name});
}

Result<void> JobStore::save(const Job& job) {
  const RolloutProgress& progress = job.progress;
  return database_.execute(
      "UPDATE jobs SET status = ?, description = ?, force_canceled = ?, reason_code = ?, comment = ?, "
      "presigned_expires_sec = ?, in_progress_timeout_minutes = ?, failed_retries = ?, "
      "timed_out_retries = ?, any_retries = ?, rollout = ?, abort = ?, last_updated_at = ?, "
      "completed_at = ?, planned = ?, rollout_stopped = ?, notified = ?, minute_started_at = ?, "
      "minute_left = ?, due_at = ? WHERE job_id = ?",
      {to_string(job.status),
       job.description,
       static_cast<std::int64_t>(job.force_canceled),
       job.reason_code,
       job.comment,
       job.presigned_expires_sec,
       nullable(job.in_progress_timeout_minutes),
       job.retries.failed,
       job.retries.timed_out,
       job.retries.any,
       config_text(job.rollout),
       config_text(job.abort),
       job.last_updated_at,
       nullable(job.completed_at),
       static_cast<std::int64_t>(progress.planned),
       static_cast<std::int64_t>(progress.stopped),
       progress.notified,
       nullable(progress.minute_started_at),
       progress.minute_left,
       nullable(progress.due_at),
       job.id.str()});
}

Result<void> JobStore::remove(const JobId& id) {
  // Targets and executions go with it (ON DELETE CASCADE).
  return database_.execute("DELETE FROM jobs WHERE job_id = ?", {id.str()});
}

Result<std::optional<Job>> JobStore::find(const JobId& id) {
  std::optional<Job> job;
  const auto read = database_.query(OTASIM_SELECT_JOB "WHERE job_id = ?", {id.str()},
                                    [&job](const Row& row) { job = read_job(row); });
  if (!read) return tl::unexpected(read.error());
  return job;
}

Result<std::vector<JobTarget>> JobStore::targets(const JobId& id) {
  std::vector<JobTarget> all;
  const auto read = database_.query("SELECT kind, name FROM job_targets WHERE job_id = ? ORDER BY kind, name",
                                    {id.str()}, [&all](const Row& row) {
                                      if (row.text(0) == kGroupKind) {
                                        all.emplace_back(GroupName::trusted(row.text(1)));
                                      } else {
                                        all.emplace_back(ThingName::trusted(row.text(1)));
                                      }
                                    });
  if (!read) return tl::unexpected(read.error());
  return all;
}

Result<std::vector<Job>> JobStore::list(const Filter& filter, const PageStart& start) {
  const Value status = filter.status ? Value{to_string(*filter.status)} : Value{nullptr};
  const Value selection =
      filter.target_selection ? Value{to_string(*filter.target_selection)} : Value{nullptr};
  const Value group = filter.group ? Value{filter.group->str()} : Value{nullptr};
  std::vector<Job> all;
  const auto read = database_.query(
      OTASIM_SELECT_JOB
      "WHERE job_id > ?1 AND (?2 IS NULL OR status = ?2) AND (?3 IS NULL OR target_selection = ?3) "
      "AND (?4 IS NULL OR EXISTS (SELECT 1 FROM job_targets t WHERE t.job_id = jobs.job_id "
      "AND t.kind = 'group' AND t.name = ?4)) AND (?5 = '' OR namespace_id = ?5) ORDER BY job_id LIMIT ?6",
      {start.after, status, selection, group, filter.namespace_id, start.limit},
      [&all](const Row& row) { all.push_back(read_job(row)); });
  if (!read) return tl::unexpected(read.error());
  return all;
}

Result<JobProcessDetails> JobStore::count_executions(const JobId& id) {
  JobProcessDetails counts;
  const std::array<std::pair<ExecutionStatus, std::int64_t*>, 8> places{{
      {ExecutionStatus::kQueued, &counts.queued},
      {ExecutionStatus::kInProgress, &counts.in_progress},
      {ExecutionStatus::kSucceeded, &counts.succeeded},
      {ExecutionStatus::kFailed, &counts.failed},
      {ExecutionStatus::kRejected, &counts.rejected},
      {ExecutionStatus::kTimedOut, &counts.timed_out},
      {ExecutionStatus::kRemoved, &counts.removed},
      {ExecutionStatus::kCanceled, &counts.canceled},
  }};
  const auto read = database_.query("SELECT status, number FROM execution_counts WHERE job_id = ?",
                                    {id.str()}, [&places](const Row& row) {
                                      for (const auto& [status, count] : places) {
                                        if (row.text(0) == to_string(status)) *count = row.integer(1);
                                      }
                                    });
  if (!read) return tl::unexpected(read.error());
  return counts;
}

Result<std::int64_t> JobStore::count_active(TargetSelection selection) {
  std::int64_t number = 0;
  const auto read = database_.query("SELECT number FROM active_jobs WHERE target_selection = ?",
                                    {to_string(selection)}, [&](const Row& row) { number = row.integer(0); });
  if (!read) return tl::unexpected(read.error());
  return number;
}

Result<std::int64_t> JobStore::count_being_deleted() {
  std::int64_t number = 0;
  const auto read = database_.query("SELECT COUNT(*) FROM jobs WHERE status = 'DELETION_IN_PROGRESS'", {},
                                    [&number](const Row& row) { number = row.integer(0); });
  if (!read) return tl::unexpected(read.error());
  return number;
}

Result<std::optional<Job>> JobStore::first_due() {
  std::optional<Job> job;
  const auto read =
      database_.query(OTASIM_SELECT_JOB "WHERE due_at IS NOT NULL ORDER BY due_at, job_id LIMIT 1", {},
                      [&job](const Row& row) { job = read_job(row); });
  if (!read) return tl::unexpected(read.error());
  return job;
}

Result<std::set<JobId>> JobStore::continuous_jobs_of(const ThingName& thing) {
  std::set<JobId> jobs;
  const auto read = database_.query(
      "WITH RECURSIVE above(name) AS ("
      "  SELECT group_name FROM thing_group_members WHERE thing = ?1"
      "  UNION SELECT g.parent FROM thing_groups g JOIN above ON g.name = above.name "
      "        WHERE g.parent IS NOT NULL) "
      "SELECT job_id FROM job_targets t JOIN jobs j USING (job_id) "
      "WHERE j.status IN ('IN_PROGRESS', 'SCHEDULED') AND j.planned AND j.target_selection = 'CONTINUOUS' "
      "AND EXISTS (SELECT 1 FROM things WHERE name = ?1) "
      "AND ((t.kind = 'thing' AND t.name = ?1) OR (t.kind = 'group' AND t.name IN above))",
      {thing.str()}, [&jobs](const Row& row) { jobs.insert(JobId::trusted(row.text(0))); });
  if (!read) return tl::unexpected(read.error());
  return jobs;
}

#undef OTASIM_SELECT_JOB

}  // namespace otasim::cloud
