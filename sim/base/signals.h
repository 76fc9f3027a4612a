// Ctrl-C, SIGTERM and the terminal's end (SIGHUP) as an event on the io_context.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <functional>

namespace otasim {

class TerminationSignals {
 public:
  /// Takes SIGINT, SIGTERM and, unless it is ignored, SIGHUP from their default action and calls `handler`
  /// with the number for each one that arrives, until stop(). Waiting for signals counts as work:
  /// io_context::run() does not return before stop().
  TerminationSignals(boost::asio::io_context& io, std::function<void(int signal)> handler);
  ~TerminationSignals() { stop(); }
  TerminationSignals(const TerminationSignals&) = delete;
  TerminationSignals& operator=(const TerminationSignals&) = delete;

  /// Gives the signals back to their default action.
  void stop();

 private:
  void wait();

  boost::asio::signal_set signals_;
  std::function<void(int)> handler_;
};

}  // namespace otasim
