#include "sim/cloud/jobs_service.h"

#include "sim/cloud/status_details.h"
#include "tests/sim/cloud/cloud_fixture.h"

namespace otasim::cloud {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using enum ExecutionStatus;

class JobsServiceTest : public CloudFixture {
 protected:
  JobsServiceTest() { listen(); }

  void reopen(JobsOptions options) {
    open(options);
    listen();
  }

  void listen() {
    subscription_ = jobs().listen(
        {.on_execution_change =
             [this](const JobExecution& e) { changes_.emplace_back(to_string(e.state.status)); },
         .on_pending_change = [this](const ThingName& thing) { told_.push_back("notify " + thing.str()); },
         .on_next_change =
             [this](const ThingName& thing, const std::optional<JobExecution>& next) {
               told_.push_back("next " + thing.str() + " " + (next ? next->job_id.str() : "nothing"));
             }});
  }

  ServiceResult<JobExecution> update(const std::string& id, ExecutionStatus status,
                                     std::optional<std::int64_t> expected_version = std::nullopt) {
    return jobs().update(job(id), lamp_, {.status = status, .expected_version = expected_version});
  }

  /// What was told since the last call.
  std::vector<std::string> told() { return std::exchange(told_, {}); }

  JobExecution execution(const std::string& id) { return jobs().execution(job(id), lamp_).value(); }
  JobStatus status_of(const std::string& id) { return jobs().describe_job(job(id)).value().status; }

