// What a person sees of a matrix: in a terminal a bar with rate and time left, and each failure as it comes;
// else a line for each cell. On stderr.
#pragma once

#include <chrono>
#include <cstddef>
#include <set>
#include <string>

#include "sim/cli/scenario_result.h"

namespace otasim::cli {

class MatrixView {
 public:
  MatrixView(std::size_t total, bool is_quiet);

  void start(const std::string& cell);
  void finish_cell(const CellResult& result);
  /// Removes the bar.
  void finish();

 private:
  void draw(bool is_urgent);
  void clear();

  std::size_t total_;
  bool is_quiet_;
  bool is_terminal_;
  bool has_color_;
  bool is_drawn_ = false;
  std::size_t passed_ = 0;
  std::size_t failed_ = 0;
  std::set<std::string> running_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point drawn_at_{};
};

}  // namespace otasim::cli
