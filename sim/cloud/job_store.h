// Jobs in the store, and what they are aimed at. What may happen to a job is the jobs service's.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "sim/cloud/database.h"
#include "sim/cloud/job.h"
#include "sim/cloud/page.h"

namespace otasim::cloud {

class JobStore {
 public:
  struct Filter {
    std::optional<JobStatus> status = {};
    std::optional<TargetSelection> target_selection = {};
    std::optional<GroupName> group = {};  ///< aimed at this group itself
    std::string namespace_id = {};        ///< empty: any
  };

  explicit JobStore(Database& database) : database_(database) {}

  [[nodiscard]] Result<void> add(const Job& job, const std::vector<JobTarget>& targets);
  [[nodiscard]] Result<void> add_target(const JobId& id, const JobTarget& target);
  /// Writes a job back, but for what never changes: document, targets, selection, schedule.
  [[nodiscard]] Result<void> save(const Job& job);
  /// Takes the job, its targets and its executions away.
  [[nodiscard]] Result<void> remove(const JobId& id);

  [[nodiscard]] Result<std::optional<Job>> find(const JobId& id);
  [[nodiscard]] Result<std::vector<JobTarget>> targets(const JobId& id);
  /// In order of their ids, from behind `start.after`.
  [[nodiscard]] Result<std::vector<Job>> list(const Filter& filter, const PageStart& start);
  [[nodiscard]] Result<JobProcessDetails> count_executions(const JobId& id);

  /// How many jobs that are not over there are.
  [[nodiscard]] Result<std::int64_t> count_active(TargetSelection selection);
  [[nodiscard]] Result<std::int64_t> count_being_deleted();
  /// The job that must be looked at first.
  [[nodiscard]] Result<std::optional<Job>> first_due();

  /// The continuous jobs that have started and are aimed at a thing that exists, itself or by a group, now.
  [[nodiscard]] Result<std::set<JobId>> continuous_jobs_of(const ThingName& thing);

 private:
  Database& database_;
};

}  // namespace otasim::cloud
