// Names of status values, as the C API gives them.
#include "agent/include/ota.h"

namespace {

constexpr const char* kInvalid = "InvalidErrorCode";

}  // namespace

const char* OTA_Err_strerror(OtaErr_t err) {
  switch (err) {
    case OtaErrNone:
      return "OtaErrNone";
    case OtaErrUninitialized:
      return "OtaErrUninitialized";
    case OtaErrPanic:
      return "OtaErrPanic";
    case OtaErrInvalidArg:
      return "OtaErrInvalidArg";
    case OtaErrAgentStopped:
      return "OtaErrAgentStopped";
    case OtaErrSignalEventFailed:
      return "OtaErrSignalEventFailed";
    case OtaErrRequestJobFailed:
      return "OtaErrRequestJobFailed";
    case OtaErrInitFileTransferFailed:
      return "OtaErrInitFileTransferFailed";
    case OtaErrRequestFileBlockFailed:
      return "OtaErrRequestFileBlockFailed";
    case OtaErrCleanupControlFailed:
      return "OtaErrCleanupControlFailed";
    case OtaErrCleanupDataFailed:
      return "OtaErrCleanupDataFailed";
    case OtaErrUpdateJobStatusFailed:
      return "OtaErrUpdateJobStatusFailed";
    case OtaErrJobParserError:
      return "OtaErrJobParserError";
    case OtaErrInvalidDataProtocol:
      return "OtaErrInvalidDataProtocol";
    case OtaErrMomentumAbort:
      return "OtaErrMomentumAbort";
    case OtaErrDowngradeNotAllowed:
      return "OtaErrDowngradeNotAllowed";
    case OtaErrSameFirmwareVersion:
      return "OtaErrSameFirmwareVersion";
    case OtaErrImageStateMismatch:
      return "OtaErrImageStateMismatch";
    case OtaErrNoActiveJob:
      return "OtaErrNoActiveJob";
    case OtaErrUserAbort:
      return "OtaErrUserAbort";
    case OtaErrFailedToEncodeCbor:
      return "OtaErrFailedToEncodeCbor";
    case OtaErrFailedToDecodeCbor:
      return "OtaErrFailedToDecodeCbor";
    case OtaErrActivateFailed:
      return "OtaErrActivateFailed";
    case OtaErrFileSizeOverflow:
      return "OtaErrFileSizeOverflow";
    case OtaErrEmptyJobDocument:
      return "OtaErrEmptyJobDocument";
  }
  return kInvalid;
}

const char* OTA_JobParse_strerror(OtaJobParseErr_t err) {
  switch (err) {
    case OtaJobParseErrUnknown:
      return "OtaJobParseErrUnknown";
    case OtaJobParseErrNone:
      return "OtaJobParseErrNone";
    case OtaJobParseErrNullJob:
      return "OtaJobParseErrNullJob";
    case OtaJobParseErrUpdateCurrentJob:
      return "OtaJobParseErrUpdateCurrentJob";
    case OtaJobParseErrZeroFileSize:
      return "OtaJobParseErrZeroFileSize";
    case OtaJobParseErrNonConformingJobDoc:
      return "OtaJobParseErrNonConformingJobDoc";
    case OtaJobParseErrBadModelInitParams:
      return "OtaJobParseErrBadModelInitParams";
    case OtaJobParseErrNoContextAvailable:
      return "OtaJobParseErrNoContextAvailable";
    case OtaJobParseErrNoActiveJobs:
      return "OtaJobParseErrNoActiveJobs";
  }
  return kInvalid;
}

const char* OTA_PalStatus_strerror(OtaPalMainStatus_t status) {
  switch (status) {
    case OtaPalSuccess:
      return "OtaPalSuccess";
    case OtaPalUninitialized:
      return "OtaPalUninitialized";
    case OtaPalOutOfMemory:
      return "OtaPalOutOfMemory";
    case OtaPalNullFileContext:
      return "OtaPalNullFileContext";
    case OtaPalSignatureCheckFailed:
      return "OtaPalSignatureCheckFailed";
    case OtaPalRxFileCreateFailed:
      return "OtaPalRxFileCreateFailed";
    case OtaPalRxFileTooLarge:
      return "OtaPalRxFileTooLarge";
    case OtaPalBootInfoCreateFailed:
      return "OtaPalBootInfoCreateFailed";
    case OtaPalBadSignerCert:
      return "OtaPalBadSignerCert";
    case OtaPalBadImageState:
      return "OtaPalBadImageState";
    case OtaPalAbortFailed:
      return "OtaPalAbortFailed";
    case OtaPalRejectFailed:
      return "OtaPalRejectFailed";
    case OtaPalCommitFailed:
      return "OtaPalCommitFailed";
    case OtaPalActivateFailed:
      return "OtaPalActivateFailed";
    case OtaPalFileAbort:
      return "OtaPalFileAbort";
    case OtaPalFileClose:
      return "OtaPalFileClose";
  }
  return kInvalid;
}

const char* OTA_OsStatus_strerror(OtaOsStatus_t status) {
  switch (status) {
    case OtaOsSuccess:
      return "OtaOsSuccess";
    case OtaOsEventQueueCreateFailed:
      return "OtaOsEventQueueCreateFailed";
    case OtaOsEventQueueSendFailed:
      return "OtaOsEventQueueSendFailed";
    case OtaOsEventQueueReceiveFailed:
      return "OtaOsEventQueueReceiveFailed";
    case OtaOsEventQueueDeleteFailed:
      return "OtaOsEventQueueDeleteFailed";
    case OtaOsTimerCreateFailed:
      return "OtaOsTimerCreateFailed";
    case OtaOsTimerStartFailed:
      return "OtaOsTimerStartFailed";
    case OtaOsTimerRestartFailed:
      return "OtaOsTimerRestartFailed";
    case OtaOsTimerStopFailed:
      return "OtaOsTimerStopFailed";
    case OtaOsTimerDeleteFailed:
      return "OtaOsTimerDeleteFailed";
  }
  return kInvalid;
}

const char* OTA_MQTT_strerror(OtaMqttStatus_t status) {
  switch (status) {
    case OtaMqttSuccess:
      return "OtaMqttSuccess";
    case OtaMqttPublishFailed:
      return "OtaMqttPublishFailed";
    case OtaMqttSubscribeFailed:
      return "OtaMqttSubscribeFailed";
    case OtaMqttUnsubscribeFailed:
      return "OtaMqttUnsubscribeFailed";
  }
  return kInvalid;
}

const char* OTA_HTTP_strerror(OtaHttpStatus_t status) {
  switch (status) {
    case OtaHttpSuccess:
      return "OtaHttpSuccess";
    case OtaHttpInitFailed:
      return "OtaHttpInitFailed";
    case OtaHttpDeinitFailed:
      return "OtaHttpDeinitFailed";
    case OtaHttpRequestFailed:
      return "OtaHttpRequestFailed";
  }
  return kInvalid;
}
