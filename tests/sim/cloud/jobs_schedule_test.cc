// Jobs that start, pause and end by their schedule, and the expressions that say when.
#include "sim/cloud/aws_cron.h"
#include "sim/cloud/job_schedule.h"
#include "sim/cloud/utc_time.h"
#include "tests/sim/cloud/cloud_fixture.h"

namespace otasim::cloud {
namespace {

using ::testing::ElementsAre;
using enum ExecutionStatus;

std::int64_t at(std::string_view text) {
  return parse_iso8601(text).value();
}

/// The first time from `from` on that matches.
std::string next(std::string_view expression, std::string_view from) {
  const auto cron = AwsCron::parse(expression);
  if (!cron) return "no expression";
  const auto time = cron->next_at_or_after(at(from));
  return time ? iso8601(*time) : "never";
}

struct CronCase {
  std::string_view expression;
  std::string_view from;
  std::string_view expected;
};

class AwsCronTest : public ::testing::TestWithParam<CronCase> {};

TEST_P(AwsCronTest, FindsTheNextTime) {
  EXPECT_EQ(next(GetParam().expression, GetParam().from), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Table, AwsCronTest,
    ::testing::Values(
        CronCase{"cron(0 10 * * ? *)", "2023-11-14T22:13Z", "2023-11-15T10:00:00Z"},
        CronCase{"0 10 * * ? *", "2023-11-14T10:00Z", "2023-11-14T10:00:00Z"},
        CronCase{"cron(0 10 * * ? *)", "2023-11-14T10:00:01Z", "2023-11-15T10:00:00Z"},
        CronCase{"cron(15 12 ? * MON-FRI *)", "2023-11-18T00:00Z", "2023-11-20T12:15:00Z"},
        CronCase{"cron(0/15 * * * ? *)", "2023-11-14T22:16Z", "2023-11-14T22:30:00Z"},
        CronCase{"cron(5-20/5 8,20 1 1,jul ? *)", "2024-02-01T00:00Z", "2024-07-01T08:05:00Z"},
        CronCase{"cron(0 0 L * ? *)", "2024-02-01T00:00Z", "2024-02-29T00:00:00Z"},
        CronCase{"cron(0 0 15W * ? *)", "2024-06-01T00:00Z", "2024-06-14T00:00:00Z"},  // a Saturday
        CronCase{"cron(0 0 1W * ? *)", "2024-06-01T00:00Z", "2024-06-03T00:00:00Z"},   // stays in June
        CronCase{"cron(0 0 30W * ? *)", "2024-06-01T00:00Z", "2024-06-28T00:00:00Z"},  // a Sunday, the last
        CronCase{"cron(0 0 ? * 6L *)", "2024-02-01T00:00Z", "2024-02-23T00:00:00Z"},   // the last Friday
        CronCase{"cron(0 0 ? * 3#2 *)", "2024-02-01T00:00Z", "2024-02-13T00:00:00Z"},  // the second Tuesday
        CronCase{"cron(0 0 ? * 1#5 *)", "2024-02-01T00:00Z", "2024-03-31T00:00:00Z"},  // February has four
        CronCase{"cron(0 0 ? * L *)", "2024-02-01T00:00Z", "2024-02-03T00:00:00Z"},    // Saturday
        CronCase{"cron(0 0 29 2 ? 2025-2030)", "2024-03-01T00:00Z", "2028-02-29T00:00:00Z"},
        CronCase{"cron(0 0 1 1 ? 2023)", "2023-01-01T00:01Z", "never"},
        CronCase{"cron(0 0 31 2 ? *)", "2024-01-01T00:00Z", "never"}));

TEST(AwsCron, RefusesWhatIsNoExpression) {
  for (const std::string_view text : {"",
                                      "cron()",
                                      "cron(0 10 * * *)",
                                      "cron(0 10 * * ? * *)",
                                      "cron(0 10 * * * *)",
                                      "cron(0 10 ? * ? *)",
                                      "cron(60 10 * * ? *)",
                                      "cron(0 24 * * ? *)",
                                      "cron(0 10 0 * ? *)",
                                      "cron(0 10 32 * ? *)",
                                      "cron(0 10 * 13 ? *)",
                                      "cron(0 10 ? * 8 *)",
                                      "cron(0 10 ? * 0 *)",
                                      "cron(0 10 ? * FOO *)",
                                      "cron(0 10 * * ? 1969)",
                                      "cron(0 10 * * ? 2200)",
                                      "cron(5-1 10 * * ? *)",
                                      "cron(*/0 10 * * ? *)",
                                      "cron(, 10 * * ? *)",
                                      "cron(1, 10 * * ? *)",
                                      "cron(-1 10 * * ? *)",
                                      "cron(0 10 W * ? *)",
                                      "cron(0 10 ? * 3#6 *)",
                                      "cron(0 10 ? * 3#0 *)",
                                      "cron(0 10 ? * # *)",
                                      "cron(99999 10 * * ? *)",
                                      "rate(5 minutes)",
                                      "cron(0 10 * * ? *"}) {
    EXPECT_FALSE(AwsCron::parse(text)) << text;
  }
  EXPECT_FALSE(AwsCron::parse(std::string(2000, ' ')));
}

TEST(JobSchedule, GoesThroughItsPhases) {
  using Kind = SchedulePhase::Kind;
  const SchedulingConfig scheduling{
      .start_time = at("2024-01-01T12:00Z"),
      .end_time = at("2024-01-03T02:30Z"),
      .maintenance_windows = {{"cron(0 2 * * ? *)", 60}, {"cron(0 14 * * ? *)", 30}}};
  struct Expected {
    std::string_view now;
    Kind kind;
    std::string_view until;
  };
  for (const auto& [now, kind, until] :
       std::initializer_list<Expected>{{"2024-01-01T02:10Z", Kind::kWaiting, "2024-01-01T12:00:00Z"},
                                       {"2024-01-01T12:00Z", Kind::kWaiting, "2024-01-01T14:00:00Z"},
                                       {"2024-01-01T14:00Z", Kind::kOpen, "2024-01-01T14:30:00Z"},
                                       {"2024-01-01T14:29:59Z", Kind::kOpen, "2024-01-01T14:30:00Z"},
                                       {"2024-01-01T14:30Z", Kind::kWaiting, "2024-01-02T02:00:00Z"},
                                       {"2024-01-03T02:00Z", Kind::kOpen, "2024-01-03T02:30:00Z"},
                                       {"2024-01-03T02:30Z", Kind::kOver, "never"}}) {
    const auto phase = phase_at(scheduling, at(now));
    EXPECT_EQ(phase.kind, kind) << now;
    EXPECT_EQ(phase.until ? iso8601(*phase.until) : "never", until) << now;
  }
}

TEST(JobSchedule, WindowsThatOverlapAreOne) {
  using Kind = SchedulePhase::Kind;
  const SchedulingConfig scheduling{
      .maintenance_windows = {{"cron(0 2 * * ? *)", 60}, {"cron(30 2 * * ? *)", 60}}};
  EXPECT_EQ(phase_at(scheduling, at("2024-01-01T02:59:59Z")).until, at("2024-01-01T03:30Z"));
  EXPECT_EQ(phase_at(scheduling, at("2024-01-01T03:00Z")).kind, Kind::kOpen);
}

TEST(UtcTime, ReadsAwsTimesInTheirForms) {
  EXPECT_EQ(parse_iso8601("2023-11-14T22:13:20Z"), 1'700'000'000);
  EXPECT_EQ(parse_iso8601("2023-11-14T22:13:20.123Z"), 1'700'000'000);
  EXPECT_EQ(parse_iso8601("2023-11-14 22:13"), 1'699'999'980);
  EXPECT_EQ(parse_iso8601("2023-11-15T00:13:20+02:00"), 1'700'000'000);
  EXPECT_EQ(parse_iso8601("2023-11-14T17:13:20-05:00"), 1'700'000'000);
  for (const std::string_view text :
       {"", "2023-11-14", "2023-13-14T22:13Z", "2023-02-30T22:13Z", "2023-11-14T24:00Z", "2023-11-14T22:60Z",
        "2023-11-14T22:13:60Z", "2023-11-14T22:13:20.Z", "2023-11-14T22:13:20z", "2023-11-14T22:13+2:00",
        "2023-11-14T22:13:20+24:00", "1700000000", "2023-11-14T22:13:2"}) {
    EXPECT_FALSE(parse_iso8601(text)) << text;
  }
}

class JobsScheduleTest : public CloudFixture {
 protected:
  /// kNow is 2023-11-14T22:13:20Z.
  static constexpr std::int64_t kHour = 3600;

  ServiceResult<void> make(CreateJobRequest request) {
    request.document = "{}";
    request.targets = {lamp_};
    return jobs().create(request);
  }
  void pass(std::int64_t seconds) {
    clock_.advance(seconds);
    ASSERT_TRUE(jobs().run_due());
  }
  JobStatus status() { return jobs().describe_job(id_)->status; }
  bool lamp_has_it() { return jobs().describe_next(lamp_).value().has_value(); }

  const JobId id_ = job("j");
};

TEST_F(JobsScheduleTest, AJobStartsAtItsTime) {
  ASSERT_TRUE(make({.id = id_, .scheduling = {.start_time = kNow + kHour}}));
  EXPECT_EQ(status(), JobStatus::kScheduled);
  pass(kHour - 1);
  EXPECT_EQ(status(), JobStatus::kScheduled);
  EXPECT_FALSE(lamp_has_it());
  pass(1);
  EXPECT_EQ(status(), JobStatus::kInProgress);
  EXPECT_TRUE(lamp_has_it());
}

TEST_F(JobsScheduleTest, WhomAJobIsForIsFoundOutWhenItStarts) {
  const GroupName fleet = GroupName::parse("fleet").value();
  ASSERT_TRUE(cloud_->groups().create({.name = fleet}));
  ASSERT_TRUE(jobs().create(
      {.id = id_, .document = "{}", .targets = {fleet, lamp_}, .scheduling = {.start_time = kNow + kHour}}));
  ASSERT_TRUE(cloud_->groups().add_thing(fleet, door_));
  ASSERT_TRUE(cloud_->things().remove(lamp_));
  pass(kHour);
  EXPECT_TRUE(jobs().describe(id_, door_));
  EXPECT_EQ(jobs().list_executions({.filter = {.job = id_}})->items.size(), 1U) << "the lamp is gone";
}

TEST_F(JobsScheduleTest, AScheduledJobMayBeCanceledAndStartsNoMore) {
  ASSERT_TRUE(make({.id = id_, .scheduling = {.start_time = kNow + kHour}}));
  ASSERT_TRUE(jobs().cancel(id_));
  pass(2 * kHour);
  EXPECT_EQ(status(), JobStatus::kCanceled);
  EXPECT_FALSE(lamp_has_it());
}

TEST_F(JobsScheduleTest, AScheduledJobNeedsForceToBeDeleted) {
  ASSERT_TRUE(make({.id = id_, .scheduling = {.start_time = kNow + kHour}}));
  EXPECT_EQ(jobs().remove_job(id_, false).error().code, ErrorCode::kInvalidStateTransition);
  EXPECT_TRUE(jobs().remove_job(id_, true));
}

struct EndCase {
  EndBehavior behavior;
  JobStatus job;
  ExecutionStatus begun;
  ExecutionStatus waiting;
};

class EndBehaviorTest : public JobsScheduleTest, public ::testing::WithParamInterface<EndCase> {};

TEST_P(EndBehaviorTest, IsWhatHappensAtTheEnd) {
  const ThingName third = ThingName::parse("z").value();
  ASSERT_TRUE(cloud_->things().create(third));
  ASSERT_TRUE(jobs().create({.id = id_,
                             .document = "{}",
                             .targets = {lamp_, door_, third},
                             .rollout = {.maximum_per_minute = 2},
                             .scheduling = {.end_time = kNow + kHour, .end_behavior = GetParam().behavior}}));
  // Two minutes' worth are never reached: the process sleeps until the end.
  ASSERT_TRUE(jobs().start_next(door_));
  pass(kHour);
  EXPECT_EQ(status(), GetParam().job);
  EXPECT_TRUE(jobs().process_details(id_)->processing_targets.empty());
  EXPECT_EQ(jobs().execution(id_, door_)->state.status, GetParam().begun);
  EXPECT_EQ(jobs().execution(id_, lamp_)->state.status, GetParam().waiting);
  pass(kHour);
  EXPECT_FALSE(jobs().execution(id_, third)) << "nobody is reached after the end";
}

INSTANTIATE_TEST_SUITE_P(
    Table, EndBehaviorTest,
    ::testing::Values(EndCase{EndBehavior::kStopRollout, JobStatus::kInProgress, kInProgress, kQueued},
                      EndCase{EndBehavior::kCancel, JobStatus::kCanceled, kInProgress, kCanceled},
                      EndCase{EndBehavior::kForceCancel, JobStatus::kCanceled, kCanceled, kCanceled}));

TEST_F(JobsScheduleTest, AStoppedJobIsCompletedWhenWhatWasReachedIsOver) {
  ASSERT_TRUE(make({.id = id_,
                    .target_selection = TargetSelection::kContinuous,
                    .retries = {.failed = 3},
                    .scheduling = {.end_time = kNow + kHour}}));
  pass(kHour);
  EXPECT_EQ(status(), JobStatus::kInProgress);
  ASSERT_TRUE(jobs().update(id_, lamp_, {.status = kFailed}));
  EXPECT_EQ(status(), JobStatus::kCompleted) << "a continuous one, too, and nothing is tried again";
  EXPECT_EQ(jobs().execution(id_, lamp_)->execution_number, 1);
}

TEST_F(JobsScheduleTest, AWindowOpensAndClosesAJob) {
  std::vector<std::string> told;
  const auto subscription =
      jobs().listen({.on_next_change = [&](const ThingName&, const std::optional<JobExecution>& next) {
        told.push_back(next ? "job" : "none");
      }});
  ASSERT_TRUE(make({.id = id_,
                    .target_selection = TargetSelection::kContinuous,
                    .scheduling = {.maintenance_windows = {{"cron(0 2 * * ? *)", 60}}}}));
  EXPECT_EQ(status(), JobStatus::kScheduled);
  clock_.advance(at("2023-11-15T02:00Z") - clock_.now());
  pass(0);
  EXPECT_EQ(status(), JobStatus::kInProgress);
  EXPECT_TRUE(lamp_has_it());
  pass(kHour);
  EXPECT_EQ(status(), JobStatus::kScheduled);
  EXPECT_FALSE(lamp_has_it()) << "what has not been begun waits for the next window";
  pass(23 * kHour);
  EXPECT_TRUE(lamp_has_it());
  ASSERT_TRUE(jobs().start_next(lamp_));
  pass(kHour);
  EXPECT_TRUE(lamp_has_it()) << "what has been begun goes on";
  EXPECT_THAT(told, ElementsAre("job", "none", "job"));
}

TEST_F(JobsScheduleTest, TheRateHoldsAcrossWindows) {
  ASSERT_TRUE(jobs().create({.id = id_,
                             .document = "{}",
                             .targets = {lamp_, door_},
                             .rollout = {.maximum_per_minute = 1},
                             .scheduling = {.maintenance_windows = {{"cron(0 2 * * ? *)", 1}}}}));
  clock_.advance(at("2023-11-15T02:00:30Z") - clock_.now());
  pass(0);
  EXPECT_EQ(jobs().process_details(id_)->queued, 1);
  pass(60);
  EXPECT_EQ(status(), JobStatus::kScheduled);
  EXPECT_EQ(jobs().process_details(id_)->queued, 1) << "the window had closed";
  pass(24 * kHour);
  EXPECT_EQ(jobs().process_details(id_)->queued, 1) << "and at 02:01:30 it has again";
  pass(24 * kHour - 90);
  EXPECT_EQ(jobs().process_details(id_)->queued, 2);
}

TEST_F(JobsScheduleTest, TimesThatAwsRefusesAreRefused) {
  const auto refused = [&](SchedulingConfig scheduling) {
    const auto made = make({.id = id_, .scheduling = std::move(scheduling)});
    return !made && made.error().code == ErrorCode::kInvalidRequest;
  };
  constexpr std::int64_t kDay = 24 * kHour;
  EXPECT_TRUE(refused({.start_time = kNow + 1799}));
  EXPECT_TRUE(refused({.start_time = kNow + 367 * kDay}));
  EXPECT_TRUE(refused({.end_time = kNow + 1799}));
  EXPECT_TRUE(refused({.start_time = kNow + kHour, .end_time = kNow + kHour + 1799}));
  EXPECT_TRUE(refused({.end_time = kNow + 800 * kDay}));
  EXPECT_TRUE(refused({.end_behavior = EndBehavior::kCancel}));
  EXPECT_TRUE(refused({.maintenance_windows = {{"tomorrow", 10}}}));
  EXPECT_TRUE(refused({.maintenance_windows = {{"cron(0 2 * * ? *)", 0}}}));
  EXPECT_TRUE(refused({.maintenance_windows = {{"cron(0 2 * * ? *)", 1431}}}));
  EXPECT_FALSE(refused({.start_time = kNow + 1800, .end_time = kNow + 3600}));
}

}  // namespace
}  // namespace otasim::cloud
