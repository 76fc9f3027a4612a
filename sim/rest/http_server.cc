#include "sim/rest/http_server.h"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <map>

#include "sim/rest/http_session.h"
#include "sim/rest/listener.h"
#include "sim/rest/tls_key_log.h"

namespace otasim::rest {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// Accepting fails when the process has no descriptor left; trying again at once would not help.
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

tl::unexpected<Error> tls_error(const char* what, const std::string& path, const error_code& error) {
  return fail(ExitCode::kEnvironment,
              fmt::format("cannot use '{}' as the HTTPS server's {}: {}.", path, what, error.message()),
              "Both files must be PEM, and the key must be the certificate's and without a password.");
}

Result<void> load_identity(asio::ssl::context& tls, const HttpServerOptions& options) {
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

/// Sessions are taken up again only by those who were let in here.
constexpr unsigned char kSessionContext = 1;

Result<void> demand_client_certificates(asio::ssl::context& tls, const ClientCertificates& clients) {
  if (!clients.required) return {};
  SSL_CTX_set_session_id_context(tls.native_handle(), &kSessionContext, sizeof(kSessionContext));
  tls.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
  if (clients.authority_path.empty()) {
    tls.set_verify_callback([](bool /*preverified*/, asio::ssl::verify_context& /*chain*/) { return true; });
    return {};
  }
  error_code error;
  if (tls.load_verify_file(clients.authority_path, error)) {
    return tls_error("clients' authority", clients.authority_path, error);
  }
  return {};
}

}  // namespace

/// Outlives the server until its last handler has run; after stop() it does nothing.
struct HttpServer::State {
  State(asio::io_context& io, HttpHandler& handler, const HttpServerOptions& options)
      : tls(asio::ssl::context::tls_server),
        acceptor(io),
        pause(io),
        share{handler, options.idle_timeout, options.halt},
        max_connections(options.max_connections) {}

  asio::awaitable<void> accept_connections();
  void admit(tcp::socket socket);
  void stop();

  asio::ssl::context tls;
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  HttpSessionShare share;
  std::size_t max_connections;
  std::map<std::int64_t, std::weak_ptr<HttpSession>> sessions;
  bool stopped = false;
};

asio::awaitable<void> HttpServer::State::accept_connections() {
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

void HttpServer::State::admit(tcp::socket socket) {
  const std::int64_t number = ++share.statistics.connections;
  if (sessions.size() >= max_connections) {
    ++share.statistics.refused;
    return;  // the socket closes itself
  }
  const auto session = std::make_shared<HttpSession>(std::move(socket), tls, share);
  sessions.emplace(number, session);
  // Not called once the session is closed, and stop() closes all.
  session->start([this, number] { sessions.erase(number); });
}

void HttpServer::State::stop() {
  stopped = true;
  error_code error;
  [[maybe_unused]] const error_code ignored = acceptor.close(error);
  pause.cancel();
  for (const auto& [number, entry] : sessions) {
    if (const auto session = entry.lock()) session->close();
  }
  sessions.clear();
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(asio::io_context& io, HttpHandler& handler,
                                                      const HttpServerOptions& options) {
  const auto state = std::make_shared<State>(io, handler, options);
  if (auto loaded = load_identity(state->tls, options); !loaded) return tl::unexpected(loaded.error());
  if (auto set = demand_client_certificates(state->tls, options.clients); !set) {
    return tl::unexpected(set.error());
  }
  if (!options.key_log_path.empty()) {
    if (auto logged = log_tls_keys(state->tls.native_handle(), options.key_log_path); !logged) {
      return tl::unexpected(logged.error());
    }
  }
  if (auto listening = listen_on(state->acceptor, options.address, options.port, "HTTPS server");
      !listening) {
    return tl::unexpected(listening.error());
  }
  // The handler keeps the state alive until the loop has ended, even if it has not begun yet.
  asio::co_spawn(io, state->accept_connections(), [state](const std::exception_ptr& /*thrown*/) {});
  return std::unique_ptr<HttpServer>(new HttpServer(state));
}

HttpServer::HttpServer(std::shared_ptr<State> state) : state_(std::move(state)) {}

HttpServer::~HttpServer() {
  state_->stop();
}

std::uint16_t HttpServer::port() const {
  return state_->acceptor.local_endpoint().port();
}

void HttpServer::set_idle_timeout(std::chrono::milliseconds idle_timeout) {
  state_->share.idle_timeout = idle_timeout;
}

HttpServerStatistics HttpServer::statistics() const {
  HttpServerStatistics statistics = state_->share.statistics;
  statistics.connections_open = static_cast<std::int64_t>(state_->sessions.size());
  return statistics;
}

}  // namespace otasim::rest
