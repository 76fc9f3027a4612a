// A lab's ports as clients find them: MQTT and the jobs data plane by ALPN on one port, keep-alive, another
// host name.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <openssl/ssl.h>

#include "sim/base/json.h"
#include "sim/base/temp_dir.h"
#include "sim/lab/lab_device.h"
#include "sim/lab/running_lab.h"
#include "sim/rest/alpn_port.h"
#include "tests/sim/rest/https_client.h"

namespace otasim::lab {
namespace {

using nlohmann::json;
using rest::test::HttpsClient;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class LabPortsTest : public ::testing::Test {
 protected:
  void start(const std::string& host = {}) {
    log->listen([this](const json& event) { events.push_back(event); });
    auto identities = Lab::open_or_create(folder.path().string()).value();
    ASSERT_TRUE(identities.serve_as(host));
    lab =
        RunningLab::start(io, std::move(identities),
                          {.socket_folder = sockets.path().string(), .broker_plugin = {}, .host = host}, *log)
            .value();
    ASSERT_TRUE(register_device(*lab, "lamp"));
    bool ready = false;
    lab->when_ready([&ready] { ready = true; });
    rest::test::run_until(io, [&ready] { return ready; });
  }

  HttpsClient connect(std::uint16_t port, const std::vector<std::string>& protocols, int tls_version = 0) {
    const std::string device = lab->identities().device_folder("lamp") + "/device";
    return {io,
            port,
            {.authority_path = lab->identities().authority().certificate_path,
             .tls_version = tls_version,
             .identity = {device + ".cert.pem", device + ".key.pem"},
             .protocols = protocols}};
  }

  /// MQTT 3.1.1, a clean session.
  static std::string connect_packet(const std::string& client_id, char keep_alive_seconds) {
    std::string body{"\x00\x04MQTT\x04\x02\x00", 9};
    body += keep_alive_seconds;
    body += std::string{"\x00", 1} + static_cast<char>(client_id.size()) + client_id;
    return "\x10" + std::string(1, static_cast<char>(body.size())) + body;
  }

  /// The first event of this name, waited for.
  json event(const std::string& name) {
    const auto find = [&] {
      return std::ranges::find_if(events, [&name](const json& one) { return one["event"] == name; });
    };
    rest::test::run_until(io, [&] { return find() != events.end(); });
    return *find();
  }

  TempDir folder = TempDir::create().value();
  TempDir sockets = TempDir::create().value();
  boost::asio::io_context io;
  std::unique_ptr<report::EventLog> log = report::EventLog::in_memory();
  std::vector<json> events;
  std::unique_ptr<RunningLab> lab;
};

TEST_F(LabPortsTest, TheBrokerIsReachedByAlpnAndEndsAConnectionThatOutlivesItsKeepAlive) {
  start();
  auto client = connect(lab->alpn_port(), {rest::kMqttProtocol});
  ASSERT_FALSE(client.error()) << client.error().message();
  client.send(connect_packet("lamp", 1));
  EXPECT_EQ(event("client_connected")["clientId"], "lamp");
  client.read_to_end();
  EXPECT_EQ(event("client_disconnected")["disconnectReason"], "MQTT_KEEP_ALIVE_TIMEOUT");
}

TEST_F(LabPortsTest, TheJobsDataPlaneIsReachedByAlpnWithADevicesCertificate) {
  start();
  auto client = connect(lab->alpn_port(), {rest::kHttpProtocol});
  const auto answer = client.get("/things/lamp/jobs");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(answer.body, HasSubstr("queuedJobs"));
}

TEST_F(LabPortsTest, WithoutAlpnTheSamePortIsTheAwsInterface) {
  start();
  auto client = connect(lab->alpn_port(), {});
  const auto answer = client.get("/things");
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.header("x-amzn-ErrorType"), "MissingAuthenticationTokenException");
}

TEST_F(LabPortsTest, BrokerAndHttpsSpeakTls12And13AndNothingOlder) {
  start();
  for (const std::uint16_t port : {lab->mqtt_port(), lab->https_port(), lab->jobs_port()}) {
    EXPECT_FALSE(connect(port, {}, TLS1_2_VERSION).error()) << port;
    EXPECT_FALSE(connect(port, {}, TLS1_3_VERSION).error()) << port;
    EXPECT_TRUE(connect(port, {}, TLS1_1_VERSION).error()) << port;
  }
}

TEST_F(LabPortsTest, AnotherHostNameStandsInTheCertificateAndInUrls) {
  start("lab.example");
  X509* const certificate = lab->identities().endpoint().certificate.get();
  for (const char* name : {"lab.example", "localhost", kEndpointHost}) {
    EXPECT_EQ(X509_check_host(certificate, name, 0, 0, nullptr), 1) << name;
  }
  EXPECT_THAT(lab->cloud().urls().presign_get({.bucket = "b", .key = "k", .version = {}}, 60),
              StartsWith(fmt::format("https://lab.example:{}/b/k?", lab->https_port())));
  EXPECT_THAT(lab->host_names(), ::testing::ElementsAre(kEndpointHost, "lab.example"));
  EXPECT_EQ(connect(lab->https_port(), {}).get("/things").status, 403)
      << "the lab's own names still lead here";
}

}  // namespace
}  // namespace otasim::lab
