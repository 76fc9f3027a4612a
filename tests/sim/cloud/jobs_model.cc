#include "tests/sim/cloud/jobs_model.h"

#include <algorithm>

namespace otasim::cloud::testing {

using enum ExecutionStatus;

namespace {

std::int64_t deadline_of(const ModelExecution& e) {
  return std::min(e.in_progress_deadline.value_or(INT64_MAX), e.step_deadline.value_or(INT64_MAX));
}

}  // namespace

bool JobsModel::create_thing(const std::string& thing) {
  if (things_.contains(thing)) return true;
  const auto before = continuous_jobs_of(thing);
  things_.insert(thing);
  follow(thing, before);
  return true;
}

bool JobsModel::remove_thing(const std::string& thing) {
  if (things_.erase(thing) == 0) return false;
  for (auto& [group, members] : members_) members.erase(thing);
  for (std::size_t i = 0; i < executions_.size(); ++i) {
    if (executions_[i].thing == thing && executions_[i].open()) end(i, kRemoved);
  }
  for (auto& [id, job] : jobs_) {
    unplan(id, thing);
    complete_if_done(id);
  }
  return true;
}

bool JobsModel::set_member(const std::string& group, const std::string& thing, bool member) {
  if (!things_.contains(thing)) return false;
  const auto before = continuous_jobs_of(thing);
  if (member) {
    members_[group].insert(thing);
  } else {
    members_[group].erase(thing);
  }
  follow(thing, before);
  return true;
}

std::set<std::string> JobsModel::targets_of(const ModelJob& job) const {
  std::set<std::string> all = job.things;
  for (const auto& [group, members] : members_) {
    const bool aimed_at = job.groups.contains(group) || (group == "inner" && job.groups.contains("outer"));
    if (aimed_at) all.insert(members.begin(), members.end());
  }
  return all;
}

std::set<std::string> JobsModel::continuous_jobs_of(const std::string& thing) const {
  std::set<std::string> all;
  if (!things_.contains(thing)) return all;
  for (const auto& [id, job] : jobs_) {
    const bool follows = job.continuous && job.started && !job.over();
    if (follows && targets_of(job).contains(thing)) all.insert(id);
  }
  return all;
}

/// After a change of who is where: leaves what is no target any more, joins what is one now.
void JobsModel::follow(const std::string& thing, const std::set<std::string>& before) {
  const auto after = continuous_jobs_of(thing);
  for (const std::string& id : before) {
    if (!after.contains(id)) unplan(id, thing);
  }
  for (std::size_t i = 0; i < executions_.size(); ++i) {
    const ModelExecution& e = executions_[i];
    if (e.thing == thing && e.open() && before.contains(e.job) && !after.contains(e.job)) end(i, kRemoved);
  }
  for (const std::string& id : after) {
    const ModelExecution* const last = latest(id, thing);
    if (before.contains(id) || jobs_.at(id).stopped || (last != nullptr && last->open())) continue;
    plan(id, thing, 0);
    advance(id);
  }
}

bool JobsModel::create_job(const std::string& id, const ModelJob& job) {
  if (jobs_.contains(id)) return false;
  for (const std::string& thing : job.things) {
    if (!things_.contains(thing)) return false;
  }
  if (job.things.empty() && job.groups.empty()) return false;
  jobs_[id] = job;
  advance(id);
  return true;
}

bool JobsModel::update_job(const std::string& id, const RolloutConfig& rollout) {
  const auto job = jobs_.find(id);
  if (job == jobs_.end() || job->second.over()) return false;
  job->second.rollout = rollout;
  advance(id);
  return true;
}

bool JobsModel::cancel_job(const std::string& id, bool force) {
  const auto job = jobs_.find(id);
  if (job == jobs_.end() || job->second.over()) return false;
  cancel(id, force);
  return true;
}

void JobsModel::cancel(const std::string& id, bool force) {
  ModelJob& job = jobs_.at(id);
  job.status = JobStatus::kCanceled;
  job.plan.clear();
  job.due.reset();
  for (std::size_t i = 0; i < executions_.size(); ++i) {
    const ModelExecution& e = executions_[i];
    if (e.job == id && e.open() && (force || e.status == kQueued)) end(i, kCanceled);
  }
}

bool JobsModel::cancel_execution(const std::string& id, const std::string& thing, bool force) {
  const ModelExecution* const e = latest(id, thing);
  if (e == nullptr || !e->open() || (e->status == kInProgress && !force)) return false;
  end(index_of(*e), kCanceled);
  return true;
}

bool JobsModel::remove_job(const std::string& id, bool force) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return false;
  ModelJob& job = found->second;
  if (job.status == JobStatus::kDeletionInProgress || (!job.over() && !force)) return false;
  job.status = JobStatus::kDeletionInProgress;
  job.plan.clear();
  job.due = now_ + 1;
  std::erase_if(executions_, [&](const ModelExecution& e) { return e.job == id; });
  return true;
}

