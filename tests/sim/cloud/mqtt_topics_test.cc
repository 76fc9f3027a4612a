// Every topic that a device or a console has, used by Mosquitto's clients: requests and both of their
// answers, notifications, and the events of jobs.
#include "tests/sim/cloud/mosquitto_clients_fixture.h"

namespace otasim::cloud {
namespace {

using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

const std::string kStream = "$aws/things/lamp/streams/image";

class MqttTopicsTest : public MosquittoClientsTest {
 protected:
  Json ask(const std::string& topic, const std::string& answer, const Json& request) {
    return Json::parse(MosquittoClientsTest::ask(topic, answer, {"-m", request.dump()}), nullptr, false);
  }
  Json ask_cbor(const std::string& topic, const std::string& answer, const Json& request) {
    std::string payload;
    Json::to_cbor(request, payload);
    return Json::from_cbor(MosquittoClientsTest::ask(topic, answer, {"-m", payload}), true, false);
  }
};

TEST_F(MqttTopicsTest, EveryJobsRequestIsAnsweredOnItsOwnTopic) {
  create_job("j1");
  EXPECT_EQ(ask(kLampJobs + "get", kLampJobs + "get/accepted", Json::object())["queuedJobs"].size(), 1U);
  EXPECT_EQ(
      ask(kLampJobs + "$next/get", kLampJobs + "$next/get/accepted", Json::object())["execution"]["jobId"],
      "j1");
  EXPECT_EQ(
      ask(kLampJobs + "start-next", kLampJobs + "start-next/accepted", Json::object())["execution"]["status"],
      "IN_PROGRESS");
  EXPECT_EQ(ask(kLampJobs + "j1/get", kLampJobs + "j1/get/accepted", Json::object())["execution"]["jobId"],
            "j1");
  EXPECT_TRUE(ask(kLampJobs + "j1/update", kLampJobs + "j1/update/accepted", {{"status", "SUCCEEDED"}})
                  .contains("timestamp"));
}

TEST_F(MqttTopicsTest, EveryJobsRequestIsRefusedOnItsOwnTopic) {
  const Json broken{{"clientToken", std::string(65, 't')}};
  EXPECT_EQ(ask(kLampJobs + "get", kLampJobs + "get/rejected", broken)["code"], "InvalidRequest");
  EXPECT_EQ(ask(kLampJobs + "$next/get", kLampJobs + "$next/get/rejected", broken)["code"], "InvalidRequest");
  EXPECT_EQ(ask(kLampJobs + "start-next", kLampJobs + "start-next/rejected", broken)["code"],
            "InvalidRequest");
  EXPECT_EQ(ask(kLampJobs + "none/get", kLampJobs + "none/get/rejected", Json::object())["code"],
            "ResourceNotFound");
  EXPECT_EQ(
      ask(kLampJobs + "none/update", kLampJobs + "none/update/rejected", {{"status", "FAILED"}})["code"],
      "ResourceNotFound");
}

TEST_F(MqttTopicsTest, EveryStreamRequestIsAnsweredInItsEncoding) {
  ASSERT_TRUE(cloud_->streams().create({.id = StreamId::parse("image").value(),
                                        .files = {{.file_id = 1, .object = upload(pattern(100)).location}}}));
  const Json describe{{"c", "t"}};
  const Json block{{"c", "t"}, {"f", 1}, {"l", 0x1001}, {"n", 1}};  // neither has a zero byte in CBOR
  const Json nothing{{"c", "t"}, {"f", 9}, {"l", 0x1001}, {"n", 1}};
  EXPECT_EQ(ask(kStream + "/describe/json", kStream + "/description/json", describe)["r"][0]["z"], 100);
  EXPECT_EQ(ask_cbor(kStream + "/describe/cbor", kStream + "/description/cbor", describe)["r"][0]["z"], 100);
  EXPECT_EQ(ask(kStream + "/get/json", kStream + "/data/json", block)["l"], 100);
  EXPECT_EQ(ask_cbor(kStream + "/get/cbor", kStream + "/data/cbor", block)["l"], 100);
  EXPECT_EQ(ask(kStream + "/get/json", kStream + "/rejected/json", nothing)["o"], "ResourceNotFound");
  EXPECT_EQ(ask_cbor(kStream + "/get/cbor", kStream + "/rejected/cbor", nothing)["o"], "ResourceNotFound");
}

TEST_F(MqttTopicsTest, NotificationsReachTheThingsSubscriber) {
  CommandLineClient waiting(io_, "mosquitto_sub",
                            as_lamp({"-t", kLampJobs + "#", "-d", "-F", kMark + "%t %p"}));
  ASSERT_TRUE(waiting.wait_for("Subscribed")) << waiting.output();
  create_job("j1");
  ASSERT_TRUE(waiting.wait_for(kMark + kLampJobs + "notify-next {")) << waiting.output();
  ASSERT_TRUE(waiting.wait_for(kMark + kLampJobs + "notify {")) << waiting.output();
  EXPECT_EQ(messages(waiting).size(), 2U);
}

TEST_F(MqttTopicsTest, EveryEventOfJobsIsPublishedOnceItIsEnabled) {
  const auto in_time = [this](const char* id) {
    CreateJobRequest request{.id = job(id), .document = "{}", .targets = {lamp_}};
    request.in_progress_timeout_minutes = 1;
    ASSERT_TRUE(jobs().create(request));
    ASSERT_TRUE(jobs().update(job(id), lamp_, {.status = ExecutionStatus::kInProgress}));
  };
  const auto end_as = [this](const char* id, ExecutionStatus status) {
    create_job(id);
    ASSERT_TRUE(jobs().update(job(id), lamp_, {.status = status}));
  };
  CommandLineClient console(io_, "mosquitto_sub",
                            as_console({"-t", "$aws/events/#", "-d", "-F", kMark + "%t %p"}));
  ASSERT_TRUE(console.wait_for("Subscribed")) << console.output();
  create_job("unheard");
  ASSERT_TRUE(
      cloud_->event_configurations().update({{EventType::kJob, true}, {EventType::kJobExecution, true}}));

  end_as("done", ExecutionStatus::kSucceeded);
  end_as("failed", ExecutionStatus::kFailed);
  end_as("refused", ExecutionStatus::kRejected);
  in_time("late");
  clock_.advance(61);
  ASSERT_TRUE(jobs().run_due());
  create_job("stopped");
  ASSERT_TRUE(jobs().cancel(job("stopped"), {.force = true}));
  ASSERT_TRUE(jobs().remove_job(job("stopped"), true));
  clock_.advance(61);  // it is done in the background
  ASSERT_TRUE(jobs().run_due());
  create_job("door", {door_});
  ASSERT_TRUE(jobs().remove_executions_of(door_));
  create_job("gone");
  ASSERT_TRUE(jobs().remove_execution(job("gone"), lamp_, 1, /*force=*/true));
  create_job("last");
  ASSERT_TRUE(jobs().update(job("last"), lamp_, {.status = ExecutionStatus::kSucceeded}));
  ASSERT_TRUE(console.wait_for("$aws/events/job/last/completed")) << console.output();

  std::set<std::string> topics;
  for (const std::string& message : messages(console)) topics.insert(message.substr(0, message.find(' ')));
  EXPECT_THAT(
      topics,
      IsSupersetOf({"$aws/events/jobExecution/done/succeeded", "$aws/events/job/done/completed",
                    "$aws/events/jobExecution/failed/failed", "$aws/events/jobExecution/refused/rejected",
                    "$aws/events/jobExecution/late/timed_out",
                    "$aws/events/job/stopped/cancellation_in_progress",
                    "$aws/events/jobExecution/stopped/canceled", "$aws/events/job/stopped/canceled",
                    "$aws/events/job/stopped/deletion_in_progress", "$aws/events/job/stopped/deleted",
                    "$aws/events/jobExecution/door/removed", "$aws/events/jobExecution/gone/deleted"}));
  EXPECT_THAT(console.output(), ::testing::Not(HasSubstr("unheard")));
}

}  // namespace
}  // namespace otasim::cloud
