// What AWS IoT Jobs does, as simply as it can be said: lists searched from front to back, nothing kept twice.
// The jobs service is compared with it after every step of random histories.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/cloud/jobs_service.h"

namespace otasim::cloud::testing {

struct ModelExecution {
  std::string job;
  std::string thing;
  int number = 1;
  ExecutionStatus status = ExecutionStatus::kQueued;
  int version = 1;
  int retry_attempt = 0;
  std::optional<std::int64_t> in_progress_deadline = {};
  std::optional<std::int64_t> step_deadline = {};

  [[nodiscard]] bool open() const { return !is_terminal(status); }
  [[nodiscard]] std::string name() const { return job + "/" + thing + "/" + std::to_string(number); }
};

struct ModelJob {
  JobStatus status = JobStatus::kInProgress;
  bool continuous = false;
  std::set<std::string> things = {};  ///< aimed at by name
  std::set<std::string> groups = {};
  std::optional<std::int64_t> timeout_minutes = {};
  RetryConfig retries = {};
};

/// Each call does what the service's does and says whether it may.
class JobsModel {
 public:
  bool create_thing(const std::string& thing);
  bool remove_thing(const std::string& thing);
  bool set_member(const std::string& group, const std::string& thing, bool member);
  bool create_job(const std::string& id, const ModelJob& job);
  bool cancel_job(const std::string& id, bool force);
  bool cancel_execution(const std::string& id, const std::string& thing, bool force);
  bool remove_job(const std::string& id, bool force);
  bool start_next(const std::string& thing, std::optional<std::int64_t> step_minutes);
  bool update(const std::string& id, const std::string& thing, ExecutionStatus status,
              std::optional<std::int64_t> expected_version, std::optional<std::int64_t> step_minutes);
  void pass(std::int64_t seconds);

  /// The executions in order of creation.
  [[nodiscard]] const std::vector<ModelExecution>& executions() const { return executions_; }
  [[nodiscard]] const std::map<std::string, ModelJob>& jobs() const { return jobs_; }
  [[nodiscard]] const std::set<std::string>& things() const { return things_; }
  /// The name of what a thing has to do next, or "-".
  [[nodiscard]] std::string next(const std::string& thing) const;
  /// What of a thing's queue `notify` tells: what is in it.
  [[nodiscard]] std::set<std::string> pending(const std::string& thing) const;
  [[nodiscard]] std::int64_t now() const { return now_; }

 private:
  [[nodiscard]] std::set<std::string> targets_of(const ModelJob& job) const;
  [[nodiscard]] std::set<std::string> continuous_jobs_of(const std::string& thing) const;
  void follow(const std::string& thing, const std::set<std::string>& before);
  ModelExecution* latest(const std::string& id, const std::string& thing);
  ModelExecution* find_next(const std::string& thing);
  void add(const std::string& id, const std::string& thing, int retry_attempt = 0);
  void end(std::size_t index, ExecutionStatus status);
  [[nodiscard]] bool retries_left(const ModelJob& job, const ModelExecution& ended) const;
  void complete_if_done(const std::string& id);
  [[nodiscard]] std::size_t index_of(const ModelExecution& execution) const;
  bool set_step(ModelExecution& execution, std::optional<std::int64_t> minutes) const;

  std::set<std::string> things_;
  std::map<std::string, std::set<std::string>> members_;  ///< by group; `inner` is below `outer`
  std::map<std::string, ModelJob> jobs_;
  std::vector<ModelExecution> executions_;
  std::int64_t now_ = 1'700'000'000;
};

}  // namespace otasim::cloud::testing
