// The identity that provisioning holds: settings for everybody, and a key that signs and is not to be found.
#include "pal_sim/provisioning/stored_identity.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "pal_sim/flash/flash_map.h"
#include "pal_sim/provisioning/provisioning_builder.h"
#include "qemu_boards/native/native_flash.h"

namespace {

using provisioning::Settings;
using provisioning::Status;
using Bytes = std::vector<std::uint8_t>;

constexpr std::array<std::uint8_t, provisioning::kDeviceKeySize> kDeviceKey{0x5E, 0xA1, 0x0F};
const Bytes kCertificate(300, 0xC5);

Bytes make_private_key() {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  unsigned char* der = nullptr;
  const int size = i2d_PrivateKey(key.get(), &der);
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

class StoredIdentityTest : public testing::Test {
 protected:
  void provision(const Bytes& private_key) {
    provisioning::Builder builder;
    builder.add_text(provisioning::kTagThingName, "thing-1")
        .add_text(provisioning::kTagEndpointHost, "otasim.localhost")
        .add_u16(provisioning::kTagMqttPort, 8883)
        .add(provisioning::kTagRootCa, kCertificate)
        .add(provisioning::kTagDeviceCertificate, kCertificate)
        .add(provisioning::kTagDeviceKey, private_key)
        .add_code_signer("/lab/signer.pem", kCertificate);
    const std::array<std::uint8_t, provisioning::kNonceSize> nonce{1};
    const Bytes blob = builder.build(1, kDeviceKey, nonce);
    ASSERT_EQ(flash::program_range(flash_, flash::kProvisioning0.offset, blob), flash::Status::kOk);
  }
  [[nodiscard]] bool buffer_holds(std::span<const std::uint8_t> bytes) const {
    return std::ranges::search(buffer_, bytes).begin() != buffer_.end();
  }

  native::NativeFlash flash_;
  Bytes buffer_ = Bytes(provisioning::kMaxBlobSize, 0xEE);
  Settings settings_;
  provisioning::StoredIdentity identity_{flash_, kDeviceKey};
};

TEST_F(StoredIdentityTest, GivesTheSettingsAndKeepsTheKey) {
  const Bytes private_key = make_private_key();
  provision(private_key);
  ASSERT_EQ(identity_.load(buffer_, settings_), Status::kOk);
  EXPECT_EQ(settings_.thing_name, "thing-1");
  EXPECT_EQ(settings_.code_signer_count, 1U);
  EXPECT_TRUE(settings_.device_key.empty());
  const auto scalar = crypto::parse_p256_private_key(private_key).value();
  EXPECT_FALSE(buffer_holds(scalar));
  EXPECT_FALSE(buffer_holds(std::span(private_key).first(16)));
  crypto::EcdsaSignature signature;
  ASSERT_TRUE(identity_.sign(crypto::sha256(kCertificate), signature));
  EXPECT_EQ(signature, crypto::ecdsa_p256_sign(scalar, crypto::sha256(kCertificate)));
}

/// What is left of the body is still a list of entries: the gateway hands it on as it stands.
TEST_F(StoredIdentityTest, TheBodyWithoutTheKeyParses) {
  provision(make_private_key());
  ASSERT_EQ(identity_.load(buffer_, settings_), Status::kOk);
  Settings again;
  ASSERT_EQ(provisioning::parse_body(provisioning::body_of(buffer_), again), Status::kOk);
  EXPECT_EQ(again.thing_name, "thing-1");
  EXPECT_TRUE(std::ranges::all_of(again.device_key, [](std::uint8_t byte) { return byte == 0; }));
}

TEST_F(StoredIdentityTest, SignsNothingBeforeItIsLoaded) {
  crypto::EcdsaSignature signature;
  EXPECT_FALSE(identity_.sign({}, signature));
}

TEST_F(StoredIdentityTest, AKeyThatIsNoneLeavesNothing) {
  provision(Bytes(121, 0x11));
  EXPECT_EQ(identity_.load(buffer_, settings_), Status::kBadKey);
  EXPECT_EQ(buffer_, Bytes(buffer_.size(), 0));
  EXPECT_TRUE(settings_.thing_name.empty());
  crypto::EcdsaSignature signature;
  EXPECT_FALSE(identity_.sign({}, signature));
}

TEST_F(StoredIdentityTest, AFailedLoadForgetsTheKeyBefore) {
  provision(make_private_key());
  ASSERT_EQ(identity_.load(buffer_, settings_), Status::kOk);
  ASSERT_EQ(flash::erase_range(flash_, flash::kProvisioning0.offset, flash::kProvisioning0.size),
            flash::Status::kOk);
  EXPECT_EQ(identity_.load(buffer_, settings_), Status::kNotFound);
  crypto::EcdsaSignature signature;
  EXPECT_FALSE(identity_.sign({}, signature));
}

}  // namespace
