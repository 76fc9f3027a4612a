/*
 * Which qualification tests a build runs. The macros are those of AWS's test_execution_config.h; a build may
 * set each from outside (-DOTA_E2E_TEST_ENABLED=1).
 */
#ifndef TEST_EXECUTION_CONFIG_H
#define TEST_EXECUTION_CONFIG_H

/* RunQualificationTest() runs the group Full_OTA_PAL. */
#ifndef OTA_PAL_TEST_ENABLED
#define OTA_PAL_TEST_ENABLED 1
#endif

/* RunQualificationTest() then calls RunOtaE2eDemo(), the demo that the end-to-end tests update. */
#ifndef OTA_E2E_TEST_ENABLED
#define OTA_E2E_TEST_ENABLED 0
#endif

#endif /* TEST_EXECUTION_CONFIG_H */
