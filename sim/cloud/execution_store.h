// Job executions in the store: found, added and written back; what may happen to them is the jobs service's.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/cloud/database.h"
#include "sim/cloud/job_execution.h"

namespace otasim::cloud {

class ExecutionStore {
 public:
  explicit ExecutionStore(Database& database) : database_(database) {}

  /// Adds the first or a further execution of a job for a thing: QUEUED, version 1.
  [[nodiscard]] Result<JobExecution> add(const JobId& job, const ThingName& thing, std::int64_t now);
  /// Writes an execution's changeable part back.
  [[nodiscard]] Result<void> save(const JobExecution& execution);

  /// @param number  which execution of the job for this thing; none for the latest
  [[nodiscard]] Result<std::optional<JobExecution>> find(const JobId& job, const ThingName& thing,
                                                         std::optional<std::int64_t> number = std::nullopt);
  /// What a thing has to do next: what it has begun, else what has waited longest.
  [[nodiscard]] Result<std::optional<JobExecution>> next(const ThingName& thing);
  /// A thing's executions that are not over: those begun first, then in the order they were queued.
  [[nodiscard]] Result<std::vector<JobExecution>> pending(const ThingName& thing);
  [[nodiscard]] Result<std::vector<JobExecution>> of_job(const JobId& job);
  /// @returns whether any execution of the job is not over
  [[nodiscard]] Result<bool> any_open(const JobId& job);

 private:
  [[nodiscard]] Result<std::vector<JobExecution>> select(std::string_view sql,
                                                         std::initializer_list<Value> values);
  [[nodiscard]] Result<std::optional<JobExecution>> select_one(std::string_view sql,
                                                               std::initializer_list<Value> values);

  Database& database_;
};

}  // namespace otasim::cloud
