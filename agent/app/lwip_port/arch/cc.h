// lwIP's view of the compiler and of what the application offers it: random numbers and a last word when an
// invariant of the stack is broken. Implemented in agent/app/lwip_glue.cc.
#ifndef AGENT_APP_LWIP_PORT_ARCH_CC_H_
#define AGENT_APP_LWIP_PORT_ARCH_CC_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// From the DRBG: unguessable DHCP and DNS transaction ids, source ports and TCP sequence numbers.
uint32_t app_lwip_random(void);

/// Logs the broken invariant and resets the device.
void app_lwip_assertion_failed(const char* message);

#ifdef __cplusplus
}
#endif

#define LWIP_RAND() app_lwip_random()
#define LWIP_PLATFORM_ASSERT(message) app_lwip_assertion_failed(message)
#define LWIP_PLATFORM_DIAG(message)
#define LWIP_NO_CTYPE_H 1
#define LWIP_NO_UNISTD_H 1

#endif  // AGENT_APP_LWIP_PORT_ARCH_CC_H_
