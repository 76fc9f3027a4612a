#include "sim/cli/matrix_view.h"

#include <fmt/format.h>

#include <cstdio>

namespace otasim::cli {

MatrixView::MatrixView(std::size_t total, bool is_quiet)
    : total_(total), is_quiet_(is_quiet), bar_(is_quiet) {}

void MatrixView::start(const std::string& cell) {
  running_.insert(cell);
  draw();
}

void MatrixView::finish_cell(const CellResult& result) {
  if (const auto found = running_.find(result.name()); found != running_.end()) running_.erase(found);
  ++(result.passed() ? passed_ : failed_);
  if (is_quiet_) return;
  if (!result.passed() || !bar_.is_terminal()) {
    bar_.clear();
    const char* const color = !bar_.has_color() ? "" : result.passed() ? "\x1b[32m" : "\x1b[31m";
    fmt::print(stderr, "{}{:<11}{} {} ({} ms)\n", color, result.result, bar_.has_color() ? "\x1b[0m" : "",
               result.name(), result.wall_ms);
    for (const std::string& failure : result.failures) fmt::print(stderr, "            {}\n", failure);
    if (!result.passed()) fmt::print(stderr, "            repeat: {}\n", result.repeat);
  }
  draw();
}

void MatrixView::draw() {
  if (!bar_.is_terminal()) return;  // there each cell has its line
  const std::size_t done = passed_ + failed_;
  bar_.show(done, total_,
            fmt::format("{}/{} done, {} failed, {} running", done, total_, failed_, running_.size()));
}

}  // namespace otasim::cli
