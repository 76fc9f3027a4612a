#include "sim/cloud/object_server.h"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <map>

#include "sim/cloud/object_session.h"

namespace otasim::cloud {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// Accepting fails when the process has no descriptor left; trying again at once would not help.
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

tl::unexpected<Error> port_error(std::uint16_t port, const error_code& error) {
  constexpr const char* kHint = "Give the object server another port, or 0 to let the system choose.";
  if (error == asio::error::address_in_use) {
    return fail(ExitCode::kEnvironment, fmt::format("port {} is already in use by another process.", port),
                kHint);
  }
  return fail(ExitCode::kEnvironment,
              fmt::format("cannot use port {} on 127.0.0.1: {}.", port, error.message()), kHint);
}

tl::unexpected<Error> tls_error(const char* what, const std::string& path, const error_code& error) {
  return fail(ExitCode::kEnvironment,
              fmt::format("cannot use '{}' as the object server's {}: {}.", path, what, error.message()),
              "Both files must be PEM, and the key must be the certificate's and without a password.");
}

Result<void> load_identity(asio::ssl::context& tls, const ObjectServerOptions& options) {
  tls.set_options(asio::ssl::context::no_sslv2 | asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                  asio::ssl::context::no_tlsv1_1);
  // A key with a password is an error, not a question on the terminal.
  tls.set_password_callback([](std::size_t, asio::ssl::context::password_purpose) { return std::string(); });
  error_code error;
  if (tls.use_certificate_chain_file(options.certificate_path, error)) {
    return tls_error("certificate", options.certificate_path, error);
  }
  if (tls.use_private_key_file(options.key_path, asio::ssl::context::pem, error)) {
    return tls_error("key", options.key_path, error);
  }
  return {};
}

Result<void> listen(tcp::acceptor& acceptor, std::uint16_t port) {
  const tcp::endpoint address(asio::ip::address_v4::loopback(), port);
  error_code error;
  if (acceptor.open(address.protocol(), error) ||
      acceptor.set_option(tcp::acceptor::reuse_address(true), error) || acceptor.bind(address, error) ||
      acceptor.listen(asio::socket_base::max_listen_connections, error)) {
    return port_error(port, error);
  }
  return {};
}

}  // namespace

/// Outlives the server until its last handler has run; after stop() it does nothing.
struct ObjectServer::State {
  State(asio::io_context& io, ObjectService to_share, std::size_t connections_allowed)
      : tls(asio::ssl::context::tls_server),
        acceptor(io),
        pause(io),
        service(std::move(to_share)),
        max_connections(connections_allowed) {}

  asio::awaitable<void> accept_connections();
  void admit(tcp::socket socket);
  void stop();

  asio::ssl::context tls;
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  ObjectService service;
  std::size_t max_connections;
  std::map<std::int64_t, std::weak_ptr<ObjectSession>> sessions;
  bool stopped = false;
};

asio::awaitable<void> ObjectServer::State::accept_connections() {
  constexpr auto kResults = asio::as_tuple(asio::use_awaitable);
  while (!stopped) {
    auto [error, socket] = co_await acceptor.async_accept(kResults);
    if (stopped) co_return;
    if (!error) {
      admit(std::move(socket));
      continue;
    }
    pause.expires_after(kAcceptPause);
    co_await pause.async_wait(kResults);
  }
}

void ObjectServer::State::admit(tcp::socket socket) {
  const std::int64_t number = ++service.statistics.connections;
  if (sessions.size() >= max_connections) {
    ++service.statistics.refused;
    return;  // the socket closes itself
  }
  const auto session = std::make_shared<ObjectSession>(std::move(socket), tls, service);
  sessions.emplace(number, session);
  // Not called once the session is closed, and stop() closes all.
  session->start([this, number] { sessions.erase(number); });
}

void ObjectServer::State::stop() {
  stopped = true;
  error_code error;
  [[maybe_unused]] const error_code ignored = acceptor.close(error);
  pause.cancel();
  for (const auto& [number, entry] : sessions) {
    if (const auto session = entry.lock()) session->close();
  }
  sessions.clear();
}

Result<std::unique_ptr<ObjectServer>> ObjectServer::start(asio::io_context& io, ObjectStore& objects,
                                                          const UrlPresigner& presigner, const Clock& clock,
                                                          report::EventLog& log,
                                                          const ObjectServerOptions& options) {
  const auto state = std::make_shared<State>(
      io, ObjectService{objects, presigner, clock, log, options.idle_timeout, options.uuid},
      options.max_connections);
  if (auto loaded = load_identity(state->tls, options); !loaded) return tl::unexpected(loaded.error());
  if (auto listening = listen(state->acceptor, options.port); !listening) {
    return tl::unexpected(listening.error());
  }
  // The handler keeps the state alive until the loop has ended, even if it has not begun yet.
  asio::co_spawn(io, state->accept_connections(), [state](const std::exception_ptr& /*thrown*/) {});
  return std::unique_ptr<ObjectServer>(new ObjectServer(state));
}

ObjectServer::ObjectServer(std::shared_ptr<State> state) : state_(std::move(state)) {}

ObjectServer::~ObjectServer() {
  state_->stop();
}

std::uint16_t ObjectServer::port() const {
  return state_->acceptor.local_endpoint().port();
}

void ObjectServer::set_fault_handler(ObjectFaultHandler handler) {
  state_->service.faults = std::move(handler);
}

void ObjectServer::set_idle_timeout(std::chrono::milliseconds idle_timeout) {
  state_->service.idle_timeout = idle_timeout;
}

ObjectServerStatistics ObjectServer::statistics() const {
  ObjectServerStatistics statistics = state_->service.statistics;
  statistics.connections_open = static_cast<std::int64_t>(state_->sessions.size());
  return statistics;
}

}  // namespace otasim::cloud
