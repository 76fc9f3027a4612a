// The qualification group against this PAL, and what the group does not ask of the otaPal_ functions.
#include <gtest/gtest.h>

#include "pal_sim/pal/code_signer.h"
#include "pal_sim/pal/ota_pal.h"
#include "pal_sim/pal/pal_binding.h"
#include "tests/pal_sim/pal/device.h"
#include "tests/pal_sim/pal/qualification_run.h"

namespace pal_test {
namespace {

class Qualification : public testing::Test {
 protected:
  ~Qualification() override { pal::bind(nullptr); }
  void use(const pal::Platform& platform) {
    pal_.emplace(platform);
    ASSERT_EQ(pal_->start(), flash::Status::kOk);
    pal::bind(&*pal_);
  }

  Device device_;
  std::optional<pal::Pal> pal_;
};

TEST_F(Qualification, AllFifteenCasesPass) {
  provision_test_signer(device_);
  use(qualification_platform(device_));
  const QualificationRun run = run_qualification();
  EXPECT_TRUE(run.report.passed()) << run.report.problem() << "\n" << run.output;
  EXPECT_EQ(run.returned, 0);
  std::vector<std::string> names;
  for (const auto& one : run.report.cases()) {
    EXPECT_EQ(one.group, "Full_OTA_PAL");
    names.push_back(one.name);
  }
  const std::vector<std::string> expected{
      "otaPal_CloseFile_ValidSignature",
      "otaPal_CloseFile_InvalidSignatureBlockWritten",
      "otaPal_CloseFile_InvalidSignatureNoBlockWritten",
      "otaPal_CloseFile_NonexistingCodeSignerCertificate",
      "otaPal_CreateFileForRx_CreateAnyFile",
      "otaPal_Abort_OpenFile",
      "otaPal_Abort_FileWithBlockWritten",
      "otaPal_Abort_NullFileHandle",
      "otaPal_Abort_NonExistentFile",
      "otaPal_WriteBlock_WriteSingleByte",
      "otaPal_WriteBlock_WriteManyBlocks",
      "otaPal_SetPlatformImageState_AcceptedStateWithoutClose",
      "otaPal_SetPlatformImageState_InvalidImageState",
      "otaPal_SetPlatformImageState_UnknownImageState",
      "otaPal_GetPlatformImageState_InvalidImageStateFromFileCloseFailure"};
  EXPECT_EQ(names, expected);
}

TEST_F(Qualification, ItRunsAgainAndLeavesTheDeviceAsItWas) {
  provision_test_signer(device_);
  use(qualification_platform(device_));
  static_cast<void>(run_qualification());
  EXPECT_TRUE(run_qualification().report.passed()) << "after itself";
  ASSERT_TRUE(device_.boot());
  EXPECT_EQ(device_.version(), (boot::image::Version{1, 0, 0, 0}));
}

const std::set<std::string> kCasesThatNeedTheSigner{
    "otaPal_CloseFile_ValidSignature", "otaPal_CloseFile_InvalidSignatureBlockWritten",
    "otaPal_CloseFile_InvalidSignatureNoBlockWritten",
    "otaPal_GetPlatformImageState_InvalidImageStateFromFileCloseFailure"};

TEST_F(Qualification, WithAnotherRootTheSignerIsRefused) {
  provision_test_signer(device_);
  const boot::BootInfo boot_info = boot_of_slot_a();
  use(device_.platform(boot_info, {}));  // the unit tests' own root
  const QualificationRun run = run_qualification();
  EXPECT_EQ(run.failed(), kCasesThatNeedTheSigner) << run.output;
  EXPECT_EQ(run.returned, 4);
}

TEST_F(Qualification, WithoutTheSignerItFails) {
  use(qualification_platform(device_));
  EXPECT_EQ(run_qualification().failed(), kCasesThatNeedTheSigner);
}

TEST_F(Qualification, UnboundItFailsFromTheFirstToTheLast) {
  const QualificationRun run = run_qualification();
  EXPECT_EQ(run.failed().size(), 15U) << run.output;
}

class Functions : public Qualification {
 protected:
  Functions() : file_(Bytes(84, 0x42)) { pal::bind(&device_.pal()); }
  OtaPalMainStatus_t create() { return main_of(otaPal_CreateFileForRx(&file_.context)); }
  int write() {
    return otaPal_WriteBlock(&file_.context, 0, file_.content.data(),
                             static_cast<std::uint32_t>(file_.content.size()));
  }

