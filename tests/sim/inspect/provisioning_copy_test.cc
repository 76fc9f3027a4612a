// A sealed copy tells its header always, and the rest only to whoever has the key; never a secret.
#include "sim/inspect/provisioning_copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pal_sim/flash/flash_map.h"
#include "pal_sim/provisioning/provisioning_builder.h"
#include "sim/crypto/certificate.h"
#include "sim/inspect/flash_report.h"

namespace otasim::inspect {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ProvisioningCopyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto certificate = crypto::Certificate::self_signed({.common_name = "lamp",
                                                               .dns_names = {},
                                                               .ip_addresses = {},
                                                               .valid_from = 1'000'000,
                                                               .valid_until = 2'000'000},
                                                              device)
                                 .value()
                                 .der();
    provisioning::Builder builder;
    builder.add_text(provisioning::kTagThingName, "lamp")
        .add_text(provisioning::kTagEndpointHost, "lab.example")
        .add_u16(provisioning::kTagMqttPort, 8883)
        .add(provisioning::kTagRootCa, certificate)
        .add(provisioning::kTagDeviceCertificate, certificate)
        .add(provisioning::kTagDeviceKey, device.private_der())
        .add_code_signer("signer", crypto::Bytes{1, 2, 3});
    const auto blob = builder.build(9, key, nonce);
    ASSERT_FALSE(blob.empty());
    std::ranges::copy(blob, partition.begin());
  }
  [[nodiscard]] ProvisioningCopy read(bool with_key = true) const {
    return read_provisioning(partition, with_key ? std::optional(key) : std::nullopt);
  }

  crypto::P256Key device = crypto::P256Key::generate().value();
  DeviceKey key{1, 2, 3};
  std::array<std::uint8_t, provisioning::kNonceSize> nonce{4, 5};
  crypto::Bytes partition = crypto::Bytes(flash::kProvisioning0.size, 0xFF);
};

TEST_F(ProvisioningCopyTest, OpensWithTheKeyAndTellsWhoTheDeviceIs) {
  const ProvisioningCopy copy = read();
  ASSERT_TRUE(copy.opened) << copy.problem;
  EXPECT_EQ(copy.sequence, 9U);
  EXPECT_TRUE(copy.opened->is_complete);
  EXPECT_EQ(copy.opened->thing_name, "lamp");
  EXPECT_EQ(copy.opened->endpoint, "lab.example:8883");
  EXPECT_TRUE(copy.opened->has_device_key);
  ASSERT_EQ(copy.opened->certificates.size(), 3U);
  const CertificateText& certificate = copy.opened->certificates[1];
  EXPECT_EQ(certificate.role, "device");
  EXPECT_EQ(certificate.subject, "CN=lamp");
  EXPECT_EQ(certificate.not_before, 1'000'000);
  EXPECT_EQ(certificate.not_after, 2'000'000);
  EXPECT_EQ(copy.opened->certificates[2].role, "code signer signer");
  EXPECT_NE(copy.opened->certificates[2].problem, "") << "three bytes are no certificate";
}

TEST_F(ProvisioningCopyTest, ThePrivateKeyIsNeverTold) {
  FlashReport report;
  report.part = flash::kControllerPart;
  report.provisioning[0] = read();
  const std::string text = to_json(report).dump();
  EXPECT_THAT(text, HasSubstr("lamp"));
  EXPECT_THAT(text, Not(HasSubstr(crypto::hex(device.private_der()).substr(20, 32))));
}

TEST_F(ProvisioningCopyTest, WithoutTheKeyTheHeaderIsAllThereIs) {
  const ProvisioningCopy copy = read(false);
  EXPECT_EQ(copy.sequence, 9U);
  EXPECT_FALSE(copy.opened);
  EXPECT_THAT(copy.problem, HasSubstr("the device key is not at hand"));
}

TEST_F(ProvisioningCopyTest, AnyChangedBitOrOtherKeyKeepsItShut) {
  key[31] ^= 1;
  EXPECT_THAT(read().problem, HasSubstr("does not open"));
  key[31] ^= 1;
  partition[provisioning::kHeaderSize + 5] ^= 1;
  EXPECT_FALSE(read().opened);
}

TEST_F(ProvisioningCopyTest, WhatIsNoBlobIsSaid) {
  partition[0] ^= 1;
  EXPECT_THAT(read().problem, HasSubstr("no blob begins here"));
  partition[0] ^= 1;
  partition[4] = 3;
  EXPECT_THAT(read().problem, HasSubstr("unknown format 3"));
  partition[4] = 2;
  partition[15] = 0x7F;
  EXPECT_THAT(read().problem, HasSubstr("cannot be"));
  partition.assign(partition.size(), 0xFF);
  EXPECT_EQ(read().used_bytes, 0U);
  EXPECT_THAT(read().problem, IsEmpty());
}

TEST_F(ProvisioningCopyTest, TheOpenCopyWithTheHigherSequenceIsInForce) {
  FlashReport report;
  EXPECT_FALSE(provisioning_in_force(report));
  report.provisioning[0] = read();
  report.provisioning[1] = read();
  EXPECT_EQ(provisioning_in_force(report), 0U) << "of two alike the first";
  report.provisioning[1].sequence = 10;
  EXPECT_EQ(provisioning_in_force(report), 1U);
  report.provisioning[1].opened->is_complete = false;
  EXPECT_EQ(provisioning_in_force(report), 0U);
}

}  // namespace
}  // namespace otasim::inspect
