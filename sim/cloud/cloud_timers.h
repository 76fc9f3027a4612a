// Wakes the jobs service when an execution runs out of time, and when a job starts, may reach more things,
// pauses or ends.
//
//   CloudTimers timers(io, *cloud);   // for as long as the lab is up
//
// Times are the cloud's clock's: the timer sleeps until the earliest of them, and looks again whenever one
// is added or the clock is set. Times that passed while nobody was there are dealt with at once.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>

#include "sim/cloud/cloud.h"

namespace otasim::cloud {

class CloudTimers {
 public:
  /// Runs on the io_context's thread; destroy it before the cloud.
  CloudTimers(boost::asio::io_context& io, Cloud& cloud);
  CloudTimers(const CloudTimers&) = delete;
  CloudTimers& operator=(const CloudTimers&) = delete;

 private:
  void look();
  void hurry(std::int64_t at);
  void arm(std::int64_t deadline);

  Cloud& cloud_;
  boost::asio::steady_timer timer_;
  std::optional<std::int64_t> armed_;  ///< the deadline that the timer waits for
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  Subscription changes_;
  Subscription jumps_;
};

}  // namespace otasim::cloud
