#include "sim/base/signals.h"

#include <csignal>
#include <utility>

namespace otasim {

TerminationSignals::TerminationSignals(boost::asio::io_context& io, std::function<void(int)> handler)
    : signals_(io, SIGINT, SIGTERM), handler_(std::move(handler)) {
  // Who was started under nohup goes on when the terminal is closed.
  struct sigaction hang_up {};
  if (::sigaction(SIGHUP, nullptr, &hang_up) == 0 && hang_up.sa_handler != SIG_IGN) signals_.add(SIGHUP);
  wait();
}

void TerminationSignals::wait() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;  // stopped: `this` may be gone
    wait();
    handler_(signal);
  });
}

void TerminationSignals::stop() {
  boost::system::error_code ignored;
  signals_.clear(ignored);
  signals_.cancel(ignored);
}

}  // namespace otasim
