// HTTPS on the loopback interface: connections, TLS, HTTP/1.1. What is answered is a handler's business.
//
//   auto server = HttpServer::start(io, handler, {.certificate_path = ..., .key_path = ...});
//   server->reset();   // closes every connection at once
//
// Everything runs on the io_context's thread, handlers included. TLS 1.2 and 1.3; HTTP/1.1 with keep-alive
// (1.0 if asked), pipelined requests answered in order.
//
// A request is handled in two steps, so that no body is held in memory that nobody wants:
//   1. HttpHandler::begin() sees the header. It answers at once (a wrong signature, something missing), or
//      returns an HttpExchange that takes the body. If it answers and a body follows, the body is not read:
//      the connection closes after the answer.
//   2. HttpExchange::on_body() gets the body piece by piece and may answer early; on_end() answers.
// A client that waits with `Expect: 100-continue` is told to go on only when step 1 wants its body. Bodies
// come with a Content-Length or chunked; one longer than HttpExchange::max_body_bytes() is not read.
//
// A connection that is quiet for too long, whose body takes longer than its exchange allows, that sends a
// header of more than 8 KB, or something that is not HTTP or TLS, is closed; one more than allowed is closed
// as soon as it is there. statistics() counts them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "sim/base/halt.h"
#include "sim/base/result.h"
#include "sim/rest/http_message.h"

namespace otasim::rest {

/// One request whose body is wanted. It goes when it has answered, or when the client has gone before.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;
  /// A body that is longer is answered with too_large().
  [[nodiscard]] virtual std::uint64_t max_body_bytes() const = 0;
  /// A body that is not whole by then ends the connection; nothing: only each piece has its time.
  [[nodiscard]] virtual std::optional<std::chrono::milliseconds> max_body_time() const {
    return std::nullopt;
  }
  /// The body's next bytes. @returns the answer, if the rest is not wanted
  virtual std::optional<HttpResponse> on_body(std::span<const std::uint8_t> piece) = 0;
  /// The body is whole.
  virtual HttpResponse on_end() = 0;
  virtual HttpResponse too_large() = 0;
};

/// Why a request is no request.
struct HttpRefusal {
  bool header_too_large = false;
  std::string detail;  ///< what is wrong with it
};

class HttpHandler {
 public:
  using Decision = std::variant<HttpResponse, std::unique_ptr<HttpExchange>>;

  virtual ~HttpHandler() = default;
  /// The exchange must not outlive the handler's server.
  virtual Decision begin(const HttpRequestHead& head) = 0;
  /// Words the answer to what is no HTTP; the connection closes after it. 400 is fitting.
  virtual HttpResponse refuse(const HttpRefusal& refusal) = 0;
};

/// Who may connect.
struct ClientCertificates {
  bool required = false;
  /// PEM, the authority they must come from. Empty: any certificate whose key the client has; the handler
  /// goes by its fingerprint.
  std::string authority_path = {};
};

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;             ///< 0: the system chooses
  std::string certificate_path = {};  ///< PEM, the server's certificate and its chain
  std::string key_path = {};          ///< PEM
  ClientCertificates clients = {};
  std::size_t max_connections = 256;
  /// For a handshake, a request's header, a piece to come or to be taken.
  std::chrono::milliseconds idle_timeout{30'000};
  /// What the delays of faults stand still with; may be null, outlives the server.
  const Halt* halt = nullptr;
  /// The file (sim/crypto/key_log_file.h; exists) that gets the TLS secrets of its connections; empty: none.
  std::string key_log_path = {};
};

struct HttpServerStatistics {
  std::int64_t connections = 0;        ///< accepted
  std::int64_t connections_open = 0;   ///< now
  std::int64_t refused = 0;            ///< closed because there were too many
  std::int64_t failed_handshakes = 0;  ///< no TLS, or none that we speak, or no certificate
  std::int64_t timed_out = 0;          ///< closed because they were quiet for too long
  std::int64_t malformed = 0;          ///< requests that are not HTTP, or whose header is too long
  std::int64_t requests = 0;           ///< answered, also with an error
};

class HttpServer {
 public:
  /// @param handler  must outlive the server
  /// @returns kEnvironment  the port is in use or may not be used; a certificate or key file is missing,
  ///                        damaged or does not fit
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> start(boost::asio::io_context& io,
                                                                 HttpHandler& handler,
                                                                 const HttpServerOptions& options);
  /// Closes all connections; nothing of the server runs afterwards. Not from within the handler.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  /// For what connections wait for next, not for what they are waiting for already.
  void set_idle_timeout(std::chrono::milliseconds idle_timeout);
  [[nodiscard]] HttpServerStatistics statistics() const;

 private:
  struct State;
  explicit HttpServer(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace otasim::rest
