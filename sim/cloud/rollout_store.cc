#include "sim/cloud/rollout_store.h"

#include <utility>

namespace otasim::cloud {

namespace {

// Who is a target and has never had the job, in order: ?1 is the job. Without groups among the targets the
// index gives them in order; with groups SQLite makes tables for it, which costs more than all the rest of a
// small job.
#define OTASIM_THING_TARGETS                                                   \
  "FROM job_targets t JOIN things ON things.name = t.name WHERE t.job_id = ?1" \
  "  AND t.kind = 'thing' AND NOT EXISTS"                                      \
  "    (SELECT 1 FROM executions e WHERE e.job_id = ?1 AND e.thing = t.name) ORDER BY t.name"
#define OTASIM_TARGETS                                                               \
  "WITH RECURSIVE below(name) AS ("                                                  \
  "  SELECT name FROM job_targets WHERE job_id = ?1 AND kind = 'group'"              \
  "  UNION SELECT g.name FROM thing_groups g JOIN below ON g.parent = below.name), " \
  "targets(thing) AS ("                                                              \
  "  SELECT thing FROM thing_group_members WHERE group_name IN below"                \
  "  UNION SELECT t.name FROM job_targets t JOIN things ON things.name = t.name"     \
  "        WHERE t.job_id = ?1 AND t.kind = 'thing') "
#define OTASIM_MISSING             \
  "FROM targets WHERE NOT EXISTS " \
  "(SELECT 1 FROM executions e WHERE e.job_id = ?1 AND e.thing = targets.thing) ORDER BY thing"

constexpr const char* kPlanMissing = OTASIM_TARGETS
    "INSERT OR IGNORE INTO rollout_things(job_id, thing, retry_attempt) SELECT ?1, thing, 0 " OTASIM_MISSING;
constexpr const char* kFirstMissing = OTASIM_TARGETS "SELECT thing " OTASIM_MISSING " LIMIT ?2";

constexpr const char* kPlanMissingThings =
    "INSERT OR IGNORE INTO rollout_things(job_id, thing, retry_attempt) "
    "SELECT ?1, t.name, 0 " OTASIM_THING_TARGETS;
constexpr const char* kFirstMissingThings = "SELECT t.name " OTASIM_THING_TARGETS " LIMIT ?2";

#undef OTASIM_MISSING
#undef OTASIM_TARGETS
#undef OTASIM_THING_TARGETS

Result<bool> has_groups(Database& database, const JobId& job) {
  bool found = false;
  const auto read = database.query("SELECT 1 FROM job_targets WHERE job_id = ? AND kind = 'group' LIMIT 1",
                                   {job.str()}, [&found](const Row&) { found = true; });
  if (!read) return tl::unexpected(read.error());
  return found;
}

}  // namespace

Result<void> RolloutStore::plan_missing(const JobId& job) {
  const auto groups = has_groups(database_, job);
  if (!groups) return tl::unexpected(groups.error());
  return database_.execute(*groups ? kPlanMissing : kPlanMissingThings, {job.str()});
}

Result<std::vector<PlannedThing>> RolloutStore::first_missing(const JobId& job, std::int64_t most) {
  const auto groups = has_groups(database_, job);
  if (!groups) return tl::unexpected(groups.error());
  std::vector<PlannedThing> all;
  const auto read = database_.query(*groups ? kFirstMissing : kFirstMissingThings, {job.str(), most},
                                    [&all](const Row& row) {
                                      all.push_back({0, ThingName::trusted(row.text(0)), 0});
                                    });
  if (!read) return tl::unexpected(read.error());
  return all;
}

Result<void> RolloutStore::plan(const JobId& job, const ThingName& thing, std::int64_t retry_attempt) {
  return database_.execute(
      "INSERT OR IGNORE INTO rollout_things(job_id, thing, retry_attempt) VALUES (?, ?, ?)",
      {job.str(), thing.str(), retry_attempt});
}

Result<std::vector<PlannedThing>> RolloutStore::next(const JobId& job, std::int64_t most) {
  std::vector<PlannedThing> all;
  const auto read = database_.query(
      "SELECT sequence, thing, retry_attempt FROM rollout_things WHERE job_id = ? ORDER BY sequence LIMIT ?",
      {job.str(), most}, [&all](const Row& row) {
        all.push_back({row.integer(0), ThingName::trusted(row.text(1)), row.integer(2)});
      });
  if (!read) return tl::unexpected(read.error());
  return all;
}

Result<void> RolloutStore::remove_up_to(const JobId& job, const PlannedThing& last) {
  return database_.execute("DELETE FROM rollout_things WHERE job_id = ? AND sequence <= ?",
                           {job.str(), last.sequence});
}

Result<void> RolloutStore::remove(const JobId& job, const ThingName& thing) {
  return database_.execute("DELETE FROM rollout_things WHERE job_id = ? AND thing = ?",
                           {job.str(), thing.str()});
}

Result<std::vector<JobId>> RolloutStore::remove_all_of(const ThingName& thing) {
  std::vector<JobId> jobs;
  const auto read =
      database_.query("DELETE FROM rollout_things WHERE thing = ? RETURNING job_id", {thing.str()},
                      [&jobs](const Row& row) { jobs.push_back(JobId::trusted(row.text(0))); });
  if (!read) return tl::unexpected(read.error());
  return jobs;
}

Result<void> RolloutStore::clear(const JobId& job) {
  return database_.execute("DELETE FROM rollout_things WHERE job_id = ?", {job.str()});
}

Result<bool> RolloutStore::any(const JobId& job) {
  bool found = false;
  const auto read = database_.query("SELECT 1 FROM rollout_things WHERE job_id = ? LIMIT 1", {job.str()},
                                    [&found](const Row&) { found = true; });
  if (!read) return tl::unexpected(read.error());
  return found;
}

Result<std::vector<JobTarget>> RolloutStore::unfinished(const JobId& job,
                                                        const std::vector<JobTarget>& targets) {
  constexpr const char* kOfThing = "SELECT 1 FROM rollout_things WHERE job_id = ? AND thing = ?";
  constexpr const char* kOfGroup =
      "WITH RECURSIVE below(name) AS ("
      "  SELECT ?2 UNION SELECT g.name FROM thing_groups g JOIN below ON g.parent = below.name) "
      "SELECT 1 FROM rollout_things r WHERE r.job_id = ?1 AND EXISTS "
      "(SELECT 1 FROM thing_group_members m WHERE m.thing = r.thing AND m.group_name IN below) LIMIT 1";
  std::vector<JobTarget> all;
  const auto any_left = any(job);
  if (!any_left) return tl::unexpected(any_left.error());
  if (!*any_left) return all;
  for (const JobTarget& target : targets) {
    const auto* const thing = std::get_if<ThingName>(&target);
    const std::string& name = thing != nullptr ? thing->str() : std::get<GroupName>(target).str();
    bool found = false;
    const auto read = database_.query(thing != nullptr ? kOfThing : kOfGroup, {job.str(), name},
                                      [&found](const Row&) { found = true; });
    if (!read) return tl::unexpected(read.error());
    if (found) all.push_back(target);
  }
  return all;
}

}  // namespace otasim::cloud
