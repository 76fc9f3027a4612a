// A bar on stderr for long work: how much is done, how fast, how long it will take. In a terminal only,
// redrawn at most ten times a second; elsewhere a plain line now and then, fit for a CI log.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace otasim::cli {

class ProgressBar {
 public:
  explicit ProgressBar(bool is_quiet);

  [[nodiscard]] bool is_terminal() const { return is_terminal_; }
  [[nodiscard]] bool has_color() const { return has_color_; }

  /// Shows "[####....] TEXT, 12.3/s, 4 s left", the rate being `done`'s. What was shown last counts at
  /// finish().
  void show(std::size_t done, std::size_t total, const std::string& text);
  /// Removes the bar, so that lines can be written; the next show() draws it again.
  void clear();

  [[nodiscard]] double seconds() const;

 private:
  bool is_quiet_;
  bool is_terminal_;
  bool has_color_;
  bool is_drawn_ = false;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point shown_at_ = began_;
};

}  // namespace otasim::cli
