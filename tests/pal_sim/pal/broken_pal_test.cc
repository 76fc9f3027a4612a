// The qualification group can fail: each case fails for a PAL with the defect it is there to find, and only
// the cases that look for it.
//
// This program has its own otaPal_ functions: those of a sound Pal, but for one defect at a time.
#include <gtest/gtest.h>

#include "pal_sim/pal/ota_pal.h"
#include "tests/pal_sim/pal/qualification_run.h"

namespace {

enum class Defect {
  kNone,
  kCreateFails,
  kAcceptsEverySignature,
  kRefusesEverySignature,
  kAcceptsUnknownCertificate,
  kAbortKeepsHandle,
  kAbortFailsWithoutFile,
  kWritesOneByteLess,
  kRefusesWritesBehindTheFirst,
  kAcceptsAnImageThatWasNotClosed,
  kTakesEveryState,
  kForgetsAFailedClose,
};

pal::Pal* sound = nullptr;
Defect defect = Defect::kNone;

bool has(Defect one) {
  return defect == one;
}

OtaPalStatus_t main_only(OtaPalMainStatus_t main) {
  return OTA_PAL_COMBINE_ERR(main, 0);
}

}  // namespace

OtaPalStatus_t otaPal_Abort(OtaFileContext_t* const file) {
  if (has(Defect::kAbortFailsWithoutFile) && file->pFile == nullptr) return main_only(OtaPalFileAbort);
  std::uint8_t* const handle = file->pFile;
  const OtaPalStatus_t status = sound->abort(file);
  if (has(Defect::kAbortKeepsHandle)) file->pFile = handle;
  return status;
}

OtaPalStatus_t otaPal_CreateFileForRx(OtaFileContext_t* const file) {
  return has(Defect::kCreateFails) ? main_only(OtaPalRxFileCreateFailed) : sound->create_file(file);
}

OtaPalStatus_t otaPal_CloseFile(OtaFileContext_t* const file) {
  const OtaPalStatus_t status = sound->close_file(file);
  const OtaPalMainStatus_t main = OTA_PAL_MAIN_ERR(status);
  if (has(Defect::kAcceptsEverySignature) && main == OtaPalSignatureCheckFailed) return 0;
  if (has(Defect::kAcceptsUnknownCertificate) && main == OtaPalBadSignerCert) return 0;
  return has(Defect::kRefusesEverySignature) ? main_only(OtaPalSignatureCheckFailed) : status;
}

int16_t otaPal_WriteBlock(OtaFileContext_t* const file, uint32_t offset, uint8_t* const data, uint32_t size) {
  if (has(Defect::kRefusesWritesBehindTheFirst) && offset != 0) return -1;
  const std::int16_t written = sound->write_block(file, offset, {data, size});
  return has(Defect::kWritesOneByteLess) ? static_cast<int16_t>(written - 1) : written;
}

OtaPalStatus_t otaPal_SetPlatformImageState(OtaFileContext_t* const file, OtaImageState_t state) {
  if (has(Defect::kAcceptsAnImageThatWasNotClosed) && state == OtaImageStateAccepted) return 0;
  const OtaPalStatus_t status = sound->set_image_state(file, state);
  return has(Defect::kTakesEveryState) && OTA_PAL_MAIN_ERR(status) == OtaPalBadImageState ? 0 : status;
}

OtaPalImageState_t otaPal_GetPlatformImageState(OtaFileContext_t* const /*file*/) {
  return has(Defect::kForgetsAFailedClose) ? OtaPalImageStateValid : sound->image_state();
}

namespace pal_test {
namespace {

std::set<std::string> failing_with(Defect one) {
  Device device;
  provision_test_signer(device);
  pal::Pal pal(qualification_platform(device));
  EXPECT_EQ(pal.start(), flash::Status::kOk);
  sound = &pal;
  defect = one;
  const QualificationRun run = run_qualification();
  sound = nullptr;
  EXPECT_TRUE(run.report.is_complete()) << run.output;
  EXPECT_EQ(run.report.cases().size(), 15U) << "a case that fails does not end the group";
  EXPECT_EQ(static_cast<std::size_t>(run.returned), run.failed().size());
  return run.failed();
}

using Names = std::set<std::string>;

TEST(BrokenPal, WithoutADefectNothingFails) {
  EXPECT_EQ(failing_with(Defect::kNone), Names{});
}

TEST(BrokenPal, SignaturesThatAreNotChecked) {
  EXPECT_EQ(failing_with(Defect::kAcceptsEverySignature),
            (Names{"otaPal_CloseFile_InvalidSignatureBlockWritten",
                   "otaPal_CloseFile_InvalidSignatureNoBlockWritten",
                   "otaPal_GetPlatformImageState_InvalidImageStateFromFileCloseFailure"}));
  EXPECT_EQ(failing_with(Defect::kRefusesEverySignature),
            (Names{"otaPal_CloseFile_ValidSignature", "otaPal_CloseFile_NonexistingCodeSignerCertificate"}));
}

TEST(BrokenPal, CertificatesThatAreNotAskedFor) {
  EXPECT_EQ(failing_with(Defect::kAcceptsUnknownCertificate),
            Names{"otaPal_CloseFile_NonexistingCodeSignerCertificate"});
}

TEST(BrokenPal, FilesThatCannotBeCreated) {
  const Names failed = failing_with(Defect::kCreateFails);
  EXPECT_EQ(failed.size(), 13U) << "all but the two that create none";
  EXPECT_TRUE(failed.contains("otaPal_CreateFileForRx_CreateAnyFile"));
}

TEST(BrokenPal, AbortThatDoesNotLetGo) {
  EXPECT_EQ(failing_with(Defect::kAbortKeepsHandle),
            (Names{"otaPal_Abort_OpenFile", "otaPal_Abort_FileWithBlockWritten"}));
}

TEST(BrokenPal, AbortThatWantsAFile) {
  const Names failed = failing_with(Defect::kAbortFailsWithoutFile);
  EXPECT_TRUE(failed.contains("otaPal_Abort_NullFileHandle"));
  EXPECT_TRUE(failed.contains("otaPal_Abort_NonExistentFile"));
  EXPECT_TRUE(failed.contains("otaPal_CloseFile_ValidSignature")) << "in its teardown";
}

TEST(BrokenPal, WritesThatAreNotWhole) {
  const Names failed = failing_with(Defect::kWritesOneByteLess);
  EXPECT_TRUE(failed.contains("otaPal_WriteBlock_WriteSingleByte"));
  EXPECT_TRUE(failed.contains("otaPal_WriteBlock_WriteManyBlocks"));
  EXPECT_EQ(failing_with(Defect::kRefusesWritesBehindTheFirst), Names{"otaPal_WriteBlock_WriteManyBlocks"});
}

TEST(BrokenPal, StatesThatAreNotKept) {
  EXPECT_EQ(failing_with(Defect::kAcceptsAnImageThatWasNotClosed),
            Names{"otaPal_SetPlatformImageState_AcceptedStateWithoutClose"});
  EXPECT_EQ(failing_with(Defect::kTakesEveryState),
            (Names{"otaPal_SetPlatformImageState_InvalidImageState",
                   "otaPal_SetPlatformImageState_UnknownImageState"}));
  EXPECT_EQ(failing_with(Defect::kForgetsAFailedClose),
            Names{"otaPal_GetPlatformImageState_InvalidImageStateFromFileCloseFailure"});
}

}  // namespace
}  // namespace pal_test
