#include "agent/pal_test/qualification_test.h"

#include "agent/pal_test/ota_pal_test.h"
#include "agent/pal_test/test_execution_config.h"
#include "agent/pal_test/test_param_config.h"

int RunQualificationTest(void) {
  int failures = 0;
#if TEST_START_DELAY_MS > 0
  pal_test_delay_ms(TEST_START_DELAY_MS);
#endif
#if OTA_PAL_TEST_ENABLED == 1
  failures += RunOtaPalTest();
#endif
#if OTA_E2E_TEST_ENABLED == 1
  RunOtaE2eDemo();
#endif
  return failures;
}
