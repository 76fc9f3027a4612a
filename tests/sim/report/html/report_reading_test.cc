// Reports as they are read: without seeing them, in light and dark, on paper.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/sim/report/html/report_page_fixture.h"

namespace otasim::report::html {
namespace {

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

}  // namespace
}  // namespace otasim::report::html
