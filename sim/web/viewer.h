// One page's WebSocket: takes its messages, sends what it is given, and lets go of one that does not read.
//
// A viewer belongs to the hub until close() or its end (Handlers::on_end, called once). Everything runs on
// the io_context's thread.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "sim/web/message.h"

namespace otasim::web {

struct ViewerLimits {
  std::size_t max_unread_bytes = std::size_t{16} * 1024 * 1024;  ///< with more than that it is let go
  std::chrono::milliseconds write_limit{20'000};                 ///< for one message to be taken
  std::chrono::milliseconds idle_limit{60'000};                  ///< without an answer to a ping
};

class Viewer : public std::enable_shared_from_this<Viewer> {
 public:
  using Text = std::shared_ptr<const std::string>;
  using Request = boost::beast::http::request<boost::beast::http::string_body>;

  struct Handlers {
    std::function<void(Message message)> on_message;
    std::function<void()> on_room;  ///< all that was sent is taken
    std::function<void()> on_end;
  };

  Viewer(boost::beast::tcp_stream stream, ViewerLimits limits);

  /// Accepts the upgrade and begins.
  void start(const Request& request, Handlers handlers);
  void send(Text message);
  void send(std::string message) { send(std::make_shared<const std::string>(std::move(message))); }
  /// Bytes that were sent and are not taken yet.
  [[nodiscard]] std::size_t unread() const { return unread_; }
  /// Says why and closes when what was sent before is taken; the end comes by itself.
  void say_goodbye();
  /// Ends at once; no handler is called any more.
  void close();

  // The hub's notes on it.
  std::uint64_t number = 0;
  bool has_greeted = false;
  std::uint64_t last_event = 0;
  std::size_t open_commands = 0;
  std::string watched;

 private:
  void read();
  void take(std::size_t size);
  void write();
  void end();
  void refuse();
  void leave(boost::beast::websocket::close_code code);
  void close_in_order();

  boost::beast::websocket::stream<boost::beast::tcp_stream> stream_;
  boost::asio::steady_timer write_timer_;
  ViewerLimits limits_;
  Handlers handlers_;
  boost::beast::flat_buffer buffer_;
  std::deque<Text> queue_;
  std::size_t unread_ = 0;
  bool is_open_ = false;     ///< the upgrade is done
  bool is_leaving_ = false;  ///< when the queue is empty, a close frame goes
  boost::beast::websocket::close_code close_code_ = boost::beast::websocket::close_code::none;
  bool is_over_ = false;
};

}  // namespace otasim::web
