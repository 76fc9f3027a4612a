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

TEST(Junit, ACaseHasItsTimePropertiesAndOutput) {
  const std::string xml = junit_xml({.name = "s",
                                     .cases = {{.class_name = "an385.mqtt",
                                                .name = "A",
                                                .result = JunitCase::Result::kFailed,
                                                .message = "first\nsecond",
                                                .wall_ms = 61'005,
                                                .properties = {{"seed", "7"}, {"repeat", "run 'a' \"b\""}},
                                                .output = "<line>\n"}}});
  EXPECT_THAT(xml,
              HasSubstr("<testcase classname=\"an385.mqtt\" name=\"A\" time=\"61.005\"><properties>"
                        "<property name=\"seed\" value=\"7\"/>"
                        "<property name=\"repeat\" value=\"run &#39;a&#39; &quot;b&quot;\"/></properties>"
                        "<failure message=\"first&#10;second\"/>"
                        "<system-out>&lt;line&gt;\n</system-out></testcase>\n"));
}

TEST(Junit, APassedCaseWithPropertiesIsStillPassed) {
  const std::string xml =
      junit_xml({.name = "s", .cases = {{.class_name = "c", .name = "n", .properties = {{"a", "b"}}}}});
  EXPECT_THAT(xml, HasSubstr("tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"0\" time=\"0.000\""));
  EXPECT_THAT(xml, HasSubstr("<testcase classname=\"c\" name=\"n\"><properties><property name=\"a\" "
                             "value=\"b\"/></properties></testcase>"));
}

TEST(Junit, WhatXmlHasNoPlaceForIsReplaced) {
  EXPECT_EQ(xml_escape("<\"&>\n"), "&lt;&quot;&amp;&gt;\n");
  EXPECT_EQ(xml_escape(std::string("a\0b\x1b\xff", 5)), "a?b??");
}

}  // namespace
}  // namespace otasim::report
