// One connection of the HTTPS server, from the handshake to its end.
//
// A session keeps itself alive while something is under way. It belongs to the server until close(), after
// which it touches nothing of the server's and ends by itself.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "sim/rest/http_server.h"

namespace otasim::rest {

/// What sessions share; the server's.
struct HttpSessionShare {
  HttpHandler& handler;
  std::chrono::milliseconds idle_timeout;
  const Halt* halt;  ///< may be null
  HttpServerStatistics statistics = {};
};

class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  /// @param share  used until close()
  HttpSession(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& tls, HttpSessionShare& share);

  /// Begins. `on_end` is called when the connection is over, unless close() was called.
  void start(std::function<void()> on_end);
  /// Closes the connection at once.
  void close();

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;

  /// What reading a body came to.
  struct BodyEnd {
    std::variant<boost::system::error_code, HttpResponse> outcome;
  };

  [[nodiscard]] bool closed() const { return share_ == nullptr; }
  void limit_time();
  void reset_connection();
  void remember_client_certificate();

  boost::asio::awaitable<void> run();
  boost::asio::awaitable<bool> shake_hands();
  /// Reads one request and answers it. @returns whether the connection goes on
  boost::asio::awaitable<bool> serve_request();
  boost::asio::awaitable<bool> refuse_request(boost::system::error_code why);
  /// Gives the body to the exchange. @returns its answer, or why there is none
  boost::asio::awaitable<BodyEnd> read_body(Parser& parser, HttpExchange& exchange);
  boost::asio::awaitable<boost::system::error_code> tell_to_continue();
  /// @param last  the connection ends after this answer. @returns whether it may go on
  boost::asio::awaitable<bool> send(HttpResponse answer, unsigned version, bool last);
  /// @returns why it failed, empty if it did not
  boost::asio::awaitable<std::string> transfer(const HttpResponse& answer, std::string head,
                                               std::int64_t& sent);
  /// @param due  without halts
  boost::asio::awaitable<void> wait_until(std::chrono::steady_clock::time_point due);
  /// Sends `out_`.
  boost::asio::awaitable<boost::system::error_code> write();
  boost::asio::awaitable<void> shut_down();

  [[nodiscard]] HttpRequestHead head_of(const Parser& parser) const;
  [[nodiscard]] bool append_body(const HttpResponse& answer, std::int64_t offset, std::int64_t length);

  boost::asio::ssl::stream<boost::beast::tcp_stream> stream_;
  boost::asio::steady_timer timer_;  ///< of delays, which stand still with the target
  boost::beast::flat_buffer buffer_;
  std::string peer_;
  std::string client_certificate_;
  CertificateValidity client_validity_;
  std::vector<std::uint8_t> out_;  ///< what is written next
  HttpSessionShare* share_;        ///< null once closed
};

}  // namespace otasim::rest
