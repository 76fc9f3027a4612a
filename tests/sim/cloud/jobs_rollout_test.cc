// How jobs reach their things: the rate, what stops it, and the abort criteria.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include "sim/cloud/cloud_timers.h"
#include "sim/cloud/rollout_rate.h"
#include "tests/sim/cloud/cloud_fixture.h"

namespace otasim::cloud {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using enum ExecutionStatus;

class JobsRolloutTest : public CloudFixture {
 protected:
  static GroupName group(const std::string& name) { return GroupName::parse(name).value(); }
  static ThingName thing(int number) { return ThingName::parse("t" + std::to_string(1000 + number)).value(); }

  /// A group `fleet` of things t1000, t1001, ...
  void make_fleet(int size) {
    if (!cloud_->groups().describe(group("fleet"))) {
      ASSERT_TRUE(cloud_->groups().create({.name = group("fleet")}));
    }
    for (int i = 0; i < size; ++i) {
      ASSERT_TRUE(cloud_->things().create(thing(i)));
      ASSERT_TRUE(cloud_->groups().add_thing(group("fleet"), thing(i)));
    }
  }

  void create(CreateJobRequest request) {
    request.document = "{}";
    if (request.targets.empty()) request.targets = {group("fleet")};
    const auto made = jobs().create(request);
    ASSERT_TRUE(made) << made.error().message;
  }

  void pass(std::int64_t seconds) {
    clock_.advance(seconds);
    ASSERT_TRUE(jobs().run_due());
  }

  JobProcessDetails counts() { return jobs().process_details(id_).value(); }
  std::int64_t reached() {
    const auto now = counts();
    return now.queued + now.in_progress + now.succeeded + now.failed + now.rejected + now.timed_out +
           now.removed + now.canceled;
  }
  /// How many things are reached now, and in each of the minutes that follow.
  std::vector<std::int64_t> each_minute(int minutes) {
    std::vector<std::int64_t> numbers{reached()};
    std::int64_t before = reached();
    for (int i = 1; i < minutes; ++i) {
      pass(60);
      numbers.push_back(reached() - before);
      before = reached();
    }
    return numbers;
  }
  Job job_now() { return jobs().describe_job(id_).value(); }
  JobStatus status() { return job_now().status; }
  void end(int number, ExecutionStatus how) {
    const auto done = jobs().update(id_, thing(number), {.status = how});
    ASSERT_TRUE(done) << done.error().message;
  }
  static ErrorCode code(const ServiceResult<void>& result) {
    return result ? ErrorCode::kInternalError : result.error().code;
  }

