// A terminal that knows the escape sequences of docs/recordings.md and no other: anything else throws.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/report/cast/cells.h"

namespace otasim::test {

struct ScreenCell {
  std::string glyph = " ";  ///< UTF-8
  int ink = -1;             ///< xterm's index; -1: the terminal's own
  int back = -1;
  bool bold = false;
};

class Terminal {
 public:
  Terminal(int width, int height);

  /// Throws std::runtime_error at what is not in the subset, or would wrap or scroll.
  void write(std::string_view text);

  [[nodiscard]] const ScreenCell& at(int x, int y) const;
  [[nodiscard]] std::string row(int y) const;
  [[nodiscard]] bool shows_cursor() const { return shows_cursor_; }
  /// Whether an eye sees this picture on it.
  [[nodiscard]] bool shows(const report::cast::Grid& grid) const;

 private:
  std::string_view take_sequence(std::string_view text);
  void apply(char command, const std::string& arguments);
  void set_colors(const std::string& arguments);
  std::string_view take_glyph(std::string_view text);

  int width_;
  int height_;
  std::vector<ScreenCell> cells_;
  ScreenCell pen_;
  int x_ = 0;
  int y_ = 0;
  bool shows_cursor_ = true;
};

}  // namespace otasim::test
