// The things that a job has still to reach, in the order in which it will.
//
// Whom a job is for is planned here first, a further attempt as well; the jobs service then makes an
// execution of as many as the rate allows, minute by minute. What is planned survives the process.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/cloud/database.h"
#include "sim/cloud/job.h"

namespace otasim::cloud {

struct PlannedThing {
  std::int64_t sequence = 0;
  ThingName thing;
  std::int64_t retry_attempt = 0;
};

class RolloutStore {
 public:
  explicit RolloutStore(Database& database) : database_(database) {}

  /// Plans a job for those of its targets, as its groups stand now, that have never had it.
  [[nodiscard]] Result<void> plan_missing(const JobId& job);
  /// The first of those that plan_missing() would plan. They need not be planned to be reached at once.
  [[nodiscard]] Result<std::vector<PlannedThing>> first_missing(const JobId& job, std::int64_t most);
  /// Plans a job for one thing; if it is planned already, it stays so.
  [[nodiscard]] Result<void> plan(const JobId& job, const ThingName& thing, std::int64_t retry_attempt);
  /// The next things of a job.
  [[nodiscard]] Result<std::vector<PlannedThing>> next(const JobId& job, std::int64_t most);
  /// Takes what next() gave out of the plan. @param last  the last of it
  [[nodiscard]] Result<void> remove_up_to(const JobId& job, const PlannedThing& last);
  [[nodiscard]] Result<void> remove(const JobId& job, const ThingName& thing);
  /// Takes everything that is planned for a thing away. @returns the jobs
  [[nodiscard]] Result<std::vector<JobId>> remove_all_of(const ThingName& thing);
  [[nodiscard]] Result<void> clear(const JobId& job);
  [[nodiscard]] Result<bool> any(const JobId& job);
  /// Those of a job's targets that stand for a thing that is planned.
  [[nodiscard]] Result<std::vector<JobTarget>> unfinished(const JobId& job,
                                                          const std::vector<JobTarget>& targets);

 private:
  Database& database_;
};

}  // namespace otasim::cloud
