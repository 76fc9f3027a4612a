// Ctrl-C, SIGTERM and the terminal's end, for a command that works in steps and asks between them.
//
//   boost::asio::io_context io;
//   Interruption interruption(io);               // before the first thing that must not be left behind
//   io.restart(); io.run();                      // an interruption stops it
//   if (auto go_on = interruption.check(); !go_on) return go_on;
//
// What the command holds is cleaned up by its destructors, as at any other end.
#pragma once

#include <boost/asio/io_context.hpp>

#include "sim/base/result.h"
#include "sim/base/signals.h"

namespace otasim {

class Interruption {
 public:
  /// @param io  outlives the object. Waiting counts as work: it runs until it is stopped
  explicit Interruption(boost::asio::io_context& io) : io_(io), signals_(io, [this](int) { note(); }) {}

  /// Also runs what is ready on the io_context. @returns kInterrupted if a signal has come so far
  [[nodiscard]] Result<void> check() {
    io_.restart();
    if (!has_come_) io_.poll();
    if (has_come_) return fail(ExitCode::kInterrupted, "interrupted");
    return {};
  }

 private:
  void note() {
    has_come_ = true;
    io_.stop();
  }

  boost::asio::io_context& io_;
  bool has_come_ = false;
  TerminationSignals signals_;
};

}  // namespace otasim
