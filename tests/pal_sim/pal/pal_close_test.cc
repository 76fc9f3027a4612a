// The end of a file: its signature, and whether it is an image that may be staged.
#include "tests/pal_sim/pal/pal_fixture.h"

namespace pal_test {
namespace {

TEST_F(PalTest, SignaturesMustFitASignature) {
  File file(image_1_1_0());
  ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
  ASSERT_TRUE(write_all(device_.pal(), file));
  const OtaPalStatus_t none = OTA_PAL_COMBINE_ERR(OtaPalSignatureCheckFailed, pal::Reason::kNoSignature);
  file.signature.size = kOTA_MaxSignatureSize + 1;
  EXPECT_EQ(device_.pal().check_signature(file.context), none);
  file.signature.size = 0;
  EXPECT_EQ(device_.pal().check_signature(file.context), none);
  file.context.pSignature = nullptr;
  EXPECT_EQ(device_.pal().check_signature(file.context), none);
}

TEST_F(PalTest, ASignerOfAnotherRootIsRefusedByItsReason) {
  const CodeSigner stranger({}, nullptr);
  device_.settings().code_signers[0].certificate = stranger.certificate();
  File file(image_1_1_0());
  file.set_signature(stranger.sign(file.content));
  ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
  ASSERT_TRUE(write_all(device_.pal(), file));
  const OtaPalStatus_t status = device_.pal().close_file(&file.context);
  EXPECT_EQ(main_of(status), OtaPalBadSignerCert);
  EXPECT_EQ(OTA_PAL_SUB_ERR(status), static_cast<std::uint32_t>(pal::SignerStatus::kNotIssuedByRoot));
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kOld);
}

TEST_F(PalTest, FileThatDiffersInFlashFailsItsSignature) {
  File file(image_1_1_0());
  ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
  ASSERT_TRUE(write_all(device_.pal(), file));
  device_.slot(boot::Slot::kB)[2000] ^= 0x10;
  EXPECT_EQ(main_of(device_.pal().close_file(&file.context)), OtaPalSignatureCheckFailed);
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kOld);
}

TEST_F(PalTest, UnsignedFileFailsItsSignature) {
  File file(image_1_1_0());
  file.set_signature({});
  ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
  ASSERT_TRUE(write_all(device_.pal(), file));
  EXPECT_EQ(main_of(device_.pal().close_file(&file.context)), OtaPalSignatureCheckFailed);
}

TEST_F(PalTest, SignatureOfAnotherSignerIsRefused) {
  File file(image_1_1_0());
  file.set_signature(CodeSigner().sign(file.content));
  ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
  ASSERT_TRUE(write_all(device_.pal(), file));
  EXPECT_EQ(main_of(device_.pal().close_file(&file.context)), OtaPalSignatureCheckFailed);
  EXPECT_EQ(device_.pal().image_state(), OtaPalImageStateInvalid);
}

TEST_F(PalTest, OnlyImagesThatTheBoardCouldStartAreStaged) {
  using boot::image::VerifyStatus;
  const auto status_of = [this](const boot_test::ImageSpec& spec) {
    File file(build_image(spec, image_signer()));
    receive(file);
    const OtaPalStatus_t status = device_.pal().activate();
    EXPECT_EQ(main_of(status), OtaPalActivateFailed);
    EXPECT_EQ(device_.resets(), 0);
    return static_cast<VerifyStatus>(OTA_PAL_SUB_ERR(status));
  };
  EXPECT_EQ(status_of({.kind = boot::image::Kind::kRecovery}), VerifyStatus::kWrongKind);
  EXPECT_EQ(status_of({.security_counter = 0}), VerifyStatus::kCounterTooLow) << "1.0.0 burned 1";
  EXPECT_EQ(status_of({.security_counter = boot::kMaxSecurityCounter + 1}), VerifyStatus::kCounterTooHigh);
  EXPECT_EQ(status_of({.load_address = boot_test::kLoadAddress + 0x200}), VerifyStatus::kWrongLoadAddress);
  EXPECT_EQ(status_of({.payload_size = 64 * 1024}), VerifyStatus::kBadSize) << "load memory has 64 KiB";
  EXPECT_EQ(status_of({.flags = 0}), VerifyStatus::kNotRamLoad);
  EXPECT_EQ(status_of({.with_sha256 = false}), VerifyStatus::kMissingTlv);
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kOld);
}

TEST_F(PalTest, AnImageAtTheHighestCounterAndTheWholeOfLoadMemoryIsStaged) {
  boot_test::ImageSpec spec{.version = {1, 1, 0, 0}, .security_counter = boot::kMaxSecurityCounter};
  const auto rest = build_image(spec, image_signer()).size() - spec.payload_size;
  // An ECDSA signature's DER is two bytes longer or shorter by chance.
  spec.payload_size = static_cast<std::uint32_t>(64 * 1024 - rest - 4);
  File file(build_image(spec, image_signer()));
  receive(file);
  EXPECT_EQ(device_.pal().activate(), 0U);
  EXPECT_EQ(device_.resets(), 1);
}

TEST_F(PalTest, AnImageThatIsLongerThanItsFileIsNotStaged) {
  Bytes image = image_1_1_0();
  File whole(image);
  receive(whole);  // its end stays in flash when the next file is shorter: other sectors than that one's
  image.resize(flash::kControllerPart.sector_size);
  File file(image);
  receive(file);
  const OtaPalStatus_t status = device_.pal().activate();
  EXPECT_EQ(main_of(status), OtaPalActivateFailed);
  EXPECT_EQ(OTA_PAL_SUB_ERR(status), static_cast<std::uint32_t>(boot::image::VerifyStatus::kBadSize));
}

TEST_F(PalTest, WhatWasNeverClosedWellIsNotOnRecord) {
  const auto activate = [this] {
    const OtaPalStatus_t status = device_.pal().activate();
    EXPECT_EQ(main_of(status), OtaPalActivateFailed);
    return static_cast<boot::image::VerifyStatus>(OTA_PAL_SUB_ERR(status));
  };
  EXPECT_EQ(activate(), boot::image::VerifyStatus::kNotOnRecord) << "nothing was received";
  File file(image_1_1_0());
  receive(file);
  EXPECT_EQ(set_state(OtaImageStateRejected), OtaPalSuccess);
  EXPECT_EQ(activate(), boot::image::VerifyStatus::kNotOnRecord) << "it was rejected";
  File next(image_1_1_0());
  ASSERT_EQ(device_.pal().create_file(&next.context), 0U);
  ASSERT_TRUE(write_all(device_.pal(), next));
  EXPECT_EQ(activate(), boot::image::VerifyStatus::kNotOnRecord) << "it was not closed";
}

TEST_F(PalTest, GenuineFileThatIsNoImageIsKeptButNeverStarted) {
  File file(Bytes(5000, 0x42));
  receive(file);
  const OtaPalStatus_t status = device_.pal().activate();
  EXPECT_EQ(main_of(status), OtaPalActivateFailed);
  EXPECT_EQ(OTA_PAL_SUB_ERR(status), static_cast<std::uint32_t>(boot::image::VerifyStatus::kNoImage));
  EXPECT_EQ(device_.resets(), 0);
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kOld);
}

TEST_F(PalTest, ImageOfAnotherFileTypeIsNotStaged) {
  File file(image_1_1_0());
  file.context.fileType = 1;
  receive(file);
  EXPECT_EQ(main_of(device_.pal().activate()), OtaPalActivateFailed);
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kOld);
}

}  // namespace
}  // namespace pal_test
