// A page of a report in a browser, and a run for it to show.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim/base/json.h"
#include "sim/report/html/html_report.h"
#include "tests/sim/report/html/browser.h"
#include "tests/sim/report/html/run_folder_fixture.h"

namespace otasim::report::html {

using nlohmann::json;
using test::Browser;
using test::RunFolder;

/// What a device says that wants to be more than text.
inline constexpr const char* kHostile[] = {
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

inline json result_of(const std::string& verdict) {
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
inline void fill(RunFolder& run) {
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
    EXPECT_THAT(browser_.complaints(), ::testing::IsEmpty());
    EXPECT_EQ(browser_.requests().size(), 1U);
    EXPECT_THAT(browser_.requests(), ::testing::Each(::testing::StartsWith("file://")));
  }

  Browser browser_;
};

}  // namespace otasim::report::html
