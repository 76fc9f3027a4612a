// A device's test report: what its lines say, and that they must agree with each other.
#include "sim/report/unity_report.h"

#include <gtest/gtest.h>

namespace otasim::report {
namespace {

using Result = UnityCase::Result;

UnityReport report_of(const std::vector<std::string>& lines) {
  UnityReport report;
  for (const std::string& line : lines) report.add_line(line);
  return report;
}

TEST(UnityReport, ResultsAreReadWithAllTheySay) {
  UnityReport report;
  EXPECT_TRUE(report.add_line("a.c:12:TEST(Group, first):PASS"));
  EXPECT_TRUE(report.add_line("a.c:30:TEST(Group, second):FAIL: Expected 1: Was 2"));
  EXPECT_TRUE(report.add_line("a.c:40:TEST(Group, third):IGNORE: not here"));
  ASSERT_EQ(report.cases().size(), 3U);
  EXPECT_EQ(report.cases()[0].group, "Group");
  EXPECT_EQ(report.cases()[0].name, "first");
  EXPECT_EQ(report.cases()[0].file, "a.c");
  EXPECT_EQ(report.cases()[0].line, 12U);
  EXPECT_EQ(report.cases()[0].result, Result::kPassed);
  EXPECT_EQ(report.cases()[1].result, Result::kFailed);
  EXPECT_EQ(report.cases()[1].message, "Expected 1: Was 2");
  EXPECT_EQ(report.cases()[2].result, Result::kIgnored);
  EXPECT_FALSE(report.is_complete());
}

TEST(UnityReport, OtherLinesArePassedOver) {
  UnityReport report;
  for (const char* line :
       {"", "OK", "FAIL", "app: network up", "a.c:12:TEST(Group, first)", "a.c:x:TEST(Group, first):PASS",
        "a.c:12:TEST(Group first):PASS", "a.c:12:TEST(Group, first):PASSED",
        "a.c:99999999999:TEST(G, f):PASS", "15 Tests", "x Tests 0 Failures 0 Ignored",
        "-1 Tests 0 Failures 0 Ignored", ":::", "TEST(", "1 Tests "}) {
    EXPECT_FALSE(report.add_line(line)) << line;
  }
  EXPECT_TRUE(report.cases().empty());
}

TEST(UnityReport, AllPassedWithASummaryThatAgreesIsAPass) {
  const auto report = report_of(
      {"a.c:1:TEST(G, a):PASS", "", "-----------------------", "1 Tests 0 Failures 0 Ignored ", "OK"});
  EXPECT_TRUE(report.is_complete());
  EXPECT_EQ(report.problem(), "");
  EXPECT_TRUE(report.passed());
}

TEST(UnityReport, NothingAfterTheVerdictCounts) {
  auto report = report_of({"a.c:1:TEST(G, a):PASS", "1 Tests 0 Failures 0 Ignored", "OK"});
  EXPECT_FALSE(report.add_line("a.c:1:TEST(G, b):PASS"));
  EXPECT_TRUE(report.passed());
}

TEST(UnityReport, AFailureIsNoPass) {
  const auto report = report_of(
      {"a.c:1:TEST(G, a):PASS", "a.c:2:TEST(G, b):FAIL: x", "2 Tests 1 Failures 0 Ignored", "FAIL"});
  EXPECT_EQ(report.problem(), "1 of 2 tests failed");
}

TEST(UnityReport, ALieIsNoPass) {
  for (const auto& lines : std::vector<std::vector<std::string>>{
           {"1 Tests 0 Failures 0 Ignored", "OK"},
           {"a.c:1:TEST(G, a):PASS", "2 Tests 0 Failures 0 Ignored", "OK"},
           {"a.c:1:TEST(G, a):FAIL", "1 Tests 0 Failures 0 Ignored", "OK"},
           {"a.c:1:TEST(G, a):FAIL", "1 Tests 1 Failures 0 Ignored", "OK"},
           {"a.c:1:TEST(G, a):IGNORE", "1 Tests 0 Failures 0 Ignored", "OK"},
           {"a.c:1:TEST(G, a):PASS", "1 Tests 0 Failures 0 Ignored", "FAIL"}}) {
    const auto report = report_of(lines);
    EXPECT_TRUE(report.is_complete());
    EXPECT_NE(report.problem().find("does not agree"), std::string::npos) << report.problem();
  }
  EXPECT_EQ(report_of({"0 Tests 0 Failures 0 Ignored", "OK"}).problem(), "no test ran");
}

TEST(UnityReport, WithoutItsSummaryItIsNoPass) {
  EXPECT_EQ(report_of({"a.c:1:TEST(G, a):PASS"}).problem(), "the summary never came; 1 results did");
  EXPECT_FALSE(report_of({"a.c:1:TEST(G, a):PASS", "1 Tests 0 Failures 0 Ignored"}).passed());
}

}  // namespace
}  // namespace otasim::report
