/* Every symbol of agent/include in a C99 program without extensions: numbers and types are checked by the
 * compiler, and what all_symbols_in_c() returns is what only a running program can tell. */
#include "ota.h"
#include "ota_appversion32.h"
#include "ota_config_defaults.h"
#include "ota_http_interface.h"
#include "ota_mqtt_interface.h"
#include "ota_os_interface.h"
#include "ota_platform_interface.h"
#include "ota_types.h"

#include <string.h>

typedef uint8_t EventBytes[OTA_DATA_BLOCK_SIZE];
typedef uint8_t SignatureBytes[kOTA_MaxSignatureSize];
#define DELETE_TIMER delete

#define STATEMENT(code) \
  do {                  \
    code                \
  } while (0);
#define FAIL_IF(condition) STATEMENT(if (condition) { return __LINE__; })
/* An array of negative size does not compile. */
#define VALUE(name, value) \
  STATEMENT(typedef char is_value[(name) == (value) ? 1 : -1]; FAIL_IF(sizeof(is_value) != 1))
#define NAMED(function, name, value) VALUE(name, value) FAIL_IF(strcmp(function(name), #name) != 0)
#define ERR(name, value) NAMED(OTA_Err_strerror, name, value)
#define JOB_PARSE(name, value) NAMED(OTA_JobParse_strerror, name, value)
#define PAL(name, value) NAMED(OTA_PalStatus_strerror, name, value)
#define OS(name, value) NAMED(OTA_OsStatus_strerror, name, value)
#define MQTT(name, value) NAMED(OTA_MQTT_strerror, name, value)
#define HTTP(name, value) NAMED(OTA_HTTP_strerror, name, value)
/* Pointers to different types do not compare. */
#define TAG(kind, tag, type) FAIL_IF((kind tag*)0 != (type*)0)
#define FUNCTION_TYPE(type, result, parameters) FAIL_IF((type)0 != (result(*) parameters)0)
#define FUNCTION(name, result, parameters) \
  STATEMENT(result(*function) parameters = &name; FAIL_IF(function == NULL))
/* Members stand in the order of the list: initialisers without names rely on it. */
#define STRUCT(type) before = 0;
#define MEMBER(type, member_type, name)                                                  \
  STATEMENT(type object; member_type* member = &object.name;                             \
            FAIL_IF((char*)member - (char*)&object != (ptrdiff_t)offsetof(type, name) || \
                    offsetof(type, name) < before))                                      \
  before = offsetof(type, name);

static int check_list(void) {
  size_t before = 0;
#include "all_symbols.def"
  return before == SIZE_MAX;
}

static int check_version(void) {
  AppVersion32_t version;
  version.u.x.major = 1;
  version.u.x.minor = 2;
  version.u.x.build = 0x0304;
  FAIL_IF(version.u.unsignedVersion32 != 0x01020304U)
  FAIL_IF(version.u.signedVersion32 != 0x01020304)
  FAIL_IF(sizeof appFirmwareVersion != sizeof version)
  return 0;
}

static OtaOsStatus_t delete_timer(OtaTimerId_t timer) {
  return timer < OtaNumOfTimers ? OtaOsSuccess : OtaOsTimerDeleteFailed;
}

static int check_use(void) {
  OtaInterfaces_t interfaces;
  memset(&interfaces, 0, sizeof interfaces);
  interfaces.os.timer.delete = delete_timer;
  FAIL_IF(interfaces.os.timer.delete(OtaRequestTimer) != OtaOsSuccess)
  FAIL_IF(OTA_GetState() != OtaAgentStateStopped)
  FAIL_IF(strcmp(OTA_JsonFileSignatureKey, "sig-sha256-ecdsa") != 0)
  FAIL_IF(sizeof OTA_JsonFileSignatureKey != OTA_FILE_SIG_KEY_STR_MAX_LENGTH)
  return 0;
}

int all_symbols_in_c(void);

/* 0, or the line (of this file or of the list) that does not hold. */
int all_symbols_in_c(void) {
  int (*const checks[])(void) = {check_list, check_version, check_use};
  size_t i;
  for (i = 0; i < sizeof checks / sizeof checks[0]; ++i) {
    const int line = checks[i]();
    if (line != 0) {
      return line;
    }
  }
  return 0;
}
