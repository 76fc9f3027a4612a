#include "sim/report/cast/screen.h"

#include <fmt/format.h>

namespace otasim::report::cast {
namespace {

/// Going round so many cells costs as much as writing them.
constexpr int kShortGap = 6;

}  // namespace

std::string Screen::update(const Grid& next) {
  std::string out;
  if (!shown_) out = "\x1b[0m\x1b[2J\x1b[?25l";
  for (int y = 0; y < next.height(); ++y) write_row(next, y, out);
  shown_ = next;
  return out;
}

std::string Screen::leave(const Grid& shown) {
  return fmt::format("\x1b[0m\x1b[{};1H\x1b[?25h\r\n", shown.height());
}

void Screen::write_row(const Grid& next, int y, std::string& out) {
  for (int x = 0; x < next.width();) {
    if (is_shown(next, x, y)) {
      ++x;
      continue;
    }
    out += fmt::format("\x1b[{};{}H", y + 1, x + 1);
    const int end = end_of_run(next, x, y);
    for (; x < end; ++x) {
      write_style(next.at(x, y), out);
      out += to_utf8(next.at(x, y).glyph);
    }
  }
}

bool Screen::is_shown(const Grid& next, int x, int y) const {
  return shown_ && shown_->at(x, y).looks_like(next.at(x, y));
}

int Screen::end_of_run(const Grid& next, int x, int y) const {
  int end = x + 1;
  for (int at = end; at < next.width() && at - end < kShortGap; ++at) {
    const bool changes_style = !(next.at(at, y).style == next.at(end - 1, y).style);
    if (!is_shown(next, at, y)) {
      end = at + 1;
    } else if (changes_style) {
      break;
    }
  }
  return end;
}

void Screen::write_style(const Cell& cell, std::string& out) {
  const Style& wanted = cell.style;
  const bool is_blank = cell.glyph == U' ';
  Style now = style_.value_or(Style{.ink = Ink::kText, .back = Ink::kBack, .bold = false});
  std::string codes;
  const auto add = [&codes](const std::string& code) { codes += codes.empty() ? code : ';' + code; };
  if (!is_blank && wanted.bold != now.bold) {
    add(wanted.bold ? "1" : "22");
    now.bold = wanted.bold;
  }
  if (!style_ || (!is_blank && wanted.ink != now.ink)) {
    now.ink = is_blank ? now.ink : wanted.ink;
    add(fmt::format("38;5;{}", color_of(now.ink).index));
  }
  if (!style_ || wanted.back != now.back) {
    add(fmt::format("48;5;{}", color_of(wanted.back).index));
    now.back = wanted.back;
  }
  style_ = now;
  if (!codes.empty()) out += "\x1b[" + codes + 'm';
}

}  // namespace otasim::report::cast