bool JobsModel::set_step(ModelExecution& e, std::optional<std::int64_t> minutes) const {
  if (!minutes) return true;
  if (*minutes == kNoStepTimeout) {
    e.step_deadline.reset();
    return true;
  }
  const std::int64_t deadline = now_ + *minutes * 60;
  if (e.in_progress_deadline && deadline > *e.in_progress_deadline) return false;
  e.step_deadline = deadline;
  return true;
}

bool JobsModel::start_next(const std::string& thing, std::optional<std::int64_t> step_minutes) {
  ModelExecution* const e = find_next(thing);
  if (e == nullptr) return true;
  ModelExecution begun = *e;
  if (begun.status == kQueued) {
    begun.status = kInProgress;
    ++begun.version;
    if (const auto minutes = jobs_.at(begun.job).timeout_minutes)
      begun.in_progress_deadline = now_ + *minutes * 60;
  }
  if (!set_step(begun, step_minutes)) return false;
  *e = begun;
  return true;
}

bool JobsModel::update(const std::string& id, const std::string& thing, ExecutionStatus status,
                       std::optional<std::int64_t> expected_version,
                       std::optional<std::int64_t> step_minutes) {
  ModelExecution* const e = latest(id, thing);
  if (e == nullptr || !e->open()) return false;
  if (expected_version && *expected_version != e->version) return false;
  if (is_terminal(status)) {
    end(index_of(*e), status);
    return true;
  }
  ModelExecution changed = *e;
  if (changed.status == kQueued) {
    if (const auto minutes = jobs_.at(id).timeout_minutes)
      changed.in_progress_deadline = now_ + *minutes * 60;
  }
  changed.status = kInProgress;
  ++changed.version;
  if (!set_step(changed, step_minutes)) return false;
  *e = changed;
  return true;
}

void JobsModel::pass(std::int64_t seconds, const std::function<void()>& after_each) {
  now_ += seconds;
  for (;;) {
    std::int64_t execution_due = INT64_MAX;
    for (const ModelExecution& e : executions_) execution_due = std::min(execution_due, deadline_of(e));
    std::int64_t job_due = INT64_MAX;
    std::string job;
    for (const auto& [id, one] : jobs_) {
      if (one.due.value_or(INT64_MAX) >= job_due) continue;
      job_due = *one.due;
      job = id;
    }
    if (std::min(execution_due, job_due) > now_) return;
    if (job_due < execution_due) {
      advance(job);
    } else {
      time_out(std::min(now_, job_due));
    }
    after_each();
  }
}

std::optional<std::int64_t> JobsModel::next_due() const {
  std::int64_t earliest = INT64_MAX;
  for (const ModelExecution& e : executions_) earliest = std::min(earliest, deadline_of(e));
  for (const auto& [id, job] : jobs_) earliest = std::min(earliest, job.due.value_or(INT64_MAX));
  return earliest == INT64_MAX ? std::nullopt : std::optional(earliest);
}

/// In the order in which they ran out; those that did at once in order of creation.
void JobsModel::time_out(std::int64_t until) {
  std::vector<std::pair<std::int64_t, std::size_t>> due;
  for (std::size_t i = 0; i < executions_.size(); ++i) {
    if (const std::int64_t at = deadline_of(executions_[i]); at <= until) due.emplace_back(at, i);
  }
  std::ranges::sort(due);
  for (const auto& [at, i] : due) end(i, kTimedOut);
}

JobsModel::Phase JobsModel::phase(const ModelJob& job, std::int64_t at) {
  if (job.end && at >= *job.end) return Phase::kOver;
  if (job.start && at < *job.start) return Phase::kWaiting;
  if (job.window && at % job.window->every >= job.window->open) return Phase::kWaiting;
  return Phase::kOpen;
}

