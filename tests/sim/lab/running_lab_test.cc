// A lab's parts know each other: what the cloud tells a device, the device can reach.
#include "sim/lab/running_lab.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/temp_dir.h"
#include "sim/lab/build_products.h"

namespace otasim::lab {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

class RunningLabTest : public testing::Test {
 protected:
  RunningLabTest() { start(); }
  void start() {
    auto identities = Lab::open_or_create(folder.path().string());
    ASSERT_TRUE(identities) << identities.error().message;
    const auto products = BuildProducts::find("mps2-an385");
    ASSERT_TRUE(products) << products.error().message;
    auto started = RunningLab::start(
        io, std::move(*identities),
        {.socket_folder = sockets.path().string(), .broker_plugin = products->broker_plugin}, *log);
    ASSERT_TRUE(started) << started.error().message;
    lab = std::move(*started);
  }

  TempDir folder = TempDir::create().value();
  TempDir sockets = TempDir::create().value();
  boost::asio::io_context io;
  std::unique_ptr<report::EventLog> log = report::EventLog::in_memory();
  std::unique_ptr<RunningLab> lab;
};

TEST_F(RunningLabTest, PresignedUrlsLeadToTheObjectServerWhichDevicesMayReach) {
  EXPECT_THAT(lab->device_ports(),
              ElementsAre(lab->mqtt_port(), lab->https_port(), lab->jobs_port(), lab->alpn_port()));
  const std::vector<std::uint8_t> content{1, 2, 3};
  const auto object = lab->cloud().objects().put("otasim", "update.img", content);
  ASSERT_TRUE(object) << object.error().message;
  EXPECT_THAT(
      lab->cloud().urls().presign_get(object->location, 60),
      StartsWith("https://otasim.localhost:" + std::to_string(lab->https_port()) + "/otasim/update.img?"));
}

TEST_F(RunningLabTest, UrlsAreSignedWithTheLabsAccessKey) {
  const auto url = lab->cloud().urls().presign_get({.bucket = "b", .key = "k", .version = {}}, 60);
  EXPECT_NE(url.find("X-Amz-Credential=" + lab->identities().access_key().id), std::string::npos) << url;
}

TEST_F(RunningLabTest, ReadyComesWhenTheBrokerHasAnswered) {
  bool is_ready = false;
  lab->when_ready([&] {
    is_ready = true;
    io.stop();
  });
  EXPECT_FALSE(is_ready);
  io.run();
  EXPECT_TRUE(is_ready);
  EXPECT_FALSE(lab->is_connected("thing-1"));
}

}  // namespace
}  // namespace otasim::lab
