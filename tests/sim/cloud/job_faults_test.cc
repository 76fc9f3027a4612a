// Each fault of the Jobs service, as a device sees the answers.
#include "sim/cloud/job_faults.h"

#include "sim/cloud/mqtt_front_end.h"
#include "tests/sim/cloud/cloud_fixture.h"
#include "tests/sim/cloud/notebook.h"

namespace otasim::cloud {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Json = nlohmann::json;

const std::string kJobs = "$aws/things/lamp/jobs/";
const std::string kUpdate = R"({"status":"IN_PROGRESS","statusDetails":{"step":"1"}})";

class JobFaultsTest : public CloudFixture {
 protected:
  JobFaultsTest() {
    log_->listen([this](const Json& event) {
      if (event["event"] == "fault") faults_seen_.push_back(event);
      if (event["event"] == "mqtt_request") results_.push_back(event["result"]);
    });
    make_update();
    notebook_.sent.clear();
  }

  void make_update() {
    const auto update = cloud_->ota_updates().create(
        {.id = OtaUpdateId::parse("u1").value(),
         .targets = {lamp_},
         .files = {{.file_name = "/fw.bin", .location = upload(pattern(100)).location}}});
    ASSERT_TRUE(update) << update.error().message;
  }

  /// Sends a request. @returns the answer's text on the topic's `accepted` or `rejected`; empty if there is
  /// none
  std::string ask(const std::string& call, const std::string& payload, const std::string& outcome) {
    notebook_.sent.clear();
    front_end_.handle_request({"lamp", 7}, kJobs + call, payload);
    for (const Sent& sent : notebook_.sent) {
      if (sent.topic == kJobs + call + "/" + outcome) return sent.payload;
    }
    return {};
  }
  Json accepted(const std::string& call, const std::string& payload = "{}") {
    return Json::parse(ask(call, payload, "accepted"), nullptr, false);
  }
  Json document() { return accepted("$next/get")["execution"]["jobDocument"]; }
  JobExecution execution() { return jobs().execution(job("AFR_OTA-u1"), lamp_).value(); }
  JobFaults& faults() { return cloud_->faults().jobs; }
  FaultId malform(MalformedDocument what) { return faults().arm({.what = std::move(what)}); }

