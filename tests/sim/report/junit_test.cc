#include "sim/report/junit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otasim::report {
namespace {

using testing::HasSubstr;

TEST(Junit, EveryCaseHasItsLineAndTheSuiteItsNumbers) {
  const std::string xml = junit_xml({.name = "suite",
                                     .wall_ms = 1042,
                                     .cases = {{"G", "passes"},
                                               {"G", "fails", JunitCase::Result::kFailed, "1 < 2"},
                                               {"G", "waits", JunitCase::Result::kSkipped, "not here"},
                                               {"G", "breaks", JunitCase::Result::kError, "gone"}},
                                     .output = "a & b\n"});
  EXPECT_THAT(xml,
              HasSubstr("<testsuite name=\"suite\" tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\" "
                        "time=\"1.042\">"));
  EXPECT_THAT(xml, HasSubstr("<testcase classname=\"G\" name=\"passes\"/>"));
  EXPECT_THAT(xml, HasSubstr("name=\"fails\"><failure message=\"1 &lt; 2\"/></testcase>"));
  EXPECT_THAT(xml, HasSubstr("name=\"waits\"><skipped message=\"not here\"/></testcase>"));
  EXPECT_THAT(xml, HasSubstr("name=\"breaks\"><error message=\"gone\"/></testcase>"));
  EXPECT_THAT(xml, HasSubstr("<system-out>a &amp; b\n</system-out>"));
}

TEST(Junit, WhatXmlHasNoPlaceForIsReplaced) {
  EXPECT_EQ(xml_escape("<\"&>\n"), "&lt;&quot;&amp;&gt;\n");
  EXPECT_EQ(xml_escape(std::string("a\0b\x1b\xff", 5)), "a?b??");
}

}  // namespace
}  // namespace otasim::report
