/*
 * The running application's version, as one 32-bit number and as its parts.
 *
 * The application defines appFirmwareVersion. Two versions compare as their unsignedVersion32 do:
 * major in the top byte, then minor, then the 16-bit build.
 */
#ifndef IOT_APPVERSION32_H
#define IOT_APPVERSION32_H

#include <stdint.h>

typedef struct {
  union {
#if defined(__BYTE_ORDER__) && (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
    struct version {
      uint8_t major;
      uint8_t minor;
      uint16_t build;
    } x;
#else
    struct version {
      uint16_t build;
      uint8_t minor;
      uint8_t major;
    } x;
#endif
    uint32_t unsignedVersion32;
    int32_t signedVersion32;
  } u;
} AppVersion32_t;

/* With OTA_USE_NONCONST_APPVERSION the application may set its version at start, for example from the header
 * of the image it was loaded from; it must do so before OTA_Init(). */
#ifndef OTA_USE_NONCONST_APPVERSION
#define OTA_USE_NONCONST_APPVERSION 0
#endif

#ifdef __cplusplus
extern "C" {
#endif

#if OTA_USE_NONCONST_APPVERSION
extern AppVersion32_t appFirmwareVersion;
#else
extern const AppVersion32_t appFirmwareVersion;
#endif

#ifdef __cplusplus
}
#endif

#endif /* IOT_APPVERSION32_H */