  const JobId id_ = job("j");
};

TEST(RolloutRate, IsTheMaximumOrAThousand) {
  EXPECT_EQ(rollout_rate({}, {}), 1000);
  EXPECT_EQ(rollout_rate({.maximum_per_minute = 7}, {.notified = 500}), 7);
}

TEST(RolloutRate, GrowsByTheFactorAtEachMultipleOfTheCriterion) {
  // The developer guide's example.
  const RolloutConfig rollout{.exponential = ExponentialRate{50, 20, 1000, 1000}};
  EXPECT_EQ(rollout_rate(rollout, {.notified = 999}), 50);
  EXPECT_EQ(rollout_rate(rollout, {.notified = 1000}), 100);
  EXPECT_EQ(rollout_rate(rollout, {.notified = 1999}), 100);
  EXPECT_EQ(rollout_rate(rollout, {.notified = 2000}), 200);
  EXPECT_EQ(rollout_rate(rollout, {.notified = 3000}), 400);
  EXPECT_EQ(rollout_rate(rollout, {.notified = 500, .succeeded = 1000}), 100) << "whichever is first";
}

TEST(RolloutRate, NeverExceedsTheMaximumHoweverFarItHasCome) {
  const RolloutConfig rollout{.maximum_per_minute = 120, .exponential = ExponentialRate{50, 20, 1, {}}};
  EXPECT_EQ(rollout_rate(rollout, {.notified = 1}), 100);
  EXPECT_EQ(rollout_rate(rollout, {.notified = 2}), 120);
  EXPECT_EQ(rollout_rate(rollout, {.notified = 1'000'000'000}), 120);
}

TEST(RolloutRate, KeepsWhatTheFactorLeavesBehindThePoint) {
  const RolloutConfig rollout{.exponential = ExponentialRate{1, 15, {}, 1}};
  std::vector<std::int64_t> rates;
  for (int succeeded = 0; succeeded < 6; ++succeeded) {
    rates.push_back(rollout_rate(rollout, {.succeeded = succeeded}));
  }
  EXPECT_THAT(rates, ElementsAre(1, 1, 2, 3, 5, 7));
}

TEST_F(JobsRolloutTest, AConstantRateReachesSoManyAMinute) {
  make_fleet(10);
  create({.id = id_, .rollout = {.maximum_per_minute = 4}});
  EXPECT_THAT(each_minute(4), ElementsAre(4, 4, 2, 0));
}

TEST_F(JobsRolloutTest, WithinAMinuteNothingMoreIsReached) {
  make_fleet(10);
  create({.id = id_, .rollout = {.maximum_per_minute = 4}});
  pass(59);
  EXPECT_EQ(reached(), 4);
  EXPECT_EQ(jobs().next_due().value(), kNow + 60);
  pass(1);
  EXPECT_EQ(reached(), 8);
}

TEST_F(JobsRolloutTest, MinutesThatNobodyWasThereForAreNotMadeUpFor) {
  make_fleet(10);
  create({.id = id_, .rollout = {.maximum_per_minute = 3}});
  pass(600);
  EXPECT_EQ(reached(), 6) << "one minute's worth, not ten";
  pass(59);
  EXPECT_EQ(reached(), 6);
  pass(1);
  EXPECT_EQ(reached(), 9);
}

TEST_F(JobsRolloutTest, AnExponentialRateGrowsWithTheThingsThatWereNotified) {
  make_fleet(30);
  create({.id = id_, .rollout = {.maximum_per_minute = 8, .exponential = ExponentialRate{2, 20, 4, {}}}});
  // 2 and 2 make 4: twice as many; 4 make 8: twice again, and that is the maximum.
  EXPECT_THAT(each_minute(7), ElementsAre(2, 2, 4, 8, 8, 6, 0));
}

TEST_F(JobsRolloutTest, AnExponentialRateGrowsWithTheThingsThatSucceeded) {
  make_fleet(12);
  create({.id = id_, .rollout = {.exponential = ExponentialRate{2, 30, {}, 2}}});
  EXPECT_THAT(each_minute(2), ElementsAre(2, 2)) << "nobody has succeeded";
  end(0, kSucceeded);
  end(1, kSucceeded);
  EXPECT_EQ(reached(), 4) << "the rate of a minute that has begun stays";
  pass(60);
  EXPECT_EQ(reached(), 10) << "thrice as many";
}

TEST_F(JobsRolloutTest, EachThingIsToldWhenItIsReachedAndNotBefore) {
  make_fleet(3);
  std::vector<std::string> told;
  const auto subscription =
      jobs().listen({.on_pending_change = [&](const ThingName& name) { told.push_back(name.str()); }});
  create({.id = id_, .rollout = {.maximum_per_minute = 2}});
  EXPECT_THAT(told, ElementsAre("t1000", "t1001"));
  EXPECT_FALSE(jobs().describe_next(thing(2)).value());
  EXPECT_EQ(jobs().describe(id_, thing(2)).error().code, ErrorCode::kResourceNotFound);
  told.clear();
  pass(60);
  EXPECT_THAT(told, ElementsAre("t1002"));
}

TEST_F(JobsRolloutTest, TheTargetsThatAreBeingRolledOutAreTold) {
  make_fleet(3);
  create({.id = id_, .targets = {group("fleet"), lamp_}, .rollout = {.maximum_per_minute = 2}});
  EXPECT_THAT(counts().processing_targets, ElementsAre(JobTarget{group("fleet")}));
  pass(60);
  EXPECT_THAT(counts().processing_targets, IsEmpty());
}

TEST_F(JobsRolloutTest, AJobIsRollingOutWhileSomebodyIsPlanned) {
  make_fleet(2);
  const auto rolling_out = [&] { return jobs().is_rolling_out(job_now()).value(); };
  create({.id = id_, .target_selection = TargetSelection::kContinuous, .rollout = {.maximum_per_minute = 1}});
  EXPECT_TRUE(rolling_out());
  pass(60);
  EXPECT_FALSE(rolling_out()) << "everybody has been reached, and the job is still in progress";
  EXPECT_EQ(status(), JobStatus::kInProgress);
  end(0, ExecutionStatus::kFailed);
  EXPECT_FALSE(rolling_out());
  ASSERT_TRUE(jobs().cancel(id_));
  EXPECT_FALSE(rolling_out());
}

TEST_F(JobsRolloutTest, ASnapshotJobIsNotCompletedWhileThereIsSomebodyToReach) {
  make_fleet(2);
  create({.id = id_, .rollout = {.maximum_per_minute = 1}});
  end(0, kSucceeded);
  EXPECT_EQ(status(), JobStatus::kInProgress);
  pass(60);
  end(1, kSucceeded);
  EXPECT_EQ(status(), JobStatus::kCompleted);
}

TEST_F(JobsRolloutTest, WhoJoinsAContinuousJobsGroupWaitsForItsTurn) {
  make_fleet(2);
  create({.id = id_, .target_selection = TargetSelection::kContinuous, .rollout = {.maximum_per_minute = 2}});
  ASSERT_TRUE(cloud_->groups().add_thing(group("fleet"), lamp_));
  EXPECT_EQ(reached(), 2);
  pass(60);
  EXPECT_TRUE(jobs().describe(id_, lamp_));
  ASSERT_TRUE(cloud_->groups().add_thing(group("fleet"), door_));
  EXPECT_TRUE(jobs().describe(id_, door_)) << "the minute had room";
}

TEST_F(JobsRolloutTest, WhoLeavesBeforeItsTurnIsNotReached) {
  make_fleet(3);
  create({.id = id_, .target_selection = TargetSelection::kContinuous, .rollout = {.maximum_per_minute = 1}});
  ASSERT_TRUE(cloud_->groups().remove_thing(group("fleet"), thing(1)));
  ASSERT_TRUE(cloud_->things().remove(thing(2)));
  pass(120);
  EXPECT_EQ(reached(), 1);
}

TEST_F(JobsRolloutTest, ASnapshotJobEndsWhenItsLastPlannedThingIsDeleted) {
  make_fleet(2);
  create({.id = id_, .rollout = {.maximum_per_minute = 1}});
  end(0, kSucceeded);
  ASSERT_TRUE(cloud_->things().remove(thing(1)));
  EXPECT_EQ(status(), JobStatus::kCompleted);
}

TEST_F(JobsRolloutTest, GroupsThatAreAssociatedAreRolledOutByTheRate) {
  make_fleet(3);
  ASSERT_TRUE(cloud_->groups().create({.name = group("first")}));
  create({.id = id_,
          .targets = {group("first")},
          .target_selection = TargetSelection::kContinuous,
          .rollout = {.maximum_per_minute = 2}});
  ASSERT_TRUE(jobs().associate_targets(id_, {group("fleet")}));
  EXPECT_THAT(each_minute(3), ElementsAre(2, 1, 0));
}

TEST_F(JobsRolloutTest, AFurtherAttemptTakesItsTurnBehindTheOthers) {
  make_fleet(3);
  create({.id = id_, .retries = {.failed = 1}, .rollout = {.maximum_per_minute = 2}});
  end(0, kFailed);
  EXPECT_EQ(reached(), 2) << "this minute's number is used up";
  pass(60);
  EXPECT_EQ(counts().queued, 3) << "the third thing, and then the first again";
  EXPECT_EQ(jobs().execution(id_, thing(0))->retry_attempt, 1);
}

TEST_F(JobsRolloutTest, AFurtherAttemptIsNoFurtherThing) {
  make_fleet(1);
  create({.id = id_,
          .target_selection = TargetSelection::kContinuous,
          .retries = {.failed = 1},
          .rollout = {.exponential = ExponentialRate{1, 50, 2, {}}}});
  end(0, kFailed);
  pass(60);
  EXPECT_EQ(reached(), 2) << "one thing, twice";
  ASSERT_TRUE(cloud_->groups().add_thing(group("fleet"), lamp_));
  ASSERT_TRUE(cloud_->groups().add_thing(group("fleet"), door_));
  pass(60);
  EXPECT_EQ(reached(), 3) << "still one a minute";
  pass(60);
  EXPECT_EQ(reached(), 4);
}

TEST_F(JobsRolloutTest, CancelingStopsTheRollout) {
  make_fleet(3);
  create({.id = id_, .rollout = {.maximum_per_minute = 1}});
  ASSERT_TRUE(jobs().cancel(id_));
  pass(600);
  EXPECT_EQ(reached(), 1);
  EXPECT_EQ(jobs().next_due().value(), std::nullopt);
}

TEST_F(JobsRolloutTest, DeletingStopsTheRollout) {
  make_fleet(3);
  create({.id = id_, .rollout = {.maximum_per_minute = 1}});
  ASSERT_TRUE(jobs().remove_job(id_, true));
  EXPECT_FALSE(jobs().describe_next(thing(0)).value()) << "devices lose it at once";
  EXPECT_EQ(status(), JobStatus::kDeletionInProgress);
  EXPECT_EQ(code(jobs().remove_job(id_, true)), ErrorCode::kInvalidStateTransition);
  EXPECT_EQ(code(jobs().cancel(id_)), ErrorCode::kInvalidRequest);
  pass(1);
  EXPECT_EQ(jobs().describe_job(id_).error().code, ErrorCode::kResourceNotFound);
  pass(600);
  EXPECT_EQ(jobs().next_due().value(), std::nullopt);
}

TEST_F(JobsRolloutTest, TenJobsMayBeDeletedAtATime) {
  for (int i = 0; i < 11; ++i) create_job("j" + std::to_string(i));
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(jobs().remove_job(job("j" + std::to_string(i)), true));
  EXPECT_EQ(code(jobs().remove_job(job("j10"), true)), ErrorCode::kLimitExceeded);
  pass(1);
  EXPECT_TRUE(jobs().remove_job(job("j10"), true));
}

TEST_F(JobsRolloutTest, TheRolloutGoesOnInAStoreThatIsOpenedAgain) {
  make_fleet(5);
  create({.id = id_, .rollout = {.maximum_per_minute = 2}});
  open();
  EXPECT_EQ(reached(), 2) << "the minute is not over";
  pass(60);
  EXPECT_EQ(reached(), 4);
}

TEST_F(JobsRolloutTest, ANewRateHoldsFromTheNextMinute) {
  make_fleet(10);
  create({.id = id_, .rollout = {.maximum_per_minute = 1}});
  ASSERT_TRUE(jobs().update_job(id_, {.rollout = RolloutConfig{.maximum_per_minute = 5}}));
  EXPECT_EQ(reached(), 1);
  pass(60);
  EXPECT_EQ(reached(), 6);
}

TEST_F(JobsRolloutTest, AClockThatIsSetBackDoesNotStallTheRollout) {
  make_fleet(3);
  create({.id = id_, .rollout = {.maximum_per_minute = 1}});
  clock_.advance(-3600);
  ASSERT_TRUE(jobs().update_job(id_, {.description = "looked at"}));
  EXPECT_EQ(reached(), 2);
}

TEST_F(JobsRolloutTest, AnUpdateChangesWhatItNamesAndChecksIt) {
  make_fleet(1);
  create({.id = id_, .description = "old", .in_progress_timeout_minutes = 5});
  ASSERT_TRUE(jobs().start_next(thing(0)));
  ASSERT_TRUE(jobs().update_job(id_, {.description = "new", .presigned_expires_sec = 60}));
  ASSERT_TRUE(jobs().update_job(
      id_, {.abort = AbortConfig{{{.min_executed_things = 3}}}, .in_progress_timeout_minutes = 1}));
  const Job now = job_now();
  EXPECT_EQ(now.description, "new");
  EXPECT_EQ(now.presigned_expires_sec, 60);
  EXPECT_EQ(now.abort.criteria.at(0).min_executed_things, 3);
  EXPECT_EQ(jobs().execution(id_, thing(0))->in_progress_deadline, kNow + 300)
      << "what is begun keeps its own";
  EXPECT_EQ(code(jobs().update_job(id_, {.in_progress_timeout_minutes = 0})), ErrorCode::kInvalidRequest);
  EXPECT_EQ(code(jobs().update_job(id_, {.rollout = RolloutConfig{.maximum_per_minute = 0}})),
            ErrorCode::kInvalidRequest);
  EXPECT_EQ(code(jobs().update_job(job("none"), {})), ErrorCode::kResourceNotFound);
  ASSERT_TRUE(jobs().cancel(id_));
  EXPECT_EQ(code(jobs().update_job(id_, {.description = "late"})), ErrorCode::kInvalidRequest);
}

TEST_F(JobsRolloutTest, ANewTimeoutHoldsForWhatIsBegunFromThenOn) {
  make_fleet(1);
  create({.id = id_, .in_progress_timeout_minutes = 5});
  ASSERT_TRUE(jobs().update_job(id_, {.in_progress_timeout_minutes = 1}));
  ASSERT_TRUE(jobs().start_next(thing(0)));
  EXPECT_EQ(jobs().execution(id_, thing(0))->in_progress_deadline, kNow + 60);
}

// --- Abort

TEST_F(JobsRolloutTest, TooManyFailuresCancelWhatHasNotBegun) {
  make_fleet(6);
  create({.id = id_, .rollout = {.maximum_per_minute = 5}, .abort = {{{AbortFailure::kFailed, 50'00, 3}}}});
  ASSERT_TRUE(jobs().start_next(thing(3)));
  end(0, kFailed);
  end(1, kFailed);
  EXPECT_EQ(status(), JobStatus::kInProgress) << "two are not three";
  end(2, kSucceeded);
  const Job now = job_now();
  EXPECT_EQ(now.status, JobStatus::kCanceled);
  EXPECT_FALSE(now.force_canceled);
  EXPECT_EQ(now.reason_code, kAbortCriteriaMet);
  EXPECT_THAT(now.comment, HasSubstr("2 of 3"));
  EXPECT_EQ(jobs().execution(id_, thing(4))->state.status, kCanceled);
  EXPECT_EQ(jobs().execution(id_, thing(3))->state.status, kInProgress);
  pass(600);
  EXPECT_EQ(reached(), 5) << "the sixth is not reached any more";
  end(3, kSucceeded);
}

TEST_F(JobsRolloutTest, AThresholdIsReachedExactly) {
  make_fleet(4);
  create({.id = id_, .abort = {{{AbortFailure::kAll, 33'34, 1}}}});
  end(0, kSucceeded);
  end(1, kSucceeded);
  end(2, kRejected);
  EXPECT_EQ(status(), JobStatus::kInProgress) << "33.33 % are less than 33.34 %";
  end(3, kFailed);
  EXPECT_EQ(status(), JobStatus::kCanceled) << "half of them";
}

TEST_F(JobsRolloutTest, EachKindOfFailureCountsForItsOwnCriterion) {
  make_fleet(4);
  create({.id = id_,
          .in_progress_timeout_minutes = 1,
          .abort = {{{AbortFailure::kRejected, 100'00, 2}, {AbortFailure::kTimedOut, 50'00, 2}}}});
  end(0, kFailed);
  end(1, kFailed);
  EXPECT_EQ(status(), JobStatus::kInProgress);
  ASSERT_TRUE(jobs().start_next(thing(2)));
  ASSERT_TRUE(jobs().start_next(thing(3)));
  pass(60);
  EXPECT_EQ(status(), JobStatus::kCanceled) << "two of four timed out";
}

TEST_F(JobsRolloutTest, AnAbortedJobTriesNothingAgain) {
  make_fleet(2);
  create({.id = id_, .retries = {.failed = 5}, .abort = {{{AbortFailure::kFailed, 100'00, 1}}}});
  end(0, kFailed);
  EXPECT_EQ(status(), JobStatus::kCanceled);
  EXPECT_EQ(jobs().execution(id_, thing(0))->execution_number, 1);
  EXPECT_EQ(counts().canceled, 1);
}

// --- Limits

TEST_F(JobsRolloutTest, ThereMayBeSoManyJobsThatAreNotOver) {
  JobsOptions options;
  options.limits = {.active_continuous = 1, .active_snapshot = 2, .being_deleted = 10};
  open(options);
  ASSERT_TRUE(cloud_->groups().create({.name = group("fleet")}));
  const auto make = [&](const std::string& name, TargetSelection selection) {
    return code(jobs().create(
        {.id = job(name), .document = "{}", .targets = {lamp_}, .target_selection = selection}));
  };
  create_job("a");
  create_job("b");
  EXPECT_EQ(make("c", TargetSelection::kSnapshot), ErrorCode::kLimitExceeded);
  ASSERT_TRUE(jobs().cancel(job("a")));
  create_job("c");
  create({.id = id_, .target_selection = TargetSelection::kContinuous});
  EXPECT_EQ(make("d", TargetSelection::kContinuous), ErrorCode::kLimitExceeded);
  ASSERT_TRUE(jobs().remove_job(id_, true));
  EXPECT_EQ(make("e", TargetSelection::kContinuous), ErrorCode::kInternalError) << "that is: made";
}

TEST_F(JobsRolloutTest, ADocumentMustFitWithItsUrls) {
  cloud_->urls().set_endpoint("localhost:8444");
  const std::string placeholder = "${aws:iot:s3-presigned-url:https://s3.amazonaws.com/b/k}";
  const auto with_urls = [&](int number) {
    std::string document = R"({"urls":[)";
    for (int i = 0; i < number; ++i) document += (i == 0 ? "\"" : ",\"") + placeholder + "\"";
    return jobs().create({.id = id_, .document = document + "]}", .targets = {lamp_}});
  };
  const auto refused = with_urls(300);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("with its URLs"));
  EXPECT_TRUE(with_urls(3));
}

// --- Time

TEST_F(JobsRolloutTest, TheTimersWakeForTheNextMinute) {
  make_fleet(2);
  boost::asio::io_context io;
  const CloudTimers timers(io, *cloud_);
  create({.id = id_, .rollout = {.maximum_per_minute = 1}});
  clock_.advance(59);
  EXPECT_EQ(reached(), 1);
  clock_.advance(1);
  EXPECT_EQ(reached(), 2);
}

TEST_F(JobsRolloutTest, AKillLosesNobodyAndReachesNobodyTwice) {
  constexpr int kThings = 60;
  make_fleet(kThings);
  create({.id = id_, .rollout = {.maximum_per_minute = 1}});
  cloud_.reset();
  // The child lets minute after minute pass, and says so, until it is killed in the middle of one.
  int minutes[2];
  ASSERT_EQ(::pipe(minutes), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::close(minutes[0]);
    auto log = report::EventLog::in_memory();
    auto cloud = Cloud::open(folder_.path().string(), clock_, *log);
    for (std::int64_t minute = 1; cloud; ++minute) {
      clock_.advance(60);
      if (!(*cloud)->jobs().run_due()) break;
      if (::write(minutes[1], &minute, sizeof minute) != sizeof minute) break;
    }
    ::_exit(1);
  }
  ::close(minutes[1]);
  std::int64_t last = 0;
  while (last < 20) ASSERT_EQ(::read(minutes[0], &last, sizeof last), static_cast<ssize_t>(sizeof last));
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  int how = 0;
  ASSERT_EQ(::waitpid(child, &how, 0), child);
  ASSERT_TRUE(WIFSIGNALED(how)) << "the child ended by itself";
  std::int64_t more = 0;
  while (::read(minutes[0], &more, sizeof more) == sizeof more) last = more;
  ::close(minutes[0]);

  open();
  EXPECT_GE(reached(), std::min<std::int64_t>(last + 1, kThings));
  EXPECT_LE(reached(), std::min<std::int64_t>(last + 2, kThings));
  clock_.advance(last * 60);
  for (int i = 0; i < kThings; ++i) pass(60);
  EXPECT_EQ(counts().queued, kThings);
  for (int i = 0; i < kThings; ++i) EXPECT_EQ(jobs().execution(id_, thing(i))->execution_number, 1);
}

}  // namespace
}  // namespace otasim::cloud
