// A lab that is killed again and again, at random points of a device's and an operator's work: what was
// acknowledged stays, what was not is there as a whole or not at all, and no request is answered twice.
//
// OTASIM_KILLS says how often (20 without it), OTASIM_SEED repeats a run's points.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>

#include "sim/base/json.h"
#include "tests/sim/broker/device_client.h"
#include "tests/sim/cli/lab_fixture.h"

namespace otasim::test {
namespace {

using nlohmann::json;
using otasim::testing::DeviceClient;
using otasim::testing::run_until;
using otasim::testing::TestIdentity;

const std::string kUpdate = "$aws/things/camera/jobs/work/update";
const std::string kAccepted = kUpdate + "/accepted";

unsigned long setting(const char* name, unsigned long otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoul(value, nullptr, 10);
}

class CloudKillTest : public LabTest {
 protected:
  CloudKillTest() {
    std::ofstream(folder.file("document.json")) << R"({"operation":"test"})";
    ok({"device", "add", "camera", "--off"});
    ok({"device", "add", "door", "--off"});
    create_job("work", "camera");
    const std::string device = lab() + "/devices/camera/device";
    identity_ = {device + ".cert.pem", device + ".key.pem", ""};
  }

  void create_job(const std::string& id, const std::string& thing) {
    ok({"job", "create", id, "--document", folder.file("document.json"), "--target", thing});
  }

  std::unique_ptr<DeviceClient> connect() {
    const json running = json::parse(content(lab() + "/lab.json"));
    auto client = std::make_unique<DeviceClient>(io_, "camera");
    EXPECT_EQ(
        client->connect(lab() + "/lab-ca.cert.pem", running["mqtt_port"].get<std::uint16_t>(), identity_), 0);
    return client;
  }

  /// The device's execution as the cloud has it.
  static json describe(DeviceClient& client) {
    client.forget_messages();
    EXPECT_TRUE(client.publish("$aws/things/camera/jobs/work/get", "{}"));
    return json::parse(client.payload_of("$aws/things/camera/jobs/work/get/accepted"), nullptr,
                       false)["execution"];
  }

  void send_update(DeviceClient& client) {
    const std::string number = std::to_string(++sent_);
    client.publish(
        kUpdate,
        json{{"status", "IN_PROGRESS"}, {"statusDetails", {{"count", number}}}, {"clientToken", number}}
            .dump(),
        0);
  }

  /// Takes the answers that have come. @returns how many
  std::size_t take_answers(DeviceClient& client) {
    std::size_t count = 0;
    for (const auto& message : client.messages()) {
      if (message.topic != kAccepted) continue;
      const long number = std::stol(json::parse(message.payload)["clientToken"].get<std::string>());
      EXPECT_EQ(++answers_[number], 1) << "update " << number << " was answered twice";
      acknowledged_ = std::max(acknowledged_, number);
      ++count;
    }
    client.forget_messages();
    return count;
  }

  /// Updates the execution with several requests under way until `wanted` have been answered.
  void work(DeviceClient& client, std::size_t wanted) {
    constexpr int kUnderWay = 8;
    for (int i = 0; i < kUnderWay; ++i) send_update(client);
    std::size_t answered = 0;
    ASSERT_TRUE(run_until(io_, [&] {
      const std::size_t came = take_answers(client);
      for (std::size_t i = 0; i < came; ++i) send_update(client);
      answered += came;
      return answered >= wanted || !client.connected();
    }));
    EXPECT_TRUE(client.connected());
  }

  void kill_lab(Program& up) {
    up.send(SIGKILL);
    EXPECT_EQ(up.finish().code, 128 + SIGKILL);
  }

  /// What the cloud says after a kill fits what was acknowledged before.
  void check_device(DeviceClient& client) {
    const json execution = describe(client);
    const long version = execution.value("versionNumber", 0L);
    const long count = std::stol(execution["statusDetails"].value("count", "0"));
    EXPECT_GE(count, acknowledged_) << "an acknowledged update is lost";
    EXPECT_LE(count, sent_) << "an update that was never sent";
    // Versions count the updates that are kept: none twice, none in part.
    EXPECT_EQ(version - version_, count - count_) << "versions and updates do not go together";
    version_ = version;
    count_ = count;
    sent_ = count;
    acknowledged_ = count;
  }

  void check_jobs(const std::string& begun) {
    std::map<std::string, json> jobs;
    for (const json& job : ok({"job", "list"})) jobs[job["id"]] = job;
    for (const std::string& id : created_) EXPECT_TRUE(jobs.contains(id)) << id << " was acknowledged";
    if (!jobs.contains(begun)) return;
    EXPECT_EQ(jobs[begun]["counts"]["QUEUED"], 1) << "a job in part";
    created_.push_back(begun);
  }

  std::unique_ptr<Program> up_ = start_lab({"--quiet"});
  boost::asio::io_context io_;
  TestIdentity identity_;
  std::map<long, int> answers_;  ///< by update
  long sent_ = 0;                ///< the last update's number
  long acknowledged_ = 0;        ///< the last that was answered
  long version_ = 1;             ///< as last seen
  long count_ = 0;
  std::vector<std::string> created_;
};

TEST_F(CloudKillTest, LosesNothingAcknowledgedAndAnswersNothingTwice) {
  const unsigned long kills = setting("OTASIM_KILLS", 20);
  const unsigned long seed = setting("OTASIM_SEED", std::random_device{}());
  RecordProperty("seed", std::to_string(seed));
  SCOPED_TRACE("repeat with OTASIM_SEED=" + std::to_string(seed));
  std::mt19937 random(static_cast<std::mt19937::result_type>(seed));
  for (unsigned long i = 0; i < kills && !HasFailure(); ++i) {
    SCOPED_TRACE("kill " + std::to_string(i));
    auto client = connect();
    const std::string id = "job-" + std::to_string(i);
    // The operator's command and the device's updates run into the kill together.
    const auto command = start(
        {"job", "create", id, "--document", folder.file("document.json"), "--target", "door", "--json"});
    work(*client, random() % 100);
    kill_lab(*up_);
    (void)run_until(io_, [&] { return !client->connected(); });
    take_answers(*client);
    if (command->finish().code == 0) created_.push_back(id);

    up_ = start_lab({"--quiet"});
    client = connect();
    check_device(*client);
    check_jobs(id);
  }
  end_lab(*up_);
}

}  // namespace
}  // namespace otasim::test
