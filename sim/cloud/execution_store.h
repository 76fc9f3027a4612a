// Job executions in the store: found, added and written back; what may happen to them is the jobs service's.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/cloud/database.h"
#include "sim/cloud/job_execution.h"
#include "sim/cloud/page.h"

namespace otasim::cloud {

class ExecutionStore {
 public:
  /// Which executions to list: those of a job, of a thing, or of both, in order of creation.
  struct Filter {
    std::optional<JobId> job = {};
    std::optional<ThingName> thing = {};
    std::optional<ExecutionStatus> status = {};
  };

  explicit ExecutionStore(Database& database) : database_(database) {}

  /// Adds the first or a further execution of a job for a thing: QUEUED, version 1.
  [[nodiscard]] Result<JobExecution> add(const JobId& job, const ThingName& thing, std::int64_t now,
                                         std::int64_t retry_attempt = 0);
  /// Writes an execution's changeable part back.
  [[nodiscard]] Result<void> save(const JobExecution& execution);
  [[nodiscard]] Result<void> remove(const JobExecution& execution);

  /// @param number  which execution of the job for this thing; none for the latest
  [[nodiscard]] Result<std::optional<JobExecution>> find(const JobId& job, const ThingName& thing,
                                                         std::optional<std::int64_t> number = std::nullopt);
  /// What a thing has to do next: what it has begun, else what has waited longest. What waits of a job that
  /// is between two of its maintenance windows does not count; nor does it in pending().
  [[nodiscard]] Result<std::optional<JobExecution>> next(const ThingName& thing);
  /// The first `most` of a thing's executions in a status that is not terminal, in the order they were
  /// queued.
  [[nodiscard]] Result<std::vector<JobExecution>> pending(const ThingName& thing, ExecutionStatus status,
                                                          std::size_t most);
  /// Those of a job, or of a thing, that are not over.
  [[nodiscard]] Result<std::vector<JobExecution>> open_of_job(const JobId& job);
  [[nodiscard]] Result<std::vector<JobExecution>> open_of_thing(const ThingName& thing);
  [[nodiscard]] Result<std::optional<JobExecution>> open_of(const JobId& job, const ThingName& thing);
  /// At most `start.limit` that match, from behind `start.after_number()`.
  [[nodiscard]] Result<std::vector<JobExecution>> list(const Filter& filter, const PageStart& start);
  /// @returns whether any execution of the job is not over
  [[nodiscard]] Result<bool> any_open(const JobId& job);
  /// How many of the last `attempts` executions of a job for a thing ended in a status.
  [[nodiscard]] Result<std::int64_t> count_last(const JobExecution& last, std::int64_t attempts,
                                                ExecutionStatus status);

  /// At most `most` whose deadline has come, earliest first.
  [[nodiscard]] Result<std::vector<JobExecution>> due(std::int64_t now, std::size_t most);
  /// When something is due first: an execution's deadline, and a job of its own accord.
  struct Due {
    std::optional<std::int64_t> execution = {};
    std::optional<std::int64_t> job = {};
  };
  [[nodiscard]] Result<Due> next_due();
  [[nodiscard]] Result<void> remove_all_of_job(const JobId& job);

 private:
  [[nodiscard]] Result<std::vector<JobExecution>> select(std::string_view sql,
                                                         std::initializer_list<Value> values);
  [[nodiscard]] Result<std::optional<JobExecution>> select_one(std::string_view sql,
                                                               std::initializer_list<Value> values);

  Database& database_;
};

}  // namespace otasim::cloud
