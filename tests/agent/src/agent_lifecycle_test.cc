// Init, shutdown, failing interfaces, and events that mean nothing where they arrive.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/src/names.h"
#include "tests/agent/src/fake_environment.h"

namespace ota_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(AgentInit, RefusesAMissingOrTooLongThingName) {
  FakeEnvironment environment;
  ota::Agent agent(environment);
  EXPECT_EQ(agent.init({}, ""), OtaErrUninitialized);
  EXPECT_EQ(agent.init({}, std::string(65, 'x')), OtaErrUninitialized);
  EXPECT_EQ(agent.state(), OtaAgentStateStopped);
  EXPECT_EQ(agent.init({}, std::string(64, 'x')), OtaErrNone);
  EXPECT_EQ(agent.state(), OtaAgentStateInit);
}

TEST(AgentInit, StoppedAgentTakesNoEvents) {
  FakeEnvironment environment;
  ota::Agent agent(environment);
  EXPECT_FALSE(agent.signal({nullptr, OtaAgentEventStart}));
  EXPECT_EQ(agent.suspend(), OtaErrAgentStopped);
  EXPECT_EQ(agent.resume(), OtaErrAgentStopped);
  EXPECT_EQ(agent.process_next_event(), OtaAgentStateStopped);
}

TEST(AgentInit, UsesTheBuffersTheApplicationLends) {
  FakeEnvironment environment;
  ota::Agent agent(environment);
  std::array<std::uint8_t, 1> bitmap{};
  OtaAppBuffer_t buffers{};
  buffers.pFileBitmap = bitmap.data();
  buffers.fileBitmapSize = bitmap.size();
  ASSERT_EQ(agent.init(buffers, "t"), OtaErrNone);
  agent.process_next_event();
  ASSERT_TRUE(agent.signal({nullptr, OtaAgentEventStart}));
  agent.process_next_event();
  agent.process_next_event();
  auto data = std::make_unique<OtaEventData_t>();
  const std::string text = job_text({.file_size = 9 * 4096});
  std::ranges::copy(text, data->data);
  data->dataLength = static_cast<std::uint32_t>(text.size());
  ASSERT_TRUE(agent.signal({data.get(), OtaAgentEventReceivedJobDocument}));
  agent.process_next_event();
  EXPECT_EQ(environment.published.back().text(),
            R"({"status":"FAILED","statusDetails":{"reason":"rejected: 0x00000017"}})")
      << "eight blocks are all that one byte tracks";
}

TEST(AgentShutdown, UnsubscribesOnlyIfAsked) {
  for (const bool unsubscribe : {false, true}) {
    AgentHarness h;
    h.start();
    EXPECT_EQ(h.agent.shutdown(0, unsubscribe), OtaAgentStateWaitingForJob);
    h.run();
    EXPECT_EQ(h.agent.state(), OtaAgentStateStopped);
    EXPECT_EQ(h.environment.unsubscribed.size(), unsubscribe ? 1U : 0U);
    EXPECT_THAT(h.environment.timers, IsEmpty());
    EXPECT_EQ(h.agent.image_state(), OtaImageStateUnknown);
  }
}

TEST(AgentShutdown, ClosesTheFileAndForgetsTheJob) {
  AgentHarness h;
  h.start();
  h.receive_job(job_text({}));
  h.agent.shutdown(0, true);
  h.run();
  EXPECT_EQ(h.environment.aborts, 1);
  EXPECT_THAT(h.environment.unsubscribed,
              ElementsAre("$aws/things/t/jobs/notify-next", "$aws/things/t/streams/AFR_OTA-s1/data/cbor"));
  ASSERT_EQ(h.agent.init({}, "t"), OtaErrNone);
  h.start();
  h.receive_job(job_text({}));
  EXPECT_EQ(h.environment.creates, 2) << "a restarted agent starts the job anew";
}

TEST(AgentShutdown, LeftoverBuffersGoBackAtTheNextInit) {
  AgentHarness h;
  h.start();
  OtaEventData_t data{};
  h.agent.shutdown(0, false);
  ASSERT_TRUE(h.agent.signal({&data, OtaAgentEventReceivedFileBlock}));
  h.agent.process_next_event();
  ASSERT_EQ(h.agent.state(), OtaAgentStateStopped);
  EXPECT_EQ(h.environment.buffers_returned, 0U);
  ASSERT_EQ(h.agent.init({}, "t"), OtaErrNone);
  EXPECT_EQ(h.environment.buffers_returned, 1U);
}

