/*
 * The group Full_OTA_PAL: what AWS's qualification asks of an OTA PAL, fifteen cases under AWS's names.
 *
 * Each prints one line, as Unity does, and a summary follows:
 *
 *   ota_pal_test.c:98:TEST(Full_OTA_PAL, otaPal_CloseFile_ValidSignature):PASS
 *   ota_pal_test.c:112:TEST(Full_OTA_PAL, otaPal_...):FAIL: Expected 0x00000000 Was 0x000000e3
 *
 *   -----------------------
 *   15 Tests 0 Failures 0 Ignored
 *   OK
 *
 * The cases change what the device has received, and nothing else: its image and its certificates stay.
 */
#ifndef OTA_PAL_TEST_H
#define OTA_PAL_TEST_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct OtaPalTestParam {
  uint32_t pageSize; /* what the flash part programs at a time; at least the sample's 84 bytes */
} OtaPalTestParam_t;

/* Supplied by the application. */
void SetupOtaPalTestParam(OtaPalTestParam_t* pTestParam);

/* Returns the number of cases that failed. */
int RunOtaPalTest(void);

#ifdef __cplusplus
}
#endif

#endif /* OTA_PAL_TEST_H */
