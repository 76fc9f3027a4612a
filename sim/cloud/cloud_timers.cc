#include "sim/cloud/cloud_timers.h"

#include <algorithm>
#include <chrono>

namespace otasim::cloud {

namespace {

/// Bounds one wait: a clock that was set behind our back is noticed within it.
constexpr std::int64_t kLongestWait = 60;
/// After a failure of the store.
constexpr std::int64_t kTryAgain = 1;

}  // namespace

CloudTimers::CloudTimers(boost::asio::io_context& io, Cloud& cloud)
    : cloud_(cloud),
      timer_(io),
      changes_(cloud.jobs().listen({.on_execution_change =
                                        [this](const JobExecution& execution) {
                                          if (const auto deadline = execution.deadline()) hurry(*deadline);
                                        },
                                    .on_due = [this](std::int64_t at) { hurry(at); }})),
      jumps_(cloud.clock().on_jump([this] { look(); })) {
  look();
}

void CloudTimers::hurry(std::int64_t at) {
  if (!armed_ || at < *armed_) arm(at);
}

void CloudTimers::look() {
  armed_.reset();
  timer_.cancel();
  const auto done = cloud_.jobs().run_due();
  const auto next = done ? cloud_.jobs().next_due() : tl::unexpected(done.error());
  if (!next) return arm(cloud_.clock().now() + kTryAgain);
  if (*next) arm(**next);
}

void CloudTimers::arm(std::int64_t deadline) {
  armed_ = deadline;
  const std::int64_t wait = std::clamp<std::int64_t>(deadline - cloud_.clock().now(), 0, kLongestWait);
  timer_.expires_after(std::chrono::seconds(wait));
  // A wait that is over may be told after this object has gone.
  timer_.async_wait([this, alive = std::weak_ptr<char>(alive_)](boost::system::error_code error) {
    if (!error && !alive.expired()) look();
  });
}

}  // namespace otasim::cloud
