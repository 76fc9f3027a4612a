// The PAL as an object: whole updates with the bootloader's policy, and what it must refuse.
#include "pal_sim/pal/pal.h"

#include <gtest/gtest.h>

#include "agent/boot/security_counter.h"
#include "pal_sim/pal/code_signer.h"
#include "tests/agent/boot/journal_bytes.h"
#include "tests/pal_sim/pal/device.h"

namespace pal_test {
namespace {

using boot::image::Version;

constexpr Version kOld{1, 0, 0, 0};
constexpr Version kNew{1, 1, 0, 0};

/// No image, and no two blocks or sectors of it are equal.
Bytes counting_bytes(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + (i >> 8) + (i >> 16));
  return bytes;
}

class PalTest : public testing::Test {
 protected:
  void receive(File& file) {
    ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
    ASSERT_TRUE(write_all(device_.pal(), file));
    ASSERT_EQ(device_.pal().close_file(&file.context), 0U);
    EXPECT_EQ(file.context.pFile, nullptr);
  }
  OtaPalMainStatus_t set_state(OtaImageState_t state) {
    return main_of(device_.pal().set_image_state(nullptr, state));
  }

  Device device_;
};

TEST_F(PalTest, FactoryImageIsValid) {
  EXPECT_EQ(device_.pal().image_state(), OtaPalImageStateValid);
  EXPECT_EQ(device_.version(), kOld);
}

TEST_F(PalTest, ImageIsTriedAcceptedAndCommitted) {
  File file(image_1_1_0());
  receive(file);
  EXPECT_EQ(device_.pal().image_state(), OtaPalImageStateValid) << "the running image is still the old one";
  EXPECT_EQ(device_.pal().activate(), 0U);
  EXPECT_EQ(device_.resets(), 1);

  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kNew);
  EXPECT_EQ(device_.pal().image_state(), OtaPalImageStatePendingCommit);
  EXPECT_FALSE(device_.pal().is_committed_job("AFR_OTA-u1"));
  EXPECT_EQ(set_state(OtaImageStateTesting), OtaPalSuccess);
  EXPECT_EQ(device_.pal().image_state(), OtaPalImageStatePendingCommit);
  EXPECT_EQ(set_state(OtaImageStateAccepted), OtaPalSuccess);
  EXPECT_EQ(device_.pal().image_state(), OtaPalImageStateValid);
  EXPECT_TRUE(device_.pal().is_committed_job("AFR_OTA-u1"));
  EXPECT_EQ(set_state(OtaImageStateAccepted), OtaPalSuccess) << "accepting twice is once";

  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kNew);
  EXPECT_FALSE(device_.is_trial());
  EXPECT_EQ(device_.pal().image_state(), OtaPalImageStateValid);
  EXPECT_TRUE(device_.pal().is_committed_job("AFR_OTA-u1"));
  EXPECT_FALSE(device_.pal().is_committed_job("AFR_OTA-u2"));
  EXPECT_FALSE(device_.pal().is_committed_job(""));
}

TEST_F(PalTest, ImageThatIsNotAcceptedFallsBack) {
  File file(image_1_1_0());
  receive(file);
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kNew);
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kOld);
  EXPECT_EQ(device_.pal().image_state(), OtaPalImageStateInvalid);
  EXPECT_FALSE(device_.pal().is_committed_job("AFR_OTA-u1"));
}

TEST_F(PalTest, RejectedTrialFallsBackAndTheNextUpdateWorks) {
  File file(image_1_1_0());
  receive(file);
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(set_state(OtaImageStateRejected), OtaPalSuccess);
  EXPECT_EQ(device_.pal().image_state(), OtaPalImageStateInvalid);
  EXPECT_EQ(set_state(OtaImageStateAccepted), OtaPalCommitFailed);
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kOld);

  File again(image_1_1_0(), "AFR_OTA-u2");
  receive(again);
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kNew);
  EXPECT_EQ(set_state(OtaImageStateAccepted), OtaPalSuccess);
  EXPECT_TRUE(device_.pal().is_committed_job("AFR_OTA-u2"));
}