  File file_;
};

TEST_F(Functions, ContextOfZeroesIsEnoughToCreate) {
  OtaFileContext_t context{};
  context.fileSize = 84;
  EXPECT_EQ(main_of(otaPal_CreateFileForRx(&context)), OtaPalSuccess);
}

TEST_F(Functions, CertificateIsFoundByName) {
  std::uint32_t size = 0;
  const auto* certificate =
      otaPal_ReadAndAssumeCertificate(reinterpret_cast<const std::uint8_t*>(kSignerName), &size);
  ASSERT_NE(certificate, nullptr);
  EXPECT_EQ(Bytes(certificate, certificate + size), code_signer().certificate());
  EXPECT_EQ(otaPal_ReadAndAssumeCertificate(reinterpret_cast<const std::uint8_t*>("other"), &size), nullptr);
  EXPECT_EQ(size, 0U);
  EXPECT_EQ(otaPal_ReadAndAssumeCertificate(nullptr, &size), nullptr);
  EXPECT_EQ(otaPal_ReadAndAssumeCertificate(reinterpret_cast<const std::uint8_t*>(kSignerName), nullptr),
            nullptr);
}

TEST_F(Functions, SignatureIsCheckedOfAnOpenFile) {
  EXPECT_EQ(main_of(otaPal_CheckFileSignature(&file_.context)), OtaPalFileClose);
  ASSERT_EQ(create(), OtaPalSuccess);
  EXPECT_EQ(main_of(otaPal_CheckFileSignature(&file_.context)), OtaPalSignatureCheckFailed);
  ASSERT_EQ(write(), 84);
  EXPECT_EQ(main_of(otaPal_CheckFileSignature(&file_.context)), OtaPalSuccess);
}

TEST_F(Functions, NamesNeedNoSizeButHaveALimit) {
  file_.context.certFilePathMaxSize = 0;
  ASSERT_EQ(create(), OtaPalSuccess);
  ASSERT_EQ(write(), 84);
  EXPECT_EQ(main_of(otaPal_CheckFileSignature(&file_.context)), OtaPalSuccess);
  file_.context.certFilePathMaxSize = 4;  // cuts the name
  EXPECT_EQ(otaPal_CheckFileSignature(&file_.context),
            OTA_PAL_COMBINE_ERR(OtaPalBadSignerCert, pal::SignerStatus::kNotFound));
  file_.context.pCertFilepath = nullptr;
  EXPECT_EQ(main_of(otaPal_CheckFileSignature(&file_.context)), OtaPalBadSignerCert);
}

TEST_F(Functions, NullContextsAreNamed) {
  EXPECT_EQ(main_of(otaPal_Abort(nullptr)), OtaPalNullFileContext);
  EXPECT_EQ(main_of(otaPal_CreateFileForRx(nullptr)), OtaPalNullFileContext);
  EXPECT_EQ(main_of(otaPal_CloseFile(nullptr)), OtaPalNullFileContext);
  EXPECT_EQ(main_of(otaPal_CheckFileSignature(nullptr)), OtaPalNullFileContext);
  EXPECT_EQ(otaPal_WriteBlock(nullptr, 0, nullptr, 0), -1);
  ASSERT_EQ(create(), OtaPalSuccess);
  EXPECT_EQ(otaPal_WriteBlock(&file_.context, 0, nullptr, 1), -1);
  EXPECT_EQ(otaPal_WriteBlock(&file_.context, 0, nullptr, 0), 0);
}

TEST_F(Functions, TheInterfaceHasThemAll) {
  const OtaPalInterface_t interface = pal::interface();
  ASSERT_EQ(interface.createFile(&file_.context), 0U);
  ASSERT_EQ(interface.writeBlock(&file_.context, 0, file_.content.data(), 84), 84);
  EXPECT_EQ(interface.closeFile(&file_.context), 0U);
  EXPECT_EQ(main_of(interface.activate(&file_.context)), OtaPalActivateFailed) << "it is no image";
  EXPECT_EQ(interface.setPlatformImageState(&file_.context, OtaImageStateRejected), 0U);
  EXPECT_EQ(interface.getPlatformImageState(&file_.context), OtaPalImageStateInvalid);
  EXPECT_EQ(interface.abort(&file_.context), 0U);
  EXPECT_EQ(interface.reset(&file_.context), 0U);
  EXPECT_EQ(device_.resets(), 1);
  EXPECT_FALSE(pal::is_committed_job("AFR_OTA-u1"));
}

TEST_F(Functions, TheAgentIsToldOfACommittedJob) {
  File update(image_1_1_0());
  ASSERT_EQ(main_of(otaPal_CreateFileForRx(&update.context)), OtaPalSuccess);
  ASSERT_TRUE(write_all(device_.pal(), update));
  ASSERT_EQ(main_of(otaPal_CloseFile(&update.context)), OtaPalSuccess);
  ASSERT_TRUE(device_.boot());
  pal::bind(&device_.pal());
  EXPECT_EQ(otaPal_GetPlatformImageState(nullptr), OtaPalImageStatePendingCommit);
  ASSERT_EQ(main_of(otaPal_SetPlatformImageState(nullptr, OtaImageStateAccepted)), OtaPalSuccess);
  EXPECT_TRUE(pal::is_committed_job("AFR_OTA-u1"));
}

TEST(Unbound, EveryFunctionSaysSo) {
  OtaFileContext_t context{};
  std::uint8_t byte = 0;
  std::uint32_t size = 0;
  EXPECT_EQ(main_of(otaPal_Abort(&context)), OtaPalUninitialized);
  EXPECT_EQ(main_of(otaPal_CreateFileForRx(&context)), OtaPalUninitialized);
  EXPECT_EQ(main_of(otaPal_CloseFile(&context)), OtaPalUninitialized);
  EXPECT_EQ(main_of(otaPal_ActivateNewImage(&context)), OtaPalUninitialized);
  EXPECT_EQ(main_of(otaPal_ResetDevice(&context)), OtaPalUninitialized);
  EXPECT_EQ(main_of(otaPal_SetPlatformImageState(&context, OtaImageStateTesting)), OtaPalUninitialized);
  EXPECT_EQ(main_of(otaPal_CheckFileSignature(&context)), OtaPalUninitialized);
  EXPECT_EQ(otaPal_WriteBlock(&context, 0, &byte, 1), -1);
  EXPECT_EQ(otaPal_GetPlatformImageState(&context), OtaPalImageStateUnknown);
  EXPECT_EQ(otaPal_ReadAndAssumeCertificate(&byte, &size), nullptr);
  EXPECT_FALSE(pal::is_committed_job("j"));
}

}  // namespace
}  // namespace pal_test
