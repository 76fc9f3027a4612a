// What a terminal has to be told so that it shows the next picture: only what differs from the one it shows.
//
//   Screen screen;
//   out << screen.update(first) << screen.update(second) << Screen::leave(second);
//
// The escape sequences are these few, so that a small player can play them (docs/recordings.md): CSI n ; m H,
// CSI 2 J, CSI ? 25 l and h, and CSI ... m with 0, 1, 22, 38;5;n and 48;5;n. Text never wraps and never
// scrolls: the last column of the last row is only ever written with the cursor placed behind it by the next
// update.
#pragma once

#include <optional>
#include <string>

#include "sim/report/cast/cells.h"

namespace otasim::report::cast {

class Screen {
 public:
  /// @returns the text to write; empty if nothing changed. The first one clears the terminal and hides the
  ///          cursor. All grids must be of one size
  [[nodiscard]] std::string update(const Grid& next);
  /// Gives the terminal back: cursor below the picture, colours as they were.
  [[nodiscard]] static std::string leave(const Grid& shown);

 private:
  void write_row(const Grid& next, int y, std::string& out);
  void write_style(const Cell& cell, std::string& out);
  [[nodiscard]] bool is_shown(const Grid& next, int x, int y) const;
  /// Where the run of cells to write that begins at `x` ends: short stretches that are right already are
  /// written over, for that is shorter than going round them.
  [[nodiscard]] int end_of_run(const Grid& next, int x, int y) const;

  std::optional<Grid> shown_;
  std::optional<Style> style_;  ///< that the terminal writes with
};

}  // namespace otasim::report::cast
