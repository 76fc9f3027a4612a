// The progress of long work at the foot of a terminal: how much is done, how fast, how long it will take, and
// the first failure right above it. Lines that stay are written above both.
//
//   Progress progress(Console::standard_error());
//   progress.line("passed  Case/b/mqtt");                           // stays
//   progress.pin("first failure: Case/b/http: this did not hold");  // the first one only
//   progress.show({.done = 3, .total = 128, .unit = "cells", .text = "1 failed"});
//   progress.finish();                                              // the foot is gone, the cursor below all
//
// In a terminal everything is drawn in frames, ten a second at most: what comes between two waits for the
// next, which tick() draws once it is due; a thread of one's own or the work itself calls it. Nothing wraps:
// each line of the foot is cut to the width that the terminal has when it is drawn, and the cursor, which is
// never hidden, stands at the start of the last one, so that what is typed, a ^C as well, lengthens no line.
// Where the terminal became narrower meanwhile, its lines have been wrapped by it; that is reckoned with.
//
// Elsewhere lines are written at once, and the bar is a plain line now and then, fit for a CI log.
// All functions may be called from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "sim/report/console.h"

namespace otasim::report {

/// How fast something goes, smoothed: what happened long ago counts less and less.
class Rate {
 public:
  using Clock = Console::Clock;
  explicit Rate(Clock::time_point now) : at_(now) {}

  void note(std::uint64_t done, Clock::time_point now);
  /// What is done a second; nothing before anything is known.
  [[nodiscard]] std::optional<double> per_second(Clock::time_point now) const;

 private:
  Clock::time_point at_;
  std::uint64_t done_ = 0;
  double amount_ = 0;   ///< of what was done, old parts faded
  double seconds_ = 0;  ///< of the time it took, faded alike
};

/// "4 s", "2 min 5 s", "1 h 5 min"
[[nodiscard]] std::string duration_text(double seconds);

class Progress {
 public:
  static constexpr auto kFrame = std::chrono::milliseconds(100);
  static constexpr auto kPlainLine = std::chrono::seconds(10);

  struct Bar {
    std::uint64_t done = 0;
    std::uint64_t total = 0;
    std::string unit = {};  ///< "cells", "blocks"
    std::string text = {};  ///< more about it, behind
    bool has_failed = false;
  };

  explicit Progress(Console console);
  ~Progress() { finish(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// A line that stays. It may hold colours, and is not cut.
  void line(std::string text);
  /// Keeps a line above the bar; one that is there already stays.
  void pin(std::string text);
  void show(Bar bar);
  /// No bar until the next show().
  void hide();
  /// Takes the foot away while somebody else writes to the same terminal.
  void step_aside(const std::function<void()>& write);
  /// Draws what waits, if a frame is due.
  void tick();
  /// Draws what waits, and takes the foot away. What comes later begins anew.
  void finish();

  [[nodiscard]] const Console& console() const { return console_; }

 private:
  void changed();
  void draw();
  void show_plain();
  [[nodiscard]] std::string erased() const;
  [[nodiscard]] std::vector<std::string> foot(std::size_t columns) const;
  [[nodiscard]] std::string bar_line(std::size_t columns) const;
  [[nodiscard]] std::string bar_text() const;
  [[nodiscard]] std::string colored(std::string_view color, std::string_view text) const;

  Console console_;
  std::mutex mutex_;
  Console::Clock::time_point drawn_at_;
  bool has_drawn_ = false;
  bool is_dirty_ = false;
  std::vector<std::string> waiting_;       ///< lines for the next frame
  std::vector<std::size_t> foot_columns_;  ///< of the lines that are on the screen
  std::string pinned_;
  std::optional<Bar> bar_;
  Rate rate_;
};

/// Ticks in a thread of its own, so that the bar goes on where nothing else does. Outside a terminal it does
/// nothing.
class ProgressTicker {
 public:
  explicit ProgressTicker(Progress& progress);

 private:
  std::jthread thread_;
};

}  // namespace otasim::report