  std::vector<Json> faults_seen_;
  std::vector<std::string> results_;
  Notebook notebook_;
  MqttFrontEnd front_end_{cloud_->jobs(), cloud_->streams(), clock_, *log_, cloud_->faults(), notebook_};
};

TEST_F(JobFaultsTest, ADocumentWithoutAMember) {
  Json expected = document();
  expected["afr_ota"]["files"][0].erase("filesize");
  const FaultId id = malform({.kind = DocumentDamage::kMissingMember});
  EXPECT_EQ(document(), expected);
  ASSERT_EQ(faults_seen_.size(), 1U);
  Json event = faults_seen_[0];
  event.erase("n");
  event.erase("t_us");
  EXPECT_EQ(event, (Json{{"source", "cloud"},
                         {"event", "fault"},
                         {"fault", "job.malformed_document"},
                         {"device", "lamp"},
                         {"job", "AFR_OTA-u1"},
                         {"kind", "missing_member"},
                         {"member", "/afr_ota/files/0/filesize"}}));
  EXPECT_TRUE(faults().clear(id));
  EXPECT_FALSE(faults().clear(id));
  EXPECT_TRUE(document()["afr_ota"]["files"][0].contains("filesize"));
}

TEST_F(JobFaultsTest, ADocumentWithoutAnElementOfAnArray) {
  malform({.kind = DocumentDamage::kMissingMember, .member = "/afr_ota/files/0"});
  EXPECT_EQ(document()["afr_ota"]["files"], Json::array());
}

TEST_F(JobFaultsTest, ADocumentWithoutTheMemberIsNotStruck) {
  for (const std::string member : {"/nowhere", "/afr_ota/files/7", "", "no pointer"}) {
    const FaultId id = malform({.kind = DocumentDamage::kMissingMember, .member = member});
    EXPECT_TRUE(document()["afr_ota"]["files"][0].contains("filesize")) << member;
    EXPECT_TRUE(faults().clear(id));
  }
  EXPECT_THAT(faults_seen_, IsEmpty());
}

TEST_F(JobFaultsTest, ADocumentWithAValueOfTheWrongType) {
  malform({.kind = DocumentDamage::kWrongType});
  EXPECT_EQ(document()["afr_ota"]["files"][0]["filesize"], "100");
  malform({.kind = DocumentDamage::kWrongType, .member = "/afr_ota/files/0/filepath"});
  EXPECT_EQ(document()["afr_ota"]["files"][0]["filepath"], 0);
  malform({.kind = DocumentDamage::kWrongType, .member = "/afr_ota/files"});
  EXPECT_EQ(document()["afr_ota"]["files"], Json::object());
}

TEST_F(JobFaultsTest, AnEmptyDocument) {
  malform({.kind = DocumentDamage::kEmpty});
  EXPECT_EQ(document(), Json::object());
}

TEST_F(JobFaultsTest, AnOversizedDocument) {
  malform({.kind = DocumentDamage::kOversized, .size_bytes = 50'000});
  const Json struck = document();
  EXPECT_EQ(struck.dump().size(), 50'000U);
  EXPECT_TRUE(struck.contains("afr_ota")) << "the rest is there";
}

TEST_F(JobFaultsTest, AnOversizedDocumentStillFitsAMessage) {
  malform({.kind = DocumentDamage::kOversized, .size_bytes = 1'000'000});
  const std::string message = ask("$next/get", "{}", "accepted");
  EXPECT_LE(message.size(), kMaxMessage);
  EXPECT_GT(message.size(), kMaxMessage - 256);
  EXPECT_FALSE(Json::parse(message, nullptr, false).is_discarded());
}

TEST_F(JobFaultsTest, ADocumentThatIsNotJson) {
  const std::string whole = ask("$next/get", "{}", "accepted");
  malform({.kind = DocumentDamage::kNotJson});
  const std::string message = ask("$next/get", "{}", "accepted");
  EXPECT_TRUE(whole.starts_with(message)) << message;
  EXPECT_GT(message.size(), whole.find("\"afr_ota\"")) << "it ends within the document";
  EXPECT_TRUE(Json::parse(message, nullptr, false).is_discarded());
}

TEST_F(JobFaultsTest, EveryWayToADocumentIsStruck) {
  malform({.kind = DocumentDamage::kEmpty});
  EXPECT_EQ(accepted("start-next")["execution"]["jobDocument"], Json::object());
  EXPECT_EQ(accepted("AFR_OTA-u1/get")["execution"]["jobDocument"], Json::object());
  EXPECT_EQ(
      accepted("AFR_OTA-u1/update", R"({"status":"IN_PROGRESS","includeJobDocument":true})")["jobDocument"],
      Json::object());
  notebook_.sent.clear();
  create_job("j2");
  ASSERT_TRUE(jobs().cancel(job("AFR_OTA-u1"), {.force = true}));
  ASSERT_FALSE(notebook_.sent.empty());
  EXPECT_EQ(notebook_.sent.back().topic, kJobs + "notify-next");
  EXPECT_EQ(Json::parse(notebook_.sent.back().payload)["execution"]["jobDocument"], Json::object());
}

TEST_F(JobFaultsTest, MessagesWithoutADocumentAreNoOperations) {
  faults().arm(
      {.what = MalformedDocument{.kind = DocumentDamage::kEmpty}, .strike = {.after = 1, .times = 1}});
  accepted("get");
  accepted("$next/get", R"({"includeJobDocument":false})");
  EXPECT_NE(document(), Json::object()) << "the first operation";
  EXPECT_EQ(document(), Json::object()) << "the second";
  EXPECT_NE(document(), Json::object());
}

TEST_F(JobFaultsTest, AnUpdateIsRejectedAndChangesNothing) {
  accepted("AFR_OTA-u1/update", kUpdate);
  faults().arm({.what = RejectUpdate{ErrorCode::kVersionMismatch}, .strike = {.times = 1}});
  const Json answer = Json::parse(
      ask("AFR_OTA-u1/update", R"({"status":"SUCCEEDED","clientToken":"t"})", "rejected"), nullptr, false);
  EXPECT_EQ(answer["code"], "VersionMismatch");
  EXPECT_EQ(answer["clientToken"], "t");
  EXPECT_EQ(answer["executionState"]["status"], "IN_PROGRESS");
  EXPECT_EQ(answer["executionState"]["versionNumber"], 2);
  EXPECT_EQ(execution().state.status, ExecutionStatus::kInProgress);
  EXPECT_EQ(execution().state.version_number, 2);
  ASSERT_EQ(faults_seen_.size(), 1U);
  EXPECT_EQ(faults_seen_[0]["fault"], "job.update_rejected");
  EXPECT_EQ(faults_seen_[0]["job"], "AFR_OTA-u1");
  EXPECT_EQ(faults_seen_[0]["code"], "VersionMismatch");
  EXPECT_EQ(results_.back(), "VersionMismatch");
  EXPECT_TRUE(accepted("AFR_OTA-u1/update", R"({"status":"SUCCEEDED"})").is_object());
  EXPECT_EQ(execution().state.status, ExecutionStatus::kSucceeded);
}

TEST_F(JobFaultsTest, OnlyTheUpdateToAStatusIsRejected) {
  faults().arm({.what = RejectUpdate{ErrorCode::kRequestThrottled, ExecutionStatus::kSucceeded}});
  EXPECT_TRUE(document().is_object()) << "no update";
  EXPECT_TRUE(accepted("AFR_OTA-u1/update", kUpdate).is_object());
  const Json answer =
      Json::parse(ask("AFR_OTA-u1/update", R"({"status":"SUCCEEDED"})", "rejected"), nullptr, false);
  EXPECT_EQ(answer["code"], "RequestThrottled");
  EXPECT_FALSE(answer.contains("executionState"));
}

TEST_F(JobFaultsTest, EveryErrorHasANameThatIsUnderstood) {
  for (const char* name :
       {"VersionMismatch", "InvalidStateTransition", "RequestThrottled", "InternalError"}) {
    const auto code = error_of_name(name);
    ASSERT_TRUE(code) << name;
    EXPECT_EQ(to_string(*code), name);
  }
  EXPECT_FALSE(error_of_name("Nonsense"));
}

TEST_F(JobFaultsTest, ASilentServiceDoesWhatIsAskedAndSaysNothing) {
  faults().arm({.what = SilentJobs{.call = JobsCall::kUpdate}, .strike = {.times = 1}});
  EXPECT_TRUE(document().is_object()) << "another call";
  notebook_.sent.clear();
  EXPECT_EQ(ask("AFR_OTA-u1/update", kUpdate, "accepted"), "");
  for (const Sent& sent : notebook_.sent) EXPECT_EQ(sent.client, ClientAddress{}) << sent.topic;
  EXPECT_EQ(execution().state.status, ExecutionStatus::kInProgress);
  EXPECT_EQ(results_.back(), "silent");
  ASSERT_EQ(faults_seen_.size(), 1U);
  EXPECT_EQ(faults_seen_[0]["fault"], "job.silent");
  EXPECT_EQ(faults_seen_[0]["call"], "update");
  EXPECT_TRUE(accepted("AFR_OTA-u1/update", kUpdate).is_object());
}

TEST_F(JobFaultsTest, ASilentServiceMayHaveHeardNothing) {
  faults().arm({.what = SilentJobs{.carried_out = false}});
  for (const char* call : {"get", "start-next", "$next/get"})
    EXPECT_EQ(ask(call, "{}", "accepted"), "") << call;
  EXPECT_EQ(ask("AFR_OTA-u1/update", kUpdate, "accepted"), "");
  EXPECT_EQ(execution().state.status, ExecutionStatus::kQueued);
  EXPECT_EQ(faults_seen_.size(), 4U);
}

TEST_F(JobFaultsTest, ASilentServiceDoesNotRejectEither) {
  faults().arm({.what = SilentJobs{}});
  EXPECT_EQ(ask("nowhere/update", kUpdate, "rejected"), "");
  EXPECT_THAT(notebook_.sent, IsEmpty());
}

TEST_F(JobFaultsTest, AFaultOfOneDeviceLeavesTheOthers) {
  faults().arm({.what = SilentJobs{}, .device = "door"});
  faults().arm({.what = MalformedDocument{.kind = DocumentDamage::kEmpty}, .device = "door"});
  EXPECT_NE(document(), Json::object());
  EXPECT_THAT(faults_seen_, IsEmpty());
}

TEST_F(JobFaultsTest, NamesAreUnderstood) {
  for (const char* name : {"not_json", "missing_member", "empty", "oversized", "wrong_type"}) {
    const auto damage = document_damage(name);
    ASSERT_TRUE(damage) << name;
    EXPECT_EQ(to_string(*damage), name);
  }
  EXPECT_FALSE(document_damage("other"));
  for (const char* name : {"get", "start-next", "describe", "update"}) {
    const auto call = jobs_call(name);
    ASSERT_TRUE(call) << name;
    EXPECT_EQ(to_string(*call), name);
  }
  EXPECT_FALSE(jobs_call("other"));
}

}  // namespace
}  // namespace otasim::cloud
