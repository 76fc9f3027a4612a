/*
 * The OTA agent: takes update jobs from AWS IoT Jobs, downloads and verifies the file through the PAL, and
 * reports every step.
 *
 * Order of use:
 *   1. OTA_Init() with the interfaces and a callback.
 *   2. Either a task that runs OTA_EventProcessingTask(), or a loop that calls OTA_EventProcess(); never
 * both.
 *   3. When MQTT is connected, OTA_SignalEvent() with OtaAgentEventStart; after a reconnect OTA_Resume().
 *   4. Give received messages to OTA_SignalEvent(): job documents (jobs/notify-next and
 * jobs/$next/get/accepted) as OtaAgentEventReceivedJobDocument, stream data as
 * OtaAgentEventReceivedFileBlock.
 *   5. Answer the callback: OtaJobEventActivate with OTA_ActivateNewImage(), OtaJobEventStartTest with
 *      OTA_SetImageState(), OtaJobEventProcessed by freeing the buffer.
 *
 * What can go wrong is an OtaErr_t; an update that fails is also reported to the job with its reason.
 */
#ifndef OTA_H
#define OTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ota_http_interface.h"
#include "ota_mqtt_interface.h"
#include "ota_os_interface.h"
#include "ota_platform_interface.h"
#include "ota_types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTA_FILE_SIG_KEY_STR_MAX_LENGTH 32

/* The job document's key of the signature this platform can verify; defined by the PAL. */
extern const char OTA_JsonFileSignatureKey[OTA_FILE_SIG_KEY_STR_MAX_LENGTH];

typedef enum OtaErr {
  OtaErrNone = 0,
  OtaErrUninitialized,
  OtaErrPanic,
  OtaErrInvalidArg,
  OtaErrAgentStopped,
  OtaErrSignalEventFailed,
  OtaErrRequestJobFailed,
  OtaErrInitFileTransferFailed,
  OtaErrRequestFileBlockFailed,
  OtaErrCleanupControlFailed,
  OtaErrCleanupDataFailed,
  OtaErrUpdateJobStatusFailed,
  OtaErrJobParserError,
  OtaErrInvalidDataProtocol, /* the job offers no protocol that is enabled */
  OtaErrMomentumAbort,       /* too many requests without an answer */
  OtaErrDowngradeNotAllowed, /* the new image is older than the one that fetched it */
  OtaErrSameFirmwareVersion, /* the running image is the one that fetched the update: it fell back, or same
                                version */
  OtaErrImageStateMismatch,  /* the job is in self test, the platform is not */
  OtaErrNoActiveJob,
  OtaErrUserAbort,
  OtaErrFailedToEncodeCbor,
  OtaErrFailedToDecodeCbor,
  OtaErrActivateFailed,
  OtaErrFileSizeOverflow, /* the file is larger than this agent can track */
  OtaErrEmptyJobDocument
} OtaErr_t;

typedef enum OtaState {
  OtaAgentStateNoTransition = -1,
  OtaAgentStateInit = 0,
  OtaAgentStateReady,
  OtaAgentStateRequestingJob,
  OtaAgentStateWaitingForJob,
  OtaAgentStateCreatingFile,
  OtaAgentStateRequestingFileBlock,
  OtaAgentStateWaitingForFileBlock,
  OtaAgentStateClosingFile,
  OtaAgentStateSuspended,
  OtaAgentStateShuttingDown,
  OtaAgentStateStopped,
  OtaAgentStateAll
} OtaState_t;

typedef enum OtaJobParseErr {
  OtaJobParseErrUnknown = -1,
  OtaJobParseErrNone = 0,
  OtaJobParseErrNullJob,
  OtaJobParseErrUpdateCurrentJob,
  OtaJobParseErrZeroFileSize,
  OtaJobParseErrNonConformingJobDoc,
  OtaJobParseErrBadModelInitParams,
  OtaJobParseErrNoContextAvailable,
  OtaJobParseErrNoActiveJobs
} OtaJobParseErr_t;

/* The callback's events; what its data points at is in brackets. */
typedef enum OtaJobEvent {
  OtaJobEventActivate = 0,       /* [OtaJobDocument_t] verified and ready to start */
  OtaJobEventFail = 1,           /* [OtaJobDocument_t] the update failed and was reported */
  OtaJobEventStartTest = 2,      /* [NULL] the new image runs: test it, then set its state */
  OtaJobEventProcessed = 3,      /* [OtaEventData_t] the buffer is free again */
  OtaJobEventSelfTestFailed = 4, /* [NULL] about to reset because the version check failed */
  OtaJobEventParseCustomJob = 5, /* [OtaJobDocument_t] not an OTA job: set parseErr and status to take it */
  OtaJobEventReceivedJob = 6,    /* [OtaJobDocument_t] an OTA job was accepted for download */
  OtaJobEventUpdateComplete = 7, /* [OtaJobDocument_t] a file other than firmware is complete */
  OtaJobEventNoActiveJob = 8,    /* [NULL] the queue is empty */
  OtaLastJobEvent = OtaJobEventStartTest
} OtaJobEvent_t;