TEST_F(PalTest, CommittedImageIsBeyondRejection) {
  EXPECT_EQ(set_state(OtaImageStateRejected), OtaPalSuccess);
  EXPECT_EQ(set_state(OtaImageStateAborted), OtaPalSuccess);
  EXPECT_EQ(set_state(OtaImageStateAccepted), OtaPalCommitFailed);
  EXPECT_EQ(device_.pal().image_state(), OtaPalImageStateValid);
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kOld);
}

TEST_F(PalTest, AcceptedImageCannotBeTakenBack) {
  File file(image_1_1_0());
  receive(file);
  ASSERT_TRUE(device_.boot());
  ASSERT_EQ(set_state(OtaImageStateAccepted), OtaPalSuccess);
  EXPECT_EQ(set_state(OtaImageStateRejected), OtaPalRejectFailed);
  EXPECT_EQ(set_state(OtaImageStateAborted), OtaPalAbortFailed);
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kNew);
}

TEST_F(PalTest, NextUpdateAfterAcceptanceRestartsTheDeviceFirst) {
  File file(image_1_1_0());
  receive(file);
  ASSERT_TRUE(device_.boot());
  ASSERT_EQ(set_state(OtaImageStateAccepted), OtaPalSuccess);
  File next(image_1_1_0(), "AFR_OTA-u2");
  EXPECT_NE(device_.pal().create_file(&next.context), 0U);
  EXPECT_EQ(device_.resets(), 1);
  ASSERT_TRUE(device_.boot());
  receive(next);
}

TEST_F(PalTest, AbortedDownloadCanBeStartedAnew) {
  File file(image_1_1_0());
  ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
  ASSERT_TRUE(write_all(device_.pal(), file));
  EXPECT_EQ(set_state(OtaImageStateAborted), OtaPalSuccess);
  EXPECT_EQ(device_.pal().abort(&file.context), 0U);
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kOld);
  File again(image_1_1_0());
  receive(again);
}

TEST_F(PalTest, StagedImageOfACancelledJobIsNotStarted) {
  File file(image_1_1_0());
  receive(file);
  EXPECT_EQ(set_state(OtaImageStateAborted), OtaPalSuccess);
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kOld);
}

TEST_F(PalTest, FileLargerThanASlotIsRefusedBeforeAnythingIsErased) {
  File file(image_1_1_0());
  const auto sequence = device_.model().sequence();
  file.context.fileSize = flash::kSlotSize + 1;
  EXPECT_EQ(main_of(device_.pal().create_file(&file.context)), OtaPalRxFileTooLarge);
  file.context.fileSize = 0;
  EXPECT_EQ(main_of(device_.pal().create_file(&file.context)), OtaPalRxFileCreateFailed);
  EXPECT_EQ(file.context.pFile, nullptr);
  EXPECT_EQ(device_.model().sequence(), sequence);
}

TEST_F(PalTest, SizesUpToTheLargestNumberAreRefusedUnlessASlotHoldsThem) {
  File file(image_1_1_0());
  for (const std::uint32_t size :
       {flash::kSlotSize + 1, 16U * 1024 * 1024, 16U * 1024 * 1024 + 1, UINT32_MAX}) {
    file.context.fileSize = size;
    EXPECT_EQ(device_.pal().create_file(&file.context), OTA_PAL_COMBINE_ERR(OtaPalRxFileTooLarge, 0)) << size;
  }
}

