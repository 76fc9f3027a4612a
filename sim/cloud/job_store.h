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
  };

  explicit JobStore(Database& database) : database_(database) {}

  [[nodiscard]] Result<void> add(const Job& job, const std::vector<JobTarget>& targets);
  [[nodiscard]] Result<void> add_target(const JobId& id, const JobTarget& target);
  /// Writes a job's changeable part back: status, reason, times.
  [[nodiscard]] Result<void> save(const Job& job);
  /// Takes the job, its targets and its executions away.
  [[nodiscard]] Result<void> remove(const JobId& id);

  [[nodiscard]] Result<std::optional<Job>> find(const JobId& id);
  [[nodiscard]] Result<std::vector<JobTarget>> targets(const JobId& id);
  /// In order of their ids, from behind `start.after`.
  [[nodiscard]] Result<std::vector<Job>> list(const Filter& filter, const PageStart& start);
  [[nodiscard]] Result<JobProcessDetails> count_executions(const JobId& id);

  /// The things a job is aimed at, as its groups stand now.
  [[nodiscard]] Result<std::set<ThingName>> things_of(const JobId& id);
  /// The continuous jobs in progress that are aimed at a thing that exists, itself or by a group, now.
  [[nodiscard]] Result<std::set<JobId>> continuous_jobs_of(const ThingName& thing);

 private:
  Database& database_;
};

}  // namespace otasim::cloud
