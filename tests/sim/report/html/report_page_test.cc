// The pages in a browser: they load without a complaint, and do what docs/report.md says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/sim/report/html/report_page_fixture.h"

namespace otasim::report::html {
namespace {

using ::testing::HasSubstr;

TEST_F(ReportPage, LoadsQuietlyVerdictFirst) {
  RunFolder run;
  fill(run);
  run.result(result_of("passed"));
  EXPECT_EQ(show(run), "ready");
  expect_quiet();
  EXPECT_EQ(text("header .badge"), "passed");
  EXPECT_EQ(text("h1"), "OTAE2EGreaterVersion");
  EXPECT_THAT(text(".command code"), HasSubstr("otasim run OTAE2EGreaterVersion"));
  EXPECT_THAT(text("#key-moments"), HasSubstr("OtaErrSameFirmwareVersion"));
}

TEST_F(ReportPage, SaysInWordsWhatFailedAndHowToLookIntoIt) {
  RunFolder run;
  fill(run);
  json result = result_of("failed");
  result["failures"] = {"expected SUCCEEDED, came FAILED (0xe3000000: 0x0)"};
  result["debug"] = "otasim debug OTAE2EGreaterVersion";
  result["warnings"] = {"events.jsonl ends early"};
  run.result(result);
  ASSERT_EQ(show(run), "ready");
  EXPECT_THAT(text(".failures"), HasSubstr("OtaPalSignatureCheckFailed"));
  EXPECT_THAT(text("header"), HasSubstr("otasim debug OTAE2EGreaterVersion"));
  EXPECT_THAT(text(".warnings"), HasSubstr("ends early"));
  EXPECT_EQ(
      browser_.evaluate("getComputedStyle(document.querySelector('.verdict .badge'), '::before').content"),
      "\"✖ \"");
  expect_quiet();
}

TEST_F(ReportPage, ARunWithoutAResultIsShownToo) {
  RunFolder run;
  fill(run);
  EXPECT_EQ(show(run), "ready");
  expect_quiet();
  EXPECT_EQ(text("header .badge"), "no result");
}

TEST_F(ReportPage, SaysWhatIsMissing) {
  RunFolder run;
  fill(run);
  run.line("{\"t_us\":");
  std::filesystem::remove(run.device() + "/factory.bin");
  EXPECT_EQ(show(run), "ready");
  expect_quiet();
  EXPECT_THAT(text("#page"), HasSubstr("No flash history."));
  EXPECT_THAT(text("#page"), HasSubstr("factory.bin"));
  EXPECT_THAT(text("header"), HasSubstr("1 line of the event log could not be read"));
  EXPECT_EQ(text("#found"), "9 of 9");
}

TEST_F(ReportPage, OfSeveralDevicesOneFlashIsShownAtATime) {
  RunFolder run;
  fill(run);
  std::filesystem::copy(run.device(), run.path() + "/devices/thing-2",
                        std::filesystem::copy_options::recursive);
  EXPECT_EQ(show(run), "ready");
  EXPECT_EQ(browser_.evaluate("document.querySelectorAll('#flash-map').length"), 1);
  const auto group =
      "document.getElementById('flash-map').closest('[role=group]').getAttribute('aria-label')";
  EXPECT_EQ(browser_.evaluate(group), "Flash of thing-1");
  browser_.evaluate(
      "(() => { const d = document.getElementById('flash-device'); d.value = '1'; "
      "d.dispatchEvent(new Event('change')); })()");
  EXPECT_EQ(browser_.evaluate(group), "Flash of thing-2");
  expect_quiet();
}

TEST_F(ReportPage, HostileTextStaysText) {
  RunFolder run;
  std::int64_t now = 10;
  json result = result_of("failed");
  for (const char* text : kHostile) {
    run.event(now += 10, "uart", "line", {{"device", text}, {"text", text}});
    run.event(now += 10, text, text, {{text, text}});
    run.event(now += 10, "cloud", "mqtt_request", {{"topic", text}, {"result", text}, {"payload", text}});
    run.event(now += 10, "cloud", "job_execution",
              {{"status", text}, {"details", {{"reason", text}, {text, text}}}});
    result["failures"].push_back(text);
    result["jobs"].push_back({{"job", text}, {"device", text}, {"status", text}, {"reason", text}});
  }
  result["scenario"] = kHostile[0];
  result["repeat"] = kHostile[1];
  run.result(result);
  EXPECT_EQ(show(run), "ready");
  // Every event is looked at in all its parts.
  browser_.evaluate("document.getElementById('events').focus()");
  browser_.press("Home");
  for (std::size_t i = 0; i < 4 * std::size(kHostile); ++i) browser_.press("ArrowDown");
  browser_.evaluate("document.getElementById('messages').focus()");
  browser_.press("Home");
  for (std::size_t i = 0; i < 2 * std::size(kHostile); ++i) browser_.press("ArrowDown");
  EXPECT_NE(browser_.evaluate("document.title"), "owned");
  EXPECT_EQ(browser_.evaluate("document.querySelectorAll('main img, main svg, main script').length"), 0);
  EXPECT_EQ(text("h1"), kHostile[0]);
  expect_quiet();
}

TEST_F(ReportPage, ThePolicyStopsAScriptThatIsNotItsOwn) {
  RunFolder run;
  fill(run);
  EXPECT_EQ(show(run), "ready");
  browser_.evaluate(
      "(() => { const s = document.createElement('script'); "
      "s.textContent = \"document.title = 'owned'\"; document.body.append(s); })()");
  EXPECT_NE(browser_.evaluate("document.title"), "owned");
  EXPECT_FALSE(browser_.complaints().empty());
}

TEST_F(ReportPage, TheSliderChangesTheMapAndTheConsole) {
  RunFolder run;
  fill(run);
  EXPECT_EQ(show(run), "ready");
  const auto digest = [&] {
    return browser_.evaluate("document.getElementById('flash-map').dataset.digest");
  };
  const auto move = [&](int to) {
    browser_.evaluate("(() => { const s = document.getElementById('flash-slider'); s.value = " +
                      std::to_string(to) + "; s.dispatchEvent(new Event('input')); })()");
    next_frame();
  };
  const json all = digest();
  EXPECT_THAT(text("#flash-table"), HasSubstr("5 KiB of 3072 KiB"));
  move(0);
  const json none = digest();
  EXPECT_NE(all, none);
  EXPECT_THAT(text("#operation"), HasSubstr("before the first of 21 operations"));
  move(9);
  EXPECT_NE(digest(), none);
  EXPECT_NE(digest(), all);
  EXPECT_THAT(text("#flash-table"), HasSubstr("2 KiB of 3072 KiB"));
  EXPECT_THAT(text("#operation"), HasSubstr("program slot-b +0x700"));
  EXPECT_THAT(text("#console [aria-selected=true]"), HasSubstr("boot: reset"));
  move(21);
  EXPECT_EQ(digest(), all);
  // With the keyboard alone.
  browser_.evaluate("document.getElementById('flash-slider').focus()");
  browser_.press("ArrowLeft");
  EXPECT_THAT(text("#operation"), HasSubstr("operation 20 of 21"));
  expect_quiet();
}

TEST_F(ReportPage, TheMapShowsWearToo) {
  RunFolder run;
  fill(run);
  EXPECT_EQ(show(run), "ready");
  browser_.evaluate(
      "(() => { const m = document.getElementById('flash-mode'); m.value = 'wear'; "
      "m.dispatchEvent(new Event('change')); })()");
  next_frame();
  EXPECT_THAT(text("#flash-legend"), HasSubstr("at most 1 times"));
}

TEST_F(ReportPage, TheFilterFilters) {
  RunFolder run;
  fill(run);
  EXPECT_EQ(show(run), "ready");
  const auto filter = [&](const std::string& words) {
    browser_.evaluate("(() => { document.getElementById('filter').value = '" + words +
                      "'; document.getElementById('only-marked').dispatchEvent(new Event('change')); })()");
    next_frame();
    return text("#found");
  };
  EXPECT_EQ(filter(""), "30 of 30");
  EXPECT_EQ(filter("uart"), "2 of 30");
  EXPECT_EQ(filter("UART fault"), "1 of 30");
  EXPECT_EQ(filter("uart -fault"), "1 of 30");
  EXPECT_EQ(filter("flash.program"), "20 of 30");
  EXPECT_EQ(filter("nothing has this"), "0 of 30");
  EXPECT_EQ(browser_.evaluate("document.querySelectorAll('#events .row').length"), 0);
  EXPECT_EQ(filter(""), "30 of 30");
  browser_.evaluate("document.querySelector('[data-lane=flash]').click()");
  EXPECT_EQ(text("#found"), "8 of 30");
  browser_.evaluate("document.querySelector('[data-lane=flash]').click()");
  browser_.evaluate("document.getElementById('only-marked').click()");
  EXPECT_EQ(text("#found"), "1 of 30");
}

TEST_F(ReportPage, TheTimelineZooms) {
  RunFolder run;
  fill(run);
  EXPECT_EQ(show(run), "ready");
  const std::string whole = text("#timeline-range");
  EXPECT_THAT(whole, HasSubstr("30 moments"));
  browser_.evaluate("document.querySelector('[aria-label=\"Zoom in\"]').click()");
  next_frame();
  EXPECT_NE(text("#timeline-range"), whole);
  browser_.evaluate("document.querySelector('[aria-label=\"Show all of the run\"]').click()");
  next_frame();
  EXPECT_EQ(text("#timeline-range"), whole);
}

TEST_F(ReportPage, MessagesAreDecoded) {
  RunFolder run;
  fill(run);
  EXPECT_EQ(show(run), "ready");
  browser_.evaluate("document.getElementById('messages').focus()");
  browser_.press("ArrowDown");
  EXPECT_THAT(text("#message"), HasSubstr("payload, JSON"));
  EXPECT_THAT(text("#message"), HasSubstr("\"clientToken\": \"abc\""));
  browser_.press("ArrowDown");
  EXPECT_THAT(text("#message"), HasSubstr("payload, CBOR"));
  EXPECT_THAT(text("#message"), HasSubstr("\"c\": 4096"));
  EXPECT_THAT(text("#message"), HasSubstr("\"f\": 10"));
  browser_.press("End");
  EXPECT_THAT(text("#message"), HasSubstr("OtaErrSameFirmwareVersion"));
}

/// What is marked or pressed stays where it is while the list is drawn anew.
TEST_F(ReportPage, ARowStaysTheSameElementWhileItIsInSight) {
  RunFolder run;
  fill(run);
  EXPECT_EQ(show(run), "ready");
  browser_.evaluate("globalThis.row = document.querySelector('#events-1')");
  browser_.evaluate("document.getElementById('events').focus()");
  for (const char* key : {"ArrowDown", "ArrowDown", "ArrowUp", "ArrowUp"}) browser_.press(key);
  EXPECT_EQ(browser_.evaluate("globalThis.row.isConnected && document.querySelector('#events-1') === "
                              "globalThis.row"),
            true);
  EXPECT_EQ(browser_.evaluate("document.querySelector('#events-0').getAttribute('aria-selected')"), "true");
  // A filter makes other rows of them.
  browser_.evaluate(
      "(() => { document.getElementById('filter').value = 'app: after'; "
      "document.getElementById('only-marked').dispatchEvent(new Event('change')); })()");
  EXPECT_THAT(text("#events-0"), HasSubstr("app: after the fault"));
  EXPECT_EQ(browser_.evaluate("document.querySelectorAll('#events .row').length"), 1);
}

TEST_F(ReportPage, SaysHowManyFramesAreNotOnIt) {
  RunFolder run;
  fill(run);
  EXPECT_EQ(show(run), "ready");
  EXPECT_EQ(browser_.evaluate("page.textContent.includes('Not on this page')"), false);
  const auto path = std::filesystem::path(run.path()) / kReportFile;
  const auto bytes = read_file(path.string());
  std::string html(bytes->begin(), bytes->end());
  const std::string none = "\"left_off\":0";
  html.replace(html.find(none), none.size(), "\"left_off\":7");
  ASSERT_TRUE(write_file_atomic(path.string(), html).has_value());
  EXPECT_EQ(browser_.open(path.string()), "ready");
  EXPECT_EQ(browser_.evaluate("page.textContent.includes('Not on this page: 7 later frames of thing-1')"),
            true);
}

TEST_F(ReportPage, ALogOfFiftyMegabytesStaysUsable) {
  RunFolder run;
  const std::string words(110, 'x');
  std::int64_t now = 10;
  constexpr std::uintmax_t kBytes = 50'000'000;
  std::string block;
  std::uint64_t lines = 1;
  for (std::uintmax_t bytes = 0; bytes < kBytes;) {
    const json event{{"t_us", now += 37},   {"n", ++lines},
                     {"source", "uart"},    {"event", "line"},
                     {"device", "thing-1"}, {"text", "app: line " + std::to_string(lines) + ' ' + words}};
    const std::string text = event.dump();
    bytes += text.size() + 1;
    block += text + '\n';
  }
  block.pop_back();
  run.line(block);
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  const auto path = write_report(run.path(), {});
  ASSERT_TRUE(path.has_value());
  const auto built = Clock::now();
  EXPECT_EQ(browser_.open(*path), "ready");
  const auto loaded = Clock::now();
  expect_quiet();
  const auto ms = [](auto span) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
  };
  RecordProperty("lines", std::to_string(lines));
  RecordProperty("build_ms", std::to_string(ms(built - begin)));
  RecordProperty("load_ms", std::to_string(ms(loaded - built)));
  // What it costs, counted: few elements and layouts, however many rows, and each row held once.
  EXPECT_LT(browser_.evaluate("document.querySelectorAll('*').length").get<int>(), 2000);
  const auto costs = browser_.costs();
  RecordProperty("layouts", std::to_string(costs.at("LayoutCount")));
  RecordProperty("heap_bytes", std::to_string(costs.at("JSHeapUsedSize")));
  std::printf("%.0f nodes, %.0f layouts, %.0f MB of heap, %.2f s of script\n", costs.at("Nodes"),
              costs.at("LayoutCount"), costs.at("JSHeapUsedSize") / 1e6, costs.at("ScriptDuration"));
  EXPECT_LT(costs.at("Nodes"), 10'000);
  EXPECT_LT(costs.at("LayoutCount"), 1000);
  EXPECT_LT(costs.at("JSHeapUsedSize"), 500e6);
  browser_.evaluate("document.getElementById('console').focus()");
  browser_.press("End");
  EXPECT_THAT(text("#console [aria-selected=true]"), HasSubstr("line " + std::to_string(lines) + ' '));
  // The page itself says how long it takes: a loaded test machine may not answer at once.
  const json filter_ms = browser_.evaluate(R"((() => {
      document.getElementById('filter').value = 'line 777';
      const begin = performance.now();
      document.getElementById('only-marked').dispatchEvent(new Event('change'));
      return performance.now() - begin;
    })())");
  RecordProperty("filter_ms", std::to_string(filter_ms.get<double>()));
  std::printf("%llu lines: built in %lld ms, loaded in %lld ms, filtered in %.0f ms\n",
              static_cast<unsigned long long>(lines), static_cast<long long>(ms(built - begin)),
              static_cast<long long>(ms(loaded - built)), filter_ms.get<double>());
}

}  // namespace
}  // namespace otasim::report::html
