/*
 * AWS's names for the platform abstraction layer's functions, to be put into OtaPalInterface_t.
 *
 * AWS's functions carry no context, so one pal::Pal is bound to them first (pal_binding.h); before that they
 * report OtaPalUninitialized.
 */
#ifndef OTA_PAL_H
#define OTA_PAL_H

#include "agent/include/ota_platform_interface.h"

#ifdef __cplusplus
extern "C" {
#endif

OtaPalStatus_t otaPal_Abort(OtaFileContext_t* const pFileContext);
OtaPalStatus_t otaPal_CreateFileForRx(OtaFileContext_t* const pFileContext);
OtaPalStatus_t otaPal_CloseFile(OtaFileContext_t* const pFileContext);
int16_t otaPal_WriteBlock(OtaFileContext_t* const pFileContext, uint32_t offset, uint8_t* const pData,
                          uint32_t blockSize);
OtaPalStatus_t otaPal_ActivateNewImage(OtaFileContext_t* const pFileContext);
OtaPalStatus_t otaPal_ResetDevice(OtaFileContext_t* const pFileContext);
OtaPalStatus_t otaPal_SetPlatformImageState(OtaFileContext_t* const pFileContext, OtaImageState_t eState);
OtaPalImageState_t otaPal_GetPlatformImageState(OtaFileContext_t* const pFileContext);

/* Success, SignatureCheckFailed, BadSignerCert, FileClose. The file must be open. */
OtaPalStatus_t otaPal_CheckFileSignature(OtaFileContext_t* const pFileContext);

/* The provisioned certificate in DER and its size; NULL and 0 if there is none of that name. The caller does
 * not free it. */
const uint8_t* otaPal_ReadAndAssumeCertificate(const uint8_t* const pucCertName,
                                               uint32_t* const ulSignerCertSize);

#ifdef __cplusplus
}
#endif

#endif /* OTA_PAL_H */
