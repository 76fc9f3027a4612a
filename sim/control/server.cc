#include "sim/control/server.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>
#include <deque>
#include <set>
#include <utility>

#include "sim/base/unix_socket.h"

namespace otasim::control {

namespace {

using Acceptor = boost::asio::local::stream_protocol::acceptor;
using boost::system::error_code;

constexpr int kBacklog = 64;
constexpr std::chrono::milliseconds kAcceptPause{100};

bool runs_under(uid_t user, boost::asio::local::stream_protocol::socket& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == user;
}

}  // namespace

struct Server::State {
  State(boost::asio::io_context& context, std::string socket_path, Handler request_handler,
        ServerOptions limits)
      : io(context),
        path(std::move(socket_path)),
        handler(std::move(request_handler)),
        options(limits),
        acceptor(context),
        pause(context) {}

  boost::asio::io_context& io;
  std::string path;
  Handler handler;
  ServerOptions options;
  Acceptor acceptor;
  boost::asio::steady_timer pause;
  std::set<std::shared_ptr<Connection>> connections;
};

/// One client: first its request is read, then its answer written; reading goes on, to see it leave.
class Server::Connection final : public Reply, public std::enable_shared_from_this<Connection> {
 public:
  Connection(const std::shared_ptr<State>& state, Socket socket)
      : state_(state),
        socket_(std::move(socket)),
        limit_(state->io),
        max_unread_(state->options.max_unread_bytes) {}

  void start(std::chrono::milliseconds request_limit) {
    limit_.expires_after(request_limit);
    limit_.async_wait([weak = weak_from_this()](const error_code& error) {
      const auto self = weak.lock();
      if (self && !error && !self->has_request_) self->refuse("the request did not come in time");
    });
    read();
  }

  void refuse(std::string why) {
    has_request_ = true;
    error({ExitCode::kUsage, std::move(why), {}});
  }

  void output(nlohmann::json part) override { send({{"output", std::move(part)}}); }
  void result(nlohmann::json value) override { send_last({{"result", std::move(value)}}); }
  void error(const Error& error) override { send_last(error_message(error)); }
  void on_gone(std::function<void()> handler) override { on_gone_ = std::move(handler); }

  /// The client has left, or is let go.
  void close() {
    if (std::exchange(is_closed_, true)) return;
    const auto self = shared_from_this();
    error_code ignored;
    limit_.cancel();
    socket_.close(ignored);
    if (const auto state = state_.lock()) state->connections.erase(self);
    if (const auto gone = std::exchange(on_gone_, nullptr)) gone();
  }

 private:
  void read() {
    socket_.async_read_some(boost::asio::buffer(input_),
                            [self = shared_from_this()](const error_code& error, std::size_t count) {
                              if (self->is_closed_) return;
                              if (error) return self->close();
                              self->take({self->input_.data(), count});
                              if (!self->is_closed_) self->read();
                            });
  }

  /// Bytes after the request's line mean nothing.
  void take(std::string_view bytes) {
    if (has_request_) return;
    const std::size_t end = bytes.find('\n');
    line_ += bytes.substr(0, end);
    if (line_.size() > kMaxRequestBytes) {
      line_.clear();
      return refuse(fmt::format("the request is longer than {} bytes", kMaxRequestBytes));
    }
    if (end == std::string_view::npos) return;
    has_request_ = true;
    limit_.cancel();
    auto request = parse_request(std::exchange(line_, {}));
    if (!request) return error(request.error());
    if (const auto state = state_.lock()) state->handler(std::move(*request), shared_from_this());
  }

  void send_last(const nlohmann::json& message) {
    if (has_answer_) return;
    send(message);
    has_answer_ = true;
    on_gone_ = nullptr;
  }

  void send(const nlohmann::json& message) {
    if (is_closed_ || has_answer_) return;
    // A client that does not read is not worth the memory. One long answer is no offence.
    if (unread_ > max_unread_) return close();
    output_.push_back(to_line(message));
    unread_ += output_.back().size();
    if (output_.size() == 1) write();
  }

  void write() {
    boost::asio::async_write(socket_, boost::asio::buffer(output_.front()),
                             [self = shared_from_this()](const error_code& error, std::size_t) {
                               if (self->is_closed_) return;
                               if (error) return self->close();
                               self->unread_ -= self->output_.front().size();
                               self->output_.pop_front();
                               if (!self->output_.empty()) return self->write();
                               if (self->has_answer_) self->finish();
                             });
  }

  /// All is said. The client's leaving ends the connection, so that it is not reset with the answer unread.
  void finish() {
    error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
    limit_.expires_after(kFarewell);
    limit_.async_wait([weak = weak_from_this()](const error_code& error) {
      if (const auto self = weak.lock(); self && !error) self->close();
    });
  }

  static constexpr std::chrono::seconds kFarewell{10};

  std::weak_ptr<State> state_;
  Socket socket_;
  boost::asio::steady_timer limit_;
  std::size_t max_unread_;
  std::array<char, 4096> input_{};
  std::string line_;
  std::deque<std::string> output_;
  std::size_t unread_ = 0;
  bool has_request_ = false;
  bool has_answer_ = false;
  bool is_closed_ = false;
  std::function<void()> on_gone_;
};

Result<std::unique_ptr<Server>> Server::listen(boost::asio::io_context& io, const std::string& path,
                                               Handler handler, ServerOptions options) {
  if (auto address = unix_socket_address(path); !address) return tl::unexpected(address.error());
  auto state = std::make_shared<State>(io, path, std::move(handler), options);
  ::unlink(path.c_str());
  error_code error;
  state->acceptor.open({}, error);
  if (!error) state->acceptor.bind(path, error);
  if (!error && ::chmod(path.c_str(), 0600) != 0) error.assign(errno, boost::system::system_category());
  if (!error) state->acceptor.listen(kBacklog, error);
  if (error) {
    return fail(ExitCode::kEnvironment,
                fmt::format("cannot listen for commands on {}: {}", path, error.message()));
  }
  accept(state);
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::Server(std::shared_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() {
  error_code ignored;
  state_->acceptor.close(ignored);
  state_->pause.cancel();
  ::unlink(state_->path.c_str());
  for (const auto& connection : std::set(state_->connections)) connection->close();
}

std::size_t Server::clients() const {
  return state_->connections.size();
}

void Server::admit(const std::shared_ptr<State>& state, Socket socket) {
  if (!runs_under(state->options.user, socket)) return;
  if (state->connections.size() >= state->options.max_clients) {
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(boost::asio::buffer(to_line(error_message(
                          {ExitCode::kEnvironment, "the lab has too many clients at once", {}}))),
                      ignored);
    return;
  }
  const auto connection = std::make_shared<Connection>(state, std::move(socket));
  state->connections.insert(connection);
  connection->start(state->options.request_limit);
}

void Server::accept(const std::shared_ptr<State>& state) {
  state->acceptor.async_accept([weak = std::weak_ptr(state)](const error_code& error, Socket socket) {
    const auto now = weak.lock();
    if (!now || !now->acceptor.is_open()) return;
    if (error) {
      // Out of descriptors, most likely: the next try is for later.
      now->pause.expires_after(kAcceptPause);
      now->pause.async_wait([weak](const error_code& canceled) {
        if (const auto then = weak.lock(); then && !canceled && then->acceptor.is_open()) accept(then);
      });
      return;
    }
    admit(now, std::move(socket));
    accept(now);
  });
}

}  // namespace otasim::control
