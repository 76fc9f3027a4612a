/*
 * Every compile-time setting of the agent with its default. An application overrides one by defining it in
 * its own ota_config.h (found through the include path) or on the compiler's command line.
 */
#ifndef OTA_CONFIG_DEFAULTS_H
#define OTA_CONFIG_DEFAULTS_H

#include <stdint.h>

#if !defined(OTA_DO_NOT_USE_CUSTOM_CONFIG) && defined(__has_include)
#if __has_include("ota_config.h")
#include "ota_config.h"
#endif
#endif

/* Log2 of the size of one file block. */
#ifndef otaconfigLOG2_FILE_BLOCK_SIZE
#define otaconfigLOG2_FILE_BLOCK_SIZE 12UL
#endif

/* How long a new image may take from start to the self test before the device is reset. */
#ifndef otaconfigSELF_TEST_RESPONSE_WAIT_MS
#define otaconfigSELF_TEST_RESPONSE_WAIT_MS 16000U
#endif

/* How long to wait for an answer (a job document, a file block) before asking again. */
#ifndef otaconfigFILE_REQUEST_WAIT_MS
#define otaconfigFILE_REQUEST_WAIT_MS 10000U
#endif

#ifndef otaconfigMAX_THINGNAME_LEN
#define otaconfigMAX_THINGNAME_LEN 64U
#endif

/* Blocks asked for in one request of a stream. */
#ifndef otaconfigMAX_NUM_BLOCKS_REQUEST
#define otaconfigMAX_NUM_BLOCKS_REQUEST 1U
#endif

/* Blocks asked for as one HTTP range. With more than one the port must deliver one event per block. */
#ifndef configOTA_MAX_BLOCKS_PER_HTTP_REQUEST
#define configOTA_MAX_BLOCKS_PER_HTTP_REQUEST 1U
#endif

/* Blocks that may be on their way at once, in as many requests as that takes. No more than one request's
 * worth means: one request at a time, as AWS's library has it. */
#ifndef configOTA_MAX_BLOCKS_IN_FLIGHT
#define configOTA_MAX_BLOCKS_IN_FLIGHT otaconfigMAX_NUM_BLOCKS_REQUEST
#endif

/* Requests made without any progress before the agent gives up. */
#ifndef otaconfigMAX_NUM_REQUEST_MOMENTUM
#define otaconfigMAX_NUM_REQUEST_MOMENTUM 32U
#endif

/* Progress is reported with the first block and then with every block whose number is a multiple of this. */
#ifndef otaconfigOTA_UPDATE_STATUS_FREQUENCY
#define otaconfigOTA_UPDATE_STATUS_FREQUENCY 64U
#endif

/* Event buffers the application keeps for the agent. */
#ifndef otaconfigMAX_NUM_OTA_DATA_BUFFERS
#define otaconfigMAX_NUM_OTA_DATA_BUFFERS 1U
#endif

/* 1 accepts an image that is not newer than the one it replaces. */
#ifndef otaconfigAllowDowngrade
#define otaconfigAllowDowngrade 0U
#endif

/* The job document's fileType that means firmware; other types are files for the application. */
#ifndef configOTA_FIRMWARE_UPDATE_FILE_TYPE_ID
#define configOTA_FIRMWARE_UPDATE_FILE_TYPE_ID 0U
#endif

/* Bytes of the bitmap of wanted blocks: with 4 KiB blocks the default is good for 16 MiB, the largest file
 * AWS's OTA service takes. (AWS's default is 128, good for 4 MiB.) */
#ifndef OTA_MAX_BLOCK_BITMAP_SIZE
#define OTA_MAX_BLOCK_BITMAP_SIZE 512U
#endif

/* How long one call of OTA_EventProcess() waits for an event. */
#ifndef configOTA_POLLING_EVENTS_TIMEOUT_MS
#define configOTA_POLLING_EVENTS_TIMEOUT_MS 1000U
#endif

/* What OtaFileContext_t.pFile points at. */
#ifndef otaconfigOTA_FILE_TYPE
#if defined(WIN32) || defined(__linux__)
#include <stdio.h>
#define otaconfigOTA_FILE_TYPE FILE
#else
#define otaconfigOTA_FILE_TYPE uint8_t
#endif
#endif

#define OTA_CONTROL_OVER_MQTT 0x00000001U
#define OTA_DATA_OVER_MQTT 0x00000001U
#define OTA_DATA_OVER_HTTP 0x00000002U

/* 1 asks for a job with StartNextPendingJobExecution, as the successors of AWS's library do: the job is then
 * IN_PROGRESS when it arrives. 0 asks with DescribeJobExecution of $next. */
#ifndef configOTA_USE_START_NEXT
#define configOTA_USE_START_NEXT 0
#endif

/* How blocks travel over MQTT. */
#define OTA_STREAM_CBOR 0U
#define OTA_STREAM_JSON 1U

#ifndef configOTA_STREAM_FORMAT
#define configOTA_STREAM_FORMAT OTA_STREAM_CBOR
#endif

#ifndef configENABLED_CONTROL_PROTOCOL
#define configENABLED_CONTROL_PROTOCOL (OTA_CONTROL_OVER_MQTT)
#endif

#ifndef configENABLED_DATA_PROTOCOLS
#define configENABLED_DATA_PROTOCOLS (OTA_DATA_OVER_MQTT)
#endif

#ifndef configOTA_PRIMARY_DATA_PROTOCOL
#define configOTA_PRIMARY_DATA_PROTOCOL (OTA_DATA_OVER_MQTT)
#endif

#endif /* OTA_CONFIG_DEFAULTS_H */
