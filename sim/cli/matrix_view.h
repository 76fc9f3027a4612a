// What a person sees of a matrix: in a terminal a bar with rate and time left, each failure as it comes, and
// the first one right above the bar all the time; else a line for each cell. On stderr.
#pragma once

#include <cstddef>
#include <set>
#include <string>

#include "sim/cli/scenario_result.h"
#include "sim/report/progress.h"

namespace otasim::cli {

class MatrixView {
 public:
  MatrixView(std::size_t total, bool is_quiet, report::Console console = report::Console::standard_error());

  void start(const std::string& cell);
  void finish_cell(const CellResult& result);
  /// Removes the bar.
  void finish() { progress_.finish(); }

 private:
  void print(const CellResult& result);
  void draw();

  std::size_t total_;
  bool is_quiet_;
  report::Progress progress_;
  report::ProgressTicker ticker_{progress_};
  std::size_t passed_ = 0;
  std::size_t failed_ = 0;
  std::set<std::string> running_;
};

}  // namespace otasim::cli
