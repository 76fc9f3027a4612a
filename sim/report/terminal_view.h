// What a person sees while a run goes on: one line per thing that happens, and a progress bar in a terminal.
//
// A listener of the event log. Lines go to stderr, so that stdout stays free for results. When stderr is not
// a terminal there is no bar, no colour and no cursor movement: plain lines, fit for a CI log.
#pragma once

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace otasim::report {

class TerminalView {
 public:
  struct Style {
    bool bar = false;
    bool color = false;
    unsigned width = 80;  ///< columns
    /// For a lab with several devices: lines are under their device's name, and its power and its connections
    /// to the broker are shown.
    bool fleet = false;
  };

  /// The style that suits `stream`: a bar and colour only in a terminal (and no colour under NO_COLOR).
  [[nodiscard]] static Style style_for(std::FILE* stream);

  TerminalView(std::FILE* stream, Style style);
  ~TerminalView();
  TerminalView(const TerminalView&) = delete;
  TerminalView& operator=(const TerminalView&) = delete;

  /// Shows one event of the log, or nothing if it is not for people.
  void show(const nlohmann::json& event);

  /// Removes the bar, for good.
  void finish();

 private:
  void show_client(const nlohmann::json& event, std::string_view kind);
  void show_power(const nlohmann::json& event, const std::string& kind);
  void print_line(const nlohmann::json& event, std::string_view who, std::string_view color,
                  std::string_view text);
  void set_progress(unsigned done, unsigned total);
  void draw_bar();
  void clear_bar();

  std::FILE* stream_;
  Style style_;
  unsigned done_ = 0;
  unsigned total_ = 0;
  bool bar_is_drawn_ = false;
};

}  // namespace otasim::report
