// Which answers count: the client token says what a job document answers. And start-next.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agent/src/fake_environment.h"

namespace ota_test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

class Answer : public testing::Test {
 protected:
  Answer() { h_.start(); }
  std::string last_request() { return h_.environment.published.back().text(); }
  bool is_ignored() { return std::ranges::count(h_.environment.notes, ota::Note::kAnswerStale) != 0; }

  AgentHarness h_;
};

TEST_F(Answer, ToTheLastRequestCounts) {
  h_.receive_job(job_text({.client_token = "0:t"}));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock);
  EXPECT_FALSE(is_ignored());
}

TEST_F(Answer, ThatComesTwiceCountsOnce) {
  h_.receive_job(R"({"clientToken":"0:t","timestamp":1})");
  h_.receive_job(job_text({.client_token = "0:t"}));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
  EXPECT_TRUE(is_ignored());
  EXPECT_EQ(h_.environment.buffers_returned, 2U);
}

TEST_F(Answer, ToARepeatedRequestCountsWhicheverItAnswers) {
  ASSERT_TRUE(h_.expire(OtaRequestTimer));
  EXPECT_EQ(last_request(), R"({"clientToken":"1:t"})");
  h_.receive_job(job_text({.client_token = "0:t"}));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock)
      << "a slow service must not be asked for ever";
}

TEST_F(Answer, OvertakenByANotificationIsStale) {
  h_.receive_job(R"({"timestamp":1})");
  h_.receive_job(job_text({.id = "cancelled", .client_token = "0:t"}));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
  EXPECT_TRUE(is_ignored());
  EXPECT_THAT(h_.updates(), IsEmpty());
}

TEST_F(Answer, OfAnEarlierRoundIsStaleAndTheTimerGoesOn) {
  h_.receive_job(R"({"clientToken":"0:t","timestamp":1})");
  ASSERT_EQ(h_.agent.suspend(), OtaErrNone);
  ASSERT_EQ(h_.agent.resume(), OtaErrNone);
  h_.run();
  EXPECT_EQ(last_request(), R"({"clientToken":"1:t"})");
  h_.receive_job(job_text({.client_token = "0:t"}));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob);
  EXPECT_TRUE(h_.environment.timers.contains(OtaRequestTimer));
  h_.receive_job(job_text({.client_token = "1:t"}));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock);
}

TEST_F(Answer, NamingAnotherJobDuringADownloadIsStale) {
  h_.receive_job(job_text({.client_token = "0:t"}));
  h_.receive_job(job_text({.id = "other", .client_token = "0:t"}));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock);
  EXPECT_TRUE(is_ignored());
  EXPECT_EQ(h_.environment.aborts, 0);
}

TEST_F(Answer, ThatThisAgentNeverAskedForIsStale) {
  for (const char* token : {"1:t", "4294967296:t", ":t", "t", "-1:t", "0x", "x:y"}) {
    h_.receive_job(job_text({.client_token = token}));
    EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForJob) << token;
  }
  EXPECT_THAT(h_.updates(), IsEmpty());
}

TEST_F(Answer, WithoutATokenIsANotification) {
  h_.receive_job(job_text({}));
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock);
}

TEST_F(Answer, TokenThatIsNoTextIsNone) {
  std::string text = job_text({.client_token = "7"});
  text.replace(text.find("\"7\""), 3, "7");
  h_.receive_job(text);
  EXPECT_EQ(h_.agent.state(), OtaAgentStateWaitingForFileBlock);
}

TEST(StartNext, AsksTheOtherWayAndTakesTheAnswer) {
  AgentHarness h({.use_start_next = true});
  h.start();
  ASSERT_EQ(h.environment.published.size(), 1U);
  EXPECT_EQ(h.environment.published[0].topic, "$aws/things/t/jobs/start-next");
  EXPECT_EQ(h.environment.published[0].text(), R"({"clientToken":"0:t"})");
  EXPECT_EQ(h.environment.published[0].qos, 1);
  h.receive_job(job_text({.status = "IN_PROGRESS", .client_token = "0:t"}));
  EXPECT_EQ(h.agent.state(), OtaAgentStateWaitingForFileBlock);
}

}  // namespace
}  // namespace ota_test