TEST(AgentRetry, FailedJobRequestIsRepeatedAndThenGivenUp) {
  AgentHarness h({.max_request_momentum = 3});
  h.environment.subscribe_fails = true;
  h.start();
  EXPECT_EQ(h.agent.state(), OtaAgentStateRequestingJob);
  EXPECT_TRUE(h.expire(OtaRequestTimer));
  EXPECT_EQ(h.agent.state(), OtaAgentStateRequestingJob);
  EXPECT_TRUE(h.expire(OtaRequestTimer));
  EXPECT_EQ(h.agent.state(), OtaAgentStateStopped);
}

TEST(AgentRetry, JobRequestSucceedsAfterAFailure) {
  AgentHarness h;
  h.environment.publish_fails = true;
  h.start();
  h.environment.publish_fails = false;
  EXPECT_TRUE(h.expire(OtaRequestTimer));
  EXPECT_EQ(h.agent.state(), OtaAgentStateWaitingForJob);
}

TEST(AgentRetry, FailedStreamSubscriptionIsRepeated) {
  AgentHarness h;
  h.start();
  h.environment.subscribe_fails = true;
  h.receive_job(job_text({}));
  EXPECT_EQ(h.agent.state(), OtaAgentStateCreatingFile);
  h.environment.subscribe_fails = false;
  EXPECT_TRUE(h.expire(OtaRequestTimer));
  EXPECT_EQ(h.agent.state(), OtaAgentStateWaitingForFileBlock);
}

TEST(AgentRetry, FailedBlockRequestIsRepeated) {
  AgentHarness h;
  h.start();
  h.environment.publish_fails = true;
  h.receive_job(job_text({}));
  EXPECT_EQ(h.agent.state(), OtaAgentStateRequestingFileBlock);
  h.environment.publish_fails = false;
  EXPECT_TRUE(h.expire(OtaRequestTimer));
  EXPECT_EQ(h.agent.state(), OtaAgentStateWaitingForFileBlock);
}

TEST(AgentQueue, TimerThatFindsTheQueueFullStartsAgain) {
  AgentHarness h;
  h.start();
  h.environment.queue_capacity = 0;
  EXPECT_TRUE(h.expire(OtaRequestTimer));
  EXPECT_TRUE(h.environment.timers.contains(OtaRequestTimer));
}

TEST(AgentQueue, BlockThatIsNotQueuedCountsAsDropped) {
  AgentHarness h;
  h.start();
  h.environment.queue_capacity = 0;
  OtaEventData_t data{};
  EXPECT_FALSE(h.agent.signal({&data, OtaAgentEventReceivedFileBlock}));
  EXPECT_EQ(h.agent.statistics().otaPacketsDropped, 1U);
}

TEST(AgentQueue, EventWithoutDataDoesNoHarm) {
  AgentHarness h;
  h.start();
  h.signal(OtaAgentEventReceivedJobDocument);
  EXPECT_EQ(h.agent.state(), OtaAgentStateWaitingForJob);
  h.receive_job(job_text({}));
  h.signal(OtaAgentEventReceivedFileBlock);
  h.signal(OtaAgentEventReceivedJobDocument);
  EXPECT_EQ(h.agent.state(), OtaAgentStateWaitingForFileBlock);
}

// Every event in every state the agent can be brought to: only the table's rows may change the state.
struct Situation {
  const char* name;
  void (*reach)(AgentHarness&);
  OtaState_t state;
};

const Situation kSituations[] = {
    {"Ready", [](AgentHarness& h) { h.agent.process_next_event(); }, OtaAgentStateReady},
    {"RequestingJob",
     [](AgentHarness& h) {
       h.environment.subscribe_fails = true;
       h.start();
       h.environment.subscribe_fails = false;
     },
     OtaAgentStateRequestingJob},
    {"WaitingForJob", [](AgentHarness& h) { h.start(); }, OtaAgentStateWaitingForJob},
    {"CreatingFile",
     [](AgentHarness& h) {
       h.start();
       h.environment.subscribe_fails = true;
       h.receive_job(job_text({}));
       h.environment.subscribe_fails = false;
     },
     OtaAgentStateCreatingFile},
    {"RequestingFileBlock",
     [](AgentHarness& h) {
       h.start();
       h.environment.publish_fails = true;
       h.receive_job(job_text({}));
       h.environment.publish_fails = false;
     },
     OtaAgentStateRequestingFileBlock},
    {"WaitingForFileBlock",
     [](AgentHarness& h) {
       h.start();
       h.receive_job(job_text({}));
     },
     OtaAgentStateWaitingForFileBlock},
    {"Suspended",
     [](AgentHarness& h) {
       h.start();
       h.signal(OtaAgentEventSuspend);
     },
     OtaAgentStateSuspended},
};

