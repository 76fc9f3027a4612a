#include "sim/device/console.h"

#include <cstdint>
#include <span>
#include <utility>

#include "sim/base/file_io.h"

namespace otasim::device {

std::shared_ptr<Console> Console::create(Socket socket, int log_fd, LineSplitter::Sink on_line) {
  std::shared_ptr<Console> console(new Console(log_fd, std::move(on_line)));
  console->serial_ =
      SerialLine::create(std::move(socket), [weak = std::weak_ptr(console)](std::string_view bytes) {
        if (const auto self = weak.lock()) self->take(bytes);
      });
  return console;
}

void Console::take(std::string_view bytes) {
  // A full disk must not stop the run: the lines also go to the event log, whose own errors are reported.
  [[maybe_unused]] const int error =
      write_all(log_fd_, std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
  lines_.feed(bytes);
}

void Console::drain() {
  const auto self = shared_from_this();  // a line's handler may drop the last other reference
  if (serial_->drain()) lines_.finish();
}

}  // namespace otasim::device
