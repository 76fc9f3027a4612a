// What mbedTLS asks of its platform beside memory: a date from seconds. The clock itself is the application's
// (mbedtls_platform_set_time); a device whose program sets none lives at the beginning of 1970.
#include <mbedtls/platform_util.h>

#include <ctime>

#include "agent/crypto/civil_time.h"

extern "C" tm* mbedtls_platform_gmtime_r(const mbedtls_time_t* seconds, tm* date) {
  constexpr int kYearsFrom = 1900;
  const crypto::CivilTime civil = crypto::civil_time(*seconds);
  *date = {};
  date->tm_year = static_cast<int>(civil.year) - kYearsFrom;
  date->tm_mon = civil.month - 1;
  date->tm_mday = civil.day;
  date->tm_hour = civil.hour;
  date->tm_min = civil.minute;
  date->tm_sec = civil.second;
  return date;
}
