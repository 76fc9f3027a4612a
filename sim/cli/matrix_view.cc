#include "sim/cli/matrix_view.h"

#include <fmt/format.h>

namespace otasim::cli {

MatrixView::MatrixView(std::size_t total, bool is_quiet, report::Console console)
    : total_(total), is_quiet_(is_quiet), progress_(std::move(console)) {}

void MatrixView::start(const std::string& cell) {
  running_.insert(cell);
  draw();
}

void MatrixView::finish_cell(const CellResult& result) {
  if (const auto found = running_.find(result.name()); found != running_.end()) running_.erase(found);
  ++(result.passed() ? passed_ : failed_);
  if (is_quiet_) return;
  if (!result.passed() || !progress_.console().moves_cursor) print(result);
  draw();
}

void MatrixView::print(const CellResult& result) {
  const bool has_color = progress_.console().has_color;
  const char* const color = !has_color ? "" : result.passed() ? "\x1b[32m" : "\x1b[31m";
  progress_.line(fmt::format("{}{:<11}{} {} ({} ms)", color, result.result, has_color ? "\x1b[0m" : "",
                             result.name(), result.wall_ms));
  for (const std::string& failure : result.failures) progress_.line("            " + failure);
  if (result.passed()) return;
  progress_.line("            repeat: " + result.repeat);
  progress_.pin(fmt::format("first failure: {}: {}", result.name(),
                            result.failures.empty() ? result.result : result.failures.front()));
}

void MatrixView::draw() {
  if (is_quiet_ || !progress_.console().moves_cursor) return;  // there each cell has its line
  progress_.show({.done = passed_ + failed_,
                  .total = total_,
                  .unit = "cells",
                  .text = fmt::format("{} failed, {} running", failed_, running_.size()),
                  .has_failed = failed_ != 0});
}

}  // namespace otasim::cli
