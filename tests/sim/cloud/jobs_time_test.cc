// What the clock does to executions: timers, retries, and what is told of them.
#include <boost/asio/io_context.hpp>

#include "sim/cloud/cloud_timers.h"
#include "tests/sim/cloud/cloud_fixture.h"

namespace otasim::cloud {
namespace {

using ::testing::ElementsAre;
using enum ExecutionStatus;

class JobsTimeTest : public CloudFixture {
 protected:
  void create_timed(std::optional<std::int64_t> minutes, RetryConfig retries = {}) {
    const auto made = jobs().create({.id = id_,
                                     .document = "{}",
                                     .targets = {lamp_},
                                     .in_progress_timeout_minutes = minutes,
                                     .retries = retries});
    ASSERT_TRUE(made) << made.error().message;
  }

  ServiceResult<JobExecution> update(ExecutionStatus status,
                                     std::optional<std::int64_t> step = std::nullopt) {
    return jobs().update(id_, lamp_, {.status = status, .step_timeout_minutes = step});
  }

  void pass(std::int64_t seconds) {
    clock_.advance(seconds);
    ASSERT_TRUE(jobs().run_due());
  }

  JobExecution latest() { return jobs().execution(id_, lamp_).value(); }
  ExecutionStatus status() { return latest().state.status; }
  JobStatus job_status() { return jobs().describe_job(id_)->status; }