  std::vector<std::string> told_;
  std::vector<std::string> changes_;
  Subscription subscription_;
};

template <typename T>
void expect_refused(const ServiceResult<T>& result, ErrorCode code) {
  ASSERT_FALSE(result) << "not refused";
  EXPECT_EQ(result.error().code, code) << result.error().message;
}

TEST_F(JobsServiceTest, ANewExecutionIsQueuedWithVersionOne) {
  create_job("j1");
  const JobExecution e = execution("j1");
  EXPECT_EQ(e.state.status, kQueued);
  EXPECT_EQ(e.state.version_number, 1);
  EXPECT_EQ(e.execution_number, 1);
  EXPECT_EQ(e.queued_at, kNow);
  EXPECT_EQ(e.last_updated_at, kNow);
  EXPECT_FALSE(e.started_at);
  EXPECT_THAT(e.state.details, IsEmpty());
}

TEST_F(JobsServiceTest, EachUpdateRaisesTheVersionAndKeepsTheTimeOfTheFirst) {
  create_job("j1");
  clock_.advance(5);
  ASSERT_TRUE(update("j1", kInProgress));
  clock_.advance(5);
  ASSERT_TRUE(update("j1", kInProgress));
  const JobExecution e = execution("j1");
  EXPECT_EQ(e.state.version_number, 3);
  EXPECT_EQ(e.started_at, kNow + 5);
  EXPECT_EQ(e.last_updated_at, kNow + 10);
}

TEST_F(JobsServiceTest, AFailureWithoutAStartHasStartedWhenItFailed) {
  create_job("j1");
  clock_.advance(7);
  ASSERT_TRUE(update("j1", kFailed));
  EXPECT_EQ(execution("j1").started_at, kNow + 7);
  EXPECT_EQ(execution("j1").state.version_number, 2);
}

TEST_F(JobsServiceTest, DescribingChangesNothing) {
  create_job("j1");
  ASSERT_TRUE(jobs().describe_next(lamp_));
  ASSERT_TRUE(jobs().describe(job("j1"), lamp_));
  EXPECT_EQ(execution("j1").state.status, kQueued);
  EXPECT_EQ(execution("j1").state.version_number, 1);
}

struct Transition {
  ExecutionStatus from;
  ExecutionStatus to;
  std::optional<ErrorCode> refused;
};

class TransitionTest : public JobsServiceTest, public ::testing::WithParamInterface<Transition> {
 protected:
  /// Takes the job's execution to a status by the calls that lead there.
  void take_to(ExecutionStatus status) {
    if (status == kQueued) return;
    if (status == kCanceled) {
      ASSERT_TRUE(jobs().cancel_execution(job("j1"), lamp_, {.force = true}));
      return;
    }
    ASSERT_TRUE(update("j1", status));
  }
};

TEST_P(TransitionTest, IsAllowedOrRefusedAsInTheTable) {
  create_job("j1");
  take_to(GetParam().from);
  const auto before = execution("j1");
  const auto result = update("j1", GetParam().to);
  if (!GetParam().refused) {
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(execution("j1").state.status, GetParam().to);
    return;
  }
  expect_refused(result, *GetParam().refused);
  EXPECT_EQ(execution("j1").state.version_number, before.state.version_number);
  EXPECT_EQ(execution("j1").state.status, before.state.status);
  if (*GetParam().refused == ErrorCode::kInvalidStateTransition) {
    ASSERT_TRUE(result.error().execution_state);
    EXPECT_EQ(result.error().execution_state->status, before.state.status);
    EXPECT_EQ(result.error().execution_state->version_number, before.state.version_number);
  }
}

constexpr auto kNoWay = ErrorCode::kInvalidStateTransition;
constexpr auto kNotTheDevices = ErrorCode::kInvalidRequest;
INSTANTIATE_TEST_SUITE_P(
    Table, TransitionTest,
    ::testing::Values(Transition{kQueued, kInProgress, {}}, Transition{kQueued, kSucceeded, {}},
                      Transition{kQueued, kFailed, {}}, Transition{kQueued, kRejected, {}},
                      Transition{kInProgress, kInProgress, {}}, Transition{kInProgress, kSucceeded, {}},
                      Transition{kInProgress, kFailed, {}}, Transition{kInProgress, kRejected, {}},
                      Transition{kQueued, kQueued, kNotTheDevices},
                      Transition{kInProgress, kQueued, kNotTheDevices},
                      Transition{kInProgress, kCanceled, kNotTheDevices},
                      Transition{kInProgress, kTimedOut, kNotTheDevices},
                      Transition{kInProgress, kRemoved, kNotTheDevices},
                      Transition{kSucceeded, kInProgress, kNoWay}, Transition{kSucceeded, kSucceeded, kNoWay},
                      Transition{kFailed, kSucceeded, kNoWay}, Transition{kRejected, kInProgress, kNoWay},
                      Transition{kCanceled, kInProgress, kNoWay}, Transition{kCanceled, kSucceeded, kNoWay}),
    [](const auto& transition) {
      return std::string{to_string(transition.param.from)} + "_to_" +
             std::string{to_string(transition.param.to)};
    });

TEST_F(JobsServiceTest, ALateRejectionCanBeForbidden) {
  reopen({.may_reject_in_progress = false});
  create_job("j1");
  ASSERT_TRUE(update("j1", kInProgress));
  expect_refused(update("j1", kRejected), ErrorCode::kInvalidStateTransition);
}

TEST_F(JobsServiceTest, AnotherVersionThanExpectedIsRefusedAndTold) {
  create_job("j1");
  const auto refused = update("j1", kInProgress, 2);
  expect_refused(refused, ErrorCode::kVersionMismatch);
  ASSERT_TRUE(refused.error().execution_state);
  EXPECT_EQ(refused.error().execution_state->version_number, 1);
  EXPECT_TRUE(update("j1", kInProgress, 1));
}

TEST_F(JobsServiceTest, DetailsStayUnlessGivenAndAreReplacedThen) {
  create_job("j1");
  ASSERT_TRUE(jobs().update(job("j1"), lamp_, {.details = StatusDetails{{"receive", "1/4"}, {"x", "y"}}}));
  ASSERT_TRUE(update("j1", kInProgress));
  EXPECT_THAT(execution("j1").state.details, ElementsAre(Pair("receive", "1/4"), Pair("x", "y")));
  ASSERT_TRUE(jobs().update(job("j1"), lamp_, {.details = StatusDetails{{"receive", "2/4"}}}));
  EXPECT_THAT(execution("j1").state.details, ElementsAre(Pair("receive", "2/4")));
}

TEST_F(JobsServiceTest, DetailsAreMergedIfTheOptionSaysSo) {
  reopen({.details_rule = JobsOptions::DetailsRule::kMerge});
  create_job("j1");
  ASSERT_TRUE(jobs().update(job("j1"), lamp_, {.details = StatusDetails{{"receive", "1/4"}, {"x", "y"}}}));
  ASSERT_TRUE(jobs().update(job("j1"), lamp_, {.details = StatusDetails{{"receive", "2/4"}}}));
  EXPECT_THAT(execution("j1").state.details, ElementsAre(Pair("receive", "2/4"), Pair("x", "y")));
}

TEST(StatusDetailsLimits, AreAwss) {
  EXPECT_TRUE(check_details({{"reason", "accepted  v1.1.0"}, {"a:b_c-D9", "\xC3\xA4"}}));
  EXPECT_TRUE(check_details({{std::string(128, 'k'), std::string(1024, 'v')}}));
  expect_refused(check_details({{std::string(129, 'k'), "v"}}), ErrorCode::kInvalidRequest);
  expect_refused(check_details({{"k", std::string(1025, 'v')}}), ErrorCode::kInvalidRequest);
  expect_refused(check_details({{"", "v"}}), ErrorCode::kInvalidRequest);
  expect_refused(check_details({{"a b", "v"}}), ErrorCode::kInvalidRequest);
  expect_refused(check_details({{"k", "line\nbreak"}}), ErrorCode::kInvalidRequest);
  expect_refused(check_details({{"k", ""}}), ErrorCode::kInvalidRequest);
  StatusDetails many;
  for (int i = 0; i < 11; ++i) many["k" + std::to_string(i)] = "v";
  expect_refused(check_details(many), ErrorCode::kInvalidRequest);
}

TEST(StatusDetailsLimits, CountCharactersNotBytes) {
  std::string longest;
  for (int i = 0; i < 1024; ++i) longest += "\xE2\x82\xAC";
  EXPECT_TRUE(check_details({{"price", longest}}));
  expect_refused(check_details({{"price", longest + "x"}}), ErrorCode::kInvalidRequest);
}

TEST(StatusDetailsLimits, KnowTheControlCharactersOutsideAscii) {
  expect_refused(check_details({{"k", "next\xC2\x85line"}}), ErrorCode::kInvalidRequest);
  expect_refused(check_details({{"k", "\xC2\x80"}}), ErrorCode::kInvalidRequest);
  expect_refused(check_details({{"k", "\xC2\x9F"}}), ErrorCode::kInvalidRequest);
  EXPECT_TRUE(check_details({{"k", "\xC2\xA0"}}));
  EXPECT_TRUE(check_details({{"k", "\xC3\x85"}}));
}

TEST_F(JobsServiceTest, StartNextBeginsTheOldestAndRepeatsWhatIsBegun) {
  create_job("j1");
  create_job("j2");
  auto next = jobs().start_next(lamp_, {StatusDetails{{"a", "1"}}});
  ASSERT_TRUE(next && *next);
  EXPECT_EQ((*next)->job_id, job("j1"));
  EXPECT_EQ((*next)->state.status, kInProgress);
  EXPECT_EQ((*next)->state.version_number, 2);
  next = jobs().start_next(lamp_, {StatusDetails{{"a", "2"}}});
  ASSERT_TRUE(next && *next);
  EXPECT_EQ((*next)->job_id, job("j1"));
  EXPECT_EQ((*next)->state.version_number, 2);
  EXPECT_THAT((*next)->state.details, ElementsAre(Pair("a", "1")));
  ASSERT_TRUE(update("j1", kSucceeded));
  ASSERT_TRUE(update("j2", kSucceeded));
  next = jobs().start_next(lamp_);
  ASSERT_TRUE(next);
  EXPECT_FALSE(*next);
}

TEST_F(JobsServiceTest, WhatIsOverIsNotDescribedToTheDevice) {
  create_job("j1");
  ASSERT_TRUE(update("j1", kSucceeded));
  expect_refused(jobs().describe(job("j1"), lamp_), ErrorCode::kTerminalStateReached);
  expect_refused(jobs().describe(job("j1"), door_), ErrorCode::kResourceNotFound);
  expect_refused(jobs().describe(job("none"), lamp_), ErrorCode::kResourceNotFound);
}

TEST_F(JobsServiceTest, AThingSeesItsOwnExecutionsOnly) {
  create_job("j1", {lamp_});
  create_job("j2", {door_});
  EXPECT_EQ(pending(lamp_).size(), 1U);
  EXPECT_EQ(pending(door_).front().job_id, job("j2"));
  expect_refused(jobs().update(job("j2"), lamp_, {}), ErrorCode::kResourceNotFound);
}

// The table of when notify-next is sent.

TEST_F(JobsServiceTest, TellsOfTheFirstJobAndNotOfOneBehindIt) {
  create_job("j1");
  EXPECT_THAT(told(), ElementsAre("notify lamp", "next lamp j1"));
  create_job("j2");
  EXPECT_THAT(told(), ElementsAre("notify lamp"));
}

TEST_F(JobsServiceTest, DoesNotTellOfTheNextJobsStartOrProgress) {
  create_job("j1");
  told();
  ASSERT_TRUE(update("j1", kInProgress));
  EXPECT_THAT(told(), IsEmpty());
  ASSERT_TRUE(update("j1", kInProgress));
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(JobsServiceTest, TellsOfAStartIfTheOptionSaysSo) {
  reopen({.notify_on_start = true});
  create_job("j1");
  told();
  ASSERT_TRUE(update("j1", kInProgress));
  EXPECT_THAT(told(), ElementsAre("notify lamp"));
}

TEST_F(JobsServiceTest, TellsOfTheNextJobWhenOneIsFinished) {
  create_job("j1");
  create_job("j2");
  told();
  ASSERT_TRUE(update("j1", kSucceeded));
  EXPECT_THAT(told(), ElementsAre("notify lamp", "next lamp j2"));
  ASSERT_TRUE(update("j2", kSucceeded));
  EXPECT_THAT(told(), ElementsAre("notify lamp", "next lamp nothing"));
}

TEST_F(JobsServiceTest, TellsOfALaterJobThatIsStartedFirst) {
  create_job("j1");
  create_job("j2");
  create_job("j3");
  ASSERT_TRUE(update("j1", kSucceeded));
  told();
  ASSERT_TRUE(update("j3", kInProgress));
  EXPECT_THAT(told(), ElementsAre("next lamp j3"));
}

TEST_F(JobsServiceTest, DoesNotTellOfAStartBehindAnOlderOneInProgress) {
  create_job("j1");
  create_job("j2");
  ASSERT_TRUE(update("j1", kInProgress));
  told();
  ASSERT_TRUE(update("j2", kInProgress));
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(JobsServiceTest, TellsOfTheNextJobAfterAForcedCancel) {
  create_job("j1");
  create_job("j2");
  ASSERT_TRUE(update("j1", kInProgress));
  told();
  ASSERT_TRUE(jobs().cancel_execution(job("j1"), lamp_, {.force = true}));
  EXPECT_THAT(told(), ElementsAre("notify lamp", "next lamp j2"));
  EXPECT_TRUE(execution("j1").force_canceled);
  expect_refused(update("j1", kSucceeded), ErrorCode::kInvalidStateTransition);
}

TEST_F(JobsServiceTest, TellsThatNothingIsLeftAfterTheLastIsCanceled) {
  create_job("j1");
  told();
  ASSERT_TRUE(jobs().cancel(job("j1")));
  EXPECT_THAT(told(), ElementsAre("notify lamp", "next lamp nothing"));
}

TEST_F(JobsServiceTest, CancelingAnExecutionInProgressNeedsForce) {
  create_job("j1");
  ASSERT_TRUE(update("j1", kInProgress));
  expect_refused(jobs().cancel_execution(job("j1"), lamp_), ErrorCode::kInvalidStateTransition);
  expect_refused(jobs().cancel_execution(job("j1"), lamp_, {.force = true, .expected_version = 1}),
                 ErrorCode::kVersionMismatch);
  ASSERT_TRUE(jobs().cancel_execution(
      job("j1"), lamp_, {.force = true, .expected_version = 2, .details = StatusDetails{{"why", "test"}}}));
  EXPECT_EQ(execution("j1").state.version_number, 3);
  EXPECT_THAT(execution("j1").state.details, ElementsAre(Pair("why", "test")));
  expect_refused(jobs().cancel_execution(job("j1"), lamp_, {.force = true}),
                 ErrorCode::kInvalidStateTransition);
}

TEST_F(JobsServiceTest, CancelingAJobLeavesWhatIsInProgressUnlessForced) {
  create_job("j1", {lamp_, door_});
  ASSERT_TRUE(update("j1", kInProgress));
  ASSERT_TRUE(jobs().cancel(job("j1")));
  EXPECT_EQ(status_of("j1"), JobStatus::kCanceled);
  EXPECT_EQ(execution("j1").state.status, kInProgress);
  EXPECT_EQ(jobs().execution(job("j1"), door_).value().state.status, kCanceled);
  expect_refused(jobs().cancel(job("j1"), {.force = true}), ErrorCode::kInvalidRequest);

  create_job("j2", {lamp_, door_});
  ASSERT_TRUE(update("j2", kInProgress));
  ASSERT_TRUE(jobs().cancel(job("j2"), {.force = true}));
  EXPECT_EQ(execution("j2").state.status, kCanceled);
}

TEST_F(JobsServiceTest, ASnapshotJobIsCompletedWhenEveryExecutionIsOver) {
  create_job("j1", {lamp_, door_});
  ASSERT_TRUE(update("j1", kSucceeded));
  EXPECT_EQ(status_of("j1"), JobStatus::kInProgress);
  ASSERT_TRUE(jobs().update(job("j1"), door_, {.status = kFailed}));
  EXPECT_EQ(status_of("j1"), JobStatus::kCompleted);
}

TEST_F(JobsServiceTest, AContinuousJobStaysInProgress) {
  ASSERT_TRUE(jobs().create({.id = job("j1"),
                             .document = "{}",
                             .targets = {lamp_},
                             .target_selection = TargetSelection::kContinuous}));
  ASSERT_TRUE(update("j1", kSucceeded));
  EXPECT_EQ(status_of("j1"), JobStatus::kInProgress);
}

TEST_F(JobsServiceTest, AJobThatCannotBeMadeLeavesNothingBehind) {
  const auto none = ThingName::parse("nobody").value();
  expect_refused(jobs().create({.id = job("j1"), .document = "{}", .targets = {lamp_, none}}),
                 ErrorCode::kResourceNotFound);
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_THAT(changes_, IsEmpty());
  EXPECT_THAT(pending(lamp_), IsEmpty());
  create_job("j1");
  expect_refused(jobs().create({.id = job("j1"), .document = "{}", .targets = {lamp_}}),
                 ErrorCode::kResourceAlreadyExists);
  expect_refused(jobs().create({.id = job("j2"), .document = "[]", .targets = {lamp_}}),
                 ErrorCode::kInvalidRequest);
  expect_refused(jobs().create({.id = job("j2"), .document = "{", .targets = {lamp_}}),
                 ErrorCode::kInvalidRequest);
  expect_refused(jobs().create({.id = job("j2"), .document = "{}", .targets = {}}),
                 ErrorCode::kInvalidRequest);
  expect_refused(
      jobs().create(
          {.id = job("j2"), .document = R"({"a":")" + std::string(32'768, 'x') + "\"}", .targets = {lamp_}}),
      ErrorCode::kInvalidRequest);
}

TEST_F(JobsServiceTest, AListenerHearsEachChangeUntilItLetsGo) {
  create_job("j1");
  ASSERT_TRUE(update("j1", kInProgress));
  subscription_.reset();
  ASSERT_TRUE(update("j1", kSucceeded));
  EXPECT_THAT(changes_, ElementsAre("QUEUED", "IN_PROGRESS"));
}

TEST(JobIdentifiers, AreOfAwssPattern) {
  EXPECT_TRUE(JobId::parse("AFR_OTA-1"));
  EXPECT_TRUE(JobId::parse(std::string(64, 'a')));
  EXPECT_FALSE(JobId::parse(std::string(65, 'a')));
  EXPECT_FALSE(JobId::parse(""));
  EXPECT_FALSE(JobId::parse("a:b"));
  EXPECT_FALSE(JobId::parse("$next"));
  EXPECT_TRUE(ThingName::parse("a:b"));
  EXPECT_FALSE(ThingName::parse("a/b"));
  EXPECT_FALSE(ThingName::parse(std::string(129, 'a')));
}

}  // namespace
}  // namespace otasim::cloud
