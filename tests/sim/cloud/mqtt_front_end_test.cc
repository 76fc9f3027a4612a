// What a device's messages bring about, byte by byte where devices look at the bytes.
#include "sim/cloud/mqtt_front_end.h"

#include <random>
#include <set>

#include "sim/base/json.h"
#include "tests/sim/cloud/cloud_fixture.h"
#include "tests/sim/cloud/notebook.h"

namespace otasim::cloud {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Json = nlohmann::json;

class MqttFrontEndTest : public CloudFixture {
 protected:
  /// Sends a request and returns the replies to it, notifications aside.
  std::vector<Sent> ask(const std::string& topic, const std::string& payload) {
    notebook_.sent.clear();
    front_end_.handle_request(client_, topic, payload);
    std::vector<Sent> replies;
    for (const Sent& sent : notebook_.sent) {
      if (sent.client == client_) replies.push_back(sent);
    }
    return replies;
  }

  /// The only reply, which must be on this topic.
  Json reply(const std::string& topic, const std::string& payload, const std::string& reply_topic) {
    const auto replies = ask(topic, payload);
    EXPECT_THAT(replies, SizeIs(1)) << topic;
    if (replies.size() != 1) return {};
    EXPECT_EQ(replies[0].topic, reply_topic);
    return Json::parse(replies[0].payload, nullptr, false);
  }
  Json accepted(const std::string& call, const std::string& payload) {
    return reply(kJobs + call, payload, kJobs + call + "/accepted");
  }
  Json rejected(const std::string& call, const std::string& payload) {
    return reply(kJobs + call, payload, kJobs + call + "/rejected");
  }

  /// An update with an image of this size; the stream is `stream_`.
  void make_update(std::size_t size) {
    content_ = pattern(size);
    const auto update = cloud_->ota_updates().create(
        {.id = OtaUpdateId::parse("u1").value(),
         .targets = {lamp_},
         .files = {{.file_name = "/fw.bin", .location = upload(content_).location}}});
    ASSERT_TRUE(update) << update.error().message;
    stream_ = "$aws/things/lamp/streams/" + update->stream_id->str() + "/";
  }