TEST_F(PalTest, AFileAsLargeAsASlotIsReceivedToItsLastByteAndNoFurther) {
  File file(counting_bytes(flash::kSlotSize));
  const auto behind = device_.slot(boot::Slot::kRecovery).first(flash::kControllerPart.sector_size);
  const Bytes before(behind.begin(), behind.end());
  receive(file);
  EXPECT_EQ(device_.slot(boot::Slot::kB).back(), file.content.back());
  EXPECT_TRUE(std::ranges::equal(behind, before)) << "the recovery slot follows";
  EXPECT_EQ(device_.slot(boot::Slot::kA)[0], image_1_0_0()[0]) << "slot A stands before it";
}

TEST_F(PalTest, BlocksComeInAnyOrderAndTheLastIsShort) {
  constexpr std::size_t kBlock = 512;
  for (const std::size_t size : {std::size_t{5003}, 10 * kBlock, 10 * kBlock + 1}) {
    File file(counting_bytes(size));
    ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
    const std::size_t blocks = (size + kBlock - 1) / kBlock;
    for (std::size_t n = 0; n < blocks; ++n) {
      const std::size_t at = (n * 7 + 3) % blocks * kBlock;  // each once: 7 divides neither 10 nor 11
      const auto block = std::span(file.content).subspan(at, std::min(kBlock, size - at));
      ASSERT_EQ(device_.pal().write_block(&file.context, static_cast<std::uint32_t>(at), block),
                static_cast<std::int16_t>(block.size()));
    }
    EXPECT_EQ(device_.pal().close_file(&file.context), 0U) << size;
  }
}

TEST_F(PalTest, TwoUpdatesInSequenceTakeTurnsInTheSlots) {
  File first(image_1_1_0(), "AFR_OTA-u1");
  receive(first);
  ASSERT_TRUE(device_.boot());
  ASSERT_EQ(set_state(OtaImageStateAccepted), OtaPalSuccess);
  ASSERT_TRUE(device_.boot());
  File second(image_1_2_0(), "AFR_OTA-u2");
  receive(second);
  EXPECT_TRUE(std::ranges::equal(device_.slot(boot::Slot::kA).first(image_1_2_0().size()), image_1_2_0()));
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), (Version{1, 2, 0, 0}));
  ASSERT_EQ(set_state(OtaImageStateAccepted), OtaPalSuccess);
  ASSERT_TRUE(device_.boot());
  EXPECT_TRUE(device_.pal().is_committed_job("AFR_OTA-u2"));
  EXPECT_FALSE(device_.pal().is_committed_job("AFR_OTA-u1"));
}

TEST_F(PalTest, AReopenedFileStartsBlankAndTheLastOneCounts) {
  File first(image_1_1_0());
  ASSERT_EQ(device_.pal().create_file(&first.context), 0U);
  ASSERT_TRUE(write_all(device_.pal(), first));
  File second(image_1_2_0());
  ASSERT_EQ(device_.pal().create_file(&second.context), 0U);
  EXPECT_EQ(device_.slot(boot::Slot::kB)[0], 0xFF);
  ASSERT_TRUE(write_all(device_.pal(), second));
  EXPECT_EQ(device_.pal().close_file(&second.context), 0U);
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), (Version{1, 2, 0, 0}));
}

TEST_F(PalTest, AbortIsRightAtAnyTimeAndTwice) {
  File file(image_1_1_0());
  EXPECT_EQ(device_.pal().abort(&file.context), 0U) << "never opened";
  ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
  EXPECT_EQ(device_.pal().abort(&file.context), 0U);
  EXPECT_EQ(device_.pal().abort(&file.context), 0U);
  ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
  ASSERT_TRUE(write_all(device_.pal(), file));
  EXPECT_EQ(device_.pal().abort(&file.context), 0U) << "all written";
  receive(file);
  EXPECT_EQ(device_.pal().abort(&file.context), 0U) << "closed: the verified image stays";
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kNew);
  EXPECT_EQ(device_.pal().abort(&file.context), 0U) << "on trial";
}

