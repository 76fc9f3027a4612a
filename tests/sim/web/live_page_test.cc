// The live page of a real lab, in a real browser: what happens is seen there, and its buttons are felt in the
// lab.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>

#include "tests/sim/cli/lab_fixture.h"
#include "tests/sim/report/html/browser.h"

namespace otasim::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class LivePageTest : public LabTest {
 protected:
  void open_lab() {
    up = start_lab({"--web", "--quiet"});
    lab_json = json::parse(up->output());
    url = lab_json.at("web_url").get<std::string>();
    EXPECT_EQ(browser.open_url(url), "ready");
  }
  [[nodiscard]] std::string text(const std::string& selector) {
    return browser.evaluate("document.querySelector('" + selector + "').textContent").get<std::string>();
  }
  /// Waits until an expression is true. The browser looks at it whenever the page changes.
  void wait_for(const std::string& expression) {
    SCOPED_TRACE(expression);
    browser.evaluate(
        "new Promise((done) => { const look = () => { if (" + expression +
        ") { watch.disconnect(); done(true); } }; const watch = new MutationObserver(look); "
        "watch.observe(document, {subtree: true, childList: true, attributes: true, characterData: "
        "true}); look(); })");
  }
  /// Presses a button of the device's card, as a keyboard does.
  void press(const std::string& label) {
    const std::string find =
        "[...document.querySelectorAll('.card button')].find((b) => b.textContent === '" + label +
        "' && !b.disabled)";
    wait_for(find);
    browser.evaluate(find + ".focus()");
    browser.press("Enter");
  }
  static std::string card(const std::string& text) {
    return "document.querySelector('.card') && document.querySelector('.card').textContent.includes('" +
           text + "')";
  }
  static std::string is_connected() {
    return "document.querySelectorAll('.card .badge')[1].textContent === 'connected'";
  }
  static std::string power(const std::string& state) {
    return "document.querySelector('.card .badge') && document.querySelector('.card .badge').textContent === "
           "'" +
           state + "'";
  }
  static std::string events(const std::string& text) {
    return "document.getElementById('now').textContent.includes('" + text + "')";
  }

  Browser browser;
  std::unique_ptr<Program> up;
  json lab_json;
  std::string url;
};

TEST_F(LivePageTest, ShowsWhatHappensAndItsButtonsAct) {
  open_lab();
  EXPECT_EQ(browser.evaluate("location.search"), "") << "the token is out of the address bar";
  EXPECT_EQ(browser.evaluate("document.cookie"), "") << "no script sees the session";
  EXPECT_THAT(text("#page"), HasSubstr("No devices yet"));
  ok({"device", "add", "thing-1"});
  wait_for(card("connected") + " && " + is_connected() + " && " + events("broker.client_connected"));
  wait_for(card("1.0.0"));
  wait_for("document.querySelector('#console .row')");
  wait_for("document.getElementById('flash-map')");

  press("Kick from the broker");
  wait_for(events("KICK") + " || " + events("broker.client_disconnected"));
  wait_for(card("runs 1.0.0") + " && " + is_connected());

  press("Power cut");
  wait_for(power("off") + " && " + events("device.power_off"));
  EXPECT_EQ(device("thing-1").at("power"), "off");
  press("Power on");
  wait_for(card("runs 1.0.0") + " && " + is_connected());
  EXPECT_EQ(device("thing-1").at("power"), "on");

  // A link on which nothing passes: it is armed, seen and cleared.
  press("Arm");
  wait_for("document.querySelector('.armed li')");
  EXPECT_THAT(text(".armed"), HasSubstr("link.blackhole"));
  press("Clear");
  wait_for("!document.querySelector('.armed li')");
  EXPECT_THAT(browser.complaints(), IsEmpty());
}