  const std::string kJobs = "$aws/things/lamp/jobs/";
  const ClientAddress client_{"lamp", 7};
  Notebook notebook_;
  MqttFrontEnd front_end_{cloud_->jobs(), cloud_->streams(), clock_, *log_, cloud_->faults(), notebook_};
  std::vector<std::uint8_t> content_;
  std::string stream_;
};

TEST_F(MqttFrontEndTest, AnEmptyQueueHasNoExecution) {
  EXPECT_EQ(accepted("$next/get", R"({"clientToken":"0:lamp"})"),
            (Json{{"clientToken", "0:lamp"}, {"timestamp", kNow}}));
  EXPECT_EQ(accepted("start-next", "{}"), (Json{{"timestamp", kNow}}));
}

TEST_F(MqttFrontEndTest, TheLogHasWhatWasAskedFor) {
  std::vector<Json> events;
  log_->listen([&events](const Json& event) {
    if (event.contains("payload") || event.contains("payload_hex")) events.push_back(event);
  });
  make_update(100);
  ask(kJobs + "$next/get", R"({"clientToken":"a"})");
  ask(kJobs + "$next/get", std::string("\xa1\x00\xff", 3));
  ask(stream_ + "get/cbor", std::string("\xa0", 1));
  ask(kJobs + "$next/get", std::string(1025, ' '));
  ASSERT_THAT(events, SizeIs(4));
  EXPECT_EQ(events[0]["payload"], R"({"clientToken":"a"})");
  EXPECT_EQ(events[1]["payload_hex"], "a100ff");
  EXPECT_EQ(events[2]["event"], "stream_request");
  EXPECT_EQ(events[2]["payload_hex"], "a0");
  EXPECT_EQ(events[3]["payload"], std::string(1024, ' '));
  EXPECT_EQ(events[3]["payload_bytes"], 1025);
}

TEST_F(MqttFrontEndTest, TheNextJobComesWithItsDocument) {
  make_update(100);
  const auto json = accepted("$next/get", R"({"clientToken":":lamp"})");
  EXPECT_EQ(json["clientToken"], ":lamp");
  const auto& execution = json["execution"];
  EXPECT_EQ(execution["jobId"], "AFR_OTA-u1");
  EXPECT_EQ(execution["thingName"], "lamp");
  EXPECT_EQ(execution["status"], "QUEUED");
  EXPECT_EQ(execution["queuedAt"], kNow);
  EXPECT_EQ(execution["lastUpdatedAt"], kNow);
  EXPECT_EQ(execution["versionNumber"], 1);
  EXPECT_EQ(execution["executionNumber"], 1);
  EXPECT_FALSE(execution.contains("startedAt"));
  EXPECT_FALSE(execution.contains("statusDetails"));
  EXPECT_EQ(execution["jobDocument"]["afr_ota"]["files"][0]["filesize"], 100);
}

TEST_F(MqttFrontEndTest, TheDocumentIsLeftOutOnRequest) {
  create_job("j1");
  EXPECT_FALSE(accepted("j1/get", R"({"includeJobDocument":false})")["execution"].contains("jobDocument"));
  EXPECT_TRUE(accepted("j1/get", "")["execution"].contains("jobDocument"));
}

TEST_F(MqttFrontEndTest, AWholeUpdateRaisesTheVersionStepByStep) {
  make_update(100);
  const std::string update = "AFR_OTA-u1/update";
  EXPECT_EQ(accepted(update, R"({"status":"IN_PROGRESS","statusDetails":{"receive":"1/1"}})"),
            (Json{{"timestamp", kNow}}));
  accepted(update,
           R"({"status":"IN_PROGRESS","statusDetails":{"self_test":"ready","updatedBy":"0x01000000"}})");
  const auto next = accepted("$next/get", "{}")["execution"];
  EXPECT_EQ(next["status"], "IN_PROGRESS");
  EXPECT_EQ(next["statusDetails"], (Json{{"self_test", "ready"}, {"updatedBy", "0x01000000"}}));
  EXPECT_EQ(next["versionNumber"], 3);
  EXPECT_EQ(next["startedAt"], kNow);
  const auto done = accepted(
      update, R"({"status":"SUCCEEDED","statusDetails":{"reason":"accepted  v1.1.0","updatedBy":"  v1.0.0"},)"
              R"("includeJobExecutionState":true})");
  EXPECT_EQ(done["executionState"]["status"], "SUCCEEDED");
  EXPECT_EQ(done["executionState"]["versionNumber"], 4);
  EXPECT_EQ(done["executionState"]["statusDetails"]["reason"], "accepted  v1.1.0");
  EXPECT_EQ(notebook_.sent.size(), 3U) << "reply, notify, notify-next";
}

TEST_F(MqttFrontEndTest, PendingJobsAreListedByStatus) {
  create_job("j1");
  create_job("j2");
  accepted("start-next", "{}");
  const auto json = accepted("get", "");
  ASSERT_THAT(json["inProgressJobs"], SizeIs(1));
  ASSERT_THAT(json["queuedJobs"], SizeIs(1));
  EXPECT_EQ(json["inProgressJobs"][0], (Json{{"jobId", "j1"},
                                             {"queuedAt", kNow},
                                             {"startedAt", kNow},
                                             {"lastUpdatedAt", kNow},
                                             {"versionNumber", 2},
                                             {"executionNumber", 1}}));
  EXPECT_EQ(json["queuedJobs"][0]["jobId"], "j2");
}

TEST_F(MqttFrontEndTest, NotificationsCarryTheQueueAndTheNextDocument) {
  create_job("j1");
  ASSERT_THAT(notebook_.sent, SizeIs(2));
  EXPECT_EQ(notebook_.sent[0].topic, kJobs + "notify");
  EXPECT_EQ(Json::parse(notebook_.sent[0].payload)["jobs"]["QUEUED"][0]["jobId"], "j1");
  EXPECT_EQ(notebook_.sent[1].topic, kJobs + "notify-next");
  EXPECT_EQ(Json::parse(notebook_.sent[1].payload)["execution"]["jobDocument"],
            (Json{{"operation", "test"}}));
  notebook_.sent.clear();
  ASSERT_TRUE(jobs().cancel(job("j1")));
  ASSERT_THAT(notebook_.sent, SizeIs(2));
  EXPECT_EQ(Json::parse(notebook_.sent[0].payload), (Json{{"timestamp", kNow}, {"jobs", Json::object()}}));
  EXPECT_EQ(Json::parse(notebook_.sent[1].payload), (Json{{"timestamp", kNow}}));
}

TEST_F(MqttFrontEndTest, ANotificationNamesAtMostTenJobs) {
  for (int i = 0; i < 12; ++i) create_job("j" + std::to_string(i));
  EXPECT_THAT(Json::parse(notebook_.sent.back().payload)["jobs"]["QUEUED"], SizeIs(10));
}

TEST_F(MqttFrontEndTest, RefusalsHaveAwssShape) {
  create_job("j1");
  auto json = rejected("j1/update", R"({"status":"IN_PROGRESS","expectedVersion":"9","clientToken":"t"})");
  EXPECT_EQ(json["code"], "VersionMismatch");
  EXPECT_EQ(json["clientToken"], "t");
  EXPECT_EQ(json["timestamp"], kNow);
  EXPECT_TRUE(json["message"].is_string());
  EXPECT_EQ(json["executionState"], (Json{{"status", "QUEUED"}, {"versionNumber", 1}}));
  ASSERT_TRUE(jobs().cancel(job("j1")));
  json = rejected("j1/update", R"({"status":"SUCCEEDED"})");
  EXPECT_EQ(json["code"], "InvalidStateTransition");
  EXPECT_EQ(json["executionState"]["status"], "CANCELED");
  EXPECT_EQ(rejected("j1/get", "{}")["code"], "TerminalStateReached");
  EXPECT_EQ(rejected("j9/get", "{}")["code"], "ResourceNotFound");
}

TEST_F(MqttFrontEndTest, BadRequestsAreNamed) {
  create_job("j1");
  const std::string deep = std::string(100'000, '[');
  const std::vector<std::tuple<std::string, std::string, std::string>> cases{
      {"get", "{", "InvalidJson"},
      {"get", "\xFF\xFE", "InvalidJson"},
      {"get", deep, "InvalidJson"},
      {"get", deep + std::string(100'000, ']'), "InvalidRequest"},
      {"get", "[]", "InvalidRequest"},
      {"get", R"({"clientToken":1})", "InvalidRequest"},
      {"get", R"({"clientToken":")" + std::string(65, 'x') + "\"}", "InvalidRequest"},
      {"j1/update", "{}", "InvalidRequest"},
      {"j1/update", R"({"status":"DONE"})", "InvalidRequest"},
      {"j1/update", R"({"status":"CANCELED"})", "InvalidRequest"},
      {"j1/update", R"({"status":["IN_PROGRESS"]})", "InvalidRequest"},
      {"j1/update", R"({"status":"IN_PROGRESS","statusDetails":"x"})", "InvalidRequest"},
      {"j1/update", R"({"status":"IN_PROGRESS","statusDetails":{"a":1}})", "InvalidRequest"},
      {"j1/update", R"({"status":"IN_PROGRESS","statusDetails":{"a b":"1"}})", "InvalidRequest"},
      {"j1/update", R"({"status":"IN_PROGRESS","expectedVersion":"one"})", "InvalidRequest"},
      {"j1/update", R"({"status":"IN_PROGRESS","expectedVersion":18446744073709551615})", "InvalidRequest"},
      {"j1/update", R"({"status":"IN_PROGRESS","expectedVersion":1.5})", "InvalidRequest"},
      {"j1/update", R"({"status":"IN_PROGRESS","stepTimeoutInMinutes":0})", "InvalidRequest"},
      {"j1/update", R"({"status":"IN_PROGRESS","stepTimeoutInMinutes":10081})", "InvalidRequest"},
      {"j1/update", R"({"status":"IN_PROGRESS","includeJobDocument":"yes"})", "InvalidRequest"},
      {"j 1/get", "{}", "InvalidRequest"},
      {"j1/get", R"({"executionNumber":2})", "ResourceNotFound"},
      {"$next/update", R"({"status":"IN_PROGRESS"})", "InvalidTopic"},
      {"j1/remove", "{}", "InvalidTopic"},
      {"j1", "{}", "InvalidTopic"},
      {"a/b/c", "{}", "InvalidTopic"},
  };
  for (const auto& [call, payload, code] : cases) {
    EXPECT_EQ(rejected(call, payload)["code"], code) << call << " " << payload.substr(0, 80);
  }
  EXPECT_EQ(jobs().execution(job("j1"), lamp_).value().state.version_number, 1);
}

TEST_F(MqttFrontEndTest, TopicsOfNoServiceAreNotAnswered) {
  for (const char* topic :
       {"", "x", "$aws/things/lamp", "$aws/things/lamp/jobs", "$aws/things/lamp/shadow/get",
        "$aws/things/la mp/jobs/get", "$aws/things//jobs/get"}) {
    EXPECT_THAT(ask(topic, "{}"), IsEmpty()) << topic;
  }
}

TEST_F(MqttFrontEndTest, BlocksComeInCborAsTheAgentWantsThem) {
  make_update(4096 * 2 + 100);
  // As the agent sends it: the whole file's bitmap, two blocks at a time.
  const Json request{{"c", "rdy"}, {"f", 0}, {"l", 4096}, {"o", 0}, {"b", Json::binary({0x07})}, {"n", 2}};
  std::string bytes;
  Json::to_cbor(request, bytes);
  const auto replies = ask(stream_ + "get/cbor", bytes);
  ASSERT_THAT(replies, SizeIs(2));
  for (std::size_t i = 0; i < replies.size(); ++i) {
    EXPECT_EQ(replies[i].topic, stream_ + "data/cbor");
    const auto block = Json::from_cbor(replies[i].payload);
    EXPECT_THAT(block, SizeIs(5));
    EXPECT_EQ(block["c"], "rdy");
    EXPECT_EQ(block["f"], 0);
    EXPECT_EQ(block["i"], i);
    EXPECT_EQ(block["l"], 4096);
    const auto& data = block["p"].get_binary();
    ASSERT_THAT(data, SizeIs(4096));
    EXPECT_TRUE(std::ranges::equal(data, std::span(content_).subspan(i * 4096, 4096)));
  }
}

TEST_F(MqttFrontEndTest, BlocksComeInJsonAsTheModularDemoWantsThem) {
  make_update(300);
  const auto replies = ask(stream_ + "get/json", R"({"s":1,"f":0,"l":256,"o":1,"n":1})");
  ASSERT_THAT(replies, SizeIs(1));
  EXPECT_EQ(replies[0].topic, stream_ + "data/json");
  const auto block = Json::parse(replies[0].payload);
  EXPECT_EQ(block["i"], 1);
  EXPECT_EQ(block["l"], 44);
  EXPECT_EQ(block["p"].get<std::string>().size(), 60U);
  EXPECT_FALSE(block.contains("c"));
}

TEST_F(MqttFrontEndTest, ABitmapInJsonIsHexText) {
  make_update(256 * 50);
  std::vector<int> indexes;
  for (const Sent& sent : ask(stream_ + "get/json", R"({"f":0,"l":256,"o":20,"b":"0x130080"})")) {
    indexes.push_back(Json::parse(sent.payload)["i"]);
  }
  EXPECT_THAT(indexes, ElementsAre(20, 21, 24, 43));
  EXPECT_THAT(ask(stream_ + "get/json", R"({"f":0,"l":256,"b":"13"})"), SizeIs(3));
}

TEST_F(MqttFrontEndTest, ADescriptionComesInTheRequestsEncoding) {
  make_update(300);
  EXPECT_EQ(reply(stream_ + "describe/json", R"({"c":"t"})", stream_ + "description/json"),
            (Json{{"c", "t"}, {"s", 1}, {"d", ""}, {"r", {{{"f", 0}, {"z", 300}}}}}));
  const auto replies = ask(stream_ + "describe/cbor", "");
  ASSERT_THAT(replies, SizeIs(1));
  EXPECT_EQ(replies[0].topic, stream_ + "description/cbor");
  EXPECT_EQ(Json::from_cbor(replies[0].payload),
            (Json{{"s", 1}, {"d", ""}, {"r", {{{"f", 0}, {"z", 300}}}}}));
}

TEST_F(MqttFrontEndTest, BadStreamRequestsAreNamed) {
  make_update(300);
  const std::vector<std::tuple<std::string, std::string, std::string>> cases{
      {"get/json", "{", "InvalidJson"},
      {"get/json", "3", "InvalidRequest"},
      {"get/json", "{}", "InvalidRequest"},
      {"get/json", R"({"f":0})", "InvalidRequest"},
      {"get/json", R"({"f":0,"l":"256"})", "InvalidRequest"},
      {"get/json", R"({"f":256,"l":256})", "InvalidRequest"},
      {"get/json", R"({"f":0,"l":256,"b":"0x1"})", "InvalidRequest"},
      {"get/json", R"({"f":0,"l":256,"b":"xy"})", "InvalidRequest"},
      {"get/json", R"({"f":0,"l":256,"b":[1]})", "InvalidRequest"},
      {"get/json", R"({"f":0,"l":256,"s":65536})", "InvalidRequest"},
      {"get/json", R"({"f":0,"l":256,"s":2})", "VersionMismatch"},
      {"get/json", R"({"f":1,"l":256})", "ResourceNotFound"},
      {"get/json", R"({"f":0,"l":1})", "BlockSizeOutOfBounds"},
      {"get/json", R"({"f":0,"l":256,"o":2})", "OffsetOutOfBounds"},
      {"get/json", R"({"f":0,"l":256,"o":9223372036854775807})", "OffsetOutOfBounds"},
      {"get/json", R"({"f":0,"l":256,"n":98305})", "BlockCountLimitExceeded"},
      {"describe/json", "[", "InvalidJson"},
      {"data/x/json", "{}", "InvalidTopic"},
      {"get/xml", "{}", "InvalidTopic"},
      {"get", "{}", "InvalidTopic"},
  };
  for (const auto& [call, payload, code] : cases) {
    EXPECT_EQ(reply(stream_ + call, payload, stream_ + "rejected/json")["o"], code) << call << " " << payload;
  }
  const auto replies = ask(stream_ + "get/cbor", "\x01");
  ASSERT_THAT(replies, SizeIs(1));
  EXPECT_EQ(replies[0].topic, stream_ + "rejected/cbor");
  EXPECT_EQ(Json::from_cbor(replies[0].payload)["o"], "InvalidCbor");
  EXPECT_EQ(reply("$aws/things/lamp/streams/none/get/json", R"({"f":0,"l":256})",
                  "$aws/things/lamp/streams/none/rejected/json")["o"],
            "ResourceNotFound");
}

TEST_F(MqttFrontEndTest, ABlockThatFitsNoMessageIsRefused) {
  make_update(131'072);
  EXPECT_EQ(reply(stream_ + "get/json", R"({"f":0,"l":131072})", stream_ + "rejected/json")["o"],
            "BlockSizeOutOfBounds");
}

TEST_F(MqttFrontEndTest, AnyBytesAreAnswered) {
  make_update(300);
  std::mt19937 random(1);
  const std::string update =
      R"({"status":"IN_PROGRESS","statusDetails":{"receive":"1/4"},"expectedVersion":1})";
  for (int i = 0; i < 2'000; ++i) {
    std::string payload = update;
    for (int changes = 0; changes < 4; ++changes) {
      payload[random() % payload.size()] = static_cast<char>(random());
    }
    EXPECT_THAT(ask(kJobs + "AFR_OTA-u1/update", payload), SizeIs(1)) << payload;
  }
}

TEST_F(MqttFrontEndTest, EveryRequestIsLogged) {
  std::vector<Json> events;
  log_->listen([&events](const Json& event) { events.push_back(event); });
  create_job("j1");
  ask(kJobs + "get", "{");
  ask("$aws/things/lamp/streams/none/get/json", "{}");
  ASSERT_THAT(events, SizeIs(4));
  EXPECT_EQ(events[0]["event"], "job_created");
  EXPECT_EQ(events[1]["event"], "job_execution");
  EXPECT_EQ(events[1]["status"], "QUEUED");
  EXPECT_EQ(events[2]["event"], "mqtt_request");
  EXPECT_EQ(events[2]["result"], "InvalidJson");
  EXPECT_EQ(events[3]["event"], "stream_request");
  EXPECT_EQ(events[3]["source"], "cloud");
}

// Presigned URLs in documents.

class PresignedDocumentTest : public MqttFrontEndTest {
 protected:
  PresignedDocumentTest() {
    cloud_->urls().set_endpoint("otasim.localhost:8443");
    object_ = upload(pattern(100)).location;
    notebook_.sent.clear();
    const auto update =
        cloud_->ota_updates().create({.id = OtaUpdateId::parse("u1").value(),
                                      .targets = {lamp_},
                                      .files = {{.file_name = "/fw.bin", .location = object_}},
                                      .protocols = {Protocol::kHttp},
                                      .presigned_expires_sec = 60});
    EXPECT_TRUE(update && !update->error);
  }

  static std::string url_in(const Json& message) {
    return message["execution"]["jobDocument"]["afr_ota"]["files"][0]["update_data_url"];
  }

  /// The target of a URL of the endpoint.
  static std::string target_of(const std::string& url) {
    const std::string start = "https://otasim.localhost:8443";
    EXPECT_TRUE(url.starts_with(start)) << url;
    return url.substr(start.size());
  }

  Json notified() {
    for (const Sent& sent : notebook_.sent) {
      if (sent.topic == kJobs + "notify-next") return Json::parse(sent.payload);
    }
    return {};
  }

  ObjectLocation object_;
};

TEST_F(PresignedDocumentTest, EachAnswerBringsAUrlOfItsOwnAndNotifyNextToo) {
  std::set<std::string> urls{url_in(notified())};
  for (int i = 0; i < 3; ++i) urls.insert(url_in(accepted("$next/get", "{}")));
  urls.insert(url_in(accepted("AFR_OTA-u1/get", "{}")));
  urls.insert(url_in(accepted("start-next", "{}")));
  EXPECT_THAT(urls, SizeIs(6));
  for (const std::string& url : urls) {
    EXPECT_LE(url.size(), 1500U) << "devices' room for a URL";
    const auto request = cloud_->urls().verify("GET", target_of(url), "otasim.localhost:8443");
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_EQ(request->object.version, object_.version);
    EXPECT_EQ(request->expires_at, kNow + 60);
  }
}

TEST_F(PresignedDocumentTest, TheOperatorSeesThePlaceholder) {
  EXPECT_THAT(jobs().describe_job(job("AFR_OTA-u1"))->document,
              ::testing::HasSubstr(
                  "${aws:iot:s3-presigned-url:https://s3.amazonaws.com/firmware/app.bin?versionId="));
}

TEST_F(PresignedDocumentTest, AnUpdateAskedForItsDocumentBringsAFreshUrl) {
  const auto reply = accepted("AFR_OTA-u1/update", R"({"status":"IN_PROGRESS","includeJobDocument":true})");
  const std::string url = reply["jobDocument"]["afr_ota"]["files"][0]["update_data_url"];
  EXPECT_TRUE(cloud_->urls().verify("GET", target_of(url), "otasim.localhost:8443"));
}

TEST_F(MqttFrontEndTest, ATimedExecutionTellsHowLongItHas) {
  ASSERT_TRUE(jobs().create(
      {.id = job("j"), .document = "{}", .targets = {lamp_}, .in_progress_timeout_minutes = 5}));
  EXPECT_FALSE(accepted("$next/get", "{}")["execution"].contains("approximateSecondsBeforeTimedOut"));
  const auto begun = accepted("start-next", R"({"stepTimeoutInMinutes":2})");
  EXPECT_EQ(begun["execution"]["approximateSecondsBeforeTimedOut"], 120);
  clock_.advance(20);
  EXPECT_EQ(accepted("j/get", "{}")["execution"]["approximateSecondsBeforeTimedOut"], 100);
  accepted("j/update", R"({"status":"IN_PROGRESS","stepTimeoutInMinutes":-1})");
  EXPECT_EQ(accepted("j/get", "{}")["execution"]["approximateSecondsBeforeTimedOut"], 280);
  EXPECT_EQ(rejected("j/update", R"({"status":"IN_PROGRESS","stepTimeoutInMinutes":5})")["code"],
            "InvalidRequest");
}

TEST_F(MqttFrontEndTest, AnExecutionThatHasRunOutOfTimeIsOver) {
  ASSERT_TRUE(jobs().create(
      {.id = job("j"), .document = "{}", .targets = {lamp_}, .in_progress_timeout_minutes = 1}));
  accepted("start-next", "{}");
  clock_.advance(60);
  EXPECT_FALSE(accepted("$next/get", "{}").contains("execution"));
  const auto late = rejected("j/update", R"({"status":"SUCCEEDED"})");
  EXPECT_EQ(late["code"], "InvalidStateTransition");
  EXPECT_EQ(late["executionState"]["status"], "TIMED_OUT");
}

TEST_F(MqttFrontEndTest, TimestampsMayBeInMilliseconds) {
  open({.timestamp_unit = JobsOptions::TimestampUnit::kMilliseconds});
  create_job("j");
  MqttFrontEnd front_end(cloud_->jobs(), cloud_->streams(), clock_, *log_, cloud_->faults(), notebook_);
  front_end.handle_request(client_, kJobs + "$next/get", "{}");
  const auto reply = Json::parse(notebook_.sent.back().payload);
  EXPECT_EQ(reply["timestamp"], kNow * 1000);
  EXPECT_EQ(reply["execution"]["queuedAt"], kNow * 1000);
}

}  // namespace
}  // namespace otasim::cloud
