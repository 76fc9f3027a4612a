// Calendar dates from seconds: the proleptic Gregorian calendar in UTC, without leap seconds and without the
// C library, whose functions keep memory of their own.
#pragma once

#include <cstdint>

namespace crypto {

struct CivilTime {
  std::int32_t year;
  std::uint8_t month;  ///< 1 to 12
  std::uint8_t day;    ///< 1 to 31
  std::uint8_t hour;
  std::uint8_t minute;
  std::uint8_t second;

  bool operator==(const CivilTime&) const = default;
};

/// 9999-12-31T23:59:59Z: certificates know no later time.
inline constexpr std::int64_t kLastCivilSecond = 253'402'300'799;

/// @param seconds  since 1970-01-01T00:00:00Z, from 0 to kLastCivilSecond; others are taken as the nearest
[[nodiscard]] constexpr CivilTime civil_time(std::int64_t seconds) {
  constexpr std::uint32_t kSecondsPerDay = 86'400;
  // Years are counted from 1 March: the leap day is a year's last, and months have a pattern. The era of 400
  // years before 1970 begins at 1600-03-01; its days have a number without sign.
  constexpr std::uint32_t kDaysBeforeEpoch = 135'080;
  constexpr std::uint32_t kDaysPerEra = 146'097;
  constexpr std::uint32_t kDaysPerCentury = 36'524;
  constexpr std::uint32_t kDaysPerFourYears = 1'461;

  const auto clamped =
      static_cast<std::uint64_t>(seconds < 0 ? 0 : (seconds > kLastCivilSecond ? kLastCivilSecond : seconds));
  const std::uint32_t days = static_cast<std::uint32_t>(clamped / kSecondsPerDay) + kDaysBeforeEpoch;
  const auto second = static_cast<std::uint32_t>(clamped % kSecondsPerDay);
  const std::uint32_t era = days / kDaysPerEra;
  const std::uint32_t day_of_era = days % kDaysPerEra;
  const std::uint32_t year_of_era = (day_of_era - day_of_era / (kDaysPerFourYears - 1) +
                                     day_of_era / kDaysPerCentury - day_of_era / (kDaysPerEra - 1)) /
                                    365;
  const std::uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::uint32_t month_from_march = (5 * day_of_year + 2) / 153;
  const std::uint32_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  return {.year = static_cast<std::int32_t>(1600 + 400 * era + year_of_era + (month <= 2 ? 1 : 0)),
          .month = static_cast<std::uint8_t>(month),
          .day = static_cast<std::uint8_t>(day_of_year - (153 * month_from_march + 2) / 5 + 1),
          .hour = static_cast<std::uint8_t>(second / 3600),
          .minute = static_cast<std::uint8_t>(second / 60 % 60),
          .second = static_cast<std::uint8_t>(second % 60)};
}

static_assert(civil_time(0) == CivilTime{1970, 1, 1, 0, 0, 0});
static_assert(civil_time(951'782'400) == CivilTime{2000, 2, 29, 0, 0, 0});
static_assert(civil_time(kLastCivilSecond) == CivilTime{9999, 12, 31, 23, 59, 59});

}  // namespace crypto
