// Random histories of operators, devices, the registry and the clock, each step compared with the model:
// which calls are refused, what stands in the store, what comes next for each thing, and what the things are
// told. Now and then the store is closed and opened again.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/sim/cloud/cloud_fixture.h"
#include "tests/sim/cloud/jobs_model.h"

namespace otasim::cloud {
namespace {

using testing::JobsModel;
using testing::ModelExecution;
using testing::ModelJob;
using testing::ModelWindow;

const std::vector<std::string> kThings{"a", "b", "c", "d"};
/// Every ten minutes, for three.
constexpr ModelWindow kWindow{600, 180};
constexpr const char* kWindowCron = "cron(0/10 * * * ? *)";
const std::vector<std::string> kGroups{"outer", "inner"};
const std::vector<std::string> kJobs{"j1", "j2"};

template <typename T>
T one_of(const std::vector<T>& all) {
  return *rc::gen::elementOf(all);
}

bool coin() {
  return *rc::gen::arbitrary<bool>();
}

std::optional<std::int64_t> maybe_minutes() {
  return one_of<std::optional<std::int64_t>>({std::nullopt, std::nullopt, 1, 2, 5, kNoStepTimeout});
}

RolloutConfig any_rollout() {
  return one_of<RolloutConfig>({{},
                                {.maximum_per_minute = 1},
                                {.maximum_per_minute = 2},
                                {.exponential = ExponentialRate{1, 20, 1, {}}},
                                {.maximum_per_minute = 3, .exponential = ExponentialRate{1, 15, {}, 1}},
                                {.exponential = ExponentialRate{1, 30, 2, 1}}});
}

/// Times that AWS takes: half an hour ahead at least.
void schedule(ModelJob& job, std::int64_t now) {
  if (coin()) job.start = now + one_of<std::int64_t>({1800, 1830});
  const std::int64_t from = job.start.value_or(now);
  if (coin()) {
    job.end = from + one_of<std::int64_t>({1800, 2000});
    job.end_behavior =
        one_of<EndBehavior>({EndBehavior::kStopRollout, EndBehavior::kCancel, EndBehavior::kForceCancel});
  }
  if (coin()) job.window = kWindow;
}

enum class Jobs { kAny, kScheduled };

ModelJob any_job(std::int64_t now, Jobs jobs) {
  ModelJob job;
  job.continuous = coin();
  for (const std::string& thing : kThings) {
    if (*rc::gen::inRange(0, 3) == 0) job.things.insert(thing);
  }
  for (const std::string& group : kGroups) {
    if (coin()) job.groups.insert(group);
  }
  job.timeout_minutes = one_of<std::optional<std::int64_t>>({std::nullopt, 1, 3});
  job.retries = one_of<RetryConfig>({{}, {.failed = 1}, {.failed = 1, .timed_out = 2}, {.any = 2}});
  job.rollout = any_rollout();
  job.abort = one_of<std::optional<AbortCriterion>>(
      {std::nullopt, std::nullopt, AbortCriterion{AbortFailure::kFailed, 50'00, 2},
       AbortCriterion{AbortFailure::kAll, 33'33, 3}, AbortCriterion{AbortFailure::kTimedOut, 100'00, 1}});
  if (jobs == Jobs::kScheduled || *rc::gen::inRange(0, 4) == 0) schedule(job, now);
  return job;
}

enum class Step {
  kCreateThing,
  kRemoveThing,
  kSetMember,
  kCreateJob,
  kCancelJob,
  kCancelExecution,
  kRemoveJob,
  kUpdateJob,
  kStartNext,
  kUpdate,
  kPass,
  kReopen,
};

/// Steps as often as they stand here: devices' updates most, what ends a history's tension least.
const std::vector<Step> kSteps = [] {
  std::vector<Step> steps;
  const auto add = [&steps](Step step, std::size_t weight) { steps.insert(steps.end(), weight, step); };
  add(Step::kCreateThing, 2);
  add(Step::kRemoveThing, 1);
  add(Step::kSetMember, 3);
  add(Step::kCreateJob, 4);
  add(Step::kCancelJob, 1);
  add(Step::kCancelExecution, 1);
  add(Step::kRemoveJob, 1);
  add(Step::kUpdateJob, 1);
  add(Step::kStartNext, 4);
  add(Step::kUpdate, 16);
  add(Step::kPass, 6);
  add(Step::kReopen, 1);
  return steps;
}();

/// The service and the model side by side.
class History {
 public:
  explicit History(Jobs jobs) : jobs_(jobs) {
    open();
    for (const std::string& group : kGroups) {
      CreateThingGroupRequest request{.name = GroupName::trusted(group)};
      if (group == "inner") request.parent = GroupName::trusted("outer");
      RC_ASSERT(cloud_->groups().create(request).has_value());
    }
  }

  void step() {
    queues_ = queues();
    told_.clear();
    expected_told_.clear();
    take_step();
    expect_told();
    compare_state();
    RC_ASSERT(told_ == expected_told_);
  }

 private:
  struct Queue {
    std::string next;
    std::set<std::string> pending;
  };
  using Queues = std::map<std::string, Queue>;

  void open() {
    subscription_.reset();
    cloud_.reset();
    auto opened = Cloud::open(folder_.path().string(), clock_, *log_);
    RC_ASSERT(opened.has_value());
    cloud_ = std::move(*opened);
    subscription_ = cloud_->jobs().listen(
        {.on_pending_change = [this](const ThingName& thing) { told_.push_back("notify " + thing.str()); },
         .on_next_change =
             [this](const ThingName& thing, const std::optional<JobExecution>& next) {
               told_.push_back("next " + thing.str() + " " + (next ? name(*next) : "-"));
             }});
  }

  static std::string name(const JobExecution& e) {
    return e.job_id.str() + "/" + e.thing.str() + "/" + std::to_string(e.execution_number);
  }

  void take_step() {
    const std::string thing = one_of(kThings);
    const std::string id = one_of(kJobs);
    const ThingName thing_name = ThingName::trusted(thing);
    const JobId job = JobId::trusted(id);
    auto& jobs = cloud_->jobs();
    bool expected = true;
    bool done = true;
    switch (one_of(kSteps)) {
      case Step::kCreateThing: {
        expected = model_.create_thing(thing);
        done = cloud_->things().create(thing_name).has_value();
        break;
      }
      case Step::kRemoveThing: {
        expected = model_.remove_thing(thing);
        done = cloud_->things().remove(thing_name).has_value();
        break;
      }
      case Step::kSetMember: {
        const std::string group = one_of(kGroups);
        const bool joins = coin();
        expected = model_.set_member(group, thing, joins);
        auto& groups = cloud_->groups();
        const GroupName group_name = GroupName::trusted(group);
        done =
            (joins ? groups.add_thing(group_name, thing_name) : groups.remove_thing(group_name, thing_name))
                .has_value();
        break;
      }
      case Step::kCreateJob: {
        const ModelJob wanted = any_job(model_.now(), jobs_);
        expected = model_.create_job(id, wanted);
        done = jobs.create(request_for(job, wanted)).has_value();
        break;
      }
      case Step::kCancelJob: {
        const bool force = coin();
        expected = model_.cancel_job(id, force);
        done = jobs.cancel(job, {.force = force}).has_value();
        break;
      }
      case Step::kCancelExecution: {
        const bool force = coin();
        expected = model_.cancel_execution(id, thing, force);
        done = jobs.cancel_execution(job, thing_name, {.force = force}).has_value();
        break;
      }
      case Step::kRemoveJob: {
        const bool force = coin();
        expected = model_.remove_job(id, force);
        done = jobs.remove_job(job, force).has_value();
        break;
      }
      case Step::kUpdateJob: {
        const RolloutConfig rollout = any_rollout();
        expected = model_.update_job(id, rollout);
        done = jobs.update_job(job, {.rollout = rollout}).has_value();
        break;
      }
      case Step::kStartNext: {
        const auto minutes = maybe_minutes();
        expected = model_.start_next(thing, minutes);
        done = jobs.start_next(thing_name, {.step_timeout_minutes = minutes}).has_value();
        break;
      }
      case Step::kUpdate: {
        using enum ExecutionStatus;
        const auto status =
            one_of<ExecutionStatus>({kInProgress, kInProgress, kFailed, kFailed, kSucceeded, kRejected});
        const auto version = one_of<std::optional<std::int64_t>>({std::nullopt, std::nullopt, 1, 2});
        const auto minutes = maybe_minutes();
        expected = model_.update(id, thing, status, version, minutes);
        done = jobs.update(job, thing_name,
                           {.status = status, .expected_version = version, .step_timeout_minutes = minutes})
                   .has_value();
        break;
      }
      case Step::kPass: {
        const std::int64_t seconds = jobs_ == Jobs::kAny
                                         ? one_of<std::int64_t>({1, 59, 60, 60, 200, 600, 1800})
                                         : one_of<std::int64_t>({60, 100, 180, 300, 1800});
        model_.pass(seconds, [this] { expect_told(); });
        clock_.advance(seconds);
        done = jobs.run_due().has_value();
        break;
      }
      case Step::kReopen: {
        open();
        break;
      }
    }
    RC_ASSERT(done == expected);
  }

  static CreateJobRequest request_for(const JobId& id, const ModelJob& job) {
    CreateJobRequest request{.id = id, .document = "{}"};
    for (const std::string& thing : job.things) request.targets.emplace_back(ThingName::trusted(thing));
    for (const std::string& group : job.groups) request.targets.emplace_back(GroupName::trusted(group));
    if (job.continuous) request.target_selection = TargetSelection::kContinuous;
    request.in_progress_timeout_minutes = job.timeout_minutes;
    request.retries = job.retries;
    request.rollout = job.rollout;
    if (job.abort) request.abort.criteria = {*job.abort};
    request.scheduling.start_time = job.start;
    request.scheduling.end_time = job.end;
    if (job.end) request.scheduling.end_behavior = job.end_behavior;
    if (job.window) request.scheduling.maintenance_windows = {{kWindowCron, kWindow.open / 60}};
    return request;
  }

  Queues queues() const {
    Queues all;
    for (const std::string& thing : kThings) all[thing] = {model_.next(thing), model_.pending(thing)};
    return all;
  }

  void compare_state() {
    for (const std::string& id : kJobs) {
      const auto job = cloud_->jobs().describe_job(JobId::trusted(id));
      const auto expected = model_.jobs().find(id);
      RC_ASSERT(job.has_value() == (expected != model_.jobs().end()));
      if (!job) continue;
      RC_ASSERT(job->status == expected->second.status);
      if (!expected->second.plan.empty()) continue;
      RC_ASSERT(cloud_->jobs().process_details(job->id)->processing_targets.empty());
    }
    std::vector<std::string> expected;
    for (const std::string& id : kJobs) {
      for (const ModelExecution& e : model_.executions()) {
        if (e.job != id) continue;
        expected.push_back(e.name() + " " + std::string{to_string(e.status)} + " v" +
                           std::to_string(e.version) + " r" + std::to_string(e.retry_attempt) + " " +
                           text(e.in_progress_deadline) + " " + text(e.step_deadline));
      }
    }
    RC_ASSERT(stored() == expected);
    RC_ASSERT(cloud_->jobs().next_due().value() == model_.next_due());
    for (const std::string& thing : kThings) {
      const auto next = cloud_->jobs().describe_next(ThingName::trusted(thing));
      RC_ASSERT(next.has_value());
      RC_ASSERT((*next ? name(**next) : "-") == model_.next(thing));
    }
  }

  static std::string text(const std::optional<std::int64_t>& value) {
    return value ? std::to_string(*value) : "-";
  }

  std::vector<std::string> stored() {
    std::vector<std::string> all;
    for (const std::string& id : kJobs) {
      const auto list = cloud_->jobs().list_executions(
          {.filter = {.job = JobId::trusted(id)}, .page = {.max_results = kMaxPageSize}});
      RC_ASSERT(list.has_value());
      for (const JobExecution& e : list->items) {
        all.push_back(name(e) + " " + std::string{to_string(e.state.status)} + " v" +
                      std::to_string(e.state.version_number) + " r" + std::to_string(e.retry_attempt) + " " +
                      text(e.in_progress_deadline) + " " + text(e.step_deadline));
      }
    }
    return all;
  }

  /// Each thing is told, once for each change, of a queue that holds other executions than before, and of
  /// another next one.
  void expect_told() {
    const Queues now = queues();
    for (const auto& [thing, queue] : now) {
      const Queue& before = queues_[thing];
      if (queue.pending != before.pending) expected_told_.push_back("notify " + thing);
      if (queue.next != before.next) expected_told_.push_back("next " + thing + " " + queue.next);
    }
    queues_ = now;
  }

  Jobs jobs_;
  TempDir folder_ = TempDir::create().value();
  ManualClock clock_{1'700'000'000};
  std::unique_ptr<report::EventLog> log_ = report::EventLog::in_memory();
  std::unique_ptr<Cloud> cloud_;
  Subscription subscription_;
  std::vector<std::string> told_;
  std::vector<std::string> expected_told_;
  Queues queues_;  ///< as the things last heard of them
  JobsModel model_;
};

void live_through(Jobs jobs) {
  History history(jobs);
  const int steps = *rc::gen::inRange(20, 250);
  for (int i = 0; i < steps; ++i) history.step();
}

RC_GTEST_PROP(JobsProperty, AnyHistoryEndsAsInTheModel, ()) {
  live_through(Jobs::kAny);
}

RC_GTEST_PROP(JobsProperty, AnyHistoryOfScheduledJobsEndsAsInTheModel, ()) {
  live_through(Jobs::kScheduled);
}

}  // namespace
}  // namespace otasim::cloud
