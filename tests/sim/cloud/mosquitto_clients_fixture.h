// Mosquitto's own command-line programs as devices, and as a console that may do everything.
//
// A client id is the thing's name and a thing has one connection, so each program runs alone under its name.
// What they receive, and what they are answered, is evidence for docs/aws-conformance.md.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <openssl/evp.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/broker/iot_policy.h"
#include "tests/conformance/evidence.h"
#include "tests/sim/cloud/cloud_broker_fixture.h"
#include "tests/sim/cloud/command_line_client.h"

namespace otasim::cloud {

using Json = nlohmann::json;
using testing::CommandLineClient;
using testing::TestIdentity;

inline const std::string kLampJobs = "$aws/things/lamp/jobs/";
inline const std::string kDoorJobs = "$aws/things/door/jobs/";
inline const std::string kMark = "message: ";
/// mosquitto_sub tells that it is subscribed only along with much else.
inline const std::vector<std::string> kMessages{"-d", "-F", kMark + "%t %p"};
inline constexpr int kNotAuthorised = 135;  ///< MQTT 5's reason code

class MosquittoClientsTest : public CloudBrokerFixture {
 protected:
  MosquittoClientsTest() {
    testing::evidence().watch(*log_);
    attach(door_, door_identity_);
    wait_for_mirror();
  }

  /// The options that every program needs to connect as a thing.
  std::vector<std::string> options(const std::string& client_id, const TestIdentity& identity,
                                   const std::vector<std::string>& more) {
    std::vector<std::string> all{
        "-h",       "127.0.0.1",    "-p",     std::to_string(broker_->port()), "-i",    client_id,
        "--cafile", lab_.ca_path(), "--cert", identity.certificate_path,       "--key", identity.key_path};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::vector<std::string> as_lamp(const std::vector<std::string>& more) {
    return options("lamp", identity_, more);
  }
  std::vector<std::string> as_door(const std::vector<std::string>& more) {
    return options("door", door_identity_, more);
  }

  /// With a certificate that is no thing's and may do everything.
  std::vector<std::string> as_console(const std::vector<std::string>& more) {
    const TestIdentity identity = lab_.issue("console", crypto::Purpose::kTlsClient);
    const auto pem = read_file(identity.certificate_path).value();
    const auto record = cloud_->certificates().register_certificate({pem.begin(), pem.end()}).value();
    const auto policy = PolicyName::trusted("open");
    EXPECT_TRUE(cloud_->policies().create(policy, broker::open_policy()));
    EXPECT_TRUE(cloud_->policies().attach(policy, record.id));
    wait_for_mirror();
    return options("console", identity, more);
  }

  /// One request of the lamp, and what its answer says.
  std::string ask(const std::string& topic, const std::string& answer_topic,
                  const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"-t", topic, "-e", answer_topic, "-F", "%t %x"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    CommandLineClient client(io_, "mosquitto_rr", as_lamp(arguments));
    EXPECT_EQ(client.finish(), 0) << client.output();
    const std::size_t blank = client.output().find(' ');
    EXPECT_EQ(client.output().substr(0, blank), answer_topic);
    testing::evidence().topic(answer_topic);
    if (answer_topic.find("/rejected") == std::string::npos) testing::evidence().topic(topic);
    return from_hex(client.output().substr(blank + 1));
  }
  Json ask_jobs(const std::string& call, const std::string& payload) {
    return Json::parse(ask(kLampJobs + call, kLampJobs + call + "/accepted", {"-m", payload}), nullptr,
                       false);
  }

  Json ask_json(const std::string& stream, const std::string& payload) {
    return Json::parse(ask(stream + "/get/json", stream + "/data/json", {"-m", payload}), nullptr, false);
  }

  static std::vector<std::uint8_t> from_base64(const std::string& text) {
    std::vector<std::uint8_t> bytes(text.size() / 4 * 3);
    const auto* digits = reinterpret_cast<const unsigned char*>(text.data());
    EXPECT_EQ(EVP_DecodeBlock(bytes.data(), digits, static_cast<int>(text.size())),
              static_cast<int>(bytes.size()));
    bytes.resize(bytes.size() - static_cast<std::size_t>(std::ranges::count(text, '=')));
    return bytes;
  }

  static std::string from_hex(std::string_view digits) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
      bytes += static_cast<char>(std::stoi(std::string{digits.substr(i, 2)}, nullptr, 16));
    }
    return bytes;
  }

  /// The messages among what mosquitto_sub wrote with kMessages, each `topic payload`.
  static std::vector<std::string> messages(const CommandLineClient& client) {
    std::vector<std::string> all;
    std::istringstream lines(client.output());
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with(kMark)) continue;
      all.push_back(line.substr(kMark.size()));
      testing::evidence().topic(all.back().substr(0, all.back().find(' ')));
    }
    return all;
  }

  OtaUpdate create_update(const std::vector<std::uint8_t>& image) {
    auto update = cloud_->ota_updates().create({.id = OtaUpdateId::parse("u1").value(),
                                                .targets = {lamp_},
                                                .files = {{.file_name = "/fw.bin",
                                                           .location = upload(image).location,
                                                           .code_signing = LabSigning{"/signer.pem"}}}});
    EXPECT_TRUE(update) << update.error().message;
    return *update;
  }

  ExecutionState state(const std::string& id, const ThingName& thing) {
    return jobs().execution(job(id), thing).value().state;
  }

  /// Waits until the broker has refused this client something about a topic.
  bool denied(const std::string& client_id, const std::string& topic) {
    return testing::run_until(io_, [&] {
      return std::ranges::any_of(events_, [&](const Json& event) {
        return event["event"] == "client_denied" && event["clientId"] == client_id && event["topic"] == topic;
      });
    });
  }

  const TestIdentity door_identity_ = lab_.issue("door", crypto::Purpose::kTlsClient);
};

}  // namespace otasim::cloud