  const JobId id_ = job("j");
};

TEST_F(JobsTimeTest, TheInProgressTimerRunsFromTheStart) {
  create_timed(1);
  pass(1000);
  EXPECT_EQ(status(), kQueued) << "waiting is not limited";
  ASSERT_TRUE(update(kInProgress));
  pass(59);
  EXPECT_EQ(status(), kInProgress);
  pass(1);
  EXPECT_EQ(status(), kTimedOut);
  EXPECT_EQ(latest().state.version_number, 3);
  EXPECT_EQ(job_status(), JobStatus::kCompleted);
}

TEST_F(JobsTimeTest, ProgressDoesNotExtendTheInProgressTimer) {
  create_timed(1);
  ASSERT_TRUE(update(kInProgress));
  clock_.advance(40);
  ASSERT_TRUE(update(kInProgress));
  pass(20);
  EXPECT_EQ(status(), kTimedOut);
}

TEST_F(JobsTimeTest, EachStepTimerStartsAnew) {
  create_timed(std::nullopt);
  ASSERT_TRUE(update(kInProgress, 1));
  clock_.advance(40);
  ASSERT_TRUE(update(kInProgress, 1));
  pass(59);
  EXPECT_EQ(status(), kInProgress);
  ASSERT_TRUE(update(kInProgress)) << "no timer given: the one that runs stays";
  pass(1);
  EXPECT_EQ(status(), kTimedOut);
}

TEST_F(JobsTimeTest, MinusOneStopsTheStepTimerAlone) {
  create_timed(3);
  ASSERT_TRUE(jobs().start_next(lamp_, {.step_timeout_minutes = 1}));
  ASSERT_TRUE(update(kInProgress, kNoStepTimeout));
  pass(100);
  EXPECT_EQ(status(), kInProgress);
  pass(80);
  EXPECT_EQ(status(), kTimedOut);
}

TEST_F(JobsTimeTest, AStepTimerOutOfRangeOrBeyondTheInProgressTimerIsRefused) {
  create_timed(2);
  for (const std::int64_t minutes : {0L, -2L, 3L, 10'081L}) {
    EXPECT_EQ(update(kInProgress, minutes).error().code, ErrorCode::kInvalidRequest) << minutes;
    EXPECT_EQ(jobs().start_next(lamp_, {.step_timeout_minutes = minutes}).error().code,
              ErrorCode::kInvalidRequest);
  }
  EXPECT_EQ(status(), kQueued);
  EXPECT_TRUE(update(kInProgress, 2));
}

TEST_F(JobsTimeTest, StartNextSetsTheStepTimerOfWhatIsBegunWithoutANewVersion) {
  create_timed(std::nullopt);
  ASSERT_TRUE(jobs().start_next(lamp_));
  const auto again = jobs().start_next(lamp_, {.step_timeout_minutes = 5}).value().value();
  EXPECT_EQ(again.state.version_number, 2);
  EXPECT_EQ(again.step_deadline, kNow + 300);
  EXPECT_EQ(latest().step_deadline, kNow + 300);
}

TEST_F(JobsTimeTest, AnEndStopsTheTimers) {
  create_timed(1);
  ASSERT_TRUE(update(kInProgress, 1));
  ASSERT_TRUE(update(kSucceeded));
  EXPECT_EQ(jobs().next_due().value(), std::nullopt);
  pass(100);
  EXPECT_EQ(status(), kSucceeded);
}

TEST_F(JobsTimeTest, AnUpdateThatComesTooLateIsRefusedEvenBeforeTheTimerWasSeen) {
  create_timed(1);
  ASSERT_TRUE(update(kInProgress));
  clock_.advance(60);
  const auto late = update(kSucceeded);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kInvalidStateTransition);
  EXPECT_EQ(late.error().execution_state->status, kTimedOut);
}

TEST_F(JobsTimeTest, TimersGoOnInAStoreThatIsOpenedAgain) {
  create_timed(1);
  ASSERT_TRUE(update(kInProgress));
  cloud_.reset();
  clock_.advance(61);
  open();
  EXPECT_EQ(jobs().describe(id_, lamp_).error().code, ErrorCode::kTerminalStateReached);
  EXPECT_EQ(status(), kTimedOut);
}

TEST_F(JobsTimeTest, AFailureIsTriedAgainAsOftenAsConfigured) {
  create_timed(std::nullopt, {.failed = 2});
  for (std::int64_t attempt = 0; attempt < 3; ++attempt) {
    EXPECT_EQ(latest().execution_number, attempt + 1);
    EXPECT_EQ(latest().retry_attempt, attempt);
    EXPECT_EQ(latest().state.version_number, 1);
    EXPECT_EQ(job_status(), JobStatus::kInProgress);
    ASSERT_TRUE(update(kInProgress));
    ASSERT_TRUE(update(kFailed));
  }
  EXPECT_EQ(status(), kFailed);
  EXPECT_EQ(job_status(), JobStatus::kCompleted);
  EXPECT_EQ(jobs().process_details(id_)->failed, 3);
}

TEST_F(JobsTimeTest, EachKindOfFailureHasItsOwnRetries) {
  create_timed(1, {.failed = 1, .timed_out = 1});
  ASSERT_TRUE(update(kFailed));
  ASSERT_TRUE(update(kInProgress));
  pass(60);
  EXPECT_EQ(latest().retry_attempt, 2);
  ASSERT_TRUE(update(kInProgress));
  pass(60);
  EXPECT_EQ(status(), kTimedOut) << "the second time-out is final";
}

TEST_F(JobsTimeTest, RetriesAfterAnyFailureCountTogether) {
  create_timed(1, {.any = 2});
  ASSERT_TRUE(update(kFailed));
  ASSERT_TRUE(update(kInProgress));
  pass(60);
  ASSERT_TRUE(update(kFailed));
  EXPECT_EQ(status(), kFailed);
  EXPECT_EQ(latest().execution_number, 3);
}

TEST_F(JobsTimeTest, WhatIsRejectedOrCanceledIsNotTriedAgain) {
  create_timed(std::nullopt, {.any = 3});
  ASSERT_TRUE(update(kRejected));
  EXPECT_EQ(latest().execution_number, 1);
  EXPECT_EQ(job_status(), JobStatus::kCompleted);
  ASSERT_TRUE(jobs().remove_job(id_, false));
  pass(1);
  create_timed(std::nullopt, {.any = 3});
  ASSERT_TRUE(jobs().cancel(id_));
  EXPECT_EQ(latest().execution_number, 1);
}

TEST_F(JobsTimeTest, ACanceledJobTriesNothingAgain) {
  create_timed(std::nullopt, {.any = 3});
  ASSERT_TRUE(update(kInProgress));
  ASSERT_TRUE(jobs().cancel(id_));
  ASSERT_TRUE(update(kFailed)) << "what was begun may end";
  EXPECT_EQ(latest().execution_number, 1);
}

TEST_F(JobsTimeTest, ARetryIsToldOnce) {
  create_timed(std::nullopt, {.failed = 1});
  std::vector<std::string> told;
  const auto subscription =
      jobs().listen({.on_pending_change = [&](const ThingName&) { told.emplace_back("notify"); },
                     .on_next_change =
                         [&](const ThingName&, const std::optional<JobExecution>& next) {
                           told.push_back("next " + std::to_string(next ? next->execution_number : 0));
                         }});
  ASSERT_TRUE(update(kFailed));
  EXPECT_THAT(told, ElementsAre("notify", "next 2"));
}

TEST_F(JobsTimeTest, NumbersOutOfRangeAreRefused) {
  const auto refused = [&](CreateJobRequest request) {
    request.id = id_;
    request.document = "{}";
    request.targets = {lamp_};
    const auto made = jobs().create(request);
    return !made && made.error().code == ErrorCode::kInvalidRequest;
  };
  EXPECT_TRUE(refused({.id = id_, .in_progress_timeout_minutes = 0}));
  EXPECT_TRUE(refused({.id = id_, .in_progress_timeout_minutes = 10'081}));
  EXPECT_TRUE(refused({.id = id_, .presigned_expires_sec = 59}));
  EXPECT_TRUE(refused({.id = id_, .presigned_expires_sec = 3601}));
  EXPECT_TRUE(refused({.id = id_, .retries = {.failed = -1}}));
  EXPECT_TRUE(refused({.id = id_, .retries = {.failed = 6, .timed_out = 5}}));
  EXPECT_TRUE(refused({.id = id_, .retries = {.failed = 1, .any = 1}}));
  EXPECT_TRUE(refused({.id = id_, .description = std::string(2029, 'x')}));
  EXPECT_FALSE(refused({.id = id_, .in_progress_timeout_minutes = 10'080, .retries = {.failed = 10}}));
}

TEST_F(JobsTimeTest, TheTimersWakeWhenTheClockIsSet) {
  boost::asio::io_context io;
  create_timed(1);
  ASSERT_TRUE(update(kInProgress));
  const CloudTimers timers(io, *cloud_);
  clock_.advance(59);
  EXPECT_EQ(status(), kInProgress);
  clock_.advance(1);
  EXPECT_EQ(status(), kTimedOut);
}

TEST_F(JobsTimeTest, WhatRanOutWhileNobodyWasThereEndsWhenTheTimersStart) {
  boost::asio::io_context io;
  create_timed(1);
  ASSERT_TRUE(update(kInProgress));
  clock_.advance(60);
  const CloudTimers timers(io, *cloud_);
  EXPECT_EQ(status(), kTimedOut);
}

TEST_F(JobsTimeTest, ADeadlineThatHasComeWakesTheLoop) {
  boost::asio::io_context io;
  LabClock clock;
  auto cloud = Cloud::open(folder_.path().string(), clock, *log_).value();
  const CloudTimers timers(io, *cloud);
  ASSERT_TRUE(cloud->jobs().create(
      {.id = id_, .document = "{}", .targets = {lamp_}, .in_progress_timeout_minutes = 1}));
  ASSERT_TRUE(cloud->jobs().start_next(lamp_));
  EXPECT_EQ(cloud->jobs().execution(id_, lamp_)->state.status, kInProgress);
  clock.jump(60);
  EXPECT_EQ(cloud->jobs().execution(id_, lamp_)->state.status, kTimedOut);
}

}  // namespace
}  // namespace otasim::cloud
