// Turns a console's bytes into lines of printable text.
//
// The bytes are the device's and may be anything: bytes outside printable ASCII become \xNN (a tab \t, a
// backslash \\), so that a line is safe for a terminal, a log and JSON. Carriage returns before a line's end
// are dropped. A line longer than kMaxLineBytes is handed on in pieces.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

namespace otasim::device {

inline constexpr std::size_t kMaxLineBytes = 512;

/// `bytes` with everything but printable ASCII escaped.
[[nodiscard]] std::string escape_text(std::string_view bytes);

class LineSplitter {
 public:
  using Sink = std::function<void(std::string_view line)>;

  explicit LineSplitter(Sink sink) : sink_(std::move(sink)) {}

  /// Takes the next bytes and hands on each complete line. The sink may call feed() and finish(): lines keep
  /// their order.
  void feed(std::string_view bytes);

  /// Hands on an unfinished last line; there will be no more bytes.
  void finish();

 private:
  void end_line();
  void deliver();

  Sink sink_;
  std::string current_;
  std::deque<std::string> complete_;
  bool delivering_ = false;
};

}  // namespace otasim::device
