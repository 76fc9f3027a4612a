#include "agent/pal_test/ota_pal_test.h"

#include <stddef.h>
#include <string.h>

#include "agent/pal_test/test_param_config.h"
#include "agent/pal_test/unity_lines.h"
#include "pal_sim/pal/ota_pal.h"
#include "pal_test_samples.h" /* made by the build: scripts/cmake/OtasimPalTest.cmake */

/* A valid image of the device is never written over: these names stand for files that cannot be started. */
static const char kHappyPathFile[] = "test_happy_path_image.bin";
static const char kNoSuchFile[] = "nonexistingfile.bin";

#define WRITE_COUNT 10U

/* What each case starts with: a context of zeroes. Names' sizes stay 0 in it, as in AWS's group. */
struct fixture {
  struct unity_group* group;
  OtaPalTestParam_t param;
  OtaFileContext_t file;
  Sig_t signature;
};

/* Ends the case unless the two are equal. */
#define ASSERT_EQUAL(expected, actual)                                                             \
  do {                                                                                             \
    if (!unity_expect_equal(f->group, (uint32_t)(expected), (uint32_t)(actual), __LINE__)) return; \
  } while (0)

static void set_file(struct fixture* f, const char* path, uint32_t size) {
  f->file.pFilePath = (uint8_t*)path;
  f->file.fileSize = size;
}

static OtaPalMainStatus_t create(struct fixture* f) {
  return OTA_PAL_MAIN_ERR(otaPal_CreateFileForRx(&f->file));
}

static int write_sample(struct fixture* f, uint32_t offset) {
  uint8_t block[sizeof(kSample)]; /* the PAL takes a pointer it could write through */
  memcpy(block, kSample, sizeof(block));
  return otaPal_WriteBlock(&f->file, offset, block, sizeof(block));
}

static OtaPalMainStatus_t close_signed(struct fixture* f, const uint8_t* signature, size_t size,
                                       const char* certificate) {
  f->signature.size = (uint16_t)size;
  memcpy(f->signature.data, signature, size);
  f->file.pSignature = &f->signature;
  f->file.pCertFilepath = (uint8_t*)certificate;
  return OTA_PAL_MAIN_ERR(otaPal_CloseFile(&f->file));
}

static OtaPalMainStatus_t set_state(struct fixture* f, int state) {
  return OTA_PAL_MAIN_ERR(otaPal_SetPlatformImageState(&f->file, (OtaImageState_t)state));
}

static void otaPal_CloseFile_ValidSignature(struct fixture* f) {
  set_file(f, kHappyPathFile, sizeof(kSample));
  ASSERT_EQUAL(OtaPalSuccess, create(f));
  ASSERT_EQUAL(sizeof(kSample), write_sample(f, 0));
  ASSERT_EQUAL(OtaPalSuccess,
               close_signed(f, kValidSignature, sizeof(kValidSignature), OTA_PAL_CERTIFICATE_FILE));
}

static void otaPal_CloseFile_InvalidSignatureBlockWritten(struct fixture* f) {
  set_file(f, kHappyPathFile, sizeof(kSample));
  ASSERT_EQUAL(OtaPalSuccess, create(f));
  ASSERT_EQUAL(sizeof(kSample), write_sample(f, 0));
  ASSERT_EQUAL(OtaPalSignatureCheckFailed,
               close_signed(f, kInvalidSignature, sizeof(kInvalidSignature), OTA_PAL_CERTIFICATE_FILE));
}

static void otaPal_CloseFile_InvalidSignatureNoBlockWritten(struct fixture* f) {
  set_file(f, kHappyPathFile, sizeof(kSample));
  ASSERT_EQUAL(OtaPalSuccess, create(f));
  ASSERT_EQUAL(OtaPalSignatureCheckFailed,
               close_signed(f, kInvalidSignature, sizeof(kInvalidSignature), OTA_PAL_CERTIFICATE_FILE));
}

#if OTA_PAL_USE_FILE_SYSTEM == 1
static void otaPal_CloseFile_NonexistingCodeSignerCertificate(struct fixture* f) {
  set_file(f, kHappyPathFile, sizeof(kSample));
  ASSERT_EQUAL(OtaPalSuccess, create(f));
  ASSERT_EQUAL(sizeof(kSample), write_sample(f, 0));
  ASSERT_EQUAL(OtaPalBadSignerCert,
               close_signed(f, kValidSignature, sizeof(kValidSignature), "nonexistingfile.crt"));
}
#endif

static void otaPal_CreateFileForRx_CreateAnyFile(struct fixture* f) {
  set_file(f, OTA_PAL_FIRMWARE_FILE, sizeof(kSample));
  ASSERT_EQUAL(OtaPalSuccess, create(f));
}

static void otaPal_Abort_OpenFile(struct fixture* f) {
  set_file(f, OTA_PAL_FIRMWARE_FILE, sizeof(kSample));
  ASSERT_EQUAL(OtaPalSuccess, create(f));
  ASSERT_EQUAL(OtaPalSuccess, OTA_PAL_MAIN_ERR(otaPal_Abort(&f->file)));
  ASSERT_EQUAL(true, f->file.pFile == NULL);
}

static void otaPal_Abort_FileWithBlockWritten(struct fixture* f) {
  set_file(f, OTA_PAL_FIRMWARE_FILE, sizeof(kSample));
  ASSERT_EQUAL(OtaPalSuccess, create(f));
  ASSERT_EQUAL(sizeof(kSample), write_sample(f, 0));
  ASSERT_EQUAL(OtaPalSuccess, OTA_PAL_MAIN_ERR(otaPal_Abort(&f->file)));
  ASSERT_EQUAL(true, f->file.pFile == NULL);
}

