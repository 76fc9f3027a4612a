// Bytes of flash do no harm as text.
#include "sim/inspect/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "sim/base/json.h"

namespace otasim::inspect {
namespace {

TEST(InspectText, OnlyPrintableCharactersStand) {
  EXPECT_EQ(printable("AFR_OTA-1 ~"), "AFR_OTA-1 ~");
  EXPECT_EQ(printable(std::string("\x1b[2J\\\0", 6)), "\\x1b[2J\\x5c\\x00");
  EXPECT_NO_THROW((void)nlohmann::json(printable("\xff\xc3")).dump());
}

TEST(InspectText, TimesThatNoCalendarHasAreTold) {
  EXPECT_EQ(utc(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(utc(1'767'225'600), "2026-01-01T00:00:00Z");
  EXPECT_EQ(utc(-1), "-1 s since 1970");
  EXPECT_EQ(utc(std::numeric_limits<std::int64_t>::max()), "9223372036854775807 s since 1970");
}

TEST(InspectText, WhatIsErasedAtTheEndIsNotUsed) {
  EXPECT_EQ(used_size(std::vector<std::uint8_t>{0xFF, 0, 0xFF, 0xFF}), 2U);
  EXPECT_EQ(used_size({}), 0U);
  EXPECT_TRUE(is_erased({}));
  EXPECT_FALSE(is_erased(std::vector<std::uint8_t>{0xFF, 0xFE}));
}

}  // namespace
}  // namespace otasim::inspect