/// Found by looking at each second.
std::optional<std::int64_t> JobsModel::phase_ends(const ModelJob& job) const {
  if (!job.start && !job.end && !job.window) return std::nullopt;
  if (job.start && now_ < *job.start) return job.start;
  constexpr std::int64_t kFarthest = 7200;
  for (std::int64_t at = now_ + 1; at < now_ + kFarthest; ++at) {
    if (phase(job, at) != phase(job, now_)) return at;
  }
  return std::nullopt;
}

void JobsModel::advance(const std::string& id) {
  ModelJob& job = jobs_.at(id);
  if (job.status == JobStatus::kDeletionInProgress) {
    if (now_ >= *job.due) jobs_.erase(id);
    return;
  }
  if (job.over()) return;
  job.due = phase_ends(job);
  switch (phase(job, now_)) {
    case Phase::kOver:
      if (!job.stopped) end_schedule(id);
      break;
    case Phase::kWaiting:
      job.status = JobStatus::kScheduled;
      break;
    case Phase::kOpen:
      job.status = JobStatus::kInProgress;
      roll_out(id);
      break;
  }
  complete_if_done(id);
}

void JobsModel::end_schedule(const std::string& id) {
  ModelJob& job = jobs_.at(id);
  if (job.end_behavior != EndBehavior::kStopRollout) {
    return cancel(id, job.end_behavior == EndBehavior::kForceCancel);
  }
  job.status = JobStatus::kInProgress;
  job.started = true;
  job.stopped = true;
  job.plan.clear();
}

void JobsModel::roll_out(const std::string& id) {
  ModelJob& job = jobs_.at(id);
  if (!job.started) {
    job.started = true;
    for (const std::string& thing : targets_of(job)) {
      if (things_.contains(thing)) plan(id, thing, 0);
    }
  }
  if (job.plan.empty()) return;
  if (!job.minute || now_ >= *job.minute + 60) {
    job.minute = now_;
    job.minute_left = rate(id);
  }
  while (job.minute_left > 0 && !job.plan.empty()) {
    const ModelJob::Planned first = job.plan.front();
    job.plan.erase(job.plan.begin());
    --job.minute_left;
    if (first.retry_attempt == 0) ++job.notified;
    add(id, first.thing, first.retry_attempt);
  }
  if (!job.plan.empty()) job.due = std::min(job.due.value_or(INT64_MAX), *job.minute + 60);
}

/// The base rate times the factor, as often as the criterion has been reached.
std::int64_t JobsModel::rate(const std::string& id) const {
  const RolloutConfig& rollout = jobs_.at(id).rollout;
  const double most = static_cast<double>(rollout.maximum_per_minute.value_or(1000));
  if (!rollout.exponential) return static_cast<std::int64_t>(most);
  const auto times = [](std::int64_t number, const std::optional<std::int64_t>& criterion) {
    return criterion ? number / *criterion : 0;
  };
  const std::int64_t raised = std::max(times(jobs_.at(id).notified, rollout.exponential->notified_things),
                                       times(count(id, kSucceeded), rollout.exponential->succeeded_things));
  double rate = static_cast<double>(rollout.exponential->base_per_minute);
  for (std::int64_t i = 0; i < raised; ++i) {
    rate *= static_cast<double>(rollout.exponential->increment_tenths) / 10;
  }
  return static_cast<std::int64_t>(std::min(rate, most));
}

void JobsModel::plan(const std::string& id, const std::string& thing, int retry_attempt) {
  auto& planned = jobs_.at(id).plan;
  const bool is_planned =
      std::ranges::any_of(planned, [&](const ModelJob::Planned& one) { return one.thing == thing; });
  if (!is_planned) planned.push_back({thing, retry_attempt});
}

void JobsModel::unplan(const std::string& id, const std::string& thing) {
  std::erase_if(jobs_.at(id).plan, [&](const ModelJob::Planned& one) { return one.thing == thing; });
}

int JobsModel::count(const std::string& id, ExecutionStatus status) const {
  return static_cast<int>(std::ranges::count_if(
      executions_, [&](const ModelExecution& e) { return e.job == id && e.status == status; }));
}

