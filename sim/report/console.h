// Where a command shows what goes on: stderr as it is, or a test's stand-in.
//
//   const Console console = Console::standard_error();
//   if (console.moves_cursor) ...          // a bar may be drawn and drawn again
//
// In a terminal the cursor may be moved, unless TERM is "dumb" or missing. Colours are the terminal's, too:
// NO_COLOR (not empty) turns them off, CLICOLOR_FORCE (not empty, not "0") on where there is no terminal.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace otasim::report {

struct Console {
  using Clock = std::chrono::steady_clock;

  std::function<void(std::string_view)> write;
  std::function<unsigned()> columns;  ///< asked for at each drawing, so that a resize is followed
  std::function<Clock::time_point()> now;
  bool moves_cursor = false;
  bool has_color = false;

  [[nodiscard]] static Console standard_error();
};

/// Columns that a text takes, overestimated where that depends on the terminal: never less than it shows.
[[nodiscard]] std::size_t columns_of(std::string_view text);
/// As much of the text as fits, with "..." at its end if that is not all.
[[nodiscard]] std::string fit(std::string_view text, std::size_t columns);
/// What a device says may hold anything; a terminal must not act on it: control characters as \xNN.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace otasim::report
