#include "sim/cloud/execution_store.h"
#include "sim/base/json.h"

namespace otasim::cloud {

namespace {

// The columns that read_execution() takes, in its order; the tails below complete the query.
#define OTASIM_SELECT_EXECUTION                                                                       \
  "SELECT job_id, thing, execution_number, status, status_details, version_number, queued_at, "       \
  "started_at, last_updated_at, force_canceled, retry_attempt, in_progress_deadline, step_deadline, " \
  "sequence FROM executions "
#define OTASIM_OPEN "status IN ('QUEUED', 'IN_PROGRESS') "
constexpr const char* kFindLatest =
    OTASIM_SELECT_EXECUTION "WHERE job_id = ? AND thing = ? ORDER BY execution_number DESC LIMIT 1";
constexpr const char* kFindNumber =
    OTASIM_SELECT_EXECUTION "WHERE job_id = ? AND thing = ? AND execution_number = ?";
constexpr const char* kPending = OTASIM_SELECT_EXECUTION
    "WHERE thing = ?1 AND status = ?2 AND " OTASIM_OPEN
    "AND (status = 'IN_PROGRESS' OR NOT EXISTS "
    "(SELECT 1 FROM jobs j WHERE j.job_id = executions.job_id AND j.status = 'SCHEDULED')) "
    "ORDER BY sequence LIMIT ?3";
constexpr const char* kOpenOfJob =
    OTASIM_SELECT_EXECUTION "WHERE job_id = ? AND " OTASIM_OPEN "ORDER BY sequence";
constexpr const char* kOpenOfThing =
    OTASIM_SELECT_EXECUTION "WHERE thing = ? AND " OTASIM_OPEN "ORDER BY sequence";
constexpr const char* kOpenOf =
    OTASIM_SELECT_EXECUTION "WHERE job_id = ? AND thing = ? AND " OTASIM_OPEN "LIMIT 1";
constexpr const char* kListOfJob = OTASIM_SELECT_EXECUTION
    "WHERE job_id = ?1 AND sequence > ?2 AND (?3 IS NULL OR status = ?3) ORDER BY sequence LIMIT ?4";
constexpr const char* kListOfThing = OTASIM_SELECT_EXECUTION
    "WHERE thing = ?1 AND sequence > ?2 AND (?3 IS NULL OR status = ?3) AND (?5 IS NULL OR job_id = ?5) "
    "ORDER BY sequence LIMIT ?4";
constexpr const char* kDue =
    OTASIM_SELECT_EXECUTION "WHERE deadline <= ? ORDER BY deadline, sequence LIMIT ?";

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
  execution.retry_attempt = row.integer(10);
  execution.in_progress_deadline = row.optional_integer(11);
  execution.step_deadline = row.optional_integer(12);
  execution.sequence = row.integer(13);
  return execution;
}

std::string to_text(const StatusDetails& details) {
  return nlohmann::json(details).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

Result<JobExecution> ExecutionStore::add(const JobId& job, const ThingName& thing, std::int64_t now,
                                         std::int64_t retry_attempt) {
  const auto latest = find(job, thing);
  if (!latest) return tl::unexpected(latest.error());
  JobExecution execution{job, thing, *latest ? (*latest)->execution_number + 1 : 1};
  execution.queued_at = now;
  execution.last_updated_at = now;
  execution.retry_attempt = retry_attempt;
  const auto added = database_.query(
      "INSERT INTO executions(job_id, thing, execution_number, status, status_details, queued_at, "
      "last_updated_at, version_number, retry_attempt) VALUES (?, ?, ?, ?, '{}', ?, ?, ?, ?) "
      "RETURNING sequence",
      {job.str(), thing.str(), execution.execution_number, to_string(execution.state.status), now, now,
       execution.state.version_number, retry_attempt},
      [&execution](const Row& row) { execution.sequence = row.integer(0); });
  if (!added) return tl::unexpected(added.error());
  return execution;
}

Result<void> ExecutionStore::save(const JobExecution& execution) {
  return database_.execute(
      "UPDATE executions SET status = ?, status_details = ?, started_at = ?, last_updated_at = ?, "
      "version_number = ?, force_canceled = ?, in_progress_deadline = ?, step_deadline = ?, deadline = ? "
      "WHERE sequence = ?",
      {to_string(execution.state.status), to_text(execution.state.details), nullable(execution.started_at),
       execution.last_updated_at, execution.state.version_number,
       static_cast<std::int64_t>(execution.force_canceled), nullable(execution.in_progress_deadline),
       nullable(execution.step_deadline), nullable(execution.deadline()), execution.sequence});
}

Result<void> ExecutionStore::remove(const JobExecution& execution) {
  return database_.execute("DELETE FROM executions WHERE sequence = ?", {execution.sequence});
}

Result<std::optional<JobExecution>> ExecutionStore::find(const JobId& job, const ThingName& thing,
                                                         std::optional<std::int64_t> number) {
  if (number) return select_one(kFindNumber, {job.str(), thing.str(), *number});
  return select_one(kFindLatest, {job.str(), thing.str()});
}

Result<std::optional<JobExecution>> ExecutionStore::next(const ThingName& thing) {
  auto begun = select_one(kPending, {thing.str(), to_string(ExecutionStatus::kInProgress), 1});
  if (!begun || *begun) return begun;
  return select_one(kPending, {thing.str(), to_string(ExecutionStatus::kQueued), 1});
}

Result<std::vector<JobExecution>> ExecutionStore::pending(const ThingName& thing, ExecutionStatus status,
                                                          std::size_t most) {
  return select(kPending, {thing.str(), to_string(status), static_cast<std::int64_t>(most)});
}

Result<std::vector<JobExecution>> ExecutionStore::open_of_job(const JobId& job) {
  return select(kOpenOfJob, {job.str()});
}

Result<std::vector<JobExecution>> ExecutionStore::open_of_thing(const ThingName& thing) {
  return select(kOpenOfThing, {thing.str()});
}

Result<std::optional<JobExecution>> ExecutionStore::open_of(const JobId& job, const ThingName& thing) {
  return select_one(kOpenOf, {job.str(), thing.str()});
}

Result<std::vector<JobExecution>> ExecutionStore::list(const Filter& filter, const PageStart& start) {
  const Value status = filter.status ? Value{to_string(*filter.status)} : Value{nullptr};
  if (!filter.thing) {
    const std::string_view job = filter.job ? std::string_view{filter.job->str()} : "";
    return select(kListOfJob, {job, start.after_number(), status, start.limit});
  }
  const Value job = filter.job ? Value{filter.job->str()} : Value{nullptr};
  return select(kListOfThing, {filter.thing->str(), start.after_number(), status, start.limit, job});
}

Result<bool> ExecutionStore::any_open(const JobId& job) {
  bool any = false;
  const auto read = database_.query("SELECT 1 FROM executions WHERE job_id = ? AND " OTASIM_OPEN "LIMIT 1",
                                    {job.str()}, [&any](const Row&) { any = true; });
  if (!read) return tl::unexpected(read.error());
  return any;
}

Result<std::int64_t> ExecutionStore::count_last(const JobExecution& last, std::int64_t attempts,
                                                ExecutionStatus status) {
  std::int64_t count = 0;
  const auto read = database_.query(
      "SELECT COUNT(*) FROM executions WHERE job_id = ? AND thing = ? AND execution_number > ? "
      "AND execution_number <= ? AND status = ?",
      {last.job_id.str(), last.thing.str(), last.execution_number - attempts, last.execution_number,
       to_string(status)},
      [&count](const Row& row) { count = row.integer(0); });
  if (!read) return tl::unexpected(read.error());
  return count;
}

Result<std::vector<JobExecution>> ExecutionStore::due(std::int64_t now, std::size_t most) {
  return select(kDue, {now, static_cast<std::int64_t>(most)});
}

Result<ExecutionStore::Due> ExecutionStore::next_due() {
  Due due;
  const auto read = database_.query(
      "SELECT (SELECT MIN(deadline) FROM executions WHERE deadline IS NOT NULL), "
      "(SELECT MIN(due_at) FROM jobs WHERE due_at IS NOT NULL)",
      {}, [&due](const Row& row) {
        due = {row.optional_integer(0), row.optional_integer(1)};
      });
  if (!read) return tl::unexpected(read.error());
  return due;
}

Result<void> ExecutionStore::remove_all_of_job(const JobId& job) {
  return database_.execute("DELETE FROM executions WHERE job_id = ?", {job.str()});
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

#undef OTASIM_OPEN
#undef OTASIM_SELECT_EXECUTION

}  // namespace otasim::cloud
