#include "sim/device/serial_line.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <string>
#include <utility>

namespace otasim::device {

std::shared_ptr<SerialLine> SerialLine::create(Socket socket, Sink on_bytes) {
  return std::shared_ptr<SerialLine>(new SerialLine(std::move(socket), std::move(on_bytes)));
}

void SerialLine::start() {
  wait();
}

// Bytes are only ever taken by catch_up(), so that no read in flight can put them out of order.
void SerialLine::wait() {
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
    if (error || self->closed_) return;
    if (self->catch_up() && !self->closed_) self->wait();
  });
}

bool SerialLine::catch_up() {
  boost::system::error_code error;
  socket_.non_blocking(true, error);
  std::string bytes(4096, '\0');
  while (!error) {
    const std::size_t count = socket_.read_some(boost::asio::buffer(bytes), error);
    if (!error) on_bytes_(std::string_view(bytes).substr(0, count));
  }
  return error == boost::asio::error::would_block;
}

bool SerialLine::drain() {
  if (closed_) return false;
  const auto self = shared_from_this();  // a handler may drop the last other reference
  closed_ = true;
  (void)catch_up();
  boost::system::error_code ignored;
  socket_.close(ignored);
  return true;
}

}  // namespace otasim::device
