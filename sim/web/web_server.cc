#include "sim/web/web_server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <map>
#include <optional>
#include <utility>

#include "sim/rest/listener.h"
#include "sim/web/http_session.h"

namespace otasim::web {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr const char* kAddress = "127.0.0.1";
/// Accepting fails when the process has no descriptor left; trying again at once would not help.
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

}  // namespace

/// Outlives the server until its last handler has run; after stop() it does nothing.
struct WebServer::State {
  State(asio::io_context& context, const WebOptions& limits)
      : options(limits), acceptor(context), pause(context) {}

  asio::awaitable<void> accept_connections();
  void admit(tcp::socket socket);
  void upgrade(boost::beast::tcp_stream stream, const Viewer::Request& request);
  void stop();

  WebOptions options;
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  std::unique_ptr<Gate> gate;
  std::unique_ptr<Hub> hub;
  std::unique_ptr<HttpSessionParts> parts;
  std::uint64_t last_session = 0;
  std::map<std::uint64_t, std::weak_ptr<HttpSession>> sessions;
  bool is_stopped = false;
};

asio::awaitable<void> WebServer::State::accept_connections() {
  constexpr auto kResults = asio::as_tuple(asio::use_awaitable);
  while (!is_stopped) {
    auto [error, socket] = co_await acceptor.async_accept(kResults);
    if (is_stopped) co_return;
    if (!error) {
      admit(std::move(socket));
      continue;
    }
    pause.expires_after(kAcceptPause);
    co_await pause.async_wait(kResults);
  }
}

void WebServer::State::admit(tcp::socket socket) {
  if (sessions.size() + hub->viewers() >= options.max_connections) return;  // the socket closes itself
  const std::uint64_t number = ++last_session;
  error_code ignored;  // a connection that is gone already ends with its first read
  socket.set_option(tcp::no_delay(true), ignored);
  const auto session = std::make_shared<HttpSession>(boost::beast::tcp_stream(std::move(socket)), *parts);
  sessions.emplace(number, session);
  session->start([this, number] { sessions.erase(number); });
}

void WebServer::State::upgrade(boost::beast::tcp_stream stream, const Viewer::Request& request) {
  hub->admit(std::make_shared<Viewer>(std::move(stream), options.viewer), request);
}

void WebServer::State::stop() {
  is_stopped = true;
  error_code ignored;
  acceptor.close(ignored);
  pause.cancel();
  for (const auto& [number, entry] : std::exchange(sessions, {})) {
    if (const auto session = entry.lock()) session->close();
  }
}

Result<std::unique_ptr<WebServer>> WebServer::start(asio::io_context& io, EventFeed& feed,
                                                    const control::CommandTable& commands, HubParts parts,
                                                    const WebOptions& options) {
  const auto state = std::make_shared<State>(io, options);
  if (auto listening = rest::listen_on(state->acceptor, kAddress, options.port, "web page"); !listening)
    return tl::unexpected(listening.error());
  const std::uint16_t port = state->acceptor.local_endpoint().port();
  state->gate = std::make_unique<Gate>(port);
  state->hub = std::make_unique<Hub>(io, feed, commands, std::move(parts));
  state->parts = std::make_unique<HttpSessionParts>(
      HttpSessionParts{*state->gate, port, options.idle_limit,
                       [raw = state.get()] { return raw->hub->viewers() < raw->options.max_viewers; },
                       [raw = state.get()](boost::beast::tcp_stream stream, const Viewer::Request& request) {
                         raw->upgrade(std::move(stream), request);
                       }});
  asio::co_spawn(io, state->accept_connections(), [state](const std::exception_ptr& /*thrown*/) {});
  return std::unique_ptr<WebServer>(new WebServer(state));
}

WebServer::WebServer(std::shared_ptr<State> state) : state_(std::move(state)) {}

WebServer::~WebServer() {
  state_->stop();
  state_->hub.reset();
}

std::string WebServer::way_in() const {
  return state_->gate->way_in();
}

std::string WebServer::address() const {
  return state_->gate->address();
}

std::size_t WebServer::connections() const {
  return state_->sessions.size() + state_->hub->viewers();
}

void WebServer::look_again() {
  state_->hub->look_again();
}

void WebServer::end(std::function<void()> done) {
  state_->stop();
  state_->hub->end(std::move(done));
}

}  // namespace otasim::web
