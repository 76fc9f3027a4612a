/*
 * The HTTP client as the agent uses it: init with the presigned URL, then one request per byte range, then
 * deinit.
 *
 * The body of an answer comes back in OtaAgentEventReceivedFileBlock events. By default a range is one block
 * and the next request follows its answer. An agent configured for more asks for ranges of several blocks,
 * and makes further requests before the first is answered; the port then delivers one event per block, in
 * the order of the requests.
 *
 * A port that gets HTTP 400, 403 or 404 (the presigned URL has expired) signals
 * OtaAgentEventRequestJobDocument; the agent asks for the job again and calls init with the new URL. After
 * any other failure it delivers nothing, and the agent asks again when its request timer runs out. After
 * deinit no event of an earlier request may be signalled.
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
