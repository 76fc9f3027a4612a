// The fifteen cases of AWS's OTA PAL qualification, through the otaPal_ functions.
#include <gtest/gtest.h>

#include <array>
#include <optional>

#include "pal_sim/pal/ota_pal.h"
#include "pal_sim/pal/pal_binding.h"
#include "tests/pal_sim/pal/device.h"

namespace pal_test {
namespace {

constexpr std::uint32_t kPageSize = 256;

class Qualification : public testing::Test {
 protected:
  Qualification() : file_(sample()) { pal::bind(&device_.pal()); }
  ~Qualification() override {
    EXPECT_EQ(main_of(otaPal_Abort(&file_.context)), OtaPalSuccess);
    pal::bind(nullptr);
  }
  /// 84 bytes that are no image.
  static Bytes sample() {
    Bytes bytes(84, 0x99);
    for (std::uint8_t i = 0; i < 64; ++i) bytes[20U + i] = i;
    return bytes;
  }
  OtaPalMainStatus_t create() { return main_of(otaPal_CreateFileForRx(&file_.context)); }
  OtaPalMainStatus_t close() { return main_of(otaPal_CloseFile(&file_.context)); }
  OtaPalMainStatus_t set_state(OtaImageState_t state) {
    return main_of(otaPal_SetPlatformImageState(&file_.context, state));
  }
  int write(std::uint32_t offset, Bytes bytes) {
    return otaPal_WriteBlock(&file_.context, offset, bytes.data(), static_cast<std::uint32_t>(bytes.size()));
  }
  void break_signature() {
    Bytes signature(file_.signature.data, file_.signature.data + file_.signature.size);
    signature[10] ^= 1;
    file_.set_signature(signature);
  }

