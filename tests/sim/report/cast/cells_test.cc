// Whatever a device says, it takes one column a character and does nothing to a terminal.
#include "sim/report/cast/cells.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace otasim::test {
namespace {

using report::cast::display_text;
using report::cast::Grid;
using report::cast::Region;
using report::cast::to_utf8;

std::string shown(std::string_view text) {
  return to_utf8(display_text(text));
}

std::string row_of(const Grid& grid, int y) {
  std::string text;
  for (int x = 0; x < grid.width(); ++x) text += to_utf8(grid.at(x, y).glyph);
  return text;
}

TEST(DisplayText, KeepsWhatFitsAColumn) {
  EXPECT_EQ(shown("app: gr\u00fc\u00dfe \u2192 \u2713 \u2588\u2500"),
            "app: gr\u00fc\u00dfe \u2192 \u2713 \u2588\u2500");
}

TEST(DisplayText, ReplacesControlBytes) {
  EXPECT_EQ(shown("a\x1b[2Jb\r\n\x07\x7f"
                  "c"),
            "a\u00b7[2Jb\u00b7\u00b7\u00b7\u00b7c");
  EXPECT_EQ(shown(std::string("a\0b", 3)),
            "a\u00b7"
            "b");
  EXPECT_EQ(shown("a\u009bb"),
            "a\u00b7"
            "b")
      << "CSI in one character";
}

TEST(DisplayText, ReplacesWideCombiningAndTurningCharacters) {
  EXPECT_EQ(shown("\u4e2d\U0001F600e\u0301\u202ex\u200b\ufeff"), "\u00b7\u00b7e\u00b7\u00b7x\u00b7\u00b7");
}

TEST(DisplayText, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(shown("\xff\xc0\xaf"
                  "a\xe2\x82"),
            "\u00b7\u00b7\u00b7"
            "a\u00b7\u00b7");
  EXPECT_EQ(shown("\xed\xa0\x80"), "\u00b7") << "half of a surrogate pair";
}

RC_GTEST_PROP(DisplayText, NeverHoldsAControl, (const std::string& text)) {
  for (const char32_t glyph : display_text(text)) {
    RC_ASSERT(glyph >= 0x20U);
    RC_ASSERT(!(glyph >= 0x7FU && glyph < 0xA0U));
  }
}

TEST(Region, CutsTextAtItsEdge) {
  Grid grid(12, 3);
  Region region = grid.region({.x = 2, .y = 1, .width = 6, .height = 1});
  EXPECT_EQ(region.text(0, 0, "0123456789", {}), 6);
  region.text(0, 1, "below", {});
  EXPECT_EQ(row_of(grid, 1), "  01234\u2026    ");
  EXPECT_EQ(row_of(grid, 2), "            ");
}

TEST(Region, PutsTextAtTheRight) {
  Grid grid(8, 1);
  EXPECT_EQ(grid.all().text_right(0, "abc", {}), 5);
  EXPECT_EQ(row_of(grid, 0), "     abc");
}

}  // namespace
}  // namespace otasim::test
