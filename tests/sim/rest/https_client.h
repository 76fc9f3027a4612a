// A TLS client for the tests of the HTTPS server, on the server's own io_context.
//
// Calls look synchronous: each runs the io_context until its own operation is over, and the server with it.
// All runs on one thread, so a test may look into the server between two calls. A call that never ends fails
// the test after kLimit.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/fields.hpp>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace otasim::rest::test {

inline constexpr auto kLimit = std::chrono::seconds(20);

/// Runs the io_context until `done`.
void run_until(boost::asio::io_context& io, const std::function<bool()>& done);

template <typename T>
T run(boost::asio::io_context& io, boost::asio::awaitable<T> operation) {
  struct Outcome {
    std::exception_ptr thrown;
    std::optional<T> value;
  };
  const auto outcome = std::make_shared<Outcome>();
  boost::asio::co_spawn(io, std::move(operation), [outcome](std::exception_ptr thrown, T value) {
    outcome->thrown = std::move(thrown);
    outcome->value = std::move(value);
  });
  run_until(io, [&] { return outcome->thrown || outcome->value; });
  if (outcome->thrown) std::rethrow_exception(outcome->thrown);
  return std::move(*outcome->value);
}

struct Response {
  boost::system::error_code error;  ///< why the response is not whole
  int status = 0;
  boost::beast::http::fields headers;
  std::string body;  ///< also what came of a body that is not whole

  [[nodiscard]] std::string header(const std::string& name) const { return std::string(headers[name]); }
};

/// A client's certificate and key, PEM files; empty for a client that has none.
struct ClientIdentity {
  std::string certificate_path = {};
  std::string key_path = {};
};

struct ClientOptions {
  std::string authority_path = {};  ///< of the CA the server must be certified by
  int tls_version = 0;              ///< TLS1_2_VERSION and so on; 0: what both know
  int receive_buffer = 0;           ///< bytes; 0: the system's
  ClientIdentity identity = {};
  std::vector<std::string> protocols = {};  ///< ALPN
};

class HttpsClient {
 public:
  /// Connects and shakes hands; error() tells how that went.
  HttpsClient(boost::asio::io_context& io, std::uint16_t port, const ClientOptions& options);

  [[nodiscard]] boost::system::error_code error() const { return error_; }
  [[nodiscard]] int tls_version() const;

  /// Sends any bytes.
  boost::system::error_code send(const std::string& bytes);
  /// Receives one response. @param head  it is a HEAD's, without a body
  Response receive(bool head = false);
  /// Receives a header and nothing behind it, as of `100 Continue`. @returns its status; 0 if none came
  int receive_status();
  Response get(const std::string& target, const std::string& headers = {});
  Response head(const std::string& target, const std::string& headers = {});
  /// Reads and drops what comes until the connection ends. @returns how it ended
  boost::system::error_code read_to_end();
  void close();

 private:
  boost::asio::awaitable<boost::system::error_code> connect(std::uint16_t port, int receive_buffer);
  boost::asio::awaitable<Response> read_response(bool head);
  boost::asio::awaitable<int> read_status();

  boost::asio::io_context& io_;
  boost::asio::ssl::context tls_;
  boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream_;
  boost::beast::flat_buffer buffer_;
  boost::system::error_code error_;
};

/// Connects without TLS, sends some bytes and reads until the server ends it. @returns how it ended
boost::system::error_code send_plain(boost::asio::io_context& io, std::uint16_t port,
                                     const std::string& bytes);

/// A request's text.
[[nodiscard]] std::string request_text(const std::string& method, const std::string& target,
                                       const std::string& headers = {});

inline constexpr const char* kServerName = "otasim.localhost";

}  // namespace otasim::rest::test
