// The recording on a run's page: it plays, stops, and shows what it has of a terminal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>

#include "tests/sim/report/html/report_page_fixture.h"

namespace otasim::report::html {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

/// A cast of two steps; its colours, moves and wipes are those that recordings use.
constexpr const char* kCast =
    R"({"version":2,"width":20,"height":4,"title":"t"})"
    "\n"
    R"([0,"o","\u001b[0m\u001b[2J\u001b[?25l\u001b[1;1H\u001b[38;5;196mred\u001b[2;3H\u001b[0mlow"])"
    "\n"
    R"([1,"m","begin"])"
    "\n"
    R"([2,"o","\u001b[1;1Hnew\u001b[4;1Hlast\u001b[4;"])"
    "\n"
    "no event\n"
    R"([2.5,"o","10Hsplit"])"
    "\n"
    R"([3,"m","<img src=x onerror=document.title='owned'>"])"
    "\n"
    R"([4,"o","\u001b]0;owned\u0007\u001b[999999999;1H\u001b[Kend\r\n"])"
    "\n";

void leave_cast(const RunFolder& run, std::string_view text) {
  EXPECT_TRUE(write_file_atomic(run.path() + "/demo.cast", text).has_value());
}

TEST_F(ReportPage, PlaysTheRecording) {
  RunFolder run;
  fill(run);
  run.result(result_of("passed"));
  leave_cast(run, kCast);
  ASSERT_EQ(show(run), "ready");
  const std::string screen =
      "[...document.querySelectorAll('.terminal-row')].map((r) => r.textContent.trimEnd()).join('|')";
  EXPECT_EQ(browser_.evaluate(screen), "new|  low||end")
      << "at its end, whole: the last line's end does not scroll";
  browser_.evaluate("document.querySelector('.terminal-frame').focus()");
  browser_.press("Home");
  EXPECT_EQ(browser_.evaluate(screen), "red|  low||");
  EXPECT_EQ(browser_.evaluate("document.querySelector('.terminal-row span').style.color"), "rgb(255, 0, 0)");
  browser_.press("]");
  EXPECT_THAT(text("#cast-time"), StartsWith("0:01.0"));
  EXPECT_EQ(text("#cast-steps .now"), "0:01.0 begin");
  browser_.press("]");
  EXPECT_EQ(browser_.evaluate(screen), "new|  low||last     split") << "a sequence in two pieces is one";
  browser_.press("[");
  EXPECT_EQ(browser_.evaluate(screen), "red|  low||") << "back";
  browser_.evaluate("document.querySelectorAll('#cast-steps button')[1].click()");
  EXPECT_THAT(text("#cast-time"), StartsWith("0:03.0"));
  EXPECT_THAT(text("#cast-steps .now"), HasSubstr("<img src=x"));
  EXPECT_EQ(browser_.evaluate("document.title.includes('owned')"), false);
  expect_quiet();
}

TEST_F(ReportPage, TheRecordingPlaysToItsEndAndPauses) {
  RunFolder run;
  fill(run);
  leave_cast(
      run,
      "{\"version\":2,\"width\":10,\"height\":2}\n[0,\"o\",\"first\"]\n[0.2,\"o\",\"\\u001b[2Jdone\"]\n");
  ASSERT_EQ(show(run), "ready");
  EXPECT_EQ(text("#cast-play"), "▶ Play") << "nothing moves by itself";
  browser_.evaluate("document.querySelector('#cast-play').click()");
  EXPECT_EQ(text("#cast-play"), "⏸ Pause");
  browser_.evaluate(
      "new Promise((r) => new MutationObserver(() => r()).observe(document.querySelector('#cast-play'), "
      "{childList: true}))");
  EXPECT_EQ(text("#cast-play"), "▶ Play");
  EXPECT_THAT(text("#cast-time"), StartsWith("0:00.2"));
  EXPECT_THAT(text("#terminal"), HasSubstr("done"));
  expect_quiet();
}

TEST_F(ReportPage, WhatIsNoCastIsLeftOut) {
  for (const char* text : {"", "{\"version\":3,\"width\":1,\"height\":1}", "[]\n[0,\"o\",\"x\"]", "null"}) {
    RunFolder run;
    fill(run);
    leave_cast(run, text);
    ASSERT_EQ(show(run), "ready") << text;
    EXPECT_EQ(browser_.evaluate("document.querySelector('.player')"), nullptr) << text;
  }
  EXPECT_THAT(browser_.complaints(), IsEmpty());
}

}  // namespace
}  // namespace otasim::report::html
