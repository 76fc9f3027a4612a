#include "sim/cli/progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace otasim::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kWidth = 24;
constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr auto kPlainLine = std::chrono::seconds(10);

}  // namespace

ProgressBar::ProgressBar(bool is_quiet)
    : is_quiet_(is_quiet),
      is_terminal_(isatty(STDERR_FILENO) == 1),
      has_color_(is_terminal_ && std::getenv("NO_COLOR") == nullptr) {}

double ProgressBar::seconds() const {
  return std::chrono::duration<double>(Clock::now() - began_).count();
}

void ProgressBar::show(std::size_t done, std::size_t total, const std::string& text) {
  if (is_quiet_) return;
  const auto now = Clock::now();
  const bool is_due =
      now - shown_at_ >= (is_terminal_ ? Clock::duration(kRedraw) : Clock::duration(kPlainLine));
  const bool is_first = is_terminal_ && !is_drawn_;
  if (!is_due && !is_first && (done != total || !is_terminal_)) return;
  shown_at_ = now;
  const double elapsed = seconds();
  const double rate = elapsed > 0 ? static_cast<double>(done) / elapsed : 0;
  std::string line = text;
  if (rate > 0)
    line += fmt::format(", {:.1f}/s, {:.0f} s left", rate,
                        static_cast<double>(total - std::min(done, total)) / rate);
  if (!is_terminal_) {
    fmt::print(stderr, "{}\n", line);
    return;
  }
  const std::size_t filled = total == 0 ? 0 : kWidth * std::min(done, total) / total;
  fmt::print(stderr, "\r\x1b[K[{}{}] {}", std::string(filled, '#'), std::string(kWidth - filled, '.'), line);
  std::fflush(stderr);
  is_drawn_ = true;
}

void ProgressBar::clear() {
  if (!is_drawn_) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
  is_drawn_ = false;
}

}  // namespace otasim::cli
