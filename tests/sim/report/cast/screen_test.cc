// What a terminal that plays the differences shows is the picture they were made of.
#include "sim/report/cast/screen.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/sim/report/cast/terminal.h"

namespace otasim::test {
namespace {

using report::cast::Cell;
using report::cast::Grid;
using report::cast::Ink;
using report::cast::kInks;
using report::cast::Screen;
using report::cast::Style;

constexpr int kWidth = 24;
constexpr int kHeight = 5;

rc::Gen<Cell> any_cell() {
  return rc::gen::map(rc::gen::tuple(rc::gen::element(U' ', U' ', U'a', U'\u2500', U'\u2588', U'\u00e9'),
                                     rc::gen::inRange<std::size_t>(0, kInks),
                                     rc::gen::inRange<std::size_t>(0, 3), rc::gen::arbitrary<bool>()),
                      [](const std::tuple<char32_t, std::size_t, std::size_t, bool>& parts) {
                        return Cell{.glyph = std::get<0>(parts),
                                    .style = {.ink = static_cast<Ink>(std::get<1>(parts)),
                                              .back = static_cast<Ink>(std::get<2>(parts)),
                                              .bold = std::get<3>(parts)}};
                      });
}

RC_GTEST_PROP(Screen, DifferencesMakeThePicture, ()) {
  Terminal terminal(kWidth, kHeight);
  Screen screen;
  Grid grid(kWidth, kHeight);
  const int pictures = *rc::gen::inRange(1, 6);
  for (int picture = 0; picture < pictures; ++picture) {
    const int changes = *rc::gen::inRange(0, kWidth * kHeight);
    for (int change = 0; change < changes; ++change)
      grid.set(*rc::gen::inRange(0, kWidth), *rc::gen::inRange(0, kHeight), *any_cell());
    terminal.write(screen.update(grid));
    RC_ASSERT(terminal.shows(grid));
    RC_ASSERT(screen.update(grid).empty());
  }
  RC_ASSERT(!terminal.shows_cursor());
  terminal.write(Screen::leave(grid));
  RC_ASSERT(terminal.shows(grid));
  RC_ASSERT(terminal.shows_cursor());
}

TEST(Screen, WritesOnlyWhatDiffers) {
  Screen screen;
  Grid grid(kWidth, kHeight);
  static_cast<void>(screen.update(grid));
  grid.set(3, 1, {.glyph = U'x', .style = {.ink = Ink::kText}});
  EXPECT_EQ(screen.update(grid), "\x1b[2;4Hx");
  grid.set(3, 1, {.glyph = U'x', .style = {.ink = Ink::kBad, .bold = true}});
  EXPECT_EQ(screen.update(grid), "\x1b[2;4H\x1b[1;38;5;203mx");
}

}  // namespace
}  // namespace otasim::test
