#include "sim/cli/matrix_view.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace otasim::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBarWidth = 24;
constexpr auto kRedraw = std::chrono::milliseconds(100);

}  // namespace

MatrixView::MatrixView(std::size_t total, bool is_quiet)
    : total_(total),
      is_quiet_(is_quiet),
      is_terminal_(isatty(STDERR_FILENO) == 1),
      has_color_(is_terminal_ && std::getenv("NO_COLOR") == nullptr) {}

void MatrixView::start(const std::string& cell) {
  running_.insert(cell);
  draw(false);
}

void MatrixView::finish_cell(const CellResult& result) {
  if (const auto found = running_.find(result.name()); found != running_.end()) running_.erase(found);
  ++(result.passed() ? passed_ : failed_);
  if (is_quiet_) return;
  if (!result.passed() || !is_terminal_) {
    clear();
    const char* const color = !has_color_ ? "" : result.passed() ? "\x1b[32m" : "\x1b[31m";
    fmt::print(stderr, "{}{:<11}{} {} ({} ms)\n", color, result.result, has_color_ ? "\x1b[0m" : "",
               result.name(), result.wall_ms);
    for (const std::string& failure : result.failures) fmt::print(stderr, "            {}\n", failure);
    if (!result.passed()) fmt::print(stderr, "            repeat: {}\n", result.repeat);
  }
  draw(passed_ + failed_ == total_);
}

void MatrixView::finish() {
  clear();
}

void MatrixView::draw(bool is_urgent) {
  if (is_quiet_ || !is_terminal_) return;
  const auto now = Clock::now();
  if (!is_urgent && is_drawn_ && now - drawn_at_ < kRedraw) return;
  drawn_at_ = now;
  const std::size_t done = passed_ + failed_;
  const std::size_t filled = total_ == 0 ? 0 : kBarWidth * done / total_;
  const double seconds = std::chrono::duration<double>(now - began_).count();
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  const std::string left =
      rate > 0 ? fmt::format("{:.1f}/s, {:.0f} s left", rate, static_cast<double>(total_ - done) / rate) : "";
  fmt::print(stderr, "\r\x1b[K[{}{}] {}/{} done, {} failed, {} running  {}", std::string(filled, '#'),
             std::string(kBarWidth - filled, '.'), done, total_, failed_, running_.size(), left);
  std::fflush(stderr);
  is_drawn_ = true;
}

void MatrixView::clear() {
  if (!is_drawn_) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
  is_drawn_ = false;
}

}  // namespace otasim::cli
