// What AWS IoT Jobs does, as simply as it can be said: lists searched from front to back, nothing kept twice.
// The jobs service is compared with it after every step of random histories.
#pragma once

#include <cstdint>
#include <functional>
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

/// A time in which a job may be rolled out, again and again: `open` of every `every` seconds since 1970.
struct ModelWindow {
  std::int64_t every = 1;
  std::int64_t open = 1;
};

struct ModelJob {
  JobStatus status = JobStatus::kScheduled;
  bool continuous = false;
  std::set<std::string> things = {};  ///< aimed at by name
  std::set<std::string> groups = {};
  std::optional<std::int64_t> timeout_minutes = {};
  RetryConfig retries = {};
  RolloutConfig rollout = {};
  std::optional<AbortCriterion> abort = {};
  std::optional<std::int64_t> start = {};
  std::optional<std::int64_t> end = {};
  EndBehavior end_behavior = EndBehavior::kStopRollout;
  std::optional<ModelWindow> window = {};

  struct Planned {
    std::string thing;
    int retry_attempt = 0;
  };
  std::vector<Planned> plan = {};  ///< whom it has still to reach
  bool started = false;
  bool stopped = false;
  int notified = 0;
  std::optional<std::int64_t> minute = {};  ///< when the last one began
  std::int64_t minute_left = 0;
  std::optional<std::int64_t> due = {};

  [[nodiscard]] bool over() const { return is_over(status); }
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
  bool update_job(const std::string& id, const RolloutConfig& rollout);
  /// @param after_each  called after each thing that happens, of those that the service does at once
  void pass(std::int64_t seconds, const std::function<void()>& after_each);

  /// The executions in order of creation.
  [[nodiscard]] const std::vector<ModelExecution>& executions() const { return executions_; }
  [[nodiscard]] const std::map<std::string, ModelJob>& jobs() const { return jobs_; }
  [[nodiscard]] const std::set<std::string>& things() const { return things_; }
  /// The name of what a thing has to do next, or "-".
  [[nodiscard]] std::string next(const std::string& thing) const;
  /// What of a thing's queue `notify` tells: what is in it.
  [[nodiscard]] std::set<std::string> pending(const std::string& thing) const;
  /// When something will happen by itself.
  [[nodiscard]] std::optional<std::int64_t> next_due() const;
  [[nodiscard]] std::int64_t now() const { return now_; }

 private:
  [[nodiscard]] std::set<std::string> targets_of(const ModelJob& job) const;
  [[nodiscard]] std::set<std::string> continuous_jobs_of(const std::string& thing) const;
  void follow(const std::string& thing, const std::set<std::string>& before);
  ModelExecution* latest(const std::string& id, const std::string& thing);
  ModelExecution* find_next(const std::string& thing);
  enum class Phase { kWaiting, kOpen, kOver };
  [[nodiscard]] static Phase phase(const ModelJob& job, std::int64_t at);
  [[nodiscard]] std::optional<std::int64_t> phase_ends(const ModelJob& job) const;
  void advance(const std::string& id);
  void end_schedule(const std::string& id);
  void roll_out(const std::string& id);
  [[nodiscard]] std::int64_t rate(const std::string& id) const;
  void plan(const std::string& id, const std::string& thing, int retry_attempt);
  void unplan(const std::string& id, const std::string& thing);
  void cancel(const std::string& id, bool force);
  [[nodiscard]] bool abort_is_met(const std::string& id) const;
  [[nodiscard]] int count(const std::string& id, ExecutionStatus status) const;
  /// Whether the thing sees it in its queue.
  [[nodiscard]] bool in_sight(const ModelExecution& execution) const;
  void time_out(std::int64_t until);
  void add(const std::string& id, const std::string& thing, int retry_attempt);
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
