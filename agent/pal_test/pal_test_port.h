/*
 * What the qualification tests need of the program they are linked into, beside a bound PAL (otaPal_...) and
 * SetupOtaPalTestParam().
 */
#ifndef PAL_TEST_PORT_H
#define PAL_TEST_PORT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One character of the tests' output. */
void pal_test_output_char(char c);

/* Waits. Called once, before the tests, unless TEST_START_DELAY_MS is 0. */
void pal_test_delay_ms(uint32_t milliseconds);

#ifdef __cplusplus
}
#endif

#endif /* PAL_TEST_PORT_H */
