// The pages in a browser: they load without a complaint, and do what docs/report.md says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "sim/report/html/html_report.h"
#include "tests/sim/report/html/browser.h"
#include "tests/sim/report/html/run_folder_fixture.h"

namespace otasim::report::html {
namespace {

using nlohmann::json;
using test::Browser;
using test::RunFolder;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

/// What a device says that wants to be more than text.
constexpr const char* kHostile[] = {
    "</script><script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "<!--<script>",
    "]]>",
    "\"'><svg onload=document.title='owned'>",
    "javascript:document.title='owned'",
    "\x1b[31mred\x1b[0m",
    "\u2028\u2029",
    "__proto__",
    "constructor",
};

json result_of(const std::string& verdict) {
  return {{"scenario", "OTAE2EGreaterVersion"},
          {"board", "mps2-an385"},
          {"data", "mqtt"},
          {"class", "aws"},
          {"seed", 1},
          {"result", verdict},
          {"wall_ms", 900},
          {"failures", json::array()},
          {"reason", ""},
          {"devices", json::array()},
          {"jobs", json::array()},
          {"run", "/x"},
          {"repeat", "otasim run OTAE2EGreaterVersion --board mps2-an385 --data mqtt --seed 1"}};
}

/// A short update: a boot, a request, twenty pages of slot B, a boot record, a fault.
void fill(RunFolder& run) {
  run.event(1000, "device", "power_on", {{"device", "thing-1"}, {"board", "mps2-an385"}});
  run.event(2000, "uart", "line", {{"device", "thing-1"}, {"text", "boot: reset board=mps2-an385"}});
  run.event(2001, "boot", "reset", {{"device", "thing-1"}, {"reason", "power-on"}});
  run.event(3000, "cloud", "mqtt_request",
            {{"client", "thing-1"},
             {"topic", "$aws/things/thing-1/jobs/$next/get"},
             {"result", "accepted"},
             {"payload", "{\"clientToken\":\"abc\"}"}});
  run.event(3500, "cloud", "stream_request",
            {{"client", "thing-1"},
             {"stream", "s"},
             {"result", "accepted"},
             {"payload_hex", "a2616319100061660a"}});
  const std::vector<std::uint8_t> page(flash::kPageSize, 0xA5);
  EXPECT_EQ(run.at(4000).erase_sector(flash::kSlotB.offset), flash::Status::kOk);
  for (unsigned i = 0; i < 20; ++i)
    EXPECT_EQ(run.at(5000 + i * 100).program(flash::kSlotB.offset + i * 256, page), flash::Status::kOk);
  run.event(8000, "flash", "fault", {{"device", "thing-1"}, {"fault", "flash.power_cut"}});
  run.event(8500, "uart", "line", {{"device", "thing-1"}, {"text", "app: after the fault"}});
  run.event(9000, "cloud", "job_execution",
            {{"job", "j"}, {"status", "FAILED"}, {"details", {{"reason", "rejected: 0x10"}}}});
}

class ReportPage : public ::testing::Test {
 protected:
  std::string show(const RunFolder& run) { return show(run.path()); }
  std::string show(const std::string& folder) {
    const auto path = write_report(folder, {});
    EXPECT_TRUE(path.has_value()) << (path ? "" : path.error().message);
    if (!path) return "no page";
    return browser_.open(*path);
  }
  [[nodiscard]] std::string text(const std::string& selector) {
    return browser_.evaluate("document.querySelector('" + selector + "').textContent").get<std::string>();
  }
  void next_frame() {
    browser_.evaluate("new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))");
  }
  /// Nothing was complained of, and nothing but the page itself was asked for.
  void expect_quiet() {
    EXPECT_THAT(browser_.complaints(), IsEmpty());
    EXPECT_EQ(browser_.requests().size(), 1U);
    EXPECT_THAT(browser_.requests(), Each(StartsWith("file://")));
  }

  Browser browser_;
};

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

TEST_F(ReportPage, IsUsableWithoutSeeingIt) {
  RunFolder run;
  fill(run);
  EXPECT_EQ(show(run), "ready");
  // Whatever can be operated has a name, and what is drawn has a text.
  EXPECT_EQ(
      browser_.evaluate(R"([...document.querySelectorAll('button, input, select, canvas, [role=listbox]')]
      .filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim() || e.closest('label')))
      .map((e) => e.outerHTML))"),
      json::array());
  EXPECT_EQ(browser_.evaluate("document.querySelectorAll('h1').length"), 1);
  browser_.evaluate("document.getElementById('events').focus()");
  browser_.press("ArrowDown");
  EXPECT_EQ(browser_.evaluate("document.getElementById(document.getElementById('events')"
                              ".getAttribute('aria-activedescendant')).getAttribute('aria-selected')"),
            "true");
}

/// WCAG's contrast of every text colour on every ground, in light and dark.
TEST_F(ReportPage, TextHasContrastInLightAndDark) {
  RunFolder run;
  fill(run);
  for (const char* scheme : {"light", "dark"}) {
    browser_.set_media_feature("prefers-color-scheme", scheme);
    EXPECT_EQ(show(run), "ready");
    const json least = browser_.evaluate(R"((() => {
      const value = (name) => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
      const light = (colour) => {
        const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
          .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
      };
      const pairs = ['text', 'muted', 'accent', 'good', 'bad', 'warn'].flatMap((text) => ['ground', 'raised'].map((ground) => [text, ground]));
      pairs.push(['good', 'good-ground'], ['bad', 'bad-ground'], ['warn', 'warn-ground'], ['text', 'select'], ['muted', 'select']);
      return Math.min(...pairs.map(([a, b]) => {
        const [x, y] = [light(value(a)), light(value(b))];
        return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
      }));
    })())");
    EXPECT_GE(least.get<double>(), 4.5) << scheme;
  }
}

/// How many pages a PDF of Chromium's has: each is an object that is not compressed.
std::size_t pages_of(const std::string& pdf) {
  constexpr std::string_view kPage = "/Type /Page\n";
  std::size_t count = 0;
  for (std::size_t at = pdf.find(kPage); at != std::string::npos; at = pdf.find(kPage, at + 1)) ++count;
  return count;
}

TEST_F(ReportPage, OfALongRunIsAFewSheetsOfPaper) {
  RunFolder run;
  fill(run);
  run.result(result_of("passed"));
  for (int i = 0; i < 5000; ++i)
    run.event(10'000 + i, "uart", "line",
              {{"device", "thing-1"}, {"text", "app: line " + std::to_string(i)}});
  EXPECT_EQ(show(run), "ready");
  browser_.evaluate(
      "addEventListener('beforeprint', () => { globalThis.wasOpen = "
      "document.querySelector('details').open; })");
  const std::size_t pages = pages_of(browser_.print());
  EXPECT_GE(pages, 1U);
  EXPECT_LE(pages, 8U);
  EXPECT_EQ(browser_.evaluate("globalThis.wasOpen"), true) << "the story is on paper, too";
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
