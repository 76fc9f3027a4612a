// The terminal view: plain lines outside a terminal, a bar inside, and nothing a device prints reaches the
// terminal as a control sequence.
#include "sim/report/terminal_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using otasim::report::TerminalView;
using testing::HasSubstr;
using testing::Not;

class View : public testing::Test {
 protected:
  ~View() override { std::fclose(file_); }
  std::string shown(TerminalView::Style style, const std::vector<nlohmann::json>& events) {
    {
      TerminalView view(file_, style);
      for (const auto& event : events) view.show(event);
    }
    std::string text(static_cast<std::size_t>(std::ftell(file_)), '\0');
    std::rewind(file_);
    text.resize(std::fread(text.data(), 1, text.size(), file_));
    return text;
  }

 private:
  std::FILE* file_ = std::tmpfile();
};

const nlohmann::json kLine = {
    {"t_us", 1500000}, {"source", "uart"}, {"event", "line"}, {"text", "boot: slot A"}};
const nlohmann::json kProgress = {
    {"t_us", 1}, {"source", "run"}, {"event", "progress"}, {"done", 5}, {"total", 10}};

TEST_F(View, PlainLinesHaveTimeSourceAndTextOnly) {
  EXPECT_EQ(shown({}, {kLine, kProgress}), "   1.500 device boot: slot A\n");
}

TEST_F(View, TheBarShowsTheShareAndIsRemovedAtTheEnd) {
  const std::string text = shown({.bar = true, .color = false, .width = 60}, {kProgress});
  EXPECT_THAT(text, HasSubstr(" 50 % 5/10 blocks"));
  EXPECT_THAT(text, testing::EndsWith("\r\x1b[K"));
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
