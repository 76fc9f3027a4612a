// A fleet's devices over real cloud and broker: what a killed lab had begun is finished at the next start.
// The devices stay off; those that run are in tests/sim/cli/cli_lab_test.cc.
#include "sim/lab/fleet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "pal_sim/flash/flash_map.h"
#include "sim/base/file_io.h"
#include "sim/base/temp_dir.h"
#include "sim/image/image.h"
#include "sim/lab/firmware.h"

namespace otasim::lab {
namespace {

namespace fs = std::filesystem;
using cloud::GroupName;
using cloud::ThingName;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using State = DeviceRecord::State;

std::vector<std::uint8_t> make_image() {
  const auto key = crypto::P256Key::generate().value();
  const std::vector<std::uint8_t> payload(1000, 0x42);
  return image::sign(payload, {.version = {1, 2, 3}, .load_address = boards().front().load_address}, key)
      .value();
}

class FleetTest : public testing::Test {
 protected:
  FleetTest() { start(); }

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
  void open_fleet() {
    auto opened = Fleet::open(*lab, sockets.path().string());
    ASSERT_TRUE(opened) << opened.error().message;
    fleet = std::move(*opened);
  }
  /// As after a kill: what is not in the folder is gone.
  void restart() {
    fleet.reset();
    lab.reset();
    start();
    open_fleet();
  }
  void add(const std::string& name, std::vector<std::string> groups = {}) {
    const auto added =
        fleet->add({.name = name, .board = "mps2-an385", .image = image, .groups = std::move(groups)});
    ASSERT_TRUE(added) << added.error().message;
  }
  /// Changes the record of a device as a lab would have it that is killed now.
  void interrupt(const std::string& name, State state, std::vector<std::string> groups = {}) {
    DeviceRecord record = DeviceRecord::load(device_folder(name)).value();
    record.state = state;
    record.groups = std::move(groups);
    ASSERT_TRUE(record.save(device_folder(name)));
  }
  [[nodiscard]] std::string device_folder(const std::string& name) const {
    return folder.file("devices/" + name);
  }
  std::vector<std::string> certificates_of(const std::string& name) {
    return lab->cloud().things().principals_of(ThingName::trusted(name)).value_or(std::vector<std::string>());
  }
  std::vector<std::string> groups_of(const std::string& name) {
    std::vector<std::string> names;
    const auto groups = lab->cloud().groups().groups_of(ThingName::trusted(name));
    if (!groups) return {"no such thing"};
    for (const GroupName& group : *groups) names.push_back(group.str());
    return names;
  }
  bool has_thing(const std::string& name) {
    return lab->cloud().things().describe(ThingName::trusted(name)).has_value();
  }
  void make_group(const std::string& name) {
    ASSERT_TRUE(lab->cloud().groups().create({.name = GroupName::trusted(name)}));
  }

