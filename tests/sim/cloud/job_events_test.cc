#include "sim/cloud/job_events.h"
#include "sim/base/json.h"

#include "tests/sim/cloud/cloud_fixture.h"
#include "tests/sim/cloud/notebook.h"

namespace otasim::cloud {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Json = nlohmann::ordered_json;

class JobEventsTest : public CloudFixture {
 protected:
  void SetUp() override {
    events_.emplace(
        jobs(), cloud_->event_configurations(), clock_, [] { return std::string("id"); },
        [](const JobTarget& target) {
          const auto* const thing = std::get_if<ThingName>(&target);
          return thing != nullptr ? "arn:thing/" + thing->str()
                                  : "arn:thinggroup/" + std::get<GroupName>(target).str();
        },
        notebook_);
  }
  void enable(std::map<EventType, bool> types) { ASSERT_TRUE(cloud_->event_configurations().update(types)); }
  /// What was published since the last call: topics, or payloads.
  std::vector<std::string> topics() {
    std::vector<std::string> all;
    for (const auto& message : notebook_.sent) all.push_back(message.topic);
    return all;
  }
  Json payload(std::size_t index) { return Json::parse(notebook_.sent.at(index).payload); }

  Notebook notebook_;
  std::optional<JobEvents> events_;
};

TEST_F(JobEventsTest, AreOffUntilTheyAreAskedFor) {
  create_job("j");
  ASSERT_TRUE(jobs().cancel(job("j")));
  EXPECT_THAT(topics(), IsEmpty());
  const auto all = cloud_->event_configurations().describe().value();
  EXPECT_EQ(all.enabled.size(), 11U);
  EXPECT_FALSE(all.enabled.at(EventType::kJob));
  EXPECT_FALSE(all.created_at);
}

TEST_F(JobEventsTest, ConfigurationsAreKept) {
  enable({{EventType::kJob, true}, {EventType::kThing, true}});
  clock_.advance(5);
  enable({{EventType::kThing, false}});
  const auto all = cloud_->event_configurations().describe().value();
  EXPECT_TRUE(all.enabled.at(EventType::kJob));
  EXPECT_FALSE(all.enabled.at(EventType::kThing));
  EXPECT_EQ(all.created_at, kNow);
  EXPECT_EQ(all.last_modified_at, kNow + 5);
}

TEST_F(JobEventsTest, EachTypeIsAskedForByItself) {
  enable({{EventType::kJobExecution, true}});
  create_job("j");
  ASSERT_TRUE(jobs().cancel(job("j")));
  EXPECT_THAT(topics(), ElementsAre("$aws/events/jobExecution/j/canceled"));
}

TEST_F(JobEventsTest, ACompletedJobTellsItsCounts) {
  enable({{EventType::kJob, true}, {EventType::kJobExecution, true}});
  create_job("j");
  ASSERT_TRUE(jobs().update(job("j"), lamp_, {.status = ExecutionStatus::kInProgress}));
  ASSERT_TRUE(jobs().update(job("j"), lamp_,
                            {.status = ExecutionStatus::kSucceeded, .details = StatusDetails{{"a", "b"}}}));
  EXPECT_THAT(topics(), ElementsAre("$aws/events/jobExecution/j/succeeded", "$aws/events/job/j/completed"));
  EXPECT_EQ(payload(0).dump(),
            R"({"eventType":"JOB_EXECUTION","eventId":"id","timestamp":1700000000,"operation":"succeeded",)"
            R"("jobId":"j","thingArn":"arn:thing/lamp","status":"SUCCEEDED",)"
            R"("statusDetails":{"a":"b"}})");
  EXPECT_EQ(payload(1).dump(),
            R"({"eventType":"JOB","eventId":"id","timestamp":1700000000,"operation":"completed","jobId":"j",)"
            R"("status":"COMPLETED","targetSelection":"SNAPSHOT","targets":["arn:thing/lamp"],)"
            R"("completedAt":1700000000000,"createdAt":1700000000000,"lastUpdatedAt":1700000000000,)"
            R"("jobProcessDetails":{"numberOfCanceledThings":0,"numberOfRejectedThings":0,)"
            R"("numberOfFailedThings":0,"numberOfRemovedThings":0,"numberOfSucceededThings":1}})");
}

TEST_F(JobEventsTest, ACancellationBeginsAndEndsAroundItsExecutions) {
  enable({{EventType::kJob, true}, {EventType::kJobExecution, true}});
  create_job("j");
  ASSERT_TRUE(jobs().cancel(job("j"), {.comment = "why"}));
  EXPECT_THAT(topics(), ElementsAre("$aws/events/job/j/cancellation_in_progress",
                                    "$aws/events/jobExecution/j/canceled", "$aws/events/job/j/canceled"));
  EXPECT_EQ(payload(0)["status"], "CANCELLATION_IN_PROGRESS");
  EXPECT_EQ(payload(0)["comment"], "why");
  EXPECT_EQ(
      payload(2).dump(),
      R"({"eventType":"JOB","eventId":"id","timestamp":1700000000,"operation":"canceled","jobId":"j",)"
      R"("status":"CANCELED","targetSelection":"SNAPSHOT","targets":["arn:thing/lamp"],"comment":"why",)"
      R"("createdAt":1700000000000,"lastUpdatedAt":1700000000000})");
}

TEST_F(JobEventsTest, ADeletionEndsAMomentLater) {
  enable({{EventType::kJob, true}, {EventType::kJobExecution, true}});
  create_job("j");
  ASSERT_TRUE(jobs().remove_execution(job("j"), lamp_, 1, true));
  ASSERT_TRUE(jobs().remove_job(job("j"), true));
  EXPECT_THAT(topics(), ElementsAre("$aws/events/jobExecution/j/deleted", "$aws/events/job/j/completed",
                                    "$aws/events/job/j/deletion_in_progress"));
  EXPECT_EQ(payload(0)["operation"], "deleted");
  EXPECT_EQ(payload(0)["status"], "QUEUED") << "as it was";
  clock_.advance(1);
  ASSERT_TRUE(jobs().run_due());
  EXPECT_EQ(topics().back(), "$aws/events/job/j/deleted");
  EXPECT_EQ(payload(3)["targets"], Json({"arn:thing/lamp"}));
}

}  // namespace
}  // namespace otasim::cloud
