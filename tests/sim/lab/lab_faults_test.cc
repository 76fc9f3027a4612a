// A running lab breaks its own parts on purpose, and mends them.
#include <gmock/gmock.h>
#include <signal.h>

#include <filesystem>

#include "sim/base/file_io.h"
#include "sim/base/temp_dir.h"
#include "sim/lab/lab_device.h"
#include "sim/lab/running_lab.h"
#include "tests/sim/broker/device_client.h"

namespace otasim::lab {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::json;
using otasim::testing::DeviceClient;
using otasim::testing::run_until;

const std::string kJobs = "$aws/things/lamp/jobs/";

class LabFaultsTest : public ::testing::Test {
 protected:
  LabFaultsTest() {
    log->listen([this](const Json& event) { events.push_back(event); });
    auto identities = Lab::open_or_create(folder.path().string());
    EXPECT_TRUE(identities) << identities.error().message;
    auto started = RunningLab::start(io, std::move(*identities),
                                     {.socket_folder = sockets.path().string(), .broker_plugin = {}}, *log);
    EXPECT_TRUE(started) << started.error().message;
    lab = std::move(*started);
    lab->on_exit([this](const Error& error) { exits.push_back(error.message); });
    const auto registered = register_device(*lab, "lamp");
    EXPECT_TRUE(registered) << registered.error().message;
    identity = {registered->certificate_path, registered->key_path, ""};
    bool is_ready = false;
    lab->when_ready([&is_ready] { is_ready = true; });
    EXPECT_TRUE(run_until(io, [&is_ready] { return is_ready; }));
  }

  [[nodiscard]] std::optional<int> connect(DeviceClient& device) {
    return device.connect(lab->identities().authority().certificate_path, lab->mqtt_port(), identity);
  }
  /// The latest event of this name, or of this fault; null if there is none.
  [[nodiscard]] Json event(const std::string& name) const {
    Json found;
    for (const Json& one : events) {
      if (one["event"] == name || (one["event"] == "fault" && one["fault"] == name)) found = one;
    }
    return found;
  }
  [[nodiscard]] Result<void> restart(std::int64_t down_ms) {
    std::optional<Result<void>> restarted;
    lab->restart_broker(down_ms, [&](const Result<void>& result) { restarted = result; });
    EXPECT_TRUE(run_until(io, [&] { return restarted.has_value(); }));
    return restarted.value_or(fail(ExitCode::kInternal, "no end"));
  }