  TempDir folder = TempDir::create().value();
  TempDir sockets = TempDir::create().value();
  boost::asio::io_context io;
  std::unique_ptr<report::EventLog> log = report::EventLog::in_memory();
  std::unique_ptr<RunningLab> lab;
  std::unique_ptr<Fleet> fleet;
  const std::vector<std::uint8_t> image = make_image();
};

TEST_F(FleetTest, DevicesAreFoundAgain) {
  open_fleet();
  add("thing-1");
  add("thing-2");
  const DeviceRecord before = fleet->record("thing-2");
  EXPECT_NE(before.mac, fleet->record("thing-1").mac);
  restart();
  EXPECT_THAT(fleet->names(), ElementsAre("thing-1", "thing-2"));
  EXPECT_EQ(fleet->record("thing-2").mac, before.mac);
  EXPECT_EQ(fleet->record("thing-2").seed, before.seed);
  EXPECT_EQ(fleet->record("thing-2").factory_version, "1.2.3");
  EXPECT_EQ(fleet->find("thing-2").value()->power(), LabDevice::Power::kOff);
}

TEST_F(FleetTest, ADeviceIsAThingWithOneActiveCertificate) {
  open_fleet();
  add("thing-1");
  const auto ids = certificates_of("thing-1");
  ASSERT_EQ(ids.size(), 1U);
  const auto certificate = lab->cloud().certificates().describe(ids.front()).value();
  EXPECT_EQ(certificate.status, cloud::CertificateStatus::kActive);
  const auto pem = read_file(device_folder("thing-1") + "/device.cert.pem").value();
  EXPECT_EQ(certificate.pem, std::string(pem.begin(), pem.end()));
}

TEST_F(FleetTest, ADeviceThatWasBeingMadeIsMadeAtTheNextStart) {
  open_fleet();
  make_group("all");
  add("thing-1");
  // The flash was not there yet, nor had it joined its group.
  interrupt("thing-1", State::kEquipping, {"all", "deleted-meanwhile"});
  fs::remove(device_folder("thing-1") + "/flash.bin");
  restart();
  EXPECT_THAT(fleet->names(), ElementsAre("thing-1"));
  EXPECT_EQ(fleet->record("thing-1").state, State::kReady);
  EXPECT_THAT(groups_of("thing-1"), ElementsAre("all"));
  EXPECT_EQ(certificates_of("thing-1").size(), 1U);
  EXPECT_TRUE(fs::exists(device_folder("thing-1") + "/flash.bin"));
}

TEST_F(FleetTest, TheRecoveryImageIsOnRecordAndInFlashAlsoIfTheDeviceIsMadeAgain) {
  open_fleet();
  add("thing-1");
  EXPECT_EQ(fleet->record("thing-1").recovery_version, kRecoveryVersion);
  const auto recovery = read_file(device_folder("thing-1") + "/recovery.img").value();
  EXPECT_EQ(image::to_string(image::parse(recovery).value().version), kRecoveryVersion);
  const auto holds_it = [&] {
    const auto window = read_file(device_folder("thing-1") + "/flash.bin").value();
    return std::ranges::equal(recovery, std::span(window).subspan(flash::kRecovery.offset, recovery.size()));
  };
  EXPECT_TRUE(holds_it());
  interrupt("thing-1", State::kEquipping);
  fs::remove(device_folder("thing-1") + "/flash.bin");
  restart();
  EXPECT_EQ(fleet->record("thing-1").recovery_version, kRecoveryVersion);
  EXPECT_TRUE(holds_it());
}

TEST_F(FleetTest, ADeviceMayHaveNoRecoveryImage) {
  open_fleet();
  ASSERT_TRUE(fleet->add({.name = "thing-1", .board = "mps2-an385", .image = image, .has_recovery = false}));
  ASSERT_TRUE(fleet->reprovision("thing-1"));
  EXPECT_EQ(fleet->record("thing-1").recovery_version, "");
  EXPECT_FALSE(fs::exists(device_folder("thing-1") + "/recovery.img"));
  const auto window = read_file(device_folder("thing-1") + "/flash.bin").value();
  EXPECT_EQ(window[flash::kRecovery.offset], 0xFF);
}

TEST_F(FleetTest, ADeviceWhoseThingWasNotMadeYetIsMadeAtTheNextStart) {
  open_fleet();
  add("thing-1");
  interrupt("thing-1", State::kEquipping);
  const auto thing = ThingName::trusted("thing-1");
  for (const std::string& id : certificates_of("thing-1")) {
    ASSERT_TRUE(lab->cloud().things().detach_principal(thing, id));
  }
  ASSERT_TRUE(lab->cloud().things().remove(thing));
  restart();
  EXPECT_TRUE(has_thing("thing-1"));
  EXPECT_EQ(certificates_of("thing-1").size(), 1U);
}

TEST_F(FleetTest, ADeviceThatWasBeingRemovedIsGoneAtTheNextStart) {
  open_fleet();
  add("thing-1");
  add("thing-2");
  interrupt("thing-1", State::kRemoving);
  restart();
  EXPECT_THAT(fleet->names(), ElementsAre("thing-2"));
  EXPECT_FALSE(has_thing("thing-1"));
  EXPECT_FALSE(fs::exists(device_folder("thing-1")));
}

TEST_F(FleetTest, WhatWasBegunWithoutARecordIsGoneAtTheNextStart) {
  open_fleet();
  fs::create_directories(device_folder("thing-1"));
  std::ofstream(device_folder("thing-1") + "/factory.img") << "an image";
  std::ofstream(device_folder("thing-1") + "/recovery.img.x4bD9a") << "half an ima";
  fs::create_directories(device_folder("thing-2"));
  restart();
  EXPECT_THAT(fleet->names(), IsEmpty());
  EXPECT_TRUE(fs::is_empty(folder.file("devices")));
}

TEST_F(FleetTest, AFolderWithoutARecordIsNoDeviceButIsLeftAlone) {
  open_fleet();
  fs::create_directories(device_folder("thing-1"));
  std::ofstream(device_folder("thing-1") + "/flash.bin") << "precious";
  restart();
  EXPECT_THAT(fleet->names(), IsEmpty());
  EXPECT_TRUE(fs::exists(device_folder("thing-1") + "/flash.bin"));
}

TEST_F(FleetTest, ADamagedRecordIsNamed) {
  open_fleet();
  add("thing-1");
  fleet.reset();
  std::ofstream(device_folder("thing-1") + "/device.json") << "{}";
  const auto opened = Fleet::open(*lab, sockets.path().string());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ExitCode::kEnvironment);
  EXPECT_THAT(opened.error().message, HasSubstr(device_folder("thing-1") + "/device.json"));
}

TEST_F(FleetTest, AReprovisionedDeviceHasANewIdentityABlankFlashAndItsGroups) {
  open_fleet();
  make_group("all");
  add("thing-1", {"all"});
  const auto before = certificates_of("thing-1");
  const std::string flash = device_folder("thing-1") + "/flash.bin";
  const auto factory_flash = read_file(flash).value();
  {
    std::fstream used(flash, std::ios::binary | std::ios::in | std::ios::out);
    used.seekp(0);
    used << "boot control";
  }
  ASSERT_TRUE(fleet->reprovision("thing-1"));
  const auto after = certificates_of("thing-1");
  ASSERT_EQ(after.size(), 1U);
  EXPECT_NE(after, before);
  EXPECT_FALSE(lab->cloud().certificates().describe(before.front())) << "the old certificate is still known";
  EXPECT_THAT(groups_of("thing-1"), ElementsAre("all"));
  const auto now = read_file(flash).value();
  EXPECT_TRUE(std::equal(now.begin(), now.begin() + 4096, factory_flash.begin()));
}

TEST_F(FleetTest, ARemovedDeviceTakesItsThingCertificateAndFilesAlong) {
  open_fleet();
  add("thing-1");
  const auto ids = certificates_of("thing-1");
  ASSERT_TRUE(fleet->remove("thing-1"));
  EXPECT_FALSE(has_thing("thing-1"));
  EXPECT_FALSE(lab->cloud().certificates().describe(ids.front()));
  EXPECT_FALSE(fs::exists(device_folder("thing-1")));
  restart();
  EXPECT_THAT(fleet->names(), IsEmpty());
}

TEST_F(FleetTest, AThingThatIsNoDeviceKeepsItsName) {
  open_fleet();
  ASSERT_TRUE(lab->cloud().things().create(ThingName::trusted("thing-1")));
  const auto refused = fleet->add({.name = "thing-1", .board = "mps2-an385", .image = image});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ExitCode::kUsage);
  EXPECT_THAT(refused.error().message, HasSubstr("there is a thing 'thing-1' already"));
  EXPECT_FALSE(fs::exists(device_folder("thing-1")));
}

TEST_F(FleetTest, ARefusedDeviceLeavesNothing) {
  open_fleet();
  for (const NewDevice& request :
       {NewDevice{.name = "a b", .board = "mps2-an385", .image = image},
        NewDevice{.name = "thing-1", .board = "z80", .image = image},
        NewDevice{.name = "thing-1", .board = "mps2-an385", .image = {1, 2, 3}},
        NewDevice{.name = "thing-1", .board = "mps2-an385", .image = image, .groups = {"x"}}}) {
    const auto refused = fleet->add(request);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ExitCode::kUsage) << refused.error().message;
  }
  EXPECT_THAT(fleet->names(), IsEmpty());
  EXPECT_FALSE(has_thing("thing-1"));
  EXPECT_FALSE(fs::exists(device_folder("thing-1")));
}

TEST_F(FleetTest, StoppingAFleetThatIsOffIsDoneAtOnce) {
  open_fleet();
  add("thing-1");
  int done = 0;
  fleet->stop_all([&] { ++done; });
  EXPECT_EQ(done, 1);
}

}  // namespace
}  // namespace otasim::lab
