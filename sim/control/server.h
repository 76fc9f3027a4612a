// The lab's end of the control socket: takes requests (protocol.h) and hands them to the lab's commands.
//
//   auto server = Server::listen(io, folder->control_socket(),
//                                [&](Request request, std::shared_ptr<Reply> reply) { ... });
//
// The handler runs on the io_context's thread. It may answer at once or later, and with output before; if the
// client has gone meanwhile, what it says goes nowhere. Whoever holds the Reply without answering holds the
// connection.
//
// Clients are trusted no further than their user: whoever runs under another user id is turned away, and
// nothing a client sends, leaves out or does not read holds up the lab. Its request is bounded and must
// come within a time; what it does not read is bounded; so is the number of clients.
#pragma once

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "sim/base/result.h"
#include "sim/control/protocol.h"

namespace otasim::control {

/// The answer to one request.
class Reply {
 public:
  virtual ~Reply() = default;
  /// A part of the answer. Does nothing after result() or error(), or when the client has gone.
  virtual void output(nlohmann::json part) = 0;
  /// The end of the answer, once.
  virtual void result(nlohmann::json value) = 0;
  virtual void error(const Error& error) = 0;
  /// Calls `handler` when the client goes before its answer has ended; not from within this call.
  virtual void on_gone(std::function<void()> handler) = 0;
};

struct ServerOptions {
  uid_t user = ::geteuid();  ///< whose clients are served
  std::size_t max_clients = 64;
  std::chrono::milliseconds request_limit{10'000};  ///< for the whole request to come
  std::size_t max_unread_bytes =
      std::size_t{4} * 1024 * 1024;  ///< a client with more than that unread is let go
};

class Server {
 public:
  using Handler = std::function<void(Request request, std::shared_ptr<Reply> reply)>;

  /// Listens on a socket of mode 0600, replacing one that is there; its folder must be the user's alone.
  /// @returns kEnvironment if that is not possible
  [[nodiscard]] static Result<std::unique_ptr<Server>> listen(boost::asio::io_context& io,
                                                              const std::string& path, Handler handler,
                                                              ServerOptions options = {});
  /// Removes the socket and lets all clients go.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] std::size_t clients() const;

 private:
  class Connection;
  struct State;

  using Socket = boost::asio::local::stream_protocol::socket;

  explicit Server(std::shared_ptr<State> state);
  static void accept(const std::shared_ptr<State>& state);
  static void admit(const std::shared_ptr<State>& state, Socket socket);

  std::shared_ptr<State> state_;
};

}  // namespace otasim::control
