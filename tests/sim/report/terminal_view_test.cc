// The terminal view: plain lines outside a terminal, a bar inside, and nothing a device prints reaches the
// terminal as a control sequence.
#include "sim/report/terminal_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/report/screen.h"

namespace {

using otasim::report::Console;
using otasim::report::Progress;
using otasim::report::TerminalView;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class View : public testing::Test {
 protected:
  Console console(bool is_terminal) {
    return {.write =
                [this](std::string_view text) {
                  raw += text;
                  screen.write(text);
                },
            .columns = [] { return 80U; },
            .now = [this] { return now; },
            .moves_cursor = is_terminal,
            .has_color = false};
  }
  std::string shown(TerminalView::Style style, const std::vector<nlohmann::json>& events) {
    Progress progress(console(/*is_terminal=*/false));
    TerminalView view(progress, style);
    for (const auto& event : events) view.show(event);
    return raw;
  }

  std::string raw;
  otasim::test::Screen screen{80};
  Console::Clock::time_point now{};
};

const nlohmann::json kLine = {
    {"t_us", 1500000}, {"source", "uart"}, {"event", "line"}, {"text", "boot: slot A"}};
const nlohmann::json kReceiving = {
    {"t_us", 1000}, {"source", "uart"}, {"event", "line"}, {"text", "app: receiving 5/10"}};

TEST_F(View, PlainLinesHaveTimeSourceAndTextOnly) {
  EXPECT_EQ(shown({}, {kReceiving, kLine}),
            "   0.001 device app: receiving 5/10\n   1.500 device boot: slot A\n");
}

TEST_F(View, TheBarShowsStageAndShareAndIsRemovedAtTheEnd) {
  Progress progress(console(/*is_terminal=*/true));
  TerminalView view(progress, {});
  view.show(kReceiving);
  now += std::chrono::milliseconds(100);
  progress.tick();
  EXPECT_THAT(screen.rows(), ElementsAre("   0.001 device app: receiving 5/10",
                                         AllOf(StartsWith("[############....."),
                                               HasSubstr(" 50 % 5/10 blocks"), EndsWith(", downloading"))));
  view.finish();
  EXPECT_THAT(screen.rows(), ElementsAre("   0.001 device app: receiving 5/10"));
}

TEST_F(View, WhatFailedFirstStaysAboveTheBar) {
  Progress progress(console(/*is_terminal=*/true));
  TerminalView view(progress, {});
  view.show(kReceiving);
  for (const char* text : {"the wait did not end", "another thing"})
    view.show({{"t_us", 2000000}, {"source", "run"}, {"event", "failed"}, {"text", text}});
  view.show(kLine);
  now += std::chrono::milliseconds(100);
  progress.tick();
  const auto rows = screen.rows();
  ASSERT_GE(rows.size(), 2U);
  EXPECT_EQ(rows[rows.size() - 2], "first failure: the wait did not end");
  EXPECT_THAT(rows.back(), StartsWith("["));
}

TEST_F(View, ALabInWhichNothingIsUpdatedHasNoBar) {
  Progress progress(console(/*is_terminal=*/true));
  TerminalView view(progress, {.fleet = true, .stays = true});
  view.show({{"t_us", 0}, {"source", "device"}, {"event", "power_on"}, {"device", "thing-7"}});
  now += std::chrono::milliseconds(100);
  progress.tick();
  EXPECT_THAT(screen.rows(), ElementsAre("   0.000 thing-7      power on"));
}

TEST_F(View, InALabLinesAreUnderTheirDevicesName) {
  nlohmann::json line = kLine;
  line["device"] = "thing-7";
  const nlohmann::json off = {
      {"t_us", 2000000}, {"source", "device"}, {"event", "power_off"}, {"device", "thing-7"}};
  EXPECT_EQ(shown({.fleet = true}, {line, off}),
            "   1.500 thing-7      boot: slot A\n   2.000 thing-7      power off\n");
}

TEST_F(View, InALabConnectionsAreShownWithTheReasonTheyEnded) {
  const nlohmann::json connected = {
      {"t_us", 1000000}, {"source", "broker"}, {"event", "client_connected"}, {"clientId", "thing-7"}};
  nlohmann::json ended = connected;
  ended["event"] = "client_disconnected";
  ended["disconnectReason"] = "DUPLICATE_CLIENTID";
  EXPECT_EQ(shown({.fleet = true}, {connected, ended}),
            "   1.000 thing-7      connected\n   1.000 thing-7      disconnected, DUPLICATE_CLIENTID\n");
}

TEST_F(View, OfOneDeviceThePowerIsNotShown) {
  EXPECT_EQ(shown({}, {{{"t_us", 0}, {"source", "device"}, {"event", "power_off"}, {"device", "thing-7"}}}),
            "");
}

TEST_F(View, ControlCharactersFromTheDeviceAreEscaped) {
  nlohmann::json hostile = kLine;
  hostile["text"] = "app: \x1b[2Jgone\r";
  const std::string text = shown({}, {hostile});
  EXPECT_THAT(text, HasSubstr("\\x1b[2Jgone\\x0d"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST_F(View, AJobsStatusComesWithItsDetails) {
  const std::string text = shown({}, {{{"t_us", 0},
                                       {"source", "cloud"},
                                       {"event", "job_execution"},
                                       {"job", "AFR_OTA-1"},
                                       {"status", "SUCCEEDED"},
                                       {"details", {{"reason", "accepted  v1.1.0"}}}}});
  EXPECT_THAT(text, HasSubstr("job AFR_OTA-1 is SUCCEEDED, reason accepted  v1.1.0"));
}

}  // namespace