TEST_F(PalTest, AFileRejectedWhileItIsOpenIsNotStaged) {
  File file(image_1_1_0());
  ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
  ASSERT_TRUE(write_all(device_.pal(), file));
  ASSERT_EQ(set_state(OtaImageStateRejected), OtaPalSuccess);
  EXPECT_EQ(device_.pal().close_file(&file.context),
            OTA_PAL_COMBINE_ERR(OtaPalFileClose, pal::Reason::kNotAllowedNow));
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kOld);
}

TEST_F(PalTest, AbortedStateClosesTheFileItIsGiven) {
  File file(image_1_1_0());
  ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
  EXPECT_EQ(device_.pal().set_image_state(&file.context, OtaImageStateAborted), 0U);
  EXPECT_EQ(file.context.pFile, nullptr);
  EXPECT_EQ(device_.pal().image_state(), OtaPalImageStateInvalid);
}

TEST_F(PalTest, SubStatusesSayWhyAFileCannotBeCreated) {
  File file(image_1_1_0());
  const auto reason_of = [&file](pal::Pal& pal) {
    const OtaPalStatus_t status = pal.create_file(&file.context);
    EXPECT_EQ(main_of(status), OtaPalRxFileCreateFailed);
    return static_cast<pal::Reason>(OTA_PAL_SUB_ERR(status));
  };
  file.context.fileSize = 0;
  EXPECT_EQ(reason_of(device_.pal()), pal::Reason::kEmptyFile);
  file.context.fileSize = 100;

  boot::BootInfo boot_info{};
  boot_info.slot = boot::Slot::kB;
  pal::Pal running_from_b(device_.platform(boot_info, {}));
  ASSERT_EQ(running_from_b.start(), flash::Status::kOk);
  EXPECT_EQ(reason_of(running_from_b), pal::Reason::kSlotInUse);

  File update(image_1_1_0());
  receive(update);
  ASSERT_TRUE(device_.boot());
  boot_info.slot = boot::Slot::kA;
  pal::Pal running_from_a(device_.platform(boot_info, {}));
  ASSERT_EQ(running_from_a.start(), flash::Status::kOk);
  EXPECT_EQ(reason_of(running_from_a), pal::Reason::kNotAllowedNow) << "another image is on trial";
  ASSERT_EQ(set_state(OtaImageStateAccepted), OtaPalSuccess);
  EXPECT_EQ(reason_of(device_.pal()), pal::Reason::kRestartFirst);
}

/// An accepted 1.1.0 whose commit the bootloader cannot finish for now.
class UncommittedImage : public PalTest {
 protected:
  void SetUp() override {
    File file(image_1_1_0());
    receive(file);
    ASSERT_TRUE(device_.boot());
    ASSERT_EQ(set_state(OtaImageStateAccepted), OtaPalSuccess);
    device_.model().plan_failure({.end = boot_test::kBothPartitions});
  }
  void TearDown() override { device_.model().forget_failures(); }

  void boot_uncommitted(boot::ResetReason reason) {
    ASSERT_TRUE(device_.boot(reason));
    ASSERT_EQ(device_.version(), kNew);
    ASSERT_EQ(device_.image_state(), boot::ImageState::kAccepted);
  }
  OtaPalStatus_t create() { return device_.pal().create_file(&next_.context); }

  File next_{image_1_2_0(), "AFR_OTA-u2"};
};

TEST_F(UncommittedImage, IsCommittedByARestartBeforeTheNextFile) {
  for (const auto reason : {boot::ResetReason::kPowerOn, boot::ResetReason::kWatchdog}) {
    boot_uncommitted(reason);
    const int resets = device_.resets();
    EXPECT_EQ(create(), OTA_PAL_COMBINE_ERR(OtaPalRxFileCreateFailed, pal::Reason::kRestartFirst));
    EXPECT_EQ(device_.resets(), resets + 1);
  }
  device_.model().forget_failures();
  ASSERT_TRUE(device_.boot(boot::ResetReason::kSoftware));
  EXPECT_EQ(device_.image_state(), boot::ImageState::kCommitted);
  receive(next_);
}

