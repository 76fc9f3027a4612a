// A lab's keys are its own and private; a device leaves the factory with what it needs to be trusted.
#include "sim/lab/lab.h"

#include <gtest/gtest.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "pal_sim/flash/flash_map.h"
#include "pal_sim/flash/window.h"
#include "pal_sim/provisioning/provisioning.h"
#include "sim/base/file_io.h"
#include "sim/base/temp_dir.h"
#include "sim/lab/build_products.h"
#include "sim/lab/factory.h"

namespace {

using otasim::ExitCode;
using otasim::TempDir;
using otasim::lab::Identity;
using otasim::lab::kEndpointHost;
using otasim::lab::Lab;

otasim::lab::DeviceKey device_key() {
  otasim::lab::DeviceKey key{};
  key.fill(0x5E);
  return key;
}

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

TEST_F(LabTest, TheCodeSignerIsIssuedByTheRootThatDevicesHaveInRom) {
  const auto paths = otasim::lab::code_signing_root();
  ASSERT_TRUE(paths) << paths.error().message;
  const auto root = otasim::crypto::Certificate::from_der(otasim::read_file(paths->certificate).value());
  ASSERT_TRUE(root);
  EXPECT_TRUE(lab.code_signer().certificate.is_issued_by(*root));
  EXPECT_TRUE(lab.code_signer().certificate.belongs_to(lab.code_signer().key));
  EXPECT_FALSE(lab.endpoint().certificate.is_issued_by(*root)) << "for code only";
  EXPECT_TRUE(otasim::lab::check_code_signing_root());
}

TEST_F(LabTest, ACodeSignerThatIsThereIsTaken) {
  const TempDir other = TempDir::create().value();
  for (const char* file : {"code-signer.key.pem", "code-signer.cert.pem"}) {
    std::filesystem::copy_file(folder.file(file), other.file(file));
  }
  const Lab given = Lab::create(other.path().string()).value();
  EXPECT_EQ(given.code_signer().certificate.fingerprint(), lab.code_signer().certificate.fingerprint());
  EXPECT_NE(given.authority().certificate.fingerprint(), lab.authority().certificate.fingerprint());
  std::filesystem::remove(other.file("code-signer.key.pem"));
  const auto damaged = Lab::create(other.path().string());
  ASSERT_FALSE(damaged) << "a certificate without its key";
  EXPECT_NE(damaged.error().message.find("code-signer.key.pem"), std::string::npos)
      << damaged.error().message;
}

TEST_F(LabTest, AnOpenedLabIsTheSameLab) {
  ASSERT_FALSE(lab.access_key().id.empty());
  const Lab again = Lab::open_or_create(folder.path().string()).value();
  EXPECT_EQ(again.authority().certificate.fingerprint(), lab.authority().certificate.fingerprint());
  EXPECT_EQ(again.authority().key.private_der(), lab.authority().key.private_der());
  EXPECT_EQ(again.endpoint().certificate.fingerprint(), lab.endpoint().certificate.fingerprint());
  EXPECT_EQ(again.code_signer().key.private_der(), lab.code_signer().key.private_der());
  EXPECT_EQ(again.access_key().id, lab.access_key().id);
  EXPECT_EQ(again.access_key().secret, lab.access_key().secret);
}

TEST_F(LabTest, AnOpenedLabIssuesDevicesThatItsAuthoritySigned) {
  const Lab again = Lab::open(folder.path().string()).value();
  const Identity device = again.issue_device("thing-1").value();
  EXPECT_EQ(X509_verify(device.certificate.get(), lab.authority().key.get()), 1);
}

TEST_F(LabTest, TheEndpointsCertificateIsReissuedForTheKeyItHas) {
  const std::string before = lab.endpoint().certificate.pem();
  ASSERT_TRUE(lab.reissue_endpoint({.valid_from = 1'000'000'000, .valid_until = 1'100'000'000}));
  EXPECT_NE(lab.endpoint().certificate.pem(), before);
  EXPECT_TRUE(lab.endpoint().certificate.belongs_to(lab.endpoint().key));
  EXPECT_TRUE(lab.endpoint().certificate.is_issued_by(lab.authority().certificate));
  X509* const certificate = lab.endpoint().certificate.get();
  std::time_t from = 1'000'000'000;
  std::time_t until = 1'100'000'000;
  EXPECT_EQ(X509_cmp_time(X509_get0_notBefore(certificate), &from), -1) << "at that second it holds";
  EXPECT_EQ(X509_cmp_time(X509_get0_notAfter(certificate), &until), -1);
  --from;
  --until;
  EXPECT_EQ(X509_cmp_time(X509_get0_notBefore(certificate), &from), 1);
  EXPECT_EQ(X509_cmp_time(X509_get0_notAfter(certificate), &until), 1);
  EXPECT_EQ(X509_check_host(certificate, kEndpointHost, 0, 0, nullptr), 1);
  const Lab opened = Lab::open(folder.path().string()).value();
  EXPECT_EQ(opened.endpoint().certificate.pem(), lab.endpoint().certificate.pem());
}

TEST_F(LabTest, TheEndpointsCertificateCanHaveAnotherNameOrAStrangersSignature) {
  ASSERT_TRUE(lab.reissue_endpoint({.host = "other.example"}));
  EXPECT_EQ(X509_check_host(lab.endpoint().certificate.get(), kEndpointHost, 0, 0, nullptr), 0);
  EXPECT_EQ(X509_check_host(lab.endpoint().certificate.get(), "other.example", 0, 0, nullptr), 1);
  ASSERT_TRUE(lab.reissue_endpoint({.by_stranger = true}));
  EXPECT_FALSE(lab.endpoint().certificate.is_issued_by(lab.authority().certificate));
  ASSERT_TRUE(lab.reissue_endpoint({}));
  EXPECT_TRUE(lab.endpoint().certificate.is_issued_by(lab.authority().certificate));
  EXPECT_EQ(X509_check_host(lab.endpoint().certificate.get(), kEndpointHost, 0, 0, nullptr), 1);
}

TEST_F(LabTest, ACertificateCannotEndBeforeItBegins) {
  const auto reissued = lab.reissue_endpoint({.valid_from = 2, .valid_until = 1});
  ASSERT_FALSE(reissued);
  EXPECT_EQ(reissued.error().code, ExitCode::kUsage);
}

TEST_F(LabTest, ALabThatWasNotFinishedIsMadeAnew) {
  std::filesystem::remove(folder.file("credentials.json"));
  std::filesystem::remove(folder.file("endpoint.cert.pem"));
  const auto again = Lab::open_or_create(folder.path().string());
  ASSERT_TRUE(again.has_value());
  EXPECT_NE(again->authority().certificate.fingerprint(), lab.authority().certificate.fingerprint());
}

TEST_F(LabTest, AWholeLabWithADamagedFileIsRefusedByItsName) {
  for (const char* name :
       {"lab-ca.key.pem", "endpoint.cert.pem", "code-signer.key.pem", "credentials.json"}) {
    const std::string path = folder.file(name);
    const std::string saved = path + ".saved";
    std::filesystem::rename(path, saved);
    std::ofstream(path) << "damaged";
    const auto opened = Lab::open_or_create(folder.path().string());
    ASSERT_FALSE(opened.has_value()) << name;
    EXPECT_EQ(opened.error().code, otasim::ExitCode::kEnvironment);
    EXPECT_NE(opened.error().message.find(name), std::string::npos) << opened.error().message;
    std::filesystem::rename(saved, path);
  }
  EXPECT_TRUE(Lab::open_or_create(folder.path().string()).has_value());
}

TEST_F(LabTest, TheAccessKeyIsReadableByItsOwnerOnly) {
  struct stat info {};
  ASSERT_EQ(stat(folder.file("credentials.json").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
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
  settings.transfer.blocks_in_flight = 24;
  const auto blob = otasim::lab::provisioning_blob(lab, device, settings, device_key()).value();
  std::vector<std::uint8_t> window(flash::kWindowSize, 0xFF);
  const std::vector<std::uint8_t> image(5000, 0x42);
  const std::vector<std::uint8_t> recovery(3000, 0x43);
  ASSERT_TRUE(otasim::lab::equip(window, blob, {image, recovery}).has_value());
  for (const flash::Partition& copy : {flash::kProvisioning0, flash::kProvisioning1}) {
    provisioning::Settings read;
    std::vector<std::uint8_t> ram(window.begin() + copy.offset, window.begin() + copy.offset + copy.size);
    ASSERT_EQ(provisioning::parse(ram, device_key(), read), provisioning::Status::kOk);
    EXPECT_EQ(read.thing_name, "thing-1");
    EXPECT_EQ(read.mqtt_port, 4711);
    EXPECT_EQ(read.transfer, settings.transfer);
    const auto der = device.certificate.der();
    EXPECT_TRUE(
        std::equal(der.begin(), der.end(), read.device_certificate.begin(), read.device_certificate.end()));
    EXPECT_FALSE(read.code_signer(otasim::lab::kCodeSignerName).empty());
  }
  EXPECT_EQ(window[flash::kSlotA.offset], 0x42);
  EXPECT_EQ(window[flash::kSlotB.offset], 0xFF);
  EXPECT_EQ(window[flash::kRecovery.offset + 2999], 0x43);
  EXPECT_EQ(window[flash::kRecovery.offset + 3000], 0xFF);
}

TEST_F(LabTest, APartWithoutAnEntropySourceGetsASeed) {
  std::vector<std::uint8_t> window(flash::kWindowSize);
  const std::vector<std::uint8_t> image(100, 0x42);
  const auto seed_of = [&](const flash::Geometry& part, std::uint64_t seed) {
    flash::format_window(window, part);
    EXPECT_TRUE(otasim::lab::equip(window, {}, {image}, seed).has_value());
    const auto sector = std::span(window).subspan(flash::kSeed0.offset, 4 * flash::kPageSize);
    return std::vector<std::uint8_t>(sector.begin(), sector.end());
  };
  const auto one = seed_of(flash::kSpiNorPart, 1);
  EXPECT_EQ(seed_of(flash::kSpiNorPart, 1), one);
  EXPECT_NE(seed_of(flash::kSpiNorPart, 2), one);
  EXPECT_TRUE(std::equal(one.begin(), one.begin() + flash::kPageSize, one.begin() + 3 * flash::kPageSize));
  EXPECT_EQ(seed_of(flash::kControllerPart, 1), std::vector<std::uint8_t>(one.size(), 0xFF));
}

TEST_F(LabTest, AnImageThatDoesNotFitItsSlotIsRefused) {
  std::vector<std::uint8_t> window(flash::kWindowSize, 0xFF);
  const std::vector<std::uint8_t> image(flash::kSlotSize);
  const std::vector<std::uint8_t> larger(flash::kSlotSize + 1);
  EXPECT_TRUE(otasim::lab::equip(window, {}, {image, image}).has_value());
  EXPECT_EQ(otasim::lab::equip(window, {}, {larger}).error().code, otasim::ExitCode::kUsage);
  EXPECT_EQ(otasim::lab::equip(window, {}, {image, larger}).error().code, otasim::ExitCode::kUsage);
}

bool holds(std::span<const std::uint8_t> window, std::span<const std::uint8_t> bytes) {
  return !std::ranges::search(window, bytes).empty();
}

TEST_F(LabTest, TheFlashShowsNobodyWhoTheDeviceIs) {
  const Identity device = lab.issue_device("a-thing-nobody-knows").value();
  otasim::lab::DeviceSettings settings;
  settings.thing_name = "a-thing-nobody-knows";
  settings.mqtt_port = 4711;
  const auto blob = otasim::lab::provisioning_blob(lab, device, settings, device_key()).value();
  std::vector<std::uint8_t> window(flash::kWindowSize, 0xFF);
  const std::vector<std::uint8_t> image(5000, 0x42);
  ASSERT_TRUE(otasim::lab::equip(window, blob, {image}).has_value());
  ASSERT_TRUE(holds(window, blob));

  // ECPrivateKey (RFC 5915) begins with 30 77 02 01 01 04 20 and the scalar.
  const auto der = device.key.private_der();
  ASSERT_EQ(der.at(6), 0x20);
  const auto scalar = std::span(der).subspan(7, 32);
  EXPECT_FALSE(holds(window, scalar)) << "the private key";
  EXPECT_FALSE(holds(window, scalar.first(8))) << "a part of it";
  const std::string& name = settings.thing_name;
  EXPECT_FALSE(holds(window, {reinterpret_cast<const std::uint8_t*>(name.data()), name.size()}));
  const auto certificate = device.certificate.der();
  EXPECT_FALSE(holds(window, std::span(certificate).first(16)));
  EXPECT_FALSE(holds(window, device_key()));
}

TEST_F(LabTest, NoTwoBlobsShareANonce) {
  const Identity device = lab.issue_device("thing-1").value();
  otasim::lab::DeviceSettings settings;
  settings.thing_name = "thing-1";
  settings.mqtt_port = 1;
  const auto nonce = [&] {
    const auto blob = otasim::lab::provisioning_blob(lab, device, settings, device_key()).value();
    return std::vector<std::uint8_t>(blob.begin() + 16, blob.begin() + 28);
  };
  EXPECT_NE(nonce(), nonce()) << "equal settings, equal seeds";
}

TEST_F(LabTest, ADeviceKeyIs32Bytes) {
  const std::string path = folder.file("device_key.bin");
  const auto missing = otasim::lab::load_device_key(path);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, otasim::ExitCode::kEnvironment);
  EXPECT_NE(missing.error().message.find(path), std::string::npos) << missing.error().message;
  for (const std::size_t size : {0U, 31U, 33U}) {
    std::ofstream(path) << std::string(size, 'k');
    const auto wrong = otasim::lab::load_device_key(path);
    ASSERT_FALSE(wrong.has_value()) << size;
    EXPECT_EQ(wrong.error().code, otasim::ExitCode::kEnvironment);
    EXPECT_NE(wrong.error().message.find(std::to_string(size) + " bytes"), std::string::npos);
  }
  std::ofstream(path) << std::string(32, 'k');
  const auto key = otasim::lab::load_device_key(path);
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ((*key)[31], 'k');
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
    EXPECT_FALSE(otasim::lab::provisioning_blob(lab, device, settings, device_key()).has_value())
        << "'" << name << "'";
  }
}

}  // namespace
