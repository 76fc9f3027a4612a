// The one pointer behind AWS's PAL functions.
#include "pal_sim/pal/ota_pal.h"

#include <cstring>

#include "agent/include/ota.h"
#include "pal_sim/pal/pal_binding.h"

namespace {

pal::Pal* bound = nullptr;

constexpr OtaPalStatus_t kUnbound = OTA_PAL_COMBINE_ERR(OtaPalUninitialized, 0);
constexpr std::size_t kMaxCertificateName = 255;

}  // namespace

namespace pal {

void bind(Pal* pal) {
  bound = pal;
}

OtaPalInterface_t interface() {
  return {.abort = otaPal_Abort,
          .createFile = otaPal_CreateFileForRx,
          .closeFile = otaPal_CloseFile,
          .writeBlock = otaPal_WriteBlock,
          .activate = otaPal_ActivateNewImage,
          .reset = otaPal_ResetDevice,
          .setPlatformImageState = otaPal_SetPlatformImageState,
          .getPlatformImageState = otaPal_GetPlatformImageState};
}

bool is_committed_job(std::string_view job_id) {
  return bound != nullptr && bound->is_committed_job(job_id);
}

}  // namespace pal

#ifdef OTASIM_PAL_RSA
extern "C" const char OTA_JsonFileSignatureKey[OTA_FILE_SIG_KEY_STR_MAX_LENGTH] = "sig-sha256-rsa";
#else
extern "C" const char OTA_JsonFileSignatureKey[OTA_FILE_SIG_KEY_STR_MAX_LENGTH] = "sig-sha256-ecdsa";
#endif

OtaPalStatus_t otaPal_Abort(OtaFileContext_t* const pFileContext) {
  return bound == nullptr ? kUnbound : bound->abort(pFileContext);
}

OtaPalStatus_t otaPal_CreateFileForRx(OtaFileContext_t* const pFileContext) {
  return bound == nullptr ? kUnbound : bound->create_file(pFileContext);
}

OtaPalStatus_t otaPal_CloseFile(OtaFileContext_t* const pFileContext) {
  return bound == nullptr ? kUnbound : bound->close_file(pFileContext);
}

int16_t otaPal_WriteBlock(OtaFileContext_t* const pFileContext, uint32_t offset, uint8_t* const pData,
                          uint32_t blockSize) {
  if (bound == nullptr || (pData == nullptr && blockSize != 0)) return -1;
  return bound->write_block(pFileContext, offset, {pData, blockSize});
}

OtaPalStatus_t otaPal_ActivateNewImage(OtaFileContext_t* const /*pFileContext*/) {
  return bound == nullptr ? kUnbound : bound->activate();
}

OtaPalStatus_t otaPal_ResetDevice(OtaFileContext_t* const /*pFileContext*/) {
  return bound == nullptr ? kUnbound : bound->reset();
}

OtaPalStatus_t otaPal_SetPlatformImageState(OtaFileContext_t* const pFileContext, OtaImageState_t eState) {
  return bound == nullptr ? kUnbound : bound->set_image_state(pFileContext, eState);
}

OtaPalImageState_t otaPal_GetPlatformImageState(OtaFileContext_t* const /*pFileContext*/) {
  return bound == nullptr ? OtaPalImageStateUnknown : bound->image_state();
}

OtaPalStatus_t otaPal_CheckFileSignature(OtaFileContext_t* const pFileContext) {
  if (bound == nullptr) return kUnbound;
  if (pFileContext == nullptr) return OTA_PAL_COMBINE_ERR(OtaPalNullFileContext, 0);
  return bound->check_signature(*pFileContext);
}

const uint8_t* otaPal_ReadAndAssumeCertificate(const uint8_t* const pucCertName,
                                               uint32_t* const ulSignerCertSize) {
  if (bound == nullptr || pucCertName == nullptr || ulSignerCertSize == nullptr) return nullptr;
  const auto* name = reinterpret_cast<const char*>(pucCertName);
  const auto certificate = bound->certificate({name, strnlen(name, kMaxCertificateName)});
  *ulSignerCertSize = static_cast<uint32_t>(certificate.size());
  return certificate.empty() ? nullptr : certificate.data();
}