static void otaPal_Abort_NullFileHandle(struct fixture* f) {
  f->file.pFile = NULL;
  ASSERT_EQUAL(OtaPalSuccess, OTA_PAL_MAIN_ERR(otaPal_Abort(&f->file)));
}

static void otaPal_Abort_NonExistentFile(struct fixture* f) {
  set_file(f, kNoSuchFile, 0);
  ASSERT_EQUAL(OtaPalSuccess, OTA_PAL_MAIN_ERR(otaPal_Abort(&f->file)));
}

static void otaPal_WriteBlock_WriteSingleByte(struct fixture* f) {
  uint8_t byte = 0xAA;
  set_file(f, OTA_PAL_FIRMWARE_FILE, sizeof(byte));
  ASSERT_EQUAL(OtaPalSuccess, create(f));
  ASSERT_EQUAL(1, otaPal_WriteBlock(&f->file, 0, &byte, sizeof(byte)));
}

static void otaPal_WriteBlock_WriteManyBlocks(struct fixture* f) {
  ASSERT_EQUAL(true, sizeof(kSample) <= f->param.pageSize);
  set_file(f, OTA_PAL_FIRMWARE_FILE, f->param.pageSize * WRITE_COUNT);
  ASSERT_EQUAL(OtaPalSuccess, create(f));
  for (uint32_t i = 0; i < WRITE_COUNT; ++i) {
    ASSERT_EQUAL(sizeof(kSample), write_sample(f, i * f->param.pageSize));
  }
}

static void otaPal_SetPlatformImageState_AcceptedStateWithoutClose(struct fixture* f) {
  set_file(f, OTA_PAL_FIRMWARE_FILE, sizeof(kSample));
  ASSERT_EQUAL(OtaPalSuccess, create(f));
  ASSERT_EQUAL(OtaPalCommitFailed, set_state(f, OtaImageStateAccepted));
}

static void otaPal_SetPlatformImageState_InvalidImageState(struct fixture* f) {
  set_file(f, OTA_PAL_FIRMWARE_FILE, sizeof(kSample));
  ASSERT_EQUAL(OtaPalSuccess, create(f));
  ASSERT_EQUAL(OtaPalBadImageState, set_state(f, OtaLastImageState + 1));
}

static void otaPal_SetPlatformImageState_UnknownImageState(struct fixture* f) {
  set_file(f, OTA_PAL_FIRMWARE_FILE, sizeof(kSample));
  ASSERT_EQUAL(OtaPalSuccess, create(f));
  ASSERT_EQUAL(OtaPalBadImageState, set_state(f, OtaImageStateUnknown));
}

/* AWS's group also lets Unknown pass; this PAL knows. */
static void otaPal_GetPlatformImageState_InvalidImageStateFromFileCloseFailure(struct fixture* f) {
  set_file(f, kHappyPathFile, sizeof(kSample));
  ASSERT_EQUAL(OtaPalSuccess, create(f));
  ASSERT_EQUAL(sizeof(kSample), write_sample(f, 0));
  ASSERT_EQUAL(OtaPalSignatureCheckFailed,
               close_signed(f, kInvalidSignature, sizeof(kInvalidSignature), OTA_PAL_CERTIFICATE_FILE));
  ASSERT_EQUAL(OtaPalImageStateInvalid, otaPal_GetPlatformImageState(&f->file));
}

struct test_case {
  const char* name;
  int line;
  void (*run)(struct fixture* f);
};

#define CASE(name) \
  { #name, __LINE__, name }

static const struct test_case kCases[] = {
    CASE(otaPal_CloseFile_ValidSignature),
    CASE(otaPal_CloseFile_InvalidSignatureBlockWritten),
    CASE(otaPal_CloseFile_InvalidSignatureNoBlockWritten),
#if OTA_PAL_USE_FILE_SYSTEM == 1
    CASE(otaPal_CloseFile_NonexistingCodeSignerCertificate),
#endif
    CASE(otaPal_CreateFileForRx_CreateAnyFile),
    CASE(otaPal_Abort_OpenFile),
    CASE(otaPal_Abort_FileWithBlockWritten),
    CASE(otaPal_Abort_NullFileHandle),
    CASE(otaPal_Abort_NonExistentFile),
    CASE(otaPal_WriteBlock_WriteSingleByte),
    CASE(otaPal_WriteBlock_WriteManyBlocks),
    CASE(otaPal_SetPlatformImageState_AcceptedStateWithoutClose),
    CASE(otaPal_SetPlatformImageState_InvalidImageState),
    CASE(otaPal_SetPlatformImageState_UnknownImageState),
    CASE(otaPal_GetPlatformImageState_InvalidImageStateFromFileCloseFailure),
};

/* A file left open would fail the cases that follow, so giving it up belongs to the case. */
static void tear_down(struct fixture* f) {
  ASSERT_EQUAL(OtaPalSuccess, OTA_PAL_MAIN_ERR(otaPal_Abort(&f->file)));
}

int RunOtaPalTest(void) {
  struct unity_group group = {.name = "Full_OTA_PAL", .file = "ota_pal_test.c"};
  for (size_t i = 0; i < sizeof(kCases) / sizeof(kCases[0]); ++i) {
    struct fixture f;
    memset(&f, 0, sizeof(f));
    f.group = &group;
    SetupOtaPalTestParam(&f.param);
    unity_begin_case(&group, kCases[i].name, kCases[i].line);
    kCases[i].run(&f);
    tear_down(&f);
    unity_end_case(&group);
  }
  unity_end_group(&group);
  return (int)group.failures;
}
