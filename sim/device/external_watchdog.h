// An external watchdog: a supervisor chip beside the board, fed over a UART, that pulls the reset line when
// it is not fed in time. The processor cannot reach it otherwise; whatever state that is in, the chip's clock
// runs.
//
// It takes ASCII lines ended by \n:
//   start MS   it runs, or starts anew: MS milliseconds from now (1 to kMaxTimeoutMs, decimal) it expires
//   feed       it starts anew with the same time, if it runs
//   stop       it no longer runs
// Every other line is ignored, counted and told: a device that prints something else there has a fault. A
// watchdog that has expired, or was disarmed, does not run.
//
//   ExternalWatchdog watchdog(timer, {.on_expiry = ..., .on_ignored = ...});
//   watchdog.take(bytes);      // as they come
//   watchdog.disarm();         // at each reset, and at power-off
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "sim/base/halt.h"

namespace otasim::device {

/// What the watchdog measures time with.
class WatchdogTimer {
 public:
  virtual ~WatchdogTimer() = default;
  /// Calls `on_expiry` once, so much later; replaces an earlier call.
  virtual void start(std::chrono::milliseconds time, std::function<void()> on_expiry) = 0;
  /// `on_expiry` is not called any more.
  virtual void cancel() = 0;
};

/// The host's clock, less the time of halts.
class SteadyWatchdogTimer : public WatchdogTimer {
 public:
  explicit SteadyWatchdogTimer(boost::asio::io_context& io, const Halt* halt = nullptr) : timer_(io, halt) {}
  void start(std::chrono::milliseconds time, std::function<void()> on_expiry) override {
    timer_.wait(time, std::move(on_expiry));
  }
  void cancel() override { timer_.cancel(); }

 private:
  HaltTimer timer_;
};

class ExternalWatchdog {
 public:
  static constexpr std::uint32_t kMaxTimeoutMs = 600'000;
  /// Longer lines are none of its own; what they say is not kept.
  static constexpr std::size_t kMaxLineBytes = 16;

  struct Handlers {
    /// It expires. Called before that: whoever knows of bytes that have come hands them on, and may so keep
    /// it from expiring.
    std::function<void()> before_expiry = [] {};
    std::function<void()> on_expiry;
    /// @param line  its first kMaxLineBytes bytes, as they came
    /// @param count  of all ignored lines so far
    std::function<void(std::string_view line, std::uint64_t count)> on_ignored;
  };

  /// @param timer  outlives the watchdog
  ExternalWatchdog(WatchdogTimer& timer, Handlers handlers);
  ~ExternalWatchdog() { timer_.cancel(); }
  ExternalWatchdog(const ExternalWatchdog&) = delete;
  ExternalWatchdog& operator=(const ExternalWatchdog&) = delete;

  void take(std::string_view bytes);
  /// It does not run any more, and what has come of a line is forgotten.
  void disarm();

  [[nodiscard]] bool is_running() const { return timeout_.count() != 0; }

 private:
  void handle_line();
  void run(std::chrono::milliseconds timeout);
  void expire();

  WatchdogTimer& timer_;
  Handlers handlers_;
  std::string line_;
  bool is_line_too_long_ = false;
  std::chrono::milliseconds timeout_{0};  // 0: it does not run
  std::uint64_t starts_ = 0;
  std::uint64_t ignored_ = 0;
};

}  // namespace otasim::device
