#include "sim/cloud/execution_store.h"

#include <nlohmann/json.hpp>

namespace otasim::cloud {

namespace {

// The columns that read_execution() takes, in its order; the tails below complete the query.
#define OTASIM_SELECT_EXECUTION                                                                 \
  "SELECT job_id, thing, execution_number, status, status_details, version_number, queued_at, " \
  "started_at, last_updated_at, force_canceled FROM executions "
constexpr const char* kFindLatest =
    OTASIM_SELECT_EXECUTION "WHERE job_id = ? AND thing = ? ORDER BY execution_number DESC LIMIT 1";
constexpr const char* kFindNumber =
    OTASIM_SELECT_EXECUTION "WHERE job_id = ? AND thing = ? AND execution_number = ?";
constexpr const char* kPending = OTASIM_SELECT_EXECUTION
    "WHERE thing = ? AND status IN ('QUEUED', 'IN_PROGRESS') ORDER BY status = 'QUEUED', sequence";
constexpr const char* kNext = OTASIM_SELECT_EXECUTION
    "WHERE thing = ? AND status IN ('QUEUED', 'IN_PROGRESS') ORDER BY status = 'QUEUED', sequence LIMIT 1";
constexpr const char* kOfJob = OTASIM_SELECT_EXECUTION "WHERE job_id = ? ORDER BY sequence";
#undef OTASIM_SELECT_EXECUTION

JobExecution read_execution(const Row& row) {
  JobExecution execution{JobId::trusted(row.text(0)), ThingName::trusted(row.text(1)), row.integer(2)};
  execution.state.status = execution_status(row.text(3)).value_or(ExecutionStatus::kRemoved);
  const auto details = nlohmann::json::parse(row.text(4), nullptr, /*allow_exceptions=*/false);
  for (const auto& [key, value] : details.items()) {
    if (value.is_string()) execution.state.details.emplace(key, value.get<std::string>());
  }
  execution.state.version_number = row.integer(5);
  execution.queued_at = row.integer(6);
  execution.started_at = row.optional_integer(7);
  execution.last_updated_at = row.integer(8);
  execution.force_canceled = row.integer(9) != 0;
  return execution;
}

std::string to_text(const StatusDetails& details) {
  return nlohmann::json(details).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Value nullable(const std::optional<std::int64_t>& value) {
  return value ? Value{*value} : Value{nullptr};
}

}  // namespace

Result<JobExecution> ExecutionStore::add(const JobId& job, const ThingName& thing, std::int64_t now) {
  const auto latest = find(job, thing);
  if (!latest) return tl::unexpected(latest.error());
  JobExecution execution{job, thing, *latest ? (*latest)->execution_number + 1 : 1};
  execution.queued_at = now;
  execution.last_updated_at = now;
  const auto added = database_.execute(
      "INSERT INTO executions(job_id, thing, execution_number, status, status_details, queued_at, "
      "last_updated_at, version_number) VALUES (?, ?, ?, ?, '{}', ?, ?, ?)",
      {job.str(), thing.str(), execution.execution_number, to_string(execution.state.status), now, now,
       execution.state.version_number});
  if (!added) return tl::unexpected(added.error());
  return execution;
}

Result<void> ExecutionStore::save(const JobExecution& execution) {
  return database_.execute(
      "UPDATE executions SET status = ?, status_details = ?, started_at = ?, last_updated_at = ?, "
      "version_number = ?, force_canceled = ? WHERE job_id = ? AND thing = ? AND execution_number = ?",
      {to_string(execution.state.status), to_text(execution.state.details), nullable(execution.started_at),
       execution.last_updated_at, execution.state.version_number,
       static_cast<std::int64_t>(execution.force_canceled), execution.job_id.str(), execution.thing.str(),
       execution.execution_number});
}

Result<std::optional<JobExecution>> ExecutionStore::find(const JobId& job, const ThingName& thing,
                                                         std::optional<std::int64_t> number) {
  if (number) return select_one(kFindNumber, {job.str(), thing.str(), *number});
  return select_one(kFindLatest, {job.str(), thing.str()});
}

Result<std::optional<JobExecution>> ExecutionStore::next(const ThingName& thing) {
  return select_one(kNext, {thing.str()});
}

Result<std::vector<JobExecution>> ExecutionStore::pending(const ThingName& thing) {
  return select(kPending, {thing.str()});
}

Result<std::vector<JobExecution>> ExecutionStore::of_job(const JobId& job) {
  return select(kOfJob, {job.str()});
}

Result<bool> ExecutionStore::any_open(const JobId& job) {
  bool any = false;
  const auto read = database_.query(
      "SELECT 1 FROM executions WHERE job_id = ? AND status IN ('QUEUED', 'IN_PROGRESS') LIMIT 1",
      {job.str()}, [&any](const Row&) { any = true; });
  if (!read) return tl::unexpected(read.error());
  return any;
}

Result<std::vector<JobExecution>> ExecutionStore::select(std::string_view sql,
                                                         std::initializer_list<Value> values) {
  std::vector<JobExecution> all;
  const auto read =
      database_.query(sql, values, [&all](const Row& row) { all.push_back(read_execution(row)); });
  if (!read) return tl::unexpected(read.error());
  return all;
}

Result<std::optional<JobExecution>> ExecutionStore::select_one(std::string_view sql,
                                                               std::initializer_list<Value> values) {
  std::optional<JobExecution> one;
  const auto read = database_.query(sql, values, [&one](const Row& row) { one = read_execution(row); });
  if (!read) return tl::unexpected(read.error());
  return one;
}

}  // namespace otasim::cloud
