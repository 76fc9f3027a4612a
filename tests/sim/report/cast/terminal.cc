#include "tests/sim/report/cast/terminal.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace otasim::test {

using report::cast::Cell;
using report::cast::color_of;
using report::cast::Grid;

Terminal::Terminal(int width, int height)
    : width_(width), height_(height), cells_(static_cast<std::size_t>(width * height)) {}

const ScreenCell& Terminal::at(int x, int y) const {
  return cells_.at(static_cast<std::size_t>(y * width_ + x));
}

std::string Terminal::row(int y) const {
  std::string text;
  for (int x = 0; x < width_; ++x) text += at(x, y).glyph;
  return text;
}

bool Terminal::shows(const Grid& grid) const {
  for (int y = 0; y < height_; ++y) {
    for (int x = 0; x < width_; ++x) {
      const Cell& wanted = grid.at(x, y);
      const ScreenCell& shown = at(x, y);
      if (shown.glyph != report::cast::to_utf8(wanted.glyph)) return false;
      if (shown.back != color_of(wanted.style.back).index) return false;
      if (wanted.glyph == U' ') continue;
      if (shown.ink != color_of(wanted.style.ink).index || shown.bold != wanted.style.bold) return false;
    }
  }
  return true;
}

void Terminal::write(std::string_view text) {
  while (!text.empty()) {
    if (text.front() == '\x1b') {
      text = take_sequence(text);
    } else if (text.starts_with("\r\n")) {
      x_ = 0;
      ++y_;
      text.remove_prefix(2);
    } else {
      text = take_glyph(text);
    }
  }
}

std::string_view Terminal::take_sequence(std::string_view text) {
  if (!text.starts_with("\x1b[")) throw std::runtime_error("a sequence that is none of CSI");
  text.remove_prefix(2);
  const std::size_t end = text.find_first_not_of("0123456789;?");
  if (end == std::string_view::npos) throw std::runtime_error("a sequence without an end");
  apply(text[end], std::string(text.substr(0, end)));
  return text.substr(end + 1);
}

void Terminal::apply(char command, const std::string& arguments) {
  if (command == 'm') return set_colors(arguments);
  if (command == 'H') {
    const std::size_t semicolon = arguments.find(';');
    y_ = std::stoi(arguments.substr(0, semicolon)) - 1;
    x_ = std::stoi(arguments.substr(semicolon + 1)) - 1;
  } else if (command == 'J' && arguments == "2") {
    std::ranges::fill(cells_, ScreenCell{});
  } else if (command == 'l' && arguments == "?25") {
    shows_cursor_ = false;
  } else if (command == 'h' && arguments == "?25") {
    shows_cursor_ = true;
  } else {
    throw std::runtime_error("the sequence CSI " + arguments + command);
  }
}

void Terminal::set_colors(const std::string& arguments) {
  std::istringstream in(arguments);
  std::vector<int> codes;
  for (std::string code; std::getline(in, code, ';');) codes.push_back(std::stoi(code));
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (codes[i] == 0) {
      pen_ = {};
    } else if (codes[i] == 1 || codes[i] == 22) {
      pen_.bold = codes[i] == 1;
    } else if ((codes[i] == 38 || codes[i] == 48) && codes.at(i + 1) == 5) {
      (codes[i] == 38 ? pen_.ink : pen_.back) = codes.at(i + 2);
      i += 2;
    } else {
      throw std::runtime_error("the colour " + arguments);
    }
  }
}

std::string_view Terminal::take_glyph(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x20 || lead == 0x7F) throw std::runtime_error("a control byte");
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (x_ >= width_ || y_ >= height_) throw std::runtime_error("text beyond the edge");
  ScreenCell cell = pen_;
  cell.glyph = std::string(text.substr(0, length));
  cells_.at(static_cast<std::size_t>(y_ * width_ + x_)) = cell;
  ++x_;
  return text.substr(length);
}

}  // namespace otasim::test
