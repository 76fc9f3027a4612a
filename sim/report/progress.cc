#include "sim/report/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>

namespace otasim::report {
namespace {

using Clock = Console::Clock;

constexpr double kMemorySeconds = 15;
constexpr std::size_t kWidestBar = 24;
constexpr std::size_t kNarrowestBar = 4;
/// Columns that stay free at a line's end: a terminal may wrap what reaches its last one.
constexpr std::size_t kMargin = 1;
constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kReset = "\x1b[0m";
constexpr std::string_view kEraseBelow = "\x1b[J";

double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::max(0.0, std::chrono::duration<double>(to - from).count());
}

/// Rows that a line takes after the terminal has wrapped it anew.
std::size_t rows_of(std::size_t length, std::size_t columns) {
  return length == 0 ? 1 : (length + columns - 1) / columns;
}

}  // namespace

void Rate::note(std::uint64_t done, Clock::time_point now) {
  if (done < done_) {  // another work begins
    *this = Rate(now);
    done_ = done;
    return;
  }
  const double passed = seconds_between(at_, now);
  const double fade = std::exp(-passed / kMemorySeconds);
  amount_ = amount_ * fade + static_cast<double>(done - done_);
  seconds_ = seconds_ * fade + passed;
  done_ = done;
  at_ = now;
}

std::optional<double> Rate::per_second(Clock::time_point now) const {
  const double passed = seconds_between(at_, now);
  const double fade = std::exp(-passed / kMemorySeconds);
  const double seconds = seconds_ * fade + passed;
  if (seconds <= 0 || amount_ <= 0) return std::nullopt;
  return amount_ * fade / seconds;
}

