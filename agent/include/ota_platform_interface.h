/*
 * The platform abstraction layer: where a received file goes, who may have signed it, and which image runs
 * next.
 *
 * Order of use for one update: createFile, writeBlock for every block in any order, closeFile (which
 * verifies), activate (which resets). In the new image: getPlatformImageState says PendingCommit until
 * setPlatformImageState( Accepted ) makes it permanent. abort is allowed at any time.
 */
#ifndef OTA_PLATFORM_INTERFACE
#define OTA_PLATFORM_INTERFACE

#include "ota_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An OtaPalMainStatus_t in the top byte, 24 bits of the port's own below it. */
typedef uint32_t OtaPalStatus_t;
typedef uint32_t OtaPalSubStatus_t;

typedef enum OtaPalMainStatus {
  OtaPalSuccess = 0,
  OtaPalUninitialized = 0xe0, /* no result was produced */
  OtaPalOutOfMemory,
  OtaPalNullFileContext,
  OtaPalSignatureCheckFailed,
  OtaPalRxFileCreateFailed,
  OtaPalRxFileTooLarge,
  OtaPalBootInfoCreateFailed,
  OtaPalBadSignerCert, /* the certificate is unknown, unreadable or not fit for signing code */
  OtaPalBadImageState, /* the state argument is not one that can be set */
  OtaPalAbortFailed,
  OtaPalRejectFailed,
  OtaPalCommitFailed,
  OtaPalActivateFailed,
  OtaPalFileAbort,
  OtaPalFileClose
} OtaPalMainStatus_t;

#define OTA_PAL_ERR_MASK 0xffffffUL
#define OTA_PAL_SUB_BITS 24U
#define OTA_PAL_MAIN_ERR(err) ((OtaPalMainStatus_t)((uint32_t)(err) >> OTA_PAL_SUB_BITS))
#define OTA_PAL_SUB_ERR(err) ((uint32_t)(err) & (uint32_t)OTA_PAL_ERR_MASK)
#define OTA_PAL_COMBINE_ERR(main, sub) \
  (((uint32_t)(main) << OTA_PAL_SUB_BITS) | ((uint32_t)(sub) & (uint32_t)OTA_PAL_ERR_MASK))

/* Gives up a transfer and sets pFile to NULL; also right when no file is open. Success, FileAbort. */
typedef OtaPalStatus_t (*OtaPalAbort_t)(OtaFileContext_t* const pFileContext);

/* Opens the receive area for fileSize bytes. Success, RxFileTooLarge, BootInfoCreateFailed,
 * RxFileCreateFailed. */
typedef OtaPalStatus_t (*OtaPalCreateFileForRx_t)(OtaFileContext_t* const pFileContext);

/* Verifies pSignature over the whole file with the certificate pCertFilepath, and closes the file whatever
 * comes of it. Success, SignatureCheckFailed, BadSignerCert, FileClose. */
typedef OtaPalStatus_t (*OtaPalCloseFile_t)(OtaFileContext_t* const pFileContext);

/* Returns blockSize, or a negative number if not every byte was written. */
typedef int16_t (*OtaPalWriteBlock_t)(OtaFileContext_t* const pFileContext, uint32_t offset,
                                      uint8_t* const pData, uint32_t blockSize);

/* Starts the new image; a port that resets the device does not return. Success, ActivateFailed. */
typedef OtaPalStatus_t (*OtaPalActivateNewImage_t)(OtaFileContext_t* const pFileContext);

typedef OtaPalStatus_t (*OtaPalResetDevice_t)(OtaFileContext_t* const pFileContext);

/* Success, BadImageState, AbortFailed, RejectFailed, CommitFailed. */
typedef OtaPalStatus_t (*OtaPalSetPlatformImageState_t)(OtaFileContext_t* const pFileContext,
                                                        OtaImageState_t eState);

typedef OtaPalImageState_t (*OtaPalGetPlatformImageState_t)(OtaFileContext_t* const pFileContext);

typedef struct OtaPalInterface {
  OtaPalAbort_t abort;
  OtaPalCreateFileForRx_t createFile;
  OtaPalCloseFile_t closeFile;
  OtaPalWriteBlock_t writeBlock;
  OtaPalActivateNewImage_t activate;
  OtaPalResetDevice_t reset;
  OtaPalSetPlatformImageState_t setPlatformImageState;
  OtaPalGetPlatformImageState_t getPlatformImageState;
} OtaPalInterface_t;

#ifdef __cplusplus
}
#endif

#endif /* OTA_PLATFORM_INTERFACE */
