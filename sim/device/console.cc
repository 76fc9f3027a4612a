#include "sim/device/console.h"

#include <boost/asio/buffer.hpp>
#include <cstdint>
#include <span>
#include <utility>

#include "sim/base/file_io.h"

namespace otasim::device {

std::shared_ptr<Console> Console::create(Socket socket, int log_fd, LineSplitter::Sink on_line) {
  return std::shared_ptr<Console>(new Console(std::move(socket), log_fd, std::move(on_line)));
}

void Console::start() {
  read();
}

void Console::read() {
  socket_.async_read_some(
      boost::asio::buffer(input_),
      [self = shared_from_this()](const boost::system::error_code& error, std::size_t count) {
        if (error || self->closed_) return;  // QEMU's end is reported by its process, not by its console
        self->take(std::string_view(self->input_).substr(0, count));
        if (!self->closed_) self->read();
      });
}

void Console::take(std::string_view bytes) {
  // A full disk must not stop the run: the lines also go to the event log, whose own errors are reported.
  [[maybe_unused]] const int error =
      write_all(log_fd_, std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
  lines_.feed(bytes);
}

void Console::catch_up() {
  boost::system::error_code error;
  socket_.non_blocking(true, error);
  std::string bytes(4096, '\0');  // not input_, which the caller may be in the middle of
  while (!error) {
    const std::size_t count = socket_.read_some(boost::asio::buffer(bytes), error);
    if (!error) take(std::string_view(bytes).substr(0, count));
  }
}

void Console::drain() {
  if (closed_) return;
  const auto self = shared_from_this();  // a line's handler may drop the last other reference
  closed_ = true;
  catch_up();
  lines_.finish();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace otasim::device