  Device device_;
  File file_;
};

TEST_F(Qualification, Case01CloseWithValidSignature) {
  ASSERT_EQ(create(), OtaPalSuccess);
  ASSERT_EQ(write(0, sample()), 84);
  EXPECT_EQ(close(), OtaPalSuccess);
}

TEST_F(Qualification, Case02CloseWithInvalidSignature) {
  break_signature();
  ASSERT_EQ(create(), OtaPalSuccess);
  ASSERT_EQ(write(0, sample()), 84);
  EXPECT_EQ(close(), OtaPalSignatureCheckFailed);
}

TEST_F(Qualification, Case03CloseWithInvalidSignatureAndNothingWritten) {
  break_signature();
  ASSERT_EQ(create(), OtaPalSuccess);
  EXPECT_EQ(close(), OtaPalSignatureCheckFailed);
}

TEST_F(Qualification, Case04CloseWithNonexistentCertificate) {
  file_.set_certificate("nonexistingfile.crt");
  ASSERT_EQ(create(), OtaPalSuccess);
  ASSERT_EQ(write(0, sample()), 84);
  EXPECT_EQ(close(), OtaPalBadSignerCert);
}

TEST_F(Qualification, Case05CreateAnyFile) {
  EXPECT_EQ(create(), OtaPalSuccess);
  EXPECT_NE(file_.context.pFile, nullptr);
}

TEST_F(Qualification, Case06AbortOpenFile) {
  ASSERT_EQ(create(), OtaPalSuccess);
  EXPECT_EQ(main_of(otaPal_Abort(&file_.context)), OtaPalSuccess);
  EXPECT_EQ(file_.context.pFile, nullptr);
}

TEST_F(Qualification, Case07AbortFileWithBlockWritten) {
  ASSERT_EQ(create(), OtaPalSuccess);
  ASSERT_EQ(write(0, sample()), 84);
  EXPECT_EQ(main_of(otaPal_Abort(&file_.context)), OtaPalSuccess);
  EXPECT_EQ(file_.context.pFile, nullptr);
}

TEST_F(Qualification, Case08AbortNullFileHandle) {
  file_.context.pFile = nullptr;
  EXPECT_EQ(main_of(otaPal_Abort(&file_.context)), OtaPalSuccess);
}

TEST_F(Qualification, Case09AbortNonexistentFile) {
  OtaFileContext_t never_created{};
  EXPECT_EQ(main_of(otaPal_Abort(&never_created)), OtaPalSuccess);
}

TEST_F(Qualification, Case10WriteSingleByte) {
  ASSERT_EQ(create(), OtaPalSuccess);
  EXPECT_EQ(write(0, {0xAA}), 1);
}

TEST_F(Qualification, Case11WriteManyBlocks) {
  file_.context.fileSize = kPageSize * 10;
  ASSERT_EQ(create(), OtaPalSuccess);
  for (std::uint32_t i = 0; i < 10; ++i) EXPECT_EQ(write(i * kPageSize, sample()), 84);
}

TEST_F(Qualification, Case12AcceptWithoutClose) {
  ASSERT_EQ(create(), OtaPalSuccess);
  EXPECT_EQ(set_state(OtaImageStateAccepted), OtaPalCommitFailed);
}

TEST_F(Qualification, Case13InvalidImageState) {
  ASSERT_EQ(create(), OtaPalSuccess);
  EXPECT_EQ(set_state(static_cast<OtaImageState_t>(OtaLastImageState + 1)), OtaPalBadImageState);
}

TEST_F(Qualification, Case14UnknownImageState) {
  ASSERT_EQ(create(), OtaPalSuccess);
  EXPECT_EQ(set_state(OtaImageStateUnknown), OtaPalBadImageState);
}

TEST_F(Qualification, Case15StateIsInvalidAfterAFailedClose) {
  break_signature();
  ASSERT_EQ(create(), OtaPalSuccess);
  ASSERT_EQ(write(0, sample()), 84);
  ASSERT_EQ(close(), OtaPalSignatureCheckFailed);
  EXPECT_EQ(otaPal_GetPlatformImageState(&file_.context), OtaPalImageStateInvalid);
}

TEST_F(Qualification, ContextOfZeroesIsEnoughToCreate) {
  OtaFileContext_t context{};
  context.fileSize = 84;
  EXPECT_EQ(main_of(otaPal_CreateFileForRx(&context)), OtaPalSuccess);
}

TEST_F(Qualification, CertificateIsFoundByName) {
  std::uint32_t size = 0;
  const auto* certificate =
      otaPal_ReadAndAssumeCertificate(reinterpret_cast<const std::uint8_t*>(kSignerName), &size);
  ASSERT_NE(certificate, nullptr);
  EXPECT_EQ(Bytes(certificate, certificate + size), code_signer().certificate());
  EXPECT_EQ(otaPal_ReadAndAssumeCertificate(reinterpret_cast<const std::uint8_t*>("other"), &size), nullptr);
  EXPECT_EQ(size, 0U);
}

TEST_F(Qualification, SignatureIsCheckedOfAnOpenFile) {
  EXPECT_EQ(main_of(otaPal_CheckFileSignature(&file_.context)), OtaPalFileClose);
  ASSERT_EQ(create(), OtaPalSuccess);
  EXPECT_EQ(main_of(otaPal_CheckFileSignature(&file_.context)), OtaPalSignatureCheckFailed);
  ASSERT_EQ(write(0, sample()), 84);
  EXPECT_EQ(main_of(otaPal_CheckFileSignature(&file_.context)), OtaPalSuccess);
}

TEST_F(Qualification, NullContextsAreNamed) {
  EXPECT_EQ(main_of(otaPal_Abort(nullptr)), OtaPalNullFileContext);
  EXPECT_EQ(main_of(otaPal_CreateFileForRx(nullptr)), OtaPalNullFileContext);
  EXPECT_EQ(main_of(otaPal_CloseFile(nullptr)), OtaPalNullFileContext);
  EXPECT_EQ(main_of(otaPal_CheckFileSignature(nullptr)), OtaPalNullFileContext);
  EXPECT_EQ(otaPal_WriteBlock(nullptr, 0, nullptr, 0), -1);
}

TEST(Unbound, EveryFunctionSaysSo) {
  OtaFileContext_t context{};
  std::uint8_t byte = 0;
  EXPECT_EQ(main_of(otaPal_CreateFileForRx(&context)), OtaPalUninitialized);
  EXPECT_EQ(main_of(otaPal_ResetDevice(&context)), OtaPalUninitialized);
  EXPECT_EQ(otaPal_WriteBlock(&context, 0, &byte, 1), -1);
  EXPECT_EQ(otaPal_GetPlatformImageState(&context), OtaPalImageStateUnknown);
  EXPECT_FALSE(pal::is_committed_job("j"));
}

}  // namespace
}  // namespace pal_test
