/*
 * What the agent needs from the operating system, or from a super-loop that stands in for one: an event queue
 * and two one-shot timers.
 *
 * Order of use: event.init once, then send (from any task or callback) and recv (from the task that runs the
 * agent). Timer callbacks may come from an interrupt or timer task.
 */
#ifndef OTA_OS_INTERFACE_H
#define OTA_OS_INTERFACE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct OtaEventContext;
typedef struct OtaEventContext OtaEventContext_t;

typedef enum {
  OtaRequestTimer = 0, /* guards the answer to a request */
  OtaSelfTestTimer,    /* resets a new image that does not reach its self test */
  OtaNumOfTimers
} OtaTimerId_t;

typedef enum OtaOsStatus {
  OtaOsSuccess = 0,
  OtaOsEventQueueCreateFailed = 0x80U,
  OtaOsEventQueueSendFailed,
  OtaOsEventQueueReceiveFailed,
  OtaOsEventQueueDeleteFailed,
  OtaOsTimerCreateFailed,
  OtaOsTimerStartFailed,
  OtaOsTimerRestartFailed,
  OtaOsTimerStopFailed,
  OtaOsTimerDeleteFailed
} OtaOsStatus_t;

typedef OtaOsStatus_t (*OtaInitEvent_t)(OtaEventContext_t* pEventCtx);

/* Copies *pEventMsg, an OtaEventMsg_t, into the queue; must not block when called from the agent's own task.
 */
typedef OtaOsStatus_t (*OtaSendEvent_t)(OtaEventContext_t* pEventCtx, const void* pEventMsg,
                                        unsigned int timeout);

/* Waits up to `timeout` milliseconds; anything but OtaOsSuccess means that there is no event. */
typedef OtaOsStatus_t (*OtaReceiveEvent_t)(OtaEventContext_t* pEventCtx, void* pEventMsg, uint32_t timeout);

typedef OtaOsStatus_t (*OtaDeinitEvent_t)(OtaEventContext_t* pEventCtx);

typedef void (*OtaTimerCallback_t)(OtaTimerId_t otaTimerId);

/* Creates the timer if need be; a running timer starts anew. */
typedef OtaOsStatus_t (*OtaStartTimer_t)(OtaTimerId_t otaTimerId, const char* const pTimerName,
                                         const uint32_t timeout, OtaTimerCallback_t callback);

typedef OtaOsStatus_t (*OtaStopTimer_t)(OtaTimerId_t otaTimerId);

typedef OtaOsStatus_t (*OtaDeleteTimer_t)(OtaTimerId_t otaTimerId);

typedef void* (*OtaMalloc_t)(size_t size);

typedef void (*OtaFree_t)(void* ptr);

typedef struct OtaEventInterface {
  OtaInitEvent_t init;
  OtaSendEvent_t send;
  OtaReceiveEvent_t recv;
  OtaDeinitEvent_t deinit;
  OtaEventContext_t* pEventContext;
} OtaEventInterface_t;

typedef struct OtaTimerInterface {
  OtaStartTimer_t start;
  OtaStopTimer_t stop;
#ifndef __cplusplus
  OtaDeleteTimer_t delete;
#else
  OtaDeleteTimer_t deleteTimer; /* `delete` is a keyword there */
#endif
} OtaTimerInterface_t;

/* Kept for source compatibility: this agent never allocates, both members may be NULL. */
typedef struct OtaMallocInterface {
  OtaMalloc_t malloc;
  OtaFree_t free;
} OtaMallocInterface_t;

typedef struct OtaOSInterface {
  OtaEventInterface_t event;
  OtaTimerInterface_t timer;
  OtaMallocInterface_t mem;
} OtaOSInterface_t;

#ifdef __cplusplus
}
#endif

#endif /* OTA_OS_INTERFACE_H */