bool JobsModel::abort_is_met(const std::string& id) const {
  const ModelJob& job = jobs_.at(id);
  if (job.over() || !job.abort) return false;
  const int failed = count(id, kFailed);
  const int rejected = count(id, kRejected);
  const int timed_out = count(id, kTimedOut);
  const int ended = count(id, kSucceeded) + failed + rejected + timed_out;
  int matching = failed + rejected + timed_out;
  if (job.abort->failure == AbortFailure::kFailed) matching = failed;
  if (job.abort->failure == AbortFailure::kRejected) matching = rejected;
  if (job.abort->failure == AbortFailure::kTimedOut) matching = timed_out;
  if (ended < job.abort->min_executed_things) return false;
  return 100.0 * matching / ended >= static_cast<double>(job.abort->threshold_hundredths) / 100;
}

void JobsModel::add(const std::string& id, const std::string& thing, int retry_attempt) {
  const ModelExecution* const last = latest(id, thing);
  executions_.push_back({id, thing, last == nullptr ? 1 : last->number + 1, kQueued, 1, retry_attempt});
}

void JobsModel::end(std::size_t index, ExecutionStatus status) {
  ModelExecution& e = executions_[index];
  e.status = status;
  ++e.version;
  e.in_progress_deadline.reset();
  e.step_deadline.reset();
  const ModelExecution ended = e;
  if (abort_is_met(ended.job)) cancel(ended.job, false);
  if (retries_left(jobs_.at(ended.job), ended)) {
    plan(ended.job, ended.thing, ended.retry_attempt + 1);
    advance(ended.job);
  } else {
    complete_if_done(ended.job);
  }
}

bool JobsModel::retries_left(const ModelJob& job, const ModelExecution& ended) const {
  if (job.over() || job.stopped) return false;
  if (ended.status != kFailed && ended.status != kTimedOut) return false;
  if (job.retries.any > 0) return ended.retry_attempt < job.retries.any;
  std::int64_t same = 0;
  for (const ModelExecution& e : executions_) {
    const bool in_chain = e.job == ended.job && e.thing == ended.thing && e.number <= ended.number &&
                          e.number >= ended.number - ended.retry_attempt;
    if (in_chain && e.status == ended.status) ++same;
  }
  return same <= (ended.status == kFailed ? job.retries.failed : job.retries.timed_out);
}

void JobsModel::complete_if_done(const std::string& id) {
  ModelJob& job = jobs_.at(id);
  if ((job.continuous && !job.stopped) || job.over() || !job.started || !job.plan.empty()) return;
  const bool any_open =
      std::ranges::any_of(executions_, [&](const ModelExecution& e) { return e.job == id && e.open(); });
  if (any_open) return;
  job.status = JobStatus::kCompleted;
  job.due.reset();
}

std::size_t JobsModel::index_of(const ModelExecution& execution) const {
  return static_cast<std::size_t>(&execution - executions_.data());
}

ModelExecution* JobsModel::latest(const std::string& id, const std::string& thing) {
  ModelExecution* last = nullptr;
  for (ModelExecution& e : executions_) {
    if (e.job == id && e.thing == thing && (last == nullptr || e.number > last->number)) last = &e;
  }
  return last;
}

bool JobsModel::in_sight(const ModelExecution& e) const {
  return e.status == kInProgress || jobs_.at(e.job).status != JobStatus::kScheduled;
}

ModelExecution* JobsModel::find_next(const std::string& thing) {
  for (const ExecutionStatus status : {kInProgress, kQueued}) {
    for (ModelExecution& e : executions_) {
      if (e.thing == thing && e.status == status && in_sight(e)) return &e;
    }
  }
  return nullptr;
}

std::string JobsModel::next(const std::string& thing) const {
  for (const ExecutionStatus status : {kInProgress, kQueued}) {
    for (const ModelExecution& e : executions_) {
      if (e.thing == thing && e.status == status && in_sight(e)) return e.name();
    }
  }
  return "-";
}

std::set<std::string> JobsModel::pending(const std::string& thing) const {
  std::set<std::string> names;
  for (const ModelExecution& e : executions_) {
    if (e.thing == thing && e.open() && in_sight(e)) names.insert(e.name());
  }
  return names;
}

}  // namespace otasim::cloud::testing
