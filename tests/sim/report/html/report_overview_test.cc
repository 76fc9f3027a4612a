// The pages of many runs: a matrix and a sweep.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "tests/sim/report/html/report_page_fixture.h"

namespace otasim::report::html {
namespace {

using ::testing::HasSubstr;

TEST_F(ReportPage, OfAMatrixIsAGridWithLinks) {
  RunFolder folder;
  const std::string cell = folder.path() + "/0001-A-b-mqtt";
  std::filesystem::create_directories(cell);
  ASSERT_TRUE(write_file_atomic(cell + "/report.html", std::string_view("<!doctype html>")).has_value());
  json passed = result_of("passed");
  passed["run"] = cell;
  json failed = result_of("failed");
  failed["scenario"] = kHostile[1];
  failed["data"] = "http";
  failed["failures"] = {kHostile[0]};
  const json matrix{{"passed", 1},     {"failed", 1},          {"complete", true},
                    {"wall_ms", 1234}, {"run", folder.path()}, {"cells", {passed, failed}}};
  ASSERT_TRUE(write_file_atomic(folder.path() + "/matrix.json", matrix.dump()).has_value());
  EXPECT_EQ(show(folder.path()), "ready");
  expect_quiet();
  EXPECT_EQ(text("h1"), "1 of 2 cells passed");
  EXPECT_EQ(browser_.evaluate("document.querySelector('.grid a').getAttribute('href')"),
            "0001-A-b-mqtt/report.html");
  EXPECT_EQ(browser_.evaluate("document.querySelectorAll('.grid tbody tr:not([hidden])').length"), 2);
  browser_.evaluate("document.getElementById('only-failed').click()");
  EXPECT_EQ(browser_.evaluate("document.querySelectorAll('.grid tbody tr:not([hidden])').length"), 1);
  EXPECT_NE(browser_.evaluate("document.title"), "owned");
}

TEST_F(ReportPage, OfASweepIsAHeatMapWithItsFailures) {
  RunFolder folder;
  json operations = json::array();
  for (int i = 0; i < 300; ++i) {
    operations.push_back({{"operation", i},
                          {"sequence", i + 1},
                          {"kind", "program"},
                          {"source", "agent"},
                          {"partition", "slot-b"},
                          {"offset", 4194304 + 256 * i},
                          {"length", 256},
                          {"cases", {{"before", 1}, {"torn", 3}, {"after", 1}}},
                          {"failures", i == 7 ? json{{"torn", 2}} : json::object()}});
  }
  const json sweep{{"cases", 1500},
                   {"boots", 900},
                   {"distinct_states", 800},
                   {"failures", 2},
                   {"seconds", 3.5},
                   {"cases_per_s", 428.0},
                   {"complete", true},
                   {"run", folder.path()},
                   {"recordings",
                    {{{"recording", "A"},
                      {"run", folder.path() + "/recordings/A"},
                      {"board", "native"},
                      {"operations", 300},
                      {"cuts", 1},
                      {"granularity", "torn"},
                      {"seed", 1},
                      {"complete", true},
                      {"cases", 1500},
                      {"boots", 900},
                      {"distinct_states", 800},
                      {"failures", 2},
                      {"seconds", 3.5},
                      {"results", operations}}}},
                   {"failed_cases",
                    {{{"recording", "A"},
                      {"case", "7:128"},
                      {"violations", {kHostile[0]}},
                      {"consoles", {json::array({kHostile[1]})}},
                      {"repeat", "otasim sweep power-cut --case 7:128"}}}}};
  ASSERT_TRUE(write_file_atomic(folder.path() + "/sweep.json", sweep.dump()).has_value());
  EXPECT_EQ(show(folder.path()), "ready");
  expect_quiet();
  EXPECT_EQ(text("h1"), "1500 power cuts, 2 failures");
  EXPECT_THAT(text("#page"), HasSubstr("otasim sweep power-cut --case 7:128"));
  browser_.evaluate("document.querySelector('.heat canvas').focus()");
  browser_.press("Home");
  for (int i = 0; i < 7; ++i) browser_.press("ArrowRight");
  EXPECT_THAT(text(".chosen"), HasSubstr("operation 7: program slot-b 0x400700"));
  EXPECT_THAT(text(".chosen"), HasSubstr("2 FAILED"));
  EXPECT_NE(browser_.evaluate("document.title"), "owned");
}

}  // namespace
}  // namespace otasim::report::html