  TempDir folder = TempDir::create().value();
  TempDir sockets = TempDir::create().value();
  boost::asio::io_context io;
  std::unique_ptr<report::EventLog> log = report::EventLog::in_memory();
  std::vector<Json> events;
  std::vector<std::string> exits;
  std::unique_ptr<RunningLab> lab;
  otasim::testing::TestIdentity identity;
};

TEST_F(LabFaultsTest, TheBrokerRestartsOnItsPortAndKnowsItsDevices) {
  DeviceClient before(io, "lamp");
  ASSERT_EQ(connect(before), 0);
  ASSERT_TRUE(run_until(io, [&] { return lab->is_connected("lamp"); }));
  const Json first = event("client_connected");
  const std::uint16_t port = lab->mqtt_port();

  const auto restarted = restart(20);
  ASSERT_TRUE(restarted) << restarted.error().message;
  EXPECT_TRUE(run_until(io, [&] { return !before.connected(); }));
  EXPECT_EQ(event("broker.restart")["down_ms"], 20);
  EXPECT_EQ(event("broker.restart")["source"], "broker");
  EXPECT_EQ(event("up")["port"], port);
  EXPECT_EQ(lab->mqtt_port(), port);
  EXPECT_THAT(exits, ElementsAre()) << "it was on purpose";
  EXPECT_FALSE(lab->is_connected("lamp"));
  EXPECT_EQ(event("client_disconnected")["clientId"], "lamp");
  EXPECT_EQ(event("client_disconnected")["connection"], first["connection"]);

  DeviceClient after(io, "lamp");
  ASSERT_EQ(connect(after), 0);
  ASSERT_TRUE(run_until(io, [&] { return lab->is_connected("lamp"); }));
  EXPECT_GT(event("client_connected")["connection"], first["connection"]) << "no number is given twice";
  ASSERT_TRUE(after.publish(kJobs + "get", "{}"));
  EXPECT_NE(after.payload_of(kJobs + "get/accepted"), "");
  EXPECT_TRUE(std::filesystem::exists(sockets.file("mosquitto.1.log"))) << "the first one's log is kept";
}

TEST_F(LabFaultsTest, ARestartedBrokerThatEndsByItselfIsReported) {
  ASSERT_TRUE(restart(0));
  ASSERT_EQ(::kill(lab->broker_pid(), SIGKILL), 0);
  ASSERT_TRUE(run_until(io, [&] { return !exits.empty(); }));
  EXPECT_THAT(exits, ElementsAre(HasSubstr("killed by signal 9")));
}

TEST_F(LabFaultsTest, ARestartMayBeFollowedByAnotherAtOnce) {
  int restarts = 0;
  lab->restart_broker(0, [&](const Result<void>& first) {
    ASSERT_TRUE(first);
    lab->restart_broker(0, [&](const Result<void>& second) { restarts = second ? 2 : -1; });
  });
  ASSERT_TRUE(run_until(io, [&] { return restarts != 0; }));
  EXPECT_EQ(restarts, 2);
  EXPECT_THAT(exits, ElementsAre());
}

TEST_F(LabFaultsTest, WhileTheBrokerIsDownNobodyGetsInAndTheCloudGoesOn) {
  ASSERT_TRUE(lab->take_broker_down());
  EXPECT_EQ(event("broker.down")["source"], "broker");
  DeviceClient device(io, "lamp");
  EXPECT_EQ(connect(device), std::nullopt);
  const auto thing = cloud::ThingName::parse("lamp").value();
  ASSERT_TRUE(lab->cloud().jobs().create(
      {.id = cloud::JobId::parse("j1").value(), .document = "{}", .targets = {thing}}));
  lab->kick("lamp");  // and nothing happens

  EXPECT_FALSE(lab->take_broker_down());
  ASSERT_TRUE(lab->bring_broker_up());
  EXPECT_FALSE(lab->bring_broker_up());
  ASSERT_TRUE(run_until(io, [&] { return !event("up").is_null(); }));
  ASSERT_EQ(connect(device), 0);
  ASSERT_TRUE(device.publish(kJobs + "get", "{}"));
  EXPECT_THAT(device.payload_of(kJobs + "get/accepted"), HasSubstr("\"j1\""));
}

TEST_F(LabFaultsTest, ABrokerThatIsDownCannotBeRestarted) {
  ASSERT_TRUE(lab->take_broker_down());
  const auto restarted = restart(0);
  ASSERT_FALSE(restarted);
  EXPECT_EQ(restarted.error().code, ExitCode::kUsage);
}

TEST_F(LabFaultsTest, TheLabMayEndWhileItsBrokerIsDown) {
  lab->restart_broker(0, [](const Result<void>&) { FAIL(); });
  lab.reset();
  io.restart();
  io.poll();
}

TEST_F(LabFaultsTest, ArmedFaultsOutliveTheBroker) {
  const FaultId id = lab->message_faults().arm({.match = {.topic = "jobs/get/accepted"}});
  ASSERT_TRUE(restart(0));
  DeviceClient device(io, "lamp");
  ASSERT_EQ(connect(device), 0);
  ASSERT_TRUE(device.publish(kJobs + "get", "{}"));
  ASSERT_TRUE(run_until(io, [&] { return !event("broker.drop").is_null(); }));
  EXPECT_TRUE(lab->message_faults().clear(id));
}

TEST_F(LabFaultsTest, ASecondClientTakesTheDevicesPlace) {
  DeviceClient device(io, "lamp");
  ASSERT_EQ(connect(device), 0);
  std::optional<Result<broker::SecondClient::End>> end;
  lab->connect_second_client("lamp", 0, [&](const auto& how) { end = how; });
  ASSERT_TRUE(run_until(io, [&] { return end && !device.connected(); }));
  ASSERT_TRUE(*end) << end->error().message;
  EXPECT_EQ(**end, broker::SecondClient::End::kSaidGoodbye);
  EXPECT_EQ(event("broker.duplicate_client")["device"], "lamp");
  EXPECT_EQ(event("broker.duplicate_client")["hold_ms"], 0);
}

TEST_F(LabFaultsTest, ASecondClientOfADeviceThatIsNotThereIsAnError) {
  std::optional<Result<broker::SecondClient::End>> end;
  lab->connect_second_client("nobody", 0, [&](const auto& how) { end = how; });
  ASSERT_TRUE(run_until(io, [&] { return end.has_value(); }));
  ASSERT_FALSE(*end);
  EXPECT_THAT(end->error().message, HasSubstr("'nobody'"));
  EXPECT_TRUE(event("broker.duplicate_client").is_null());
}

TEST_F(LabFaultsTest, TheCloudsClockJumps) {
  const std::int64_t before = lab->cloud().clock().now();
  bool heard = false;
  const auto listening = lab->clock().on_jump([&heard] { heard = true; });
  lab->jump_clock(86'400);
  EXPECT_GE(lab->cloud().clock().now(), before + 86'400);
  EXPECT_TRUE(heard);
  EXPECT_EQ(event("cloud.clock_jump")["by_s"], 86'400);
  EXPECT_EQ(event("cloud.clock_jump")["source"], "cloud");
}

}  // namespace
}  // namespace otasim::lab