TEST_F(LivePageTest, FaultsOfTheLinkAreArmedWithTheirMeasure) {
  open_lab();
  ok({"device", "add", "thing-1"});
  wait_for(card("runs 1.0.0") + " && " + is_connected());
  struct Kind {
    const char* fault;
    int value;
    const char* shown;  // as the lab says what is armed
  };
  for (const auto& [fault, value, shown] :
       {Kind{"link.loss", 7, "link.loss 7 %"}, Kind{"link.latency", 40, "link.latency 40 ms"},
        Kind{"link.rate", 900'000, "link.rate 900000 bit/s"}}) {
    SCOPED_TRACE(fault);
    browser.evaluate(std::string("(() => { const card = document.querySelector('.card'), kind = "
                                 "card.querySelector('select'); kind.value = "
                                 "[...kind.options].find((one) => one.textContent.startsWith('") +
                     (fault + 5) +
                     "')).value; kind.dispatchEvent(new Event('change')); "
                     "card.querySelector('input[type=number]').value = " +
                     std::to_string(value) + "; })()");
    press("Arm");
    wait_for("document.querySelector('.armed li')");
    EXPECT_THAT(text(".armed"), HasSubstr(shown));
    press("Clear");
    wait_for("!document.querySelector('.armed li')");
  }
  EXPECT_THAT(text(".card .failed"), IsEmpty());
  EXPECT_THAT(browser.complaints(), IsEmpty());
}

TEST_F(LivePageTest, AReportOfItsFolderLoadsAndSaysWhatIsMissing) {
  open_lab();
  ok({"device", "add", "thing-1"});
  wait_for(card("runs 1.0.0") + " && " + is_connected());
  ok({"device", "add", "thing-2", "--off"});
  const std::string path = ok({"report", "build", lab()}).at("path").get<std::string>();
  EXPECT_EQ(browser.open(path), "ready");
  EXPECT_THAT(browser.complaints(), IsEmpty());
  EXPECT_THAT(text("h1"), HasSubstr("lab"));
  wait_for("document.querySelector('#console .row') && document.getElementById('flash-map')");
  browser.evaluate(
      "(() => { const choice = document.getElementById('flash-device'); choice.value = '1'; "
      "choice.dispatchEvent(new Event('change')); })()");
  EXPECT_THAT(text("#page"), HasSubstr("No flash history. "));
}

TEST_F(LivePageTest, AnUpdateIsStartedSeenInTheFlashAndCanceled) {
  open_lab();
  ok({"device", "add", "thing-1"});
  wait_for(card("runs 1.0.0") + " && " + is_connected());
  wait_for("document.getElementById('flash-map') && document.getElementById('flash-map').dataset.digest");
  const json before = browser.evaluate("document.getElementById('flash-map').dataset.digest");
  press("Start update");
  wait_for("document.querySelector('#jobs tbody tr')");
  EXPECT_THAT(text("#jobs tbody tr"), HasSubstr("AFR_OTA-update-"));
  // The map moves while the update is fetched.
  wait_for("document.getElementById('flash-map').dataset.digest !== '" + before.get<std::string>() + "'");
  wait_for(card("runs 1.1.0"));
  wait_for("document.querySelector('#jobs tbody tr').textContent.includes('1 SUCCEEDED')");
  wait_for("document.getElementById('flash-table').textContent.includes('application 1.1.0')");

  // A job of a device that is off waits, and is canceled.
  press("Power cut");
  wait_for(power("off"));
  press("Start update");
  wait_for("document.querySelectorAll('#jobs tbody tr').length === 2");
  const std::string cancel = "document.querySelector('#jobs tbody tr button')";
  browser.evaluate(cancel + ".focus()");
  browser.press("Enter");
  wait_for("document.querySelector('#jobs tbody tr').textContent.includes('CANCELED')");
  const json jobs = ok({"job", "list"});
  EXPECT_EQ(
      std::count_if(jobs.begin(), jobs.end(), [](const json& job) { return job["status"] == "CANCELED"; }),
      1);
  EXPECT_THAT(browser.complaints(), IsEmpty());
}

TEST_F(LivePageTest, ARefusedCommandSaysWhyAndWhatToDo) {
  open_lab();
  ok({"device", "add", "thing-1", "--off"});
  wait_for(power("off"));
  browser.evaluate("document.querySelector('.card input[type=text]').value = 'no version'");
  press("Start update");
  wait_for("document.querySelector('.card .failed').textContent");
  EXPECT_THAT(text(".card .failed"), HasSubstr("Update to no version: "));
  EXPECT_EQ(browser.evaluate("document.querySelector('.card .failed').getAttribute('role')"), "alert");
  EXPECT_TRUE(ok({"job", "list"}).empty());
}

TEST_F(LivePageTest, StatusAndWebTellWhereItIsAndOnlyOneOfThemTheToken) {
  open_lab();
  const std::string token = url.substr(url.find('=') + 1);
  const json status = ok({"status"});
  EXPECT_EQ(status.at("web"), lab_json.at("web"));
  EXPECT_THAT(status.dump(), Not(HasSubstr(token)));
  EXPECT_THAT(otasim({"status"}).out, HasSubstr(status.at("web").get<std::string>()));
  EXPECT_THAT(otasim({"status"}).out, Not(HasSubstr(token)));
  EXPECT_EQ(otasim({"web"}).out, url + "\n");
  struct stat file {};
  ASSERT_EQ(::stat((lab() + "/web.url").c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600U);
  end_lab(*up);
  EXPECT_FALSE(fs::exists(lab() + "/web.url"));
  EXPECT_EQ(otasim({"web"}).code, 3);
}

/// A device that stays off makes no event of its own, nor does its end.
TEST_F(LivePageTest, WhatIsDoneInATerminalIsSeen) {
  open_lab();
  wait_for("document.documentElement.dataset.devices === '0'");  // the page has looked, and waits for news
  ok({"device", "add", "thing-1", "--off"});
  wait_for(power("off"));
  wait_for("document.documentElement.dataset.devices === '1'");
  ok({"device", "remove", "thing-1"});
  wait_for("document.documentElement.dataset.devices === '0' && !document.querySelector('.card')");
}

TEST_F(LivePageTest, WhenTheLabEndsThePageSaysSo) {
  open_lab();
  ok({"device", "add", "thing-1", "--off"});
  wait_for(power("off"));
  end_lab(*up);
  wait_for(
      "document.documentElement.dataset.state === 'ended' || document.documentElement.dataset.state === "
      "'lost'");
  wait_for("!document.getElementById('notice').hidden");
  EXPECT_THAT(text("#notice"), HasSubstr("otasim up --web"));
  EXPECT_EQ(browser.evaluate("document.querySelector('.card fieldset').disabled"), true);
}

TEST_F(LivePageTest, ALabWithoutAPageSaysSo) {
  up = start_lab();
  EXPECT_FALSE(json::parse(up->output()).contains("web"));
  const Outcome outcome = otasim({"web"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("otasim up --web"));
}

TEST_F(LivePageTest, IsUsableWithoutSeeingIt) {
  open_lab();
  ok({"device", "add", "thing-1", "--off"});
  wait_for(power("off") +
           " && document.getElementById('flash-map') && document.getElementById('flash-map').dataset.digest");
  EXPECT_EQ(
      browser.evaluate(R"([...document.querySelectorAll('button, input, select, canvas, [role=listbox]')]
      .filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim() || e.closest('label')))
      .map((e) => e.outerHTML))"),
      json::array());
  EXPECT_EQ(browser.evaluate("document.querySelectorAll('h1').length"), 1);
  EXPECT_EQ(browser.evaluate("document.querySelector('#now').getAttribute('role')"), "log");
}

}  // namespace
}  // namespace otasim::test
