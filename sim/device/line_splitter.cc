#include "sim/device/line_splitter.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace otasim::device {

std::string escape_text(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (const char c : bytes) {
    if (c == '\\') {
      text += "\\\\";
    } else if (c == '\t') {
      text += "\\t";
    } else if (c >= ' ' && c <= '~') {
      text += c;
    } else {
      fmt::format_to(std::back_inserter(text), "\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return text;
}

void LineSplitter::feed(std::string_view bytes) {
  for (const char c : bytes) {
    if (c == '\n') {
      if (!current_.empty() && current_.back() == '\r') current_.pop_back();
      end_line();
    } else {
      if (current_.size() == kMaxLineBytes) end_line();
      current_ += c;
    }
  }
  deliver();
}

void LineSplitter::finish() {
  if (!current_.empty()) end_line();
  deliver();
}

void LineSplitter::end_line() {
  complete_.push_back(escape_text(current_));
  current_.clear();
}

void LineSplitter::deliver() {
  if (delivering_) return;  // the outer call goes on with what has come
  delivering_ = true;
  while (!complete_.empty()) {
    const std::string line = std::move(complete_.front());
    complete_.pop_front();
    sink_(line);
  }
  delivering_ = false;
}

}  // namespace otasim::device
