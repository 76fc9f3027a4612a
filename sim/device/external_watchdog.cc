#include "sim/device/external_watchdog.h"

#include <charconv>
#include <optional>
#include <utility>

namespace otasim::device {
namespace {

constexpr std::string_view kStart = "start ";

std::optional<std::chrono::milliseconds> parse_start(std::string_view line) {
  if (!line.starts_with(kStart)) return std::nullopt;
  const std::string_view digits = line.substr(kStart.size());
  std::uint32_t ms = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), ms);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  if (ms == 0 || ms > ExternalWatchdog::kMaxTimeoutMs) return std::nullopt;
  return std::chrono::milliseconds(ms);
}

}  // namespace

ExternalWatchdog::ExternalWatchdog(WatchdogTimer& timer, Handlers handlers)
    : timer_(timer), handlers_(std::move(handlers)) {}

void ExternalWatchdog::take(std::string_view bytes) {
  for (const char byte : bytes) {
    if (byte == '\n') {
      handle_line();
    } else if (line_.size() < kMaxLineBytes) {
      line_ += byte;
    } else {
      is_line_too_long_ = true;
    }
  }
}

void ExternalWatchdog::handle_line() {
  const std::string line = std::exchange(line_, {});
  const bool is_too_long = std::exchange(is_line_too_long_, false);
  const auto timeout = parse_start(line);
  if (!is_too_long && timeout) return run(*timeout);
  if (!is_too_long && line == "feed") {
    if (is_running()) run(timeout_);
    return;
  }
  if (!is_too_long && line == "stop") {
    timeout_ = {};
    return timer_.cancel();
  }
  handlers_.on_ignored(line, ++ignored_);
}

void ExternalWatchdog::run(std::chrono::milliseconds timeout) {
  timeout_ = timeout;
  ++starts_;
  timer_.start(timeout, [this] { expire(); });
}

void ExternalWatchdog::expire() {
  const std::uint64_t starts = starts_;
  handlers_.before_expiry();
  // Fed in time, by bytes that nobody had handed on yet; or stopped by them.
  if (starts != starts_ || !is_running()) return;
  disarm();
  handlers_.on_expiry();
}

void ExternalWatchdog::disarm() {
  timeout_ = {};
  line_.clear();
  is_line_too_long_ = false;
  timer_.cancel();
}

}  // namespace otasim::device
