/*
 * The HTTP client as the agent uses it: init with the presigned URL, then one request per byte range. The
 * body comes back as an OtaAgentEventReceivedFileBlock event.
 */
#ifndef OTA_HTTP_INTERFACE_H
#define OTA_HTTP_INTERFACE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum OtaHttpStatus {
  OtaHttpSuccess = 0,
  OtaHttpInitFailed = 0xc0,
  OtaHttpDeinitFailed,
  OtaHttpRequestFailed
} OtaHttpStatus_t;

typedef OtaHttpStatus_t (*OtaHttpInit_t)(char* pUrl);

/* Both ends are part of the range. */
typedef OtaHttpStatus_t (*OtaHttpRequest_t)(uint32_t rangeStart, uint32_t rangeEnd);

typedef OtaHttpStatus_t (*OtaHttpDeinit)(void);

typedef struct OtaHttpInterface {
  OtaHttpInit_t init;
  OtaHttpRequest_t request;
  OtaHttpDeinit deinit;
} OtaHttpInterface_t;

#ifdef __cplusplus
}
#endif

#endif /* OTA_HTTP_INTERFACE_H */
