// Time that does not count: how long the device under a debugger has stood still.
//
//   Halt halt;                         // or Halt::shared(path): other processes read it, too (halt_word.h)
//   halt.begin();                      // the debugger has the target
//   halt.end();                        // it runs on
//   halt.now()                         // the steady clock less all that: stands still between the two
//
// Whoever limits or delays something of the device asks now() in the place of the steady clock, or waits with
// a HaltTimer. A null pointer to a Halt means that nobody ever halts. Functions may be called on any thread,
// begin() and end() on one.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "sim/base/halt_word.h"
#include "sim/base/result.h"

namespace otasim {

class Halt {
 public:
  using Clock = std::chrono::steady_clock;

  Halt();
  /// Keeps its word in a file of kHaltFileBytes, which is made.
  /// @returns kEnvironment if it cannot be
  [[nodiscard]] static Result<std::unique_ptr<Halt>> shared(const std::string& path);
  ~Halt();
  Halt(const Halt&) = delete;
  Halt& operator=(const Halt&) = delete;

  /// Both do nothing if it is so already.
  void begin();
  void end();

  [[nodiscard]] bool is_halted() const { return word_->load() < 0; }
  /// In all, the halt under way included.
  [[nodiscard]] std::chrono::nanoseconds halted() const;
  [[nodiscard]] Clock::time_point now() const;

  /// Where other processes find the word; empty if they do not.
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit Halt(std::string path, HaltWord* word) : path_(std::move(path)), word_(word) {}

  std::string path_;
  std::unique_ptr<HaltWord> own_;
  HaltWord* word_;
};

/// The steady clock's time, less what `halt` took of it.
[[nodiscard]] inline std::chrono::steady_clock::time_point now_without_halts(const Halt* halt) {
  return halt == nullptr ? std::chrono::steady_clock::now() : halt->now();
}

/// How long to sleep and look again; nothing: `due`, a time of now_without_halts(), is over and the target
/// runs.
[[nodiscard]] std::optional<std::chrono::nanoseconds> sleep_without_halts(
    const Halt* halt, std::chrono::steady_clock::time_point due);

/// A one-shot timer that stands still with the target. Used as Asio's own: a wait that is replaced or
/// cancelled is told nothing, unless its time was over already.
class HaltTimer {
 public:
  /// @param halt  may be null; outlives the timer
  HaltTimer(boost::asio::io_context& io, const Halt* halt) : timer_(io), halt_(halt) {}
  ~HaltTimer() { cancel(); }
  HaltTimer(const HaltTimer&) = delete;
  HaltTimer& operator=(const HaltTimer&) = delete;

  /// Calls `handler` after so much time without halts.
  void wait(std::chrono::nanoseconds time, std::function<void()> handler);
  void cancel();

 private:
  void look();

  boost::asio::steady_timer timer_;
  const Halt* halt_;
  std::chrono::steady_clock::time_point due_;
  std::function<void()> handler_;
  // A time that is up may be told after a cancel(), or after this has gone.
  std::shared_ptr<std::uint64_t> waits_ = std::make_shared<std::uint64_t>(0);
};

}  // namespace otasim
