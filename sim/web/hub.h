// What all pages see, and what they may do: events in batches, the lab's state when it has changed, the flash
// of the device that each looks at; and the few commands that they have, which are the control socket's own.
//
//   Hub hub(io, feed, commands, {.lab = ..., .folder_of = ..., .keys = ...});
//   hub.admit(viewer, request);
//   hub.end(done);               // tells all pages that the lab goes down
//
// Nobody waits for a page: one that reads slowly is sent events when it has room, from what the feed keeps,
// and learns how many it has missed.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "sim/base/json.h"
#include "sim/control/command_table.h"
#include "sim/web/event_feed.h"
#include "sim/web/flash_feed.h"
#include "sim/web/viewer.h"

namespace otasim::web {

struct HubParts {
  std::function<nlohmann::json()> lab;                              ///< for the page's head
  std::function<std::string(const std::string& device)> folder_of;  ///< empty: there is no such device
  inspect::Keys keys = {};
};

/// Whether a page may ask for it.
[[nodiscard]] bool is_open_to_pages(std::string_view command);

class Hub {
 public:
  /// Feed and commands must outlive the hub.
  Hub(boost::asio::io_context& io, EventFeed& feed, const control::CommandTable& commands, HubParts parts);
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  void admit(const std::shared_ptr<Viewer>& viewer, const Viewer::Request& request);
  [[nodiscard]] std::size_t viewers() const { return viewers_.size(); }
  /// The state may be another one though no event said so: somebody has given the lab a command.
  void look_again();
  /// Tells all pages that the lab goes down. Calls `done` once, when they have been told or take too long.
  void end(std::function<void()> done);

 private:
  /// One part of the state, as it was told last.
  struct StatePart {
    const char* type;
    const char* command;
    std::string told = {};
  };

  void take(Viewer& viewer, Message message);
  void greet(Viewer& viewer, const Hello& hello);
  void watch(Viewer& viewer, const Watch& watch);
  void run(Viewer& viewer, const CommandMessage& message);

  void plan_events();
  void send_events();
  void send_events(Viewer& viewer);
  void plan_state();
  void refresh_state();
  void look_at(StatePart& part);
  void remove(std::uint64_t viewer);
  void end_if_empty();

  boost::asio::io_context& io_;
  EventFeed& feed_;
  const control::CommandTable& commands_;
  HubParts parts_;
  std::string log_;  ///< this start's name
  boost::asio::steady_timer event_timer_;
  boost::asio::steady_timer state_timer_;
  boost::asio::steady_timer end_timer_;
  bool are_events_planned_ = false;
  bool is_state_planned_ = false;
  bool is_state_old_ = true;
  std::chrono::steady_clock::duration state_pause_{};  ///< the longer, the more a look costs
  std::vector<StatePart> state_;
  std::uint64_t next_viewer_ = 1;
  std::map<std::uint64_t, std::shared_ptr<Viewer>> viewers_;
  std::function<void()> on_empty_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  std::unique_ptr<FlashFeed> flash_;
};

}  // namespace otasim::web
