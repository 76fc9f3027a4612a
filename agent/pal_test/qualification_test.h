/*
 * Entry of the qualification tests.
 *
 * Initialise the device and bind the PAL, then call RunQualificationTest() once. What it runs is chosen in
 * test_execution_config.h, and with what in test_param_config.h.
 */
#ifndef QUALIFICATION_TEST_H
#define QUALIFICATION_TEST_H

#ifdef __cplusplus
extern "C" {
#endif

/* Runs what is enabled, in this order: the PAL's group, the end-to-end demo. Returns the number of cases that
 * failed. */
int RunQualificationTest(void);

/* Supplied by the application if OTA_E2E_TEST_ENABLED: starts the demo that the end-to-end tests update. */
void RunOtaE2eDemo(void);

#ifdef __cplusplus
}
#endif

#endif /* QUALIFICATION_TEST_H */
