#include "tests/sim/cloud/jobs_model.h"

#include <algorithm>

namespace otasim::cloud::testing {

using enum ExecutionStatus;

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
    const bool follows = job.continuous && job.status == JobStatus::kInProgress;
    if (follows && targets_of(job).contains(thing)) all.insert(id);
  }
  return all;
}

/// After a change of who is where: leaves what is no target any more, joins what is one now.
void JobsModel::follow(const std::string& thing, const std::set<std::string>& before) {
  const auto after = continuous_jobs_of(thing);
  for (std::size_t i = 0; i < executions_.size(); ++i) {
    const ModelExecution& e = executions_[i];
    if (e.thing == thing && e.open() && before.contains(e.job) && !after.contains(e.job)) end(i, kRemoved);
  }
  for (const std::string& id : after) {
    const ModelExecution* const last = latest(id, thing);
    if (!before.contains(id) && (last == nullptr || !last->open())) add(id, thing);
  }
}

bool JobsModel::create_job(const std::string& id, const ModelJob& job) {
  if (jobs_.contains(id)) return false;
  for (const std::string& thing : job.things) {
    if (!things_.contains(thing)) return false;
  }
  if (job.things.empty() && job.groups.empty()) return false;
  jobs_[id] = job;
  for (const std::string& thing : targets_of(job)) add(id, thing);
  complete_if_done(id);
  return true;
}

bool JobsModel::cancel_job(const std::string& id, bool force) {
  const auto job = jobs_.find(id);
  if (job == jobs_.end() || job->second.status != JobStatus::kInProgress) return false;
  job->second.status = JobStatus::kCanceled;
  for (std::size_t i = 0; i < executions_.size(); ++i) {
    const ModelExecution& e = executions_[i];
    if (e.job == id && e.open() && (force || e.status == kQueued)) end(i, kCanceled);
  }
  return true;
}

bool JobsModel::cancel_execution(const std::string& id, const std::string& thing, bool force) {
  const ModelExecution* const e = latest(id, thing);
  if (e == nullptr || !e->open() || (e->status == kInProgress && !force)) return false;
  end(index_of(*e), kCanceled);
  return true;
}

bool JobsModel::remove_job(const std::string& id, bool force) {
  const auto job = jobs_.find(id);
  if (job == jobs_.end() || (job->second.status == JobStatus::kInProgress && !force)) return false;
  jobs_.erase(job);
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

void JobsModel::pass(std::int64_t seconds) {
  now_ += seconds;
  // In the order in which they ran out; those that did at once in order of creation.
  for (;;) {
    std::optional<std::size_t> first;
    std::int64_t earliest = now_;
    for (std::size_t i = 0; i < executions_.size(); ++i) {
      const ModelExecution& e = executions_[i];
      const std::int64_t deadline =
          std::min(e.in_progress_deadline.value_or(INT64_MAX), e.step_deadline.value_or(INT64_MAX));
      if (deadline > now_ || (first && deadline >= earliest)) continue;
      first = i;
      earliest = deadline;
    }
    if (!first) return;
    end(*first, kTimedOut);
  }
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
  if (retries_left(jobs_.at(ended.job), ended)) {
    add(ended.job, ended.thing, ended.retry_attempt + 1);
  } else {
    complete_if_done(ended.job);
  }
}

bool JobsModel::retries_left(const ModelJob& job, const ModelExecution& ended) const {
  if (job.status != JobStatus::kInProgress) return false;
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
  if (job.continuous || job.status != JobStatus::kInProgress) return;
  const bool any_open =
      std::ranges::any_of(executions_, [&](const ModelExecution& e) { return e.job == id && e.open(); });
  if (!any_open) job.status = JobStatus::kCompleted;
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

ModelExecution* JobsModel::find_next(const std::string& thing) {
  for (const ExecutionStatus status : {kInProgress, kQueued}) {
    for (ModelExecution& e : executions_) {
      if (e.thing == thing && e.status == status) return &e;
    }
  }
  return nullptr;
}

std::string JobsModel::next(const std::string& thing) const {
  for (const ExecutionStatus status : {kInProgress, kQueued}) {
    for (const ModelExecution& e : executions_) {
      if (e.thing == thing && e.status == status) return e.name();
    }
  }
  return "-";
}

std::set<std::string> JobsModel::pending(const std::string& thing) const {
  std::set<std::string> names;
  for (const ModelExecution& e : executions_) {
    if (e.thing == thing && e.open()) names.insert(e.name());
  }
  return names;
}

}  // namespace otasim::cloud::testing
