// The live page's script in a browser, before a lab that a test plays: what floods, ends or is too much.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/json.h"
#include "sim/report/html/embedded_files.h"
#include "sim/web/embedded_files.h"
#include "sim/web/web_server.h"
#include "tests/sim/report/html/browser.h"
#include "tests/sim/web/served_lab.h"

namespace otasim::web {
namespace {

using nlohmann::json;
using test::Browser;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class WebPage : public ServedLab {
 protected:
  WebPage() {
    add_list("device.list", devices);
    add_list("job.list", jobs);
    add_list("fault.list", faults);
  }

  void add_list(const char* command, json& list) {
    commands.add(command,
                 [&list](control::Arguments&, const control::ReplyPtr&) -> control::Answer { return list; });
  }
  void say_line(int number) {
    log->emit("uart", "line", {{"device", "thing-1"}, {"text", "line " + std::to_string(number)}});
  }
  /// Waits until an expression is true. The browser looks at it whenever the page changes.
  void wait_for(const std::string& expression) {
    SCOPED_TRACE(expression);
    browser.evaluate("new Promise((done) => { const look = () => { if (" + expression +
                     ") { watch.disconnect(); done(true); } }; const watch = new MutationObserver(look); "
                     "watch.observe(document, {subtree: true, childList: true, attributes: true, "
                     "characterData: true}); look(); })");
  }
  [[nodiscard]] std::string text(const std::string& selector) {
    return browser.evaluate("document.querySelector('" + selector + "').textContent").get<std::string>();
  }
  static std::string found(const std::string& count) {
    return "document.getElementById('found').textContent.startsWith('" + count + " of')";
  }

  json devices = json::array({{{"name", "thing-1"}, {"power", "on"}}});
  json jobs = json::array();
  json faults = json::array();
  Browser browser;
};

/// A value that the live page's model comes to.
std::string with_model(const std::string& script) {
  std::string text = "(() => {";
  text += report::html::embedded_file("run_model.js");
  text += embedded_file("live_model.js");
  return text + "const model = new LiveModel(); " + script + "})()";
}

TEST_F(WebPage, WhatTheModelHasDrawnStaysUntilItIsLaidOutAnew) {
  const json told = browser.evaluate(with_model(R"(
    const add = (n) => model.addEvent({t_us: n, n, source: "uart", event: "line", device: "a", text: "line " + n});
    for (let n = 1; n <= 20000; ++n) add(n);
    model.settle();
    const before = [model.count, model.line(0), model.line(19999)];
    add(20001);
    model.setTrack("a", null);
    const between = [model.count, model.line(0), model.line(19999)];
    model.settle();
    const after = [model.missed, model.line(0), model.line(model.count - 1), model.number(0)];
    model.forget();
    const forgotten = [model.line(0), model.last];
    model.settle();
    return [before, between, after, forgotten, model.count];
  )"));
  EXPECT_EQ(told, json::parse(R"([[20000, "line 1", "line 20000"], [20000, "line 1", "line 20000"],
                                 [4001, "line 4002", "line 20001", 4002], ["line 4002", 0], 0])"));
}

TEST_F(WebPage, ThatNobodyLooksAtKeepsAsMuchAsOneThatIsSeen) {
  const json told = browser.evaluate(with_model(R"(
    for (let n = 1; n <= 90000; ++n) model.addEvent({t_us: n, n, source: "uart", event: "line", text: "x"});
    const kept = model.fresh.length;
    model.settle();
    return [kept <= 20000, model.count <= 20000, model.count + model.missed];
  )"));
  EXPECT_EQ(told, json::parse("[true, true, 90000]"));
}

TEST_F(WebPage, RowsStayTheSameElementsWhileLinesCome) {
  start();
  EXPECT_EQ(browser.open_url(server->way_in()), "ready");
  for (int i = 0; i < 30; ++i) say_line(i);
  wait_for(found("30"));
  browser.evaluate(
      "(() => { globalThis.row = document.querySelector('#events .row'); globalThis.was = "
      "row.textContent; getSelection().selectAllChildren(row); })()");
  for (int i = 30; i < 90; ++i) say_line(i);
  wait_for(found("90"));
  EXPECT_EQ(browser.evaluate("row.isConnected && row.textContent === was"), true);
  EXPECT_EQ(browser.evaluate("getSelection().toString().length > 0"), true);
  // Nothing marked: the list goes on with what comes.
  browser.evaluate("getSelection().removeAllRanges()");
  say_line(90);
  wait_for("document.getElementById('events').textContent.includes('line 90')");
  EXPECT_THAT(browser.complaints(), IsEmpty());
}

TEST_F(WebPage, WhatHasJustHappenedIsOnlyAddedTo) {
  start();
  EXPECT_EQ(browser.open_url(server->way_in()), "ready");
  log->emit("device", "power_on", {{"device", "thing-1"}});
  wait_for("document.querySelectorAll('#now li').length === 1");
  browser.evaluate(
      "(() => { globalThis.first = document.querySelector('#now li'); globalThis.removed = 0; new "
      "MutationObserver((list) => { for (const one of list) removed += one.removedNodes.length; }).observe("
      "document.getElementById('now'), {childList: true}); })()");
  log->emit("device", "power_off", {{"device", "thing-1"}});
  wait_for("document.querySelectorAll('#now li').length === 2");
  EXPECT_EQ(browser.evaluate("document.querySelector('#now li') === first"), true);
  EXPECT_EQ(browser.evaluate("removed"), 0);
}

TEST_F(WebPage, SaysHowManyDevicesAndJobsItDoesNotList) {
  devices = json::array();
  for (int i = 0; i < 203; ++i) {
    devices.push_back({{"name", "thing-" + std::to_string(i)}, {"power", "off"}});
    jobs.push_back({{"id", "job-" + std::to_string(i)}, {"status", "COMPLETED"}, {"created_at", i}});
  }
  start();
  EXPECT_EQ(browser.open_url(server->way_in()), "ready");
  wait_for("!document.getElementById('more-devices').hidden && !document.getElementById('more-jobs').hidden");
  EXPECT_THAT(text("#more-devices"), HasSubstr("3 devices more: otasim device list"));
  EXPECT_THAT(text("#more-jobs"), HasSubstr("3 older jobs more: otasim job list"));
}

TEST_F(WebPage, SaysThatTheLabKeepsNoLogAnyMore) {
  start();
  EXPECT_EQ(browser.open_url(server->way_in()), "ready");
  EXPECT_EQ(browser.evaluate("document.getElementById('log-notice').hidden"), true);
  log->emit("lab", "log_ended", {{"text", "events.jsonl ends early: No space left on device"}});
  wait_for("!document.getElementById('log-notice').hidden");
  EXPECT_THAT(text("#log-notice"), HasSubstr("No space left on device"));
}

TEST_F(WebPage, SaysThatThereAreTooManyPages) {
  start({.max_viewers = 1});
  EXPECT_EQ(browser.open_url(server->way_in()), "ready");
  Browser second;
  second.go(server->way_in());
  second.evaluate(
      "new Promise((done) => { const look = () => { if (!document.getElementById('notice').hidden) done(); "
      "}; new MutationObserver(look).observe(document, {subtree: true, childList: true, attributes: true}); "
      "look(); })");
  EXPECT_THAT(second.evaluate("document.getElementById('notice').textContent").get<std::string>(),
              HasSubstr("as many pages as it can"));
}

}  // namespace
}  // namespace otasim::web
