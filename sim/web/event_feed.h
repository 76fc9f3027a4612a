// The lab's last events, for pages that come and go.
//
//   EventFeed feed(io);
//   log->listen(feed.listener());             // from the first event on, and from any thread
//   feed.on_news([&] { ... });                // on the io_context's thread, once for many events
//   feed.append_since(n, text, most_bytes);   // events after number n, as a JSON array's elements
//
// It keeps so many of them; whoever lags further behind is told how many he has missed. Nobody is waited for.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/report/event_log.h"
#include "sim/report/run_clock.h"

namespace otasim::web {

struct EventFeedLimits {
  std::size_t events = 5'000;
  std::size_t bytes = std::size_t{4} * 1024 * 1024;
};

class EventFeed {
 public:
  explicit EventFeed(boost::asio::io_context& io, EventFeedLimits limits = {});
  ~EventFeed();
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;

  /// May be called after the feed is gone.
  [[nodiscard]] report::EventLog::Listener listener();

  /// @param changes_state  whether one of the new events tells of a device, a client, a job or a fault
  void on_news(std::function<void(bool changes_state)> handler);

  /// Number of the last event so far; 0: none.
  [[nodiscard]] std::uint64_t last() const;
  /// Of the first that is kept.
  [[nodiscard]] std::uint64_t first() const;
  /// Adds events after number `after` to `out`, with commas between, as long as there are no more than
  /// `most_bytes`; one at least. @returns the number of the last one added, `after` if there is none
  std::uint64_t append_since(std::uint64_t after, std::string& out, std::size_t most_bytes) const;

  /// Where the events' clock stands in the calendar. From any thread.
  [[nodiscard]] std::vector<report::ClockAnchor> anchors() const;

 private:
  struct State;

  std::shared_ptr<State> state_;
};

}  // namespace otasim::web
