// A picture made of characters: a grid of cells, each one glyph with its colours.
//
//   Grid grid(100, 30);
//   Region pane = grid.region({.x = 2, .y = 1, .width = 40, .height = 10});
//   pane.text(0, 0, "slot A", {.ink = Ink::kSlotA, .bold = true});
//
// Text may be anybody's, a device's console above all. Every glyph that gets into a cell takes exactly one
// column and does nothing to a terminal: display_text() replaces control bytes, what is not UTF-8, wide and
// combining characters, and those that turn the direction of writing. What is written beyond a region is
// cut off.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace otasim::report::cast {

/// The palette. Terminals get a colour of the 256 that no theme changes, drawings one that is a little finer.
enum class Ink : std::uint8_t {
  kBack,
  kBar,    ///< background of header and footer
  kFrame,  ///< of panes
  kFaint,  ///< empty cells of maps
  kDim,
  kText,
  kBright,
  kAccent,
  kBoot,
  kApp,
  kCloud,
  kGood,
  kBad,
  kFault,
  kSlotA,
  kSlotB,
  kDark,  ///< text on a coloured badge
};
inline constexpr std::size_t kInks = static_cast<std::size_t>(Ink::kDark) + 1;

struct InkColor {
  std::uint8_t index;  ///< xterm's, 16 to 255
  std::uint32_t rgb;
};
[[nodiscard]] InkColor color_of(Ink ink);

struct Style {
  Ink ink = Ink::kText;
  Ink back = Ink::kBack;
  bool bold = false;

  bool operator==(const Style&) const = default;
};

struct Cell {
  char32_t glyph = U' ';
  Style style = {};

  /// Whether no eye can tell them apart: of a blank only the background is seen.
  [[nodiscard]] bool looks_like(const Cell& other) const;
};

struct Area {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
};

class Grid;

/// A part of a grid, with coordinates of its own. Valid as long as the grid.
class Region {
 public:
  Region(Grid& grid, Area area) : grid_(&grid), area_(area) {}

  [[nodiscard]] int width() const { return area_.width; }
  [[nodiscard]] int height() const { return area_.height; }
  void glyph(int x, int y, char32_t glyph, Style style);
  /// Writes UTF-8, cut at the region's edge with an ellipsis. @returns the column behind it
  int text(int x, int y, std::string_view text, Style style);
  /// The same so that it ends at the region's edge. @returns the column where it begins
  int text_right(int y, std::string_view text, Style style);
  void fill(Style style);
  [[nodiscard]] Region inner(Area area) const;

 private:
  Grid* grid_;
  Area area_;
};

class Grid {
 public:
  Grid(int width, int height);

  [[nodiscard]] int width() const { return width_; }
  [[nodiscard]] int height() const { return height_; }
  [[nodiscard]] const Cell& at(int x, int y) const { return cells_[index(x, y)]; }
  void set(int x, int y, const Cell& cell) { cells_[index(x, y)] = cell; }
  [[nodiscard]] Region region(Area area) { return {*this, area}; }
  [[nodiscard]] Region all() { return region({.width = width_, .height = height_}); }

 private:
  [[nodiscard]] std::size_t index(int x, int y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x);
  }

  int width_;
  int height_;
  std::vector<Cell> cells_;
};

/// What stands for a character that is not shown as it is.
inline constexpr char32_t kReplaced = U'\u00B7';

/// As glyphs of one column each.
[[nodiscard]] std::u32string display_text(std::string_view utf8);
[[nodiscard]] std::string to_utf8(char32_t glyph);
[[nodiscard]] std::string to_utf8(std::u32string_view glyphs);

}  // namespace otasim::report::cast
