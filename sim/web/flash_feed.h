// The flash of devices that somebody looks at, as it changes: made from the op logs of a lab that keeps them
// (FleetOptions::log_flash), on a thread of its own.
//
//   FlashFeed feed(io, keys, [&] { return events.anchors(); },
//                  [&](const std::vector<std::uint64_t>& viewers, const FlashFeed::Text& message) { ... });
//   feed.watch(viewer, "thing-1", folder);     // instead of what it watched before
//   feed.unwatch(viewer);
//
// A viewer gets a message `flash` with the whole track (sim/report/html/flash_track.h), and then messages
// `operations` with what has come since, all in order, on the io_context's thread. When a log was begun anew,
// the whole track comes again. Nothing is read while nobody watches.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "sim/inspect/keys.h"
#include "sim/report/run_clock.h"

namespace otasim::web {

class FlashFeed {
 public:
  using Text = std::shared_ptr<const std::string>;
  using Anchors = std::function<std::vector<report::ClockAnchor>()>;
  using Deliver = std::function<void(const std::vector<std::uint64_t>& viewers, const Text& message)>;

  /// @param anchors  asked on the feed's own thread
  FlashFeed(boost::asio::io_context& io, inspect::Keys keys, Anchors anchors, Deliver deliver);
  /// Nothing is delivered afterwards.
  ~FlashFeed();
  FlashFeed(const FlashFeed&) = delete;
  FlashFeed& operator=(const FlashFeed&) = delete;

  void watch(std::uint64_t viewer, const std::string& device, const std::string& folder);
  void unwatch(std::uint64_t viewer);

 private:
  class Worker;
  struct Outlet;

  std::shared_ptr<Outlet> outlet_;
  std::unique_ptr<Worker> worker_;
  std::thread thread_;
};

}  // namespace otasim::web