class EveryEvent : public testing::TestWithParam<Situation> {};

TEST_P(EveryEvent, WithoutARowLeavesTheStateAndReturnsItsBuffer) {
  for (int event = OtaAgentEventStart; event <= OtaAgentEventMax; ++event) {
    const auto id = static_cast<OtaEvent_t>(event);
    if (ota::find_transition(GetParam().state, id) != nullptr) continue;
    SCOPED_TRACE(ota::name_of(id));
    AgentHarness h;
    GetParam().reach(h);
    ASSERT_EQ(h.agent.state(), GetParam().state);
    const auto published = h.environment.published.size();
    const auto returned = h.environment.buffers_returned;
    OtaEventData_t data{};
    const bool has_data = id == OtaAgentEventReceivedFileBlock || id == OtaAgentEventReceivedJobDocument;
    ASSERT_TRUE(h.agent.signal({has_data ? &data : nullptr, id}));
    h.run();
    EXPECT_EQ(h.agent.state(), GetParam().state);
    EXPECT_EQ(h.environment.published.size(), published);
    EXPECT_EQ(h.environment.buffers_returned, returned + (has_data ? 1 : 0));
  }
}

/// What each row needs to succeed is given: a job document with a job, a block that is wanted.
TEST_P(EveryEvent, WithARowLeadsToItsNextStateInOneStep) {
  const bool has_job =
      GetParam().state >= OtaAgentStateCreatingFile && GetParam().state < OtaAgentStateSuspended;
  for (int event = OtaAgentEventStart; event < OtaAgentEventMax; ++event) {
    const auto id = static_cast<OtaEvent_t>(event);
    const ota::Transition* row = ota::find_transition(GetParam().state, id);
    if (row == nullptr) continue;
    SCOPED_TRACE(ota::name_of(id));
    AgentHarness h;
    GetParam().reach(h);
    const auto returned = h.environment.buffers_returned;
    if (id == OtaAgentEventReceivedJobDocument) {
      const std::string text = job_text({.id = "another"});
      h.enqueue(id, {text.begin(), text.end()});
    } else if (id == OtaAgentEventReceivedFileBlock) {
      h.enqueue(id, block_message(0, 0, AgentHarness::block_content(10'000, 0)));
    } else {
      ASSERT_TRUE(h.agent.signal({nullptr, id}));
    }
    const bool has_data = id == OtaAgentEventReceivedFileBlock || id == OtaAgentEventReceivedJobDocument;
    h.agent.process_next_event();
    const bool can_succeed = id != OtaAgentEventUserAbort || has_job;
    EXPECT_EQ(h.environment.results.back(), can_succeed ? OtaErrNone : OtaErrNoActiveJob);
    EXPECT_EQ(h.agent.state(), can_succeed ? row->next : GetParam().state);
    EXPECT_EQ(h.environment.buffers_returned, returned + (has_data ? 1 : 0));
  }
}

TEST(AgentShutdown, CleanupThatFailsIsReportedAndTheAgentStopsAllTheSame) {
  AgentHarness h;
  h.start();
  h.environment.unsubscribe_fails = true;
  EXPECT_EQ(h.agent.shutdown(0, true), OtaAgentStateWaitingForJob);
  h.run();
  EXPECT_EQ(h.environment.results.back(), OtaErrCleanupControlFailed);
  EXPECT_EQ(h.agent.state(), OtaAgentStateStopped);
}

TEST(AgentShutdown, StreamThatCannotBeLeftIsReportedToo) {
  AgentHarness h;
  h.start();
  h.receive_job(job_text({}));
  h.environment.unsubscribe_fails = true;
  h.signal(OtaAgentEventShutdown);
  EXPECT_EQ(h.environment.results.back(), OtaErrCleanupDataFailed);
  EXPECT_EQ(h.agent.state(), OtaAgentStateStopped);
}

INSTANTIATE_TEST_SUITE_P(Agent, EveryEvent, testing::ValuesIn(kSituations),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace ota_test
