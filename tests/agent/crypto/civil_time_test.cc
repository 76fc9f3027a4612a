// Every date against the C library's.
#include "agent/crypto/civil_time.h"

#include <gtest/gtest.h>

#include <ctime>

namespace {

using crypto::civil_time;
using crypto::CivilTime;

CivilTime by_the_c_library(std::int64_t seconds) {
  const std::time_t time = seconds;
  tm date{};
  gmtime_r(&time, &date);
  return {date.tm_year + 1900,
          static_cast<std::uint8_t>(date.tm_mon + 1),
          static_cast<std::uint8_t>(date.tm_mday),
          static_cast<std::uint8_t>(date.tm_hour),
          static_cast<std::uint8_t>(date.tm_min),
          static_cast<std::uint8_t>(date.tm_sec)};
}

TEST(CivilTime, IsTheCLibrarysOnEveryDayOfAnEraAndALittleMore) {
  constexpr std::int64_t kDay = 86'400;
  constexpr std::int64_t kDays = 146'097 + 50 * 366;
  for (std::int64_t day = 0; day < kDays; ++day) {
    const std::int64_t seconds = day * kDay + day * 7919 % kDay;
    ASSERT_EQ(civil_time(seconds), by_the_c_library(seconds)) << seconds;
  }
}

TEST(CivilTime, DaysEndWhereTheyEnd) {
  for (const std::int64_t seconds : {4'107'542'399L, 4'107'542'400L, 951'868'799L, 951'868'800L,
                                     2'147'483'648L, 4'294'967'296L, 253'402'300'799L}) {
    EXPECT_EQ(civil_time(seconds), by_the_c_library(seconds)) << seconds;
  }
}

TEST(CivilTime, WhatIsOutOfReachIsTheNearest) {
  EXPECT_EQ(civil_time(-1), civil_time(0));
  EXPECT_EQ(civil_time(INT64_MIN), civil_time(0));
  EXPECT_EQ(civil_time(INT64_MAX), civil_time(crypto::kLastCivilSecond));
}

}  // namespace
