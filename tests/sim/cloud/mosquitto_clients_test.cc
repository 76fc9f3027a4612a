// Clients that we did not write: Mosquitto's own command-line programs go through a device's day, and a
// second device tries to hear of it and to meddle.
#include "tests/sim/cloud/mosquitto_clients_fixture.h"

namespace otasim::cloud {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(MosquittoClientsTest, AnUpdateRunsFromNotifyNextToSucceeded) {
  const auto image = pattern(10'000);
  CommandLineClient waiting(
      io_, "mosquitto_sub",
      as_lamp({"-t", kLampJobs + "notify-next", "-q", "1", "-C", "1", "-d", "-F", "told: %p"}));
  ASSERT_TRUE(waiting.wait_for("Subscribed")) << waiting.output();
  const std::string stream = "$aws/things/lamp/streams/" + create_update(image).stream_id->str();
  ASSERT_EQ(waiting.finish(), 0) << waiting.output();
  EXPECT_THAT(waiting.output(), HasSubstr(R"("jobId":"AFR_OTA-u1")"));

  EXPECT_EQ(ask_jobs("$next/get", R"({"clientToken":"0:lamp"})")["execution"]["jobId"], "AFR_OTA-u1");
  EXPECT_EQ(ask_jobs("start-next", "{}")["execution"]["status"], "IN_PROGRESS");

  std::vector<std::uint8_t> received;
  for (int index = 0; index < 3; ++index) {
    const auto block =
        ask_json(stream, fmt::format(R"({{"c":"rdy","f":0,"l":4096,"o":{},"b":"01"}})", index));
    EXPECT_EQ(block["i"], index);
    const auto data = from_base64(block["p"]);
    received.insert(received.end(), data.begin(), data.end());
  }
  EXPECT_EQ(received, image);

  ask_jobs("AFR_OTA-u1/update", R"({"status":"IN_PROGRESS","statusDetails":{"receive":"3/3"}})");
  const auto done =
      ask_jobs("AFR_OTA-u1/update", R"({"status":"SUCCEEDED","includeJobExecutionState":true})");
  EXPECT_EQ(done["executionState"]["status"], "SUCCEEDED");
  EXPECT_EQ(state("AFR_OTA-u1", lamp_).status, ExecutionStatus::kSucceeded);
}

// mosquitto_rr 2.0.11 sends nothing of what -f names, and -m takes no zero byte: a request without one.
TEST_F(MosquittoClientsTest, AStreamIsReadInCbor) {
  const auto image = pattern(10'000);
  ASSERT_TRUE(cloud_->streams().create(
      {.id = StreamId::parse("image").value(), .files = {{.file_id = 1, .object = upload(image).location}}}));
  const std::string stream = "$aws/things/lamp/streams/image";
  constexpr int kBlock = 0x1001;
  std::vector<std::uint8_t> received;
  for (int index = 0; index < 3; ++index) {
    Json request{{"c", "rdy"}, {"f", 1}, {"l", kBlock}, {"n", 1}};
    if (index > 0) request["o"] = index;
    std::string payload;
    Json::to_cbor(request, payload);
    const auto block = Json::from_cbor(ask(stream + "/get/cbor", stream + "/data/cbor", {"-m", payload}));
    EXPECT_EQ(block["i"], index);
    const auto& data = block["p"].get_binary();
    received.insert(received.end(), data.begin(), data.end());
  }
  EXPECT_EQ(received, image);
}

TEST_F(MosquittoClientsTest, AnAnswerComesWithoutASubscriptionToIt) {
  CommandLineClient client(
      io_, "mosquitto_rr",
      as_lamp({"-t", kLampJobs + "$next/get", "-e", kLampJobs + "notify", "-m", "{}", "-v"}));
  ASSERT_EQ(client.finish(), 0) << client.output();
  EXPECT_THAT(client.output(), HasSubstr(kLampJobs + "$next/get/accepted {"));
}

TEST_F(MosquittoClientsTest, TheLongestRequestTopicIsAnsweredToo) {
  const std::string topic = kLampJobs + std::string(256 - kLampJobs.size() - 4, 'j') + "/get";
  CommandLineClient client(io_, "mosquitto_rr",
                           as_lamp({"-t", topic, "-e", kLampJobs + "notify", "-m", "{}", "-v"}));
  ASSERT_EQ(client.finish(), 0) << client.output();
  EXPECT_THAT(client.output(), StartsWith(topic + "/rejected {"));
}

TEST_F(MosquittoClientsTest, AnMqtt3ClientIsServedAsWell) {
  create_job("j1");
  const std::string answer =
      ask(kLampJobs + "get", kLampJobs + "get/accepted", {"-m", "{}", "-V", "mqttv311"});
  EXPECT_EQ(Json::parse(answer)["queuedJobs"][0]["jobId"], "j1");
}

TEST_F(MosquittoClientsTest, ADeviceHearsNothingOfAnother) {
  std::vector<std::string> arguments = kMessages;
  const std::vector<std::string> filters{"#",
                                         "+/#",
                                         "$aws/#",
                                         "$aws/things/#",
                                         "$aws/things/+/jobs/#",
                                         "$aws/things/lamp/#",
                                         kLampJobs + "notify-next",
                                         "$aws/things/+/streams/#",
                                         "$share/all/$aws/things/lamp/jobs/#",
                                         "otasim/#",
                                         "$SYS/#",
                                         kDoorJobs + "#"};
  for (const std::string& filter : filters) arguments.insert(arguments.end(), {"-t", filter});
  CommandLineClient spy(io_, "mosquitto_sub", as_door(arguments));
  ASSERT_TRUE(spy.wait_for("Subscribed")) << spy.output();
  for (const std::string& filter : filters) {
    if (filter != kDoorJobs + "#") {
      EXPECT_TRUE(denied("door", filter)) << filter;
    }
  }

  create_update(pattern(5'000));
  EXPECT_EQ(ask_jobs("start-next", "{}")["execution"]["jobId"], "AFR_OTA-u1");
  ask_jobs("AFR_OTA-u1/update", R"({"status":"SUCCEEDED"})");
  create_job("doors", {door_});  // whatever came before this is there when this is
  ASSERT_TRUE(spy.wait_for(kMark + kDoorJobs + "notify-next {")) << spy.output();
  EXPECT_THAT(messages(spy), Each(AllOf(StartsWith(kDoorJobs + "notify"), HasSubstr(R"("jobId":"doors")"))));
}

TEST_F(MosquittoClientsTest, ADeviceChangesNothingOfAnother) {
  create_job("begun", {lamp_, door_});
  ASSERT_TRUE(jobs().update(job("begun"), lamp_, {.status = ExecutionStatus::kInProgress}));
  CommandLineClient waiting(io_, "mosquitto_sub",
                            as_lamp({"-t", kLampJobs + "#", kMessages[0], kMessages[1], kMessages[2]}));
  ASSERT_TRUE(waiting.wait_for("Subscribed")) << waiting.output();

  const std::vector<std::string> topics{kLampJobs + "begun/update",
                                        kLampJobs + "begun/update/accepted",
                                        kLampJobs + "notify-next",
                                        kLampJobs + "start-next",
                                        "$aws/things/lamp/streams/s/data/cbor",
                                        "otasim/request/lamp.1/$aws/things/lamp/jobs/begun/update",
                                        "otasim/deliver/lamp/$aws/things/lamp/jobs/notify-next",
                                        "otasim/principal/" + door_identity_.fingerprint};
  for (const std::string& topic : topics) {
    CommandLineClient meddler(io_, "mosquitto_pub",
                              as_door({"-t", topic, "-m", R"({"status":"FAILED"})", "-q", "0"}));
    EXPECT_TRUE(denied("door", topic)) << topic << "\n" << meddler.output();
  }

  create_job("later");  // whatever the lamp was to hear of the meddling, it hears before this
  ASSERT_TRUE(waiting.wait_for(kMark + kLampJobs + "notify {")) << waiting.output();
  EXPECT_THAT(messages(waiting), ElementsAre(AllOf(StartsWith(kLampJobs + "notify {"), HasSubstr("later"))));
  EXPECT_EQ(state("begun", lamp_).status, ExecutionStatus::kInProgress);
  EXPECT_EQ(state("begun", lamp_).version_number, 2);
  EXPECT_EQ(state("begun", door_).status, ExecutionStatus::kQueued);
}

TEST_F(MosquittoClientsTest, AConsoleHearsWhoComesAndGoes) {
  CommandLineClient console(io_, "mosquitto_sub",
                            as_console({"-t", "$aws/events/presence/+/lamp", "-d", "-F", kMark + "%t %p"}));
  ASSERT_TRUE(console.wait_for("Subscribed")) << console.output();
  CommandLineClient lamp(io_, "mosquitto_pub", as_lamp({"-t", kLampJobs + "get", "-m", "{}"}));
  ASSERT_EQ(lamp.finish(), 0) << lamp.output();
  ASSERT_TRUE(console.wait_for("CLIENT_INITIATED_DISCONNECT")) << console.output();
  const auto told = messages(console);
  ASSERT_EQ(told.size(), 2U);
  const auto event = [&told](std::size_t i) {
    return Json::parse(told[i].substr(told[i].find(' ') + 1), nullptr, false);
  };
  EXPECT_THAT(told[0], StartsWith("$aws/events/presence/connected/lamp "));
  EXPECT_THAT(told[1], StartsWith("$aws/events/presence/disconnected/lamp "));
  EXPECT_EQ(event(0)["eventType"], "connected");
  EXPECT_EQ(event(0)["principalIdentifier"], identity_.fingerprint);
  EXPECT_EQ(event(0)["ipAddress"], "127.0.0.1");
  EXPECT_EQ(event(0)["versionNumber"], 0);
  EXPECT_EQ(event(1)["clientInitiatedDisconnect"], true);
  EXPECT_EQ(event(1)["sessionIdentifier"], event(0)["sessionIdentifier"]);
  EXPECT_EQ(event(1)["versionNumber"], 1);
}

TEST_F(MosquittoClientsTest, APersistentSessionHearsWhatWasSentWhileItWasAway) {
  const std::vector<std::string> session{"-c", "-q",           "1", "-t", kLampJobs + "notify-next", "-d",
                                         "-F", kMark + "%t %p"};
  {
    CommandLineClient first(io_, "mosquitto_sub", as_lamp(session));
    ASSERT_TRUE(first.wait_for("Subscribed")) << first.output();
    first.terminate();
    ASSERT_TRUE(first.finish().has_value()) << first.output();
  }
  create_job("meanwhile");
  wait_for_mirror();  // the broker has it
  CommandLineClient again(io_, "mosquitto_sub", as_lamp(session));
  ASSERT_TRUE(again.wait_for(R"("jobId":"meanwhile")")) << again.output();
}

TEST_F(MosquittoClientsTest, ACleanSessionHearsNothingOfThat) {
  create_job("meanwhile");
  wait_for_mirror();
  CommandLineClient fresh(
      io_, "mosquitto_sub",
      as_lamp({"-q", "1", "-t", kLampJobs + "#", kMessages[0], kMessages[1], kMessages[2]}));
  ASSERT_TRUE(fresh.wait_for("Subscribed")) << fresh.output();
  create_job("later");
  ASSERT_TRUE(fresh.wait_for("later")) << fresh.output();
  EXPECT_THAT(messages(fresh), ElementsAre(StartsWith(kLampJobs + "notify {")));
}

TEST_F(MosquittoClientsTest, NobodyConnectsAsAnotherDevice) {
  CommandLineClient impostor(
      io_, "mosquitto_pub",
      options("lamp", door_identity_, {"-t", kLampJobs + "get", "-m", "{}", "-V", "5"}));
  EXPECT_EQ(impostor.finish(), kNotAuthorised) << impostor.output();
  const TestIdentity stranger = lab_.issue("stranger", crypto::Purpose::kTlsClient);
  CommandLineClient unknown(io_, "mosquitto_pub",
                            options("lamp", stranger, {"-t", kLampJobs + "get", "-m", "{}", "-V", "5"}));
  EXPECT_EQ(unknown.finish(), kNotAuthorised) << unknown.output();
}

}  // namespace
}  // namespace otasim::cloud
