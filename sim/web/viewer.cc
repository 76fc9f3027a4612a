#include "sim/web/viewer.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <string_view>
#include <utility>

namespace otasim::web {
namespace {

namespace websocket = boost::beast::websocket;
using boost::system::error_code;

constexpr std::chrono::seconds kHandshakeLimit{10};

}  // namespace

Viewer::Viewer(boost::beast::tcp_stream stream, ViewerLimits limits)
    : stream_(std::move(stream)), write_timer_(stream_.get_executor()), limits_(limits) {
  boost::beast::get_lowest_layer(stream_).expires_never();  // the WebSocket has limits of its own
  stream_.set_option(websocket::stream_base::timeout{
      .handshake_timeout = kHandshakeLimit, .idle_timeout = limits.idle_limit, .keep_alive_pings = true});
  stream_.read_message_max(kMaxMessageBytes);
  stream_.text(true);
}

void Viewer::start(const Request& request, Handlers handlers) {
  handlers_ = std::move(handlers);
  const auto kept = std::make_shared<Request>(request);
  stream_.async_accept(*kept, [self = shared_from_this(), kept](const error_code& error) {
    if (self->is_over_) return;
    if (error) return self->end();
    self->is_open_ = true;
    self->read();
    if (!self->queue_.empty()) self->write();
  });
}

void Viewer::read() {
  stream_.async_read(buffer_, [self = shared_from_this()](const error_code& error, std::size_t size) {
    if (self->is_over_) return;
    if (error) return self->end();
    self->take(size);
    if (!self->is_over_) self->read();
  });
}

void Viewer::take(std::size_t size) {
  const std::string text = boost::beast::buffers_to_string(buffer_.data());
  buffer_.consume(size);
  if (is_leaving_) return;
  if (!stream_.got_text()) return refuse();
  auto message = parse_message(text);
  if (!message) return refuse();
  handlers_.on_message(std::move(*message));
}

/// Whoever says what no page of ours says is not served.
void Viewer::refuse() {
  leave(websocket::close_code::policy_error);
}

void Viewer::leave(websocket::close_code code) {
  if (is_over_ || is_leaving_) return;
  is_leaving_ = true;
  close_code_ = code;
  if (!is_open_) return end();
  if (queue_.empty()) close_in_order();
}

void Viewer::close_in_order() {
  stream_.async_close(close_code_, [self = shared_from_this()](const error_code&) { self->end(); });
}

void Viewer::send(Text message) {
  if (is_over_ || is_leaving_) return;
  // A page that does not read is not worth the memory. One long message is no offence.
  if (unread_ > limits_.max_unread_bytes) return end();
  unread_ += message->size();
  queue_.push_back(std::move(message));
  if (is_open_ && queue_.size() == 1) write();
}

void Viewer::write() {
  write_timer_.expires_after(limits_.write_limit);
  write_timer_.async_wait([weak = weak_from_this()](const error_code& error) {
    const auto self = weak.lock();
    if (self && !error && !self->is_over_) self->end();
  });
  stream_.async_write(boost::asio::buffer(*queue_.front()),
                      [self = shared_from_this()](const error_code& error, std::size_t) {
                        self->write_timer_.cancel();
                        if (self->is_over_) return;
                        if (error) return self->end();
                        self->unread_ -= self->queue_.front()->size();
                        self->queue_.pop_front();
                        if (!self->queue_.empty()) return self->write();
                        if (self->is_leaving_) return self->close_in_order();
                        if (self->handlers_.on_room) self->handlers_.on_room();
                      });
}

void Viewer::say_goodbye() {
  leave(websocket::close_code::going_away);
}

void Viewer::end() {
  if (is_over_) return;
  const auto self = shared_from_this();
  const auto on_end = std::move(handlers_.on_end);
  close();
  if (on_end) on_end();
}

void Viewer::close() {
  if (std::exchange(is_over_, true)) return;
  handlers_ = {};
  write_timer_.cancel();
  boost::beast::get_lowest_layer(stream_).close();
}

}  // namespace otasim::web