typedef enum {
  JobStatusInProgress = 0,
  JobStatusFailed,
  JobStatusSucceeded,
  JobStatusRejected,
  JobStatusFailedWithVal,
  NumJobStatusMappings
} OtaJobStatus_t;

typedef enum {
  JobReasonReceiving = 0,
  JobReasonSigCheckPassed,
  JobReasonSelfTestActive,
  JobReasonAccepted,
  JobReasonRejected,
  JobReasonAborted,
  NumJobReasons
} OtaJobReason_t;

typedef struct OtaJobDocument {
  const uint8_t* pJobDocJson;
  size_t jobDocLength;
  const uint8_t* pJobId;
  size_t jobIdLength;
  uint32_t fileTypeId;
  OtaJobParseErr_t parseErr;
  OtaJobStatus_t status;
  int32_t reason;
  int32_t subReason;
} OtaJobDocument_t;

typedef void (*OtaAppCallback_t)(OtaJobEvent_t eEvent, void* pData);

typedef struct OtaInterface {
  OtaOSInterface_t os;
  OtaMqttInterface_t mqtt;
  OtaHttpInterface_t http;
  OtaPalInterface_t pal;
} OtaInterfaces_t;

/* Memory the application lends the agent; for a NULL or empty entry the agent uses its own. */
typedef struct OtaAppBuffer {
  uint8_t* pUpdateFilePath;
  uint16_t updateFilePathsize;
  uint8_t* pCertFilePath;
  uint16_t certFilePathSize;
  uint8_t* pStreamName;
  uint16_t streamNameSize;
  uint8_t* pDecodeMemory;
  uint32_t decodeMemorySize;
  uint8_t* pFileBitmap;
  uint16_t fileBitmapSize;
  uint8_t* pUrl;
  uint16_t urlSize;
  uint8_t* pAuthScheme;
  uint16_t authSchemeSize;
} OtaAppBuffer_t;

/* Interfaces and buffers must outlive the agent. When the agent is not stopped, only zeroes the statistics.
 * OtaErrNone; OtaErrUninitialized if an argument is missing or the thing name is empty or too long. */
OtaErr_t OTA_Init(const OtaAppBuffer_t* pOtaBuffer, const OtaInterfaces_t* pOtaInterfaces,
                  const uint8_t* pThingName, OtaAppCallback_t OtaAppCallback);

/* Asks the agent to stop and spins up to `ticksToWait` rounds for it. A loop that itself calls
 * OTA_EventProcess() must pass 0. */
OtaState_t OTA_Shutdown(uint32_t ticksToWait, uint8_t unsubscribeFlag);

OtaState_t OTA_GetState(void);

/* OtaErrNone, OtaErrActivateFailed; a platform that resets does not return. */
OtaErr_t OTA_ActivateNewImage(void);

/* Accepted and Rejected act at once, in the caller's task; call from the callback, or while the agent has no
 * message to process. Aborted is queued. OtaErrInvalidArg for any other state,
 * OtaErrNoActiveJob if no job could be told (the platform's state is set all the same). */
OtaErr_t OTA_SetImageState(OtaImageState_t state);

OtaImageState_t OTA_GetImageState(void);

/* OtaErrNone, OtaErrSignalEventFailed. */
OtaErr_t OTA_CheckForUpdate(void);

/* OtaErrNone, OtaErrAgentStopped, OtaErrSignalEventFailed. */
OtaErr_t OTA_Suspend(void);
OtaErr_t OTA_Resume(void);

/* Runs until the agent stops. */
void OTA_EventProcessingTask(const void* pUnused);

/* Waits for one event, handles it, and returns the state after it. */
OtaState_t OTA_EventProcess(void);

/* Queues an event. false if the agent is stopped or the queue is full; a buffer then stays the caller's. */
bool OTA_SignalEvent(const OtaEventMsg_t* const pEventMsg);

/* OtaErrNone, OtaErrInvalidArg. */
OtaErr_t OTA_GetStatistics(OtaAgentStatistics_t* pStatistics);

/* Each returns the enumerator's name, "InvalidErrorCode" for a value that has none. */
const char* OTA_Err_strerror(OtaErr_t err);
const char* OTA_JobParse_strerror(OtaJobParseErr_t err);
const char* OTA_PalStatus_strerror(OtaPalMainStatus_t status);
const char* OTA_OsStatus_strerror(OtaOsStatus_t status);
const char* OTA_MQTT_strerror(OtaMqttStatus_t status);
const char* OTA_HTTP_strerror(OtaHttpStatus_t status);

#ifdef __cplusplus
}
#endif

#endif /* OTA_H */
