// The console, which is the device's first UART: the raw bytes to a file, the lines to a handler.
//
//   auto console = Console::create(std::move(socket), log_fd, on_line);
//   console->start();
//   console->catch_up();   // while the machine stands still: takes all it has sent so far
//   console->drain();      // after QEMU has ended: takes the rest, then closes
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "sim/device/line_splitter.h"
#include "sim/device/serial_line.h"

namespace otasim::device {

class Console : public std::enable_shared_from_this<Console> {
 public:
  using Socket = SerialLine::Socket;

  /// @param log_fd  takes the raw bytes; stays the caller's and must outlive the console's last byte
  [[nodiscard]] static std::shared_ptr<Console> create(Socket socket, int log_fd, LineSplitter::Sink on_line);

  void start() { serial_->start(); }

  /// Takes what the socket holds, without waiting for more.
  void catch_up() { (void)serial_->catch_up(); }

  /// As catch_up(); then hands on an unfinished last line and closes.
  void drain();

 private:
  Console(int log_fd, LineSplitter::Sink on_line) : log_fd_(log_fd), lines_(std::move(on_line)) {}

  void take(std::string_view bytes);

  std::shared_ptr<SerialLine> serial_;
  int log_fd_;
  LineSplitter lines_;
};

}  // namespace otasim::device