std::string duration_text(double seconds) {
  constexpr double kMost = 360'000;  // beyond 100 hours nobody waits
  const auto whole = static_cast<std::uint64_t>(std::ceil(std::clamp(seconds, 0.0, kMost)));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

Progress::Progress(Console console)
    : console_(std::move(console)), drawn_at_(console_.now()), rate_(drawn_at_) {}

void Progress::line(std::string text) {
  const std::scoped_lock lock(mutex_);
  if (!console_.moves_cursor) return console_.write(text + '\n');
  waiting_.push_back(std::move(text));
  changed();
}

void Progress::pin(std::string text) {
  const std::scoped_lock lock(mutex_);
  if (!pinned_.empty() || !console_.moves_cursor) return;
  pinned_ = printable(text);
  changed();
}

void Progress::show(Bar bar) {
  const std::scoped_lock lock(mutex_);
  rate_.note(bar.done, console_.now());
  bar.text = printable(bar.text);
  bar_ = std::move(bar);
  if (!console_.moves_cursor) return show_plain();
  changed();
}

void Progress::hide() {
  const std::scoped_lock lock(mutex_);
  if (!bar_) return;
  bar_.reset();
  rate_ = Rate(console_.now());
  if (console_.moves_cursor) changed();
}

void Progress::step_aside(const std::function<void()>& write) {
  const std::scoped_lock lock(mutex_);
  if (!console_.moves_cursor) return write();
  std::string text = erased();
  foot_columns_.clear();
  for (const std::string& waiting : waiting_) text += waiting + "\r\n";
  waiting_.clear();
  if (!text.empty()) console_.write(text);
  write();
  is_dirty_ = true;
}

void Progress::tick() {
  const std::scoped_lock lock(mutex_);
  if (console_.moves_cursor && (is_dirty_ || bar_)) changed();
}

void Progress::finish() {
  const std::scoped_lock lock(mutex_);
  bar_.reset();
  pinned_.clear();
  if (console_.moves_cursor && (is_dirty_ || !foot_columns_.empty())) draw();
}

void Progress::changed() {
  is_dirty_ = true;
  if (has_drawn_ && console_.now() - drawn_at_ < kFrame) return;
  draw();
}

void Progress::draw() {
  const std::size_t columns = std::max(1U, console_.columns());
  std::string frame = erased();
  for (const std::string& text : waiting_) frame += text + "\r\n";
  waiting_.clear();
  const std::vector<std::string> lines = foot(columns - std::min(columns - 1, kMargin));
  foot_columns_.clear();
  for (const std::string& text : lines) {
    if (!foot_columns_.empty()) frame += "\r\n";
    const bool is_bar = bar_ && foot_columns_.size() + 1 == lines.size();
    frame += is_bar ? colored(bar_->has_failed ? kRed : kGreen, text) : colored(kRed, text);
    foot_columns_.push_back(columns_of(text));
  }
  if (!foot_columns_.empty()) frame += '\r';
  console_.write(frame);
  drawn_at_ = console_.now();
  has_drawn_ = true;
  is_dirty_ = false;
}

/// Goes to the start of the foot that is on the screen and erases it.
std::string Progress::erased() const {
  if (foot_columns_.empty()) return {};
  const std::size_t columns = std::max(1U, console_.columns());
  std::size_t up = 0;  // the cursor is in the last line's first row
  for (std::size_t i = 0; i + 1 < foot_columns_.size(); ++i) up += rows_of(foot_columns_[i], columns);
  return '\r' + (up == 0 ? std::string() : fmt::format("\x1b[{}A", up)) + std::string(kEraseBelow);
}

std::vector<std::string> Progress::foot(std::size_t columns) const {
  std::vector<std::string> lines;
  if (!pinned_.empty()) lines.push_back(fit(pinned_, columns));
  if (bar_) lines.push_back(bar_line(columns));
  return lines;
}

std::string Progress::bar_line(std::size_t columns) const {
  const std::size_t width = std::clamp(columns / 3, kNarrowestBar, kWidestBar);
  const std::uint64_t done = std::min(bar_->done, bar_->total);
  const std::size_t filled = bar_->total == 0 ? 0 : static_cast<std::size_t>(width * done / bar_->total);
  return fit(fmt::format("[{:#<{}}{:.<{}}] {}", "", filled, "", width - filled, bar_text()), columns);
}

/// " 34 % 43/128 cells, 3.2/s, 27 s left, 1 failed"
std::string Progress::bar_text() const {
  const std::uint64_t done = std::min(bar_->done, bar_->total);
  std::string text;
  if (bar_->total != 0) text = fmt::format("{:3} % {}/{}", done * 100 / bar_->total, bar_->done, bar_->total);
  if (bar_->total != 0 && !bar_->unit.empty()) text += ' ' + bar_->unit;
  const auto rate = bar_->total == 0 ? std::nullopt : rate_.per_second(console_.now());
  if (rate && done < bar_->total) text += fmt::format(", {:.{}f}/s", *rate, *rate < 100 ? 1 : 0);
  if (rate && done < bar_->total)
    text += fmt::format(", {} left", duration_text(static_cast<double>(bar_->total - done) / *rate));
  if (!bar_->text.empty()) text += (text.empty() ? "" : ", ") + bar_->text;
  return text;
}

void Progress::show_plain() {
  const auto now = console_.now();
  if (now - drawn_at_ < kPlainLine) return;
  drawn_at_ = now;
  console_.write(bar_text() + '\n');
}

std::string Progress::colored(std::string_view color, std::string_view text) const {
  if (!console_.has_color) return std::string(text);
  return std::string(color) + std::string(text) + std::string(kReset);
}

ProgressTicker::ProgressTicker(Progress& progress) {
  if (!progress.console().moves_cursor) return;
  thread_ = std::jthread([&progress](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any nobody;  // it is the stop that wakes
    std::unique_lock lock(mutex);
    while (!nobody.wait_for(lock, stop, Progress::kFrame, [&stop] { return stop.stop_requested(); }))
      progress.tick();
  });
}

}  // namespace otasim::report
