// A lab's keys are its own and private; a device leaves the factory with what it needs to be trusted.
#include "sim/lab/lab.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "pal_sim/flash/flash_map.h"
#include "pal_sim/provisioning/provisioning.h"
#include "sim/base/temp_dir.h"
#include "sim/lab/factory.h"

namespace {

using otasim::TempDir;
using otasim::lab::Identity;
using otasim::lab::Lab;

class LabTest : public testing::Test {
 protected:
  TempDir folder = TempDir::create().value();
  Lab lab = Lab::create(folder.path().string()).value();
};

TEST_F(LabTest, PrivateKeysAreReadableByTheirOwnerOnly) {
  ASSERT_TRUE(lab.issue_device("thing-1").has_value());
  int keys = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (entry.path().string().find(".key.pem") == std::string::npos) continue;
    struct stat info {};
    ASSERT_EQ(stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U) << entry.path();
    ++keys;
  }
  EXPECT_EQ(keys, 4);
}

TEST_F(LabTest, TwoLabsShareNothing) {
  const TempDir other_folder = TempDir::create().value();
  const Lab other = Lab::create(other_folder.path().string()).value();
  EXPECT_NE(lab.authority().certificate.fingerprint(), other.authority().certificate.fingerprint());
  EXPECT_NE(lab.code_signer().key.private_der(), other.code_signer().key.private_der());
}

TEST_F(LabTest, AFolderThatCannotBeWrittenIsAnEnvironmentError) {
  const auto failed = Lab::create("/proc/otasim-lab");
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, otasim::ExitCode::kEnvironment);
  EXPECT_NE(failed.error().message.find("/proc/otasim-lab"), std::string::npos);
}

TEST_F(LabTest, TheDeviceFindsItsIdentityInFlash) {
  const Identity device = lab.issue_device("thing-1").value();
  otasim::lab::DeviceSettings settings;
  settings.thing_name = "thing-1";
  settings.mqtt_port = 4711;
  const auto blob = otasim::lab::provisioning_blob(lab, device, settings).value();
  std::vector<std::uint8_t> window(flash::kWindowSize, 0xFF);
  const std::vector<std::uint8_t> image(5000, 0x42);
  ASSERT_TRUE(otasim::lab::equip(window, blob, image).has_value());
  for (const flash::Partition& copy : {flash::kProvisioning0, flash::kProvisioning1}) {
    provisioning::Settings read;
    ASSERT_EQ(provisioning::parse(std::span(window).subspan(copy.offset, copy.size), read),
              provisioning::Status::kOk);
    EXPECT_EQ(read.thing_name, "thing-1");
    EXPECT_EQ(read.mqtt_port, 4711);
    const auto der = device.certificate.der();
    EXPECT_TRUE(
        std::equal(der.begin(), der.end(), read.device_certificate.begin(), read.device_certificate.end()));
    EXPECT_FALSE(read.code_signer(otasim::lab::kCodeSignerName).empty());
  }
  EXPECT_EQ(window[flash::kSlotA.offset], 0x42);
  EXPECT_EQ(window[flash::kSlotB.offset], 0xFF);
}

TEST_F(LabTest, AnImageLargerThanASlotIsRefusedWithBothSizes) {
  const auto fits = otasim::lab::check_fits_slot(flash::kSlotSize + 1);
  ASSERT_FALSE(fits.has_value());
  EXPECT_EQ(fits.error().code, otasim::ExitCode::kUsage);
  EXPECT_NE(fits.error().message.find(std::to_string(flash::kSlotSize)), std::string::npos);
  EXPECT_TRUE(otasim::lab::check_fits_slot(flash::kSlotSize).has_value());
}

TEST_F(LabTest, AThingNameTheDeviceCannotUseIsRefused) {
  const Identity device = lab.issue_device("x").value();
  for (const std::string& name : {std::string(), std::string("a b"), std::string(65, 'a')}) {
    otasim::lab::DeviceSettings settings;
    settings.thing_name = name;
    settings.mqtt_port = 1;
    EXPECT_FALSE(otasim::lab::provisioning_blob(lab, device, settings).has_value()) << "'" << name << "'";
  }
}

}  // namespace
