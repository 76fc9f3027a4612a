#include "tests/sim/report/screen.h"

#include <algorithm>
#include <stdexcept>

namespace otasim::test {

void Screen::write(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == '\r') {
      column_ = 0;
    } else if (bytes[i] == '\n') {
      line_feed();
    } else if (bytes[i] == '\x1b') {
      i += control(bytes.substr(i));
    } else {
      put(bytes[i]);
    }
  }
}

void Screen::put(char c) {
  if (column_ == columns_) {
    rows_[row_].goes_on = true;
    line_feed();
    column_ = 0;
  }
  std::string& text = rows_[row_].text;
  if (text.size() <= column_) text.resize(column_ + 1, ' ');
  text[column_++] = c;
}

void Screen::line_feed() {
  if (++row_ == rows_.size()) rows_.emplace_back();
}

/// @returns its length without ESC
std::size_t Screen::control(std::string_view sequence) {
  std::size_t end = 2;
  while (end < sequence.size() && (sequence[end] < '@' || sequence[end] > '~')) ++end;
  if (sequence.size() <= end || sequence[1] != '[') throw std::runtime_error("no control sequence");
  const std::string argument(sequence.substr(2, end - 2));
  switch (sequence[end]) {
    case 'm':
      break;
    case 'A':
      row_ -= std::min(row_, static_cast<std::size_t>(std::max(1, std::atoi(argument.c_str()))));
      break;
    case 'J':
      rows_.resize(row_ + 1);
      rows_[row_].text.resize(std::min(rows_[row_].text.size(), column_));
      rows_[row_].goes_on = false;
      break;
    case 'h':
    case 'l':
      if (argument != "?25") throw std::runtime_error("unknown mode " + argument);
      is_visible_ = sequence[end] == 'h';
      break;
    default:
      throw std::runtime_error("unknown control sequence " + std::string(sequence.substr(1, end)));
  }
  return end;
}

void Screen::resize(std::size_t columns) {
  std::vector<Row> lines;
  std::size_t cursor_line = 0;
  std::size_t cursor_at = 0;
  bool goes_on = false;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (!goes_on) lines.emplace_back();
    if (i == row_) {
      cursor_line = lines.size() - 1;
      cursor_at = lines.back().text.size() + column_;
    }
    lines.back().text += rows_[i].text;
    goes_on = rows_[i].goes_on;
  }
  columns_ = columns;
  rows_.clear();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i == cursor_line) {
      row_ = rows_.size() + cursor_at / columns;
      column_ = cursor_at % columns;
    }
    const std::string& text = lines[i].text;
    std::size_t at = 0;
    do {
      rows_.push_back({text.substr(at, columns), at + columns < text.size()});
      at += columns;
    } while (at < text.size());
  }
}

std::vector<std::string> Screen::rows() const {
  std::vector<std::string> rows;
  for (const Row& row : rows_) {
    const std::size_t last = row.text.find_last_not_of(' ');
    rows.push_back(last == std::string::npos ? "" : row.text.substr(0, last + 1));
  }
  while (!rows.empty() && rows.back().empty()) rows.pop_back();
  return rows;
}

}  // namespace otasim::test
