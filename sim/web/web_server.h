// The lab's page: `otasim up --web`. An HTTP server on the loopback interface with one page, whose WebSocket
// shows what happens and takes a few commands.
//
//   EventFeed feed(io);
//   log->listen(feed.listener());                     // before the lab starts
//   auto web = WebServer::start(io, feed, commands, {.lab = ..., .folder_of = ..., .keys = ...}, {.port =
//   0});
//   (*web)->way_in()                                  // for the user who started the lab
//   (*web)->end([&] { ... });                         // when the lab goes down
//
// gate.h says who may come in, hub.h what a page gets. Everything runs on the io_context's thread but the
// reading of flash logs.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "sim/base/result.h"
#include "sim/web/hub.h"

namespace otasim::web {

struct WebOptions {
  std::uint16_t port = 0;            ///< 0: the system chooses
  std::size_t max_connections = 64;  ///< one more is closed as soon as it is there
  std::size_t max_viewers = 16;
  std::chrono::milliseconds idle_limit{15'000};
  ViewerLimits viewer = {};
};

class WebServer {
 public:
  /// Feed and commands must outlive the server.
  /// @returns kEnvironment if the port is in use or may not be used
  [[nodiscard]] static Result<std::unique_ptr<WebServer>> start(boost::asio::io_context& io, EventFeed& feed,
                                                                const control::CommandTable& commands,
                                                                HubParts parts, const WebOptions& options);
  /// Closes all connections at once.
  ~WebServer();
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  /// The page's address with the token in it.
  [[nodiscard]] std::string way_in() const;
  /// Without it: for those who have been there.
  [[nodiscard]] std::string address() const;
  [[nodiscard]] std::size_t connections() const;
  /// The lab's state may be another one though no event said so: somebody has given it a command.
  void look_again();
  /// Takes no more connections and tells all pages; calls `done` once.
  void end(std::function<void()> done);

 private:
  struct State;
  explicit WebServer(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace otasim::web
