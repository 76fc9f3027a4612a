#include "sim/rest/alpn_port.h"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <exception>
#include <functional>
#include <vector>

#include "sim/rest/client_hello.h"
#include "sim/rest/listener.h"

namespace otasim::rest {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kResults = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kPiece = 16 * 1024;
/// Records around a ClientHello of the largest size, in the smallest pieces that any client makes.
constexpr std::size_t kMaxHelloBytes = 2 * kMaxClientHello;
/// Accepting fails when the process has no descriptor left; trying again at once would not help.
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

/// One connection that is handed through.
class Relay : public std::enable_shared_from_this<Relay> {
 public:
  Relay(tcp::socket client, std::shared_ptr<const AlpnPortOptions> options)
      : client_(std::move(client)),
        server_(client_.get_executor()),
        timer_(client_.get_executor()),
        options_(std::move(options)) {}

  void start(std::function<void()> on_end) {
    asio::co_spawn(client_.get_executor(), run(),
                   [self = shared_from_this(), on_end = std::move(on_end)](
                       const std::exception_ptr& /*thrown*/) { self->end_direction(on_end); });
  }

  /// Like close(), and nobody is told of the end.
  void abandon() {
    abandoned_ = true;
    close();
  }

  void close() {
    closed_ = true;
    timer_.cancel();
    error_code ignored;
    static_cast<void>(client_.close(ignored));
    static_cast<void>(server_.close(ignored));
  }

 private:
  asio::awaitable<void> run() {
    error_code ignored;
    static_cast<void>(client_.set_option(tcp::no_delay(true), ignored));
    timer_.expires_after(options_->hello_timeout);
    timer_.async_wait([self = weak_from_this()](error_code error) {
      if (const auto relay = self.lock(); relay && !error) relay->close();
    });
    const auto port = co_await read_hello();
    timer_.cancel();
    if (closed_ || port == 0) co_return;
    const auto [error] = co_await server_.async_connect({asio::ip::address_v4::loopback(), port}, kResults);
    if (error || closed_) co_return;
    static_cast<void>(server_.set_option(tcp::no_delay(true), ignored));
    const auto [failed, size] = co_await asio::async_write(server_, asio::buffer(hello_), kResults);
    if (failed || closed_) co_return;
    directions_ = 2;
    asio::co_spawn(
        client_.get_executor(), pass_on(server_, client_),
        [self = shared_from_this()](const std::exception_ptr& /*thrown*/) { self->end_direction({}); });
    co_await pass_on(client_, server_);
  }

  /// @returns the port it leads to; 0 if the connection is to be closed
  asio::awaitable<std::uint16_t> read_hello() {
    std::array<std::uint8_t, 4096> piece{};
    for (;;) {
      const auto [error, size] = co_await client_.async_read_some(asio::buffer(piece), kResults);
      if (error || closed_) co_return 0;
      hello_.insert(hello_.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(size));
      const auto hello = read_client_hello(hello_);
      if (!hello) co_return 0;
      if (*hello) co_return port_for(**hello);
      if (hello_.size() > kMaxHelloBytes) co_return 0;
    }
  }

  [[nodiscard]] std::uint16_t port_for(const ClientHello& hello) const {
    for (const std::string& protocol : hello.protocols) {
      const auto found = options_->protocols.find(protocol);
      if (found != options_->protocols.end()) return found->second;
    }
    return options_->otherwise;
  }

  /// Until `from` has said all; `to` is told so.
  asio::awaitable<void> pass_on(tcp::socket& from, tcp::socket& to) {
    std::vector<std::uint8_t> piece(kPiece);
    for (;;) {
      const auto [error, size] = co_await from.async_read_some(asio::buffer(piece), kResults);
      if (closed_) co_return;
      if (error == asio::error::eof) break;
      if (error) co_return close();
      const auto [failed, written] = co_await asio::async_write(to, asio::buffer(piece, size), kResults);
      if (closed_) co_return;
      if (failed) co_return close();
    }
    error_code ignored;
    static_cast<void>(to.shutdown(tcp::socket::shutdown_send, ignored));
  }

  /// The connection is over when both directions are.
  void end_direction(const std::function<void()>& on_end) {
    if (on_end) on_end_ = on_end;
    if (--directions_ > 0) return;
    close();
    if (on_end_ && !abandoned_) on_end_();
  }

 private:
  tcp::socket client_;
  tcp::socket server_;
  asio::steady_timer timer_;
  std::shared_ptr<const AlpnPortOptions> options_;
  std::vector<std::uint8_t> hello_;
  std::function<void()> on_end_;
  int directions_ = 1;
  bool closed_ = false;
  bool abandoned_ = false;
};

}  // namespace

/// Outlives the port until its last handler has run; after stop() it does nothing.
struct AlpnPort::State {
  State(asio::io_context& io, AlpnPortOptions given)
      : acceptor(io), pause(io), options(std::make_shared<const AlpnPortOptions>(std::move(given))) {}

  asio::awaitable<void> accept_connections() {
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

  void admit(tcp::socket socket) {
    if (relays.size() >= options->max_connections) return;  // the socket closes itself
    const std::uint64_t number = ++last;
    const auto relay = std::make_shared<Relay>(std::move(socket), options);
    relays.emplace(number, relay);
    relay->start([this, number] { relays.erase(number); });  // not called once it is abandoned
  }

  void stop() {
    stopped = true;
    error_code ignored;
    static_cast<void>(acceptor.close(ignored));
    pause.cancel();
    for (const auto& [number, entry] : relays) {
      if (const auto relay = entry.lock()) relay->abandon();
    }
    relays.clear();
  }

  tcp::acceptor acceptor;
  asio::steady_timer pause;
  std::shared_ptr<const AlpnPortOptions> options;
  std::map<std::uint64_t, std::weak_ptr<Relay>> relays;
  std::uint64_t last = 0;
  bool stopped = false;
};

Result<std::unique_ptr<AlpnPort>> AlpnPort::start(asio::io_context& io, AlpnPortOptions options) {
  const auto state = std::make_shared<State>(io, std::move(options));
  const AlpnPortOptions& given = *state->options;
  if (auto listening = listen_on(state->acceptor, given.address, given.port, "port for all protocols");
      !listening) {
    return tl::unexpected(listening.error());
  }
  // The handler keeps the state alive until the loop has ended, even if it has not begun yet.
  asio::co_spawn(io, state->accept_connections(), [state](const std::exception_ptr& /*thrown*/) {});
  return std::unique_ptr<AlpnPort>(new AlpnPort(state));
}

AlpnPort::AlpnPort(std::shared_ptr<State> state) : state_(std::move(state)) {}

AlpnPort::~AlpnPort() {
  state_->stop();
}

std::uint16_t AlpnPort::port() const {
  return state_->acceptor.local_endpoint().port();
}

}  // namespace otasim::rest
