// A device's day over a real broker: TLS client, Mosquitto with the plugin, mirror, store.

#include "sim/base/json.h"
#include "tests/sim/cloud/cloud_broker_fixture.h"

namespace otasim::cloud {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using Json = nlohmann::json;
using testing::DeviceClient;
using testing::run_until;

const std::string kJobs = "$aws/things/lamp/jobs/";

class CloudBrokerTest : public CloudBrokerFixture {
 protected:
  [[nodiscard]] std::vector<std::string> event_names() const {
    std::vector<std::string> names;
    for (const Json& event : events_) names.push_back(event["event"]);
    return names;
  }

  /// Publishes a request and returns the answer to it, which is the next message on the reply topic.
  Json ask(DeviceClient& device, const std::string& call, const std::string& payload) {
    device.forget_messages();
    EXPECT_TRUE(device.publish(kJobs + call, payload));
    return Json::parse(device.payload_of(kJobs + call + "/accepted"), nullptr, false);
  }

  /// Downloads the whole file as the agent does: a bitmap of what is missing, a few blocks a request.
  std::vector<std::uint8_t> download(DeviceClient& device, const std::string& stream, std::size_t size) {
    constexpr std::size_t kBlock = 4096;
    const std::size_t blocks = (size + kBlock - 1) / kBlock;
    std::vector<std::uint8_t> image(size);
    std::vector<std::uint8_t> bitmap((blocks + 7) / 8, 0xFF);
    const std::string topic = "$aws/things/lamp/streams/" + stream;
    std::size_t received = 0;
    while (received < blocks) {
      std::string request;
      Json::to_cbor({{"c", "rdy"}, {"f", 0}, {"l", kBlock}, {"o", 0}, {"b", Json::binary(bitmap)}, {"n", 4}},
                    request);
      device.forget_messages();
      EXPECT_TRUE(device.publish(topic + "/get/cbor", request, 0));
      const std::size_t wanted = std::min<std::size_t>(4, blocks - received);
      if (!run_until(io_, [&] { return device.count(topic + "/data/cbor") >= wanted; })) break;
      for (const auto& message : device.messages()) {
        const auto block = Json::from_cbor(message.payload);
        const std::size_t index = block["i"];
        const auto& data = block["p"].get_binary();
        std::ranges::copy(data, image.begin() + static_cast<std::ptrdiff_t>(index * kBlock));
        bitmap[index / 8] &= static_cast<std::uint8_t>(~(1U << (index % 8)));
        ++received;
      }
    }
    return image;
  }
};

TEST_F(CloudBrokerTest, AnUpdateRunsFromNotifyNextToSucceeded) {
  DeviceClient device(io_, "lamp");
  ASSERT_EQ(device.connect(lab_, broker_->port(), identity_), 0);
  ASSERT_EQ(device.subscribe(kJobs + "notify-next"), 1);
  EXPECT_FALSE(ask(device, "$next/get", R"({"clientToken":"0:lamp"})").contains("execution"));

  const auto image = pattern(100 * 1000);
  std::vector<std::string> statuses;
  const auto watch = cloud_->on_execution_change(
      [&](const JobExecution& e) { statuses.emplace_back(to_string(e.state.status)); });
  const auto update = cloud_->ota_updates().create({.id = OtaUpdateId::parse("u1").value(),
                                                    .targets = {lamp_},
                                                    .files = {{.file_name = "/fw.bin",
                                                               .location = upload(image).location,
                                                               .code_signing = LabSigning{"/signer.pem"}}}});
  ASSERT_TRUE(update) << update.error().message;
  const auto told = Json::parse(device.payload_of(kJobs + "notify-next"));
  const auto document = told["execution"]["jobDocument"]["afr_ota"];
  EXPECT_EQ(told["execution"]["jobId"], "AFR_OTA-u1");
  EXPECT_EQ(document["files"][0]["filesize"], image.size());

  EXPECT_EQ(download(device, document["streamname"], image.size()), image);
  const std::string progress = R"({"status":"IN_PROGRESS","statusDetails":{"receive":"1/25"}})";
  ask(device, "AFR_OTA-u1/update", progress);
  const auto done =
      ask(device, "AFR_OTA-u1/update", R"({"status":"SUCCEEDED","includeJobExecutionState":true})");
  EXPECT_EQ(done["executionState"]["status"], "SUCCEEDED");
  EXPECT_THAT(statuses, ElementsAre("QUEUED", "IN_PROGRESS", "SUCCEEDED"));
  EXPECT_THAT(event_names(), Contains("client_connected"));
  EXPECT_THAT(event_names(), Contains("stream_request"));
}

TEST_F(CloudBrokerTest, AnAnswerComesOnceWhetherSubscribedOrNot) {
  DeviceClient device(io_, "lamp");
  ASSERT_EQ(device.connect(lab_, broker_->port(), identity_), 0);
  ask(device, "$next/get", R"({"clientToken":"1"})");
  ask(device, "get", "{}");  // a later answer: whatever the first brought is here
  ASSERT_EQ(device.subscribe(kJobs + "$next/get/accepted"), 1);
  device.forget_messages();
  ASSERT_TRUE(device.publish(kJobs + "$next/get", R"({"clientToken":"2"})"));
  ASSERT_TRUE(device.publish(kJobs + "get", "{}"));
  device.payload_of(kJobs + "get/accepted");
  EXPECT_EQ(device.count(kJobs + "$next/get/accepted"), 1U);
}

TEST_F(CloudBrokerTest, AThingAttachedLaterMayConnectAtOnce) {
  const auto door = lab_.issue("door", crypto::Purpose::kTlsClient);
  attach(door_, door);
  wait_for_mirror();
  DeviceClient device(io_, "door");
  EXPECT_EQ(device.connect(lab_, broker_->port(), door), 0);
}

TEST_F(CloudBrokerTest, AMirrorThatIsStartedAgainGoesOnWithTheQueue) {
  create_job("j1");
  link_.reset();
  open();
  connect_mirror();
  DeviceClient device(io_, "lamp");
  ASSERT_EQ(device.connect(lab_, broker_->port(), identity_), 0);
  EXPECT_EQ(ask(device, "start-next", "{}")["execution"]["jobId"], "j1");
}

TEST_F(CloudBrokerTest, ABrokerThatDiesIsReported) {
  ASSERT_EQ(::kill(broker_->pid(), SIGKILL), 0);
  EXPECT_TRUE(run_until(io_, [this] { return !lost_.empty(); }));
  EXPECT_THAT(lost_, ::testing::HasSubstr("lost its connection"));
  create_job("j1");  // and the cloud does not mind
}

}  // namespace
}  // namespace otasim::cloud