TEST_F(UncommittedImage, RestartsTheDeviceOnceAndNotForEver) {
  boot_uncommitted(boot::ResetReason::kSoftware);
  EXPECT_EQ(create(), OTA_PAL_COMBINE_ERR(OtaPalRxFileCreateFailed, pal::Reason::kSlotInUse));
  EXPECT_EQ(device_.resets(), 0) << "the restart before did not help";
}

TEST_F(PalTest, FilesWithoutAJobAreReceivedToo) {
  File file(image_1_1_0(), "");
  receive(file);
  ASSERT_TRUE(device_.boot());
  ASSERT_EQ(set_state(OtaImageStateAccepted), OtaPalSuccess);
  EXPECT_FALSE(device_.pal().is_committed_job(""));
  EXPECT_EQ(device_.version(), kNew);
}

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

TEST_F(PalTest, OnlyTheSectorsOfTheFileAreErased) {
  const std::uint32_t slot_b = flash::kSlotB.offset;
  const auto first = device_.model().erase_count(slot_b);
  const auto last = device_.model().erase_count(slot_b + flash::kControllerPart.sector_size);
  const auto beyond = device_.model().erase_count(slot_b + 2 * flash::kControllerPart.sector_size);
  File file(Bytes(flash::kControllerPart.sector_size + 1, 1));
  ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
  EXPECT_EQ(device_.model().erase_count(slot_b), first + 1);
  EXPECT_EQ(device_.model().erase_count(slot_b + flash::kControllerPart.sector_size), last + 1);
  EXPECT_EQ(device_.model().erase_count(slot_b + 2 * flash::kControllerPart.sector_size), beyond);
}

TEST_F(PalTest, WritesStayWithinTheFile) {
  File file(Bytes(1000, 1));
  std::array<std::uint8_t, 100> data{};
  EXPECT_EQ(device_.pal().write_block(&file.context, 0, data), -1) << "not open";
  ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
  EXPECT_EQ(device_.pal().write_block(&file.context, 900, data), 100);
  EXPECT_EQ(device_.pal().write_block(&file.context, 901, data), -1);
  EXPECT_EQ(device_.pal().write_block(&file.context, 1001, {}), -1);
  EXPECT_EQ(device_.pal().write_block(&file.context, UINT32_MAX, data), -1);
  const Bytes too_large(32'768);
  EXPECT_EQ(device_.pal().write_block(&file.context, 0, too_large), -1);
}

TEST_F(PalTest, ABlockMayComeTwiceButNotAsAnotherOne) {
  File file(image_1_1_0());
  ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
  ASSERT_TRUE(write_all(device_.pal(), file));
  ASSERT_TRUE(write_all(device_.pal(), file)) << "the same again";
  Bytes other(600, 0);
  std::ranges::copy(std::span(file.content).first(600), other.begin());
  other[599] = static_cast<std::uint8_t>(~other[599]);
  EXPECT_EQ(device_.pal().write_block(&file.context, 0, other), -1) << "flash cannot hold it";
}

TEST_F(PalTest, AStaleHandleWritesNothing) {
  File file(image_1_1_0());
  ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
  OtaFileContext_t copy = file.context;
  ASSERT_EQ(device_.pal().abort(&file.context), 0U);
  EXPECT_EQ(device_.pal().write_block(&copy, 0, image_1_1_0()), -1);
  EXPECT_EQ(main_of(device_.pal().close_file(&copy)), OtaPalFileClose);
  EXPECT_EQ(device_.pal().abort(&copy), 0U);
  EXPECT_EQ(copy.pFile, nullptr);
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

TEST_F(PalTest, ClosingTwiceFails) {
  File file(image_1_1_0());
  receive(file);
  EXPECT_EQ(main_of(device_.pal().close_file(&file.context)), OtaPalFileClose);
}

TEST_F(PalTest, FlashFailuresCarryTheirStatus) {
  File file(image_1_1_0());
  ASSERT_EQ(device_.flash().lock(flash::kSlotB.offset, flash::kControllerPart.sector_size),
            flash::Status::kOk);
  const OtaPalStatus_t status = device_.pal().create_file(&file.context);
  EXPECT_EQ(main_of(status), OtaPalRxFileCreateFailed);
  EXPECT_EQ(OTA_PAL_SUB_ERR(status), static_cast<std::uint32_t>(flash::Status::kProtected));
  EXPECT_EQ(file.context.pFile, nullptr);
}

TEST_F(PalTest, BootRecordThatCannotBeWrittenIsBootInfoCreateFailed) {
  File file(image_1_1_0());
  ASSERT_EQ(device_.flash().lock(flash::kBootControl0.offset, boot_test::kBothPartitions),
            flash::Status::kOk);
  EXPECT_EQ(main_of(device_.pal().create_file(&file.context)), OtaPalBootInfoCreateFailed);
}

TEST_F(PalTest, AcceptanceThatCannotBeRecordedIsCommitFailed) {
  File file(image_1_1_0());
  receive(file);
  ASSERT_TRUE(device_.boot());
  ASSERT_EQ(device_.flash().lock(flash::kBootControl0.offset, boot_test::kBothPartitions),
            flash::Status::kOk);
  EXPECT_EQ(set_state(OtaImageStateAccepted), OtaPalCommitFailed);
  EXPECT_EQ(device_.resets(), 1)
      << "a board does not come back to tell: the rejection is not recorded either";
  EXPECT_FALSE(device_.pal().is_committed_job("AFR_OTA-u1"));
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), kOld);
}

