/*
 * Types and limits that the agent, the PAL and the application share. Included by the other headers.
 */
#ifndef OTA_TYPES_H
#define OTA_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ota_config_defaults.h"

#ifdef __cplusplus
extern "C" {
#endif

#if otaconfigLOG2_FILE_BLOCK_SIZE > 14
#error "otaconfigLOG2_FILE_BLOCK_SIZE must be at most 14: otaPal_WriteBlock returns an int16_t"
#endif

#define OTA_FILE_BLOCK_SIZE ((uint32_t)1U << otaconfigLOG2_FILE_BLOCK_SIZE)
#define OTA_MAX_FILES 1U
#define OTA_REQUEST_MSG_MAX_SIZE (3U * OTA_MAX_BLOCK_BITMAP_SIZE)
#define OTA_REQUEST_URL_MAX_SIZE (1500)
#define OTA_JOB_ID_MAX_SIZE (72UL + 1UL)
#define kOTA_MaxSignatureSize 384

/* One event buffer: a file block, or a job document of which the presigned URL is the greater part. */
#define OTA_DATA_BLOCK_SIZE ((1U << otaconfigLOG2_FILE_BLOCK_SIZE) + OTA_REQUEST_URL_MAX_SIZE + 30)

typedef enum OtaEvent {
  OtaAgentEventStart = 0,
  OtaAgentEventStartSelfTest,
  OtaAgentEventRequestJobDocument,
  OtaAgentEventReceivedJobDocument, /* carries data */
  OtaAgentEventCreateFile,
  OtaAgentEventRequestFileBlock,
  OtaAgentEventReceivedFileBlock, /* carries data */
  OtaAgentEventRequestTimer,
  OtaAgentEventCloseFile,
  OtaAgentEventSuspend,
  OtaAgentEventResume,
  OtaAgentEventUserAbort,
  OtaAgentEventShutdown,
  OtaAgentEventMax
} OtaEvent_t;

/* What the application or the agent says of an image. */
typedef enum OtaImageState {
  OtaImageStateUnknown = 0,
  OtaImageStateTesting = 1,
  OtaImageStateAccepted = 2,
  OtaImageStateRejected = 3,
  OtaImageStateAborted = 4,
  OtaLastImageState = OtaImageStateAborted
} OtaImageState_t;

/* What the platform says of it. */
typedef enum OtaPalImageState {
  OtaPalImageStateUnknown = 0,
  OtaPalImageStatePendingCommit,
  OtaPalImageStateValid,
  OtaPalImageStateInvalid
} OtaPalImageState_t;

typedef struct OtaAgentStatistics {
  uint32_t otaPacketsReceived;
  uint32_t otaPacketsQueued;
  uint32_t otaPacketsProcessed;
  uint32_t otaPacketsDropped;
} OtaAgentStatistics_t;

typedef struct OtaEventData {
  uint8_t data[OTA_DATA_BLOCK_SIZE];
  uint32_t dataLength;
  bool bufferUsed; /* the application's mark; OtaJobEventProcessed says when to clear it */
} OtaEventData_t;

typedef struct OtaEventMsg {
  OtaEventData_t* pEventData;
  OtaEvent_t eventId;
} OtaEventMsg_t;

/* A file's signature: ECDSA in ASN.1 DER, or RSA as it is. */
typedef struct {
  uint16_t size;
  uint8_t data[kOTA_MaxSignatureSize];
} Sig_t;

/* The file being received. Strings are NUL-terminated and owned by the agent. */
typedef struct OtaFileContext {
  uint8_t* pFilePath;
  uint16_t filePathMaxSize;
  otaconfigOTA_FILE_TYPE* pFile; /* the PAL's handle, NULL while no file is open */
  uint32_t fileSize;
  uint32_t blocksRemaining;
  uint32_t fileAttributes;
  uint32_t serverFileID;
  uint8_t* pJobName;
  uint16_t jobNameMaxSize;
  uint8_t* pStreamName;
  uint16_t streamNameMaxSize;
  uint8_t* pRxBlockBitmap; /* bit set: block still wanted; bit 0 of byte 0 is block 0 */
  uint16_t blockBitmapMaxSize;
  uint8_t* pCertFilepath;
  uint16_t certFilePathMaxSize;
  uint8_t* pUpdateUrlPath;
  uint16_t updateUrlMaxSize;
  uint8_t* pAuthScheme;
  uint16_t authSchemeMaxSize;
  uint32_t updaterVersion;
  bool isInSelfTest;
  uint8_t* pProtocols;
  uint16_t protocolMaxSize;
  uint8_t* pDecodeMem;
  uint32_t decodeMemMaxSize;
  uint32_t fileType;
  Sig_t* pSignature; /* size 0: the job carries no signature of the expected kind */
} OtaFileContext_t;

#ifdef __cplusplus
}
#endif

#endif /* OTA_TYPES_H */
