#include "sim/device/console.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <cstdint>
#include <span>
#include <utility>

#include "sim/base/file_io.h"

namespace otasim::device {

std::shared_ptr<Console> Console::create(Socket socket, int log_fd, LineSplitter::Sink on_line) {
  return std::shared_ptr<Console>(new Console(std::move(socket), log_fd, std::move(on_line)));
}

void Console::start() {
  wait();
}

// Bytes are only ever taken by catch_up(), so that no read in flight can put them out of order.
void Console::wait() {
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
    if (error || self->closed_) return;
    if (self->catch_up() && !self->closed_) self->wait();
  });
}

void Console::take(std::string_view bytes) {
  // A full disk must not stop the run: the lines also go to the event log, whose own errors are reported.
  [[maybe_unused]] const int error =
      write_all(log_fd_, std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
  lines_.feed(bytes);
}

bool Console::catch_up() {
  boost::system::error_code error;
  socket_.non_blocking(true, error);
  std::string bytes(4096, '\0');
  while (!error) {
    const std::size_t count = socket_.read_some(boost::asio::buffer(bytes), error);
    if (!error) take(std::string_view(bytes).substr(0, count));
  }
  return error == boost::asio::error::would_block;
}

void Console::drain() {
  if (closed_) return;
  const auto self = shared_from_this();  // a line's handler may drop the last other reference
  closed_ = true;
  (void)catch_up();
  lines_.finish();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace otasim::device