TEST_F(PalTest, OnlyTheImageOnTrialMayAcceptItself) {
  File file(image_1_1_0());
  receive(file);
  ASSERT_TRUE(device_.boot());
  boot::BootInfo other{};
  other.slot = boot::Slot::kA;
  other.image_state = boot::ImageState::kTrial;
  pal::Pal pal(device_.platform(other, {}));
  ASSERT_EQ(pal.start(), flash::Status::kOk);
  EXPECT_EQ(main_of(pal.set_image_state(nullptr, OtaImageStateAccepted)), OtaPalCommitFailed);
  EXPECT_EQ(pal.image_state(), OtaPalImageStateValid);
}

TEST_F(PalTest, AnImageThatDoesNotRunIsNeitherOnTrialNorAccepted) {
  File file(image_1_1_0());
  receive(file);
  ASSERT_TRUE(device_.boot());
  boot::BootInfo other{};
  other.slot = boot::Slot::kA;  // as if the old image ran all the same
  pal::Pal pal(device_.platform(other, {}));
  ASSERT_EQ(pal.start(), flash::Status::kOk);
  EXPECT_EQ(pal.image_state(), OtaPalImageStateValid);
  ASSERT_EQ(set_state(OtaImageStateAccepted), OtaPalSuccess);
  ASSERT_EQ(pal.start(), flash::Status::kOk);
  EXPECT_FALSE(pal.is_committed_job("AFR_OTA-u1"));
  EXPECT_EQ(main_of(pal.set_image_state(nullptr, OtaImageStateAccepted)), OtaPalCommitFailed);
  EXPECT_EQ(pal.reset(), 0U) << "without a way to reset, it comes back";
}

TEST_F(PalTest, LongJobNamesAreComparedAsRecorded) {
  const std::string job(72, 'j');
  File file(image_1_1_0(), job);
  receive(file);
  ASSERT_TRUE(device_.boot());
  ASSERT_EQ(set_state(OtaImageStateAccepted), OtaPalSuccess);
  EXPECT_TRUE(device_.pal().is_committed_job(job));
  EXPECT_FALSE(device_.pal().is_committed_job(job.substr(0, 63)));
}

}  // namespace
}  // namespace pal_test
