// Every symbol of agent/include in C++, and the C program of all_symbols.c: what the compiler accepts here
// has AWS's names, types and numbers, so that existing applications and ports compile.
#include <gtest/gtest.h>

#include <type_traits>

#include "ota.h"
#include "ota_appversion32.h"
#include "ota_config_defaults.h"
#include "ota_http_interface.h"
#include "ota_mqtt_interface.h"
#include "ota_os_interface.h"
#include "ota_platform_interface.h"
#include "ota_types.h"

extern "C" int all_symbols_in_c(void);

AppVersion32_t appFirmwareVersion;
extern "C" const char OTA_JsonFileSignatureKey[OTA_FILE_SIG_KEY_STR_MAX_LENGTH] = "sig-sha256-ecdsa";

namespace ota_test {
namespace {

using EventBytes = uint8_t[OTA_DATA_BLOCK_SIZE];
using SignatureBytes = uint8_t[kOTA_MaxSignatureSize];
#define DELETE_TIMER deleteTimer

// First pass: what the compiler can tell.
#define VALUE(name, value) static_assert((name) == (value));
#define ERR VALUE
#define JOB_PARSE VALUE
#define PAL VALUE
#define OS VALUE
#define MQTT VALUE
#define HTTP VALUE
#define TAG(kind, tag, type) static_assert(std::is_same_v<kind tag, type>);
#define FUNCTION_TYPE(type, result, parameters) static_assert(std::is_same_v<type, result(*) parameters>);
#define FUNCTION(name, result, parameters) \
  static_assert(std::is_same_v<decltype(&(name)), result(*) parameters>);
#define STRUCT(type) static_assert(std::is_standard_layout_v<type> && std::is_trivial_v<type>);
#define MEMBER(type, member_type, name) static_assert(std::is_same_v<decltype(type::name), member_type>);
#include "all_symbols.def"
#undef VALUE
#undef ERR
#undef JOB_PARSE
#undef PAL
#undef OS
#undef MQTT
#undef HTTP
#undef TAG
#undef FUNCTION_TYPE
#undef FUNCTION
#undef STRUCT
#undef MEMBER

// Second pass: the names of those that have one.
#define VALUE(name, value)
#define ERR(name, value) EXPECT_STREQ(OTA_Err_strerror(name), #name);
#define JOB_PARSE(name, value) EXPECT_STREQ(OTA_JobParse_strerror(name), #name);
#define PAL(name, value) EXPECT_STREQ(OTA_PalStatus_strerror(name), #name);
#define OS(name, value) EXPECT_STREQ(OTA_OsStatus_strerror(name), #name);
#define MQTT(name, value) EXPECT_STREQ(OTA_MQTT_strerror(name), #name);
#define HTTP(name, value) EXPECT_STREQ(OTA_HTTP_strerror(name), #name);
#define TAG(kind, tag, type)
#define FUNCTION_TYPE(type, result, parameters)
#define FUNCTION(name, result, parameters)
#define STRUCT(type)
#define MEMBER(type, member_type, name)

TEST(AllSymbols, StatusesAreNamedAsTheyAreWritten){
#include "all_symbols.def"
}

TEST(AllSymbols, OtherNumbersHaveNoName) {
  constexpr const char* kNone = "InvalidErrorCode";
  EXPECT_STREQ(OTA_Err_strerror(static_cast<OtaErr_t>(OtaErrEmptyJobDocument + 1)), kNone);
  EXPECT_STREQ(OTA_JobParse_strerror(static_cast<OtaJobParseErr_t>(OtaJobParseErrUnknown - 1)), kNone);
  EXPECT_STREQ(OTA_PalStatus_strerror(static_cast<OtaPalMainStatus_t>(OtaPalFileClose + 1)), kNone);
  EXPECT_STREQ(OTA_OsStatus_strerror(static_cast<OtaOsStatus_t>(OtaOsTimerDeleteFailed + 1)), kNone);
  EXPECT_STREQ(OTA_MQTT_strerror(static_cast<OtaMqttStatus_t>(OtaMqttUnsubscribeFailed + 1)), kNone);
  EXPECT_STREQ(OTA_HTTP_strerror(static_cast<OtaHttpStatus_t>(OtaHttpRequestFailed + 1)), kNone);
}

TEST(AllSymbols, AVersionIsPackedMajorMinorBuild) {
  AppVersion32_t version{};
  version.u.x = {.build = 0x0304, .minor = 2, .major = 1};
  EXPECT_EQ(version.u.unsignedVersion32, 0x0102'0304U);
  EXPECT_EQ(version.u.signedVersion32, 0x0102'0304);
}

TEST(AllSymbols, HoldInC99) {
  EXPECT_EQ(all_symbols_in_c(), 0) << "a line of all_symbols.def or all_symbols.c";
}

}  // namespace
}  // namespace ota_test
