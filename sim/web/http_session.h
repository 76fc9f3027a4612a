// One connection of the page's server: requests are judged by their heads (gate.h) and answered, until one
// becomes a WebSocket or the connection is quiet for too long.
//
// A session keeps itself alive while something is under way. It belongs to the server until close().
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <chrono>
#include <functional>
#include <memory>

#include "sim/web/gate.h"
#include "sim/web/viewer.h"

namespace otasim::web {

struct HttpSessionParts {
  const Gate& gate;
  std::uint16_t port;
  std::chrono::milliseconds idle_limit;  ///< for a head to come, for an answer to be taken
  std::function<bool()> has_room;        ///< for one page more
  /// Takes a connection whose request is an upgrade that may be granted, when there is room.
  std::function<void(boost::beast::tcp_stream stream, const Viewer::Request& request)> upgrade;
};

class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  /// @param parts  used until close()
  HttpSession(boost::beast::tcp_stream stream, const HttpSessionParts& parts);

  /// `on_end` is called when it is over, also when it has become a WebSocket; not after close().
  void start(std::function<void()> on_end);
  void close();

 private:
  struct Answer {
    int status = 200;
    rest::HeaderFields headers = {};
    std::string body = {};
  };

  boost::asio::awaitable<void> run();
  /// @returns whether the connection goes on
  boost::asio::awaitable<bool> serve_request();
  boost::asio::awaitable<bool> send(Answer answer, bool last);
  [[nodiscard]] Answer answer_to(const rest::HttpRequestHead& head, Verdict verdict) const;
  [[nodiscard]] static Answer refuse(int status, std::string_view text, std::string_view hint);

  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
  const HttpSessionParts* parts_;  ///< null once closed
  bool is_handed_over_ = false;    ///< the stream is a WebSocket's now
};

}  // namespace otasim::web
