// What a person sees of a matrix: in a terminal a bar with rate and time left, and each failure as it comes;
// else a line for each cell. On stderr.
#pragma once

#include <cstddef>
#include <set>
#include <string>

#include "sim/cli/progress_bar.h"
#include "sim/cli/scenario_result.h"

namespace otasim::cli {

class MatrixView {
 public:
  MatrixView(std::size_t total, bool is_quiet);

  void start(const std::string& cell);
  void finish_cell(const CellResult& result);
  /// Removes the bar.
  void finish() { bar_.clear(); }

 private:
  void draw();

  std::size_t total_;
  bool is_quiet_;
  ProgressBar bar_;
  std::size_t passed_ = 0;
  std::size_t failed_ = 0;
  std::set<std::string> running_;
};

}  // namespace otasim::cli
