// What a person sees while a run or a lab goes on: one line per thing that happens, and at the foot of a
// terminal how far its updates are (update_stages.h) and the first thing that failed.
//
//   Progress progress(Console::standard_error());
//   const ProgressTicker ticker(progress);
//   TerminalView view(progress, {.fleet = true});
//   log.listen([&view](const nlohmann::json& event) { view.show(event); });
//   ...
//   view.finish();
//
// A listener of the event log. Lines go to stderr, so that stdout stays free for results.
#pragma once

#include <string>
#include <string_view>

#include "sim/base/json.h"
#include "sim/report/progress.h"
#include "sim/report/update_stages.h"

namespace otasim::report {

class TerminalView {
 public:
  struct Style {
    /// For a lab with several devices: lines are under their device's name, and its power and its connections
    /// to the broker are shown.
    bool fleet = false;
    /// It goes on for ever: where no update goes on there is no bar.
    bool stays = false;
  };

  TerminalView(Progress& progress, Style style) : progress_(progress), style_(style) {}
  ~TerminalView() { finish(); }
  TerminalView(const TerminalView&) = delete;
  TerminalView& operator=(const TerminalView&) = delete;

  /// Shows one event of the log, or nothing if it is not for people.
  void show(const nlohmann::json& event);

  /// Removes the bar, for good.
  void finish();

 private:
  void show_client(const nlohmann::json& event, std::string_view kind);
  void show_power(const nlohmann::json& event, const std::string& kind);
  void show_run(const nlohmann::json& event, const std::string& kind);
  void show_line(const nlohmann::json& event);
  void print_line(const nlohmann::json& event, std::string_view who, std::string_view color,
                  std::string_view text);

  Progress& progress_;
  Style style_;
  UpdateStages stages_;
};

}  // namespace otasim::report
