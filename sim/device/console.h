// The host's end of the device's UART: the raw bytes to a file, the lines to a handler.
//
//   auto console = Console::create(std::move(socket), log_fd, on_line);
//   console->start();
//   console->catch_up();   // while the machine stands still: takes all it has sent so far
//   console->drain();      // after QEMU has ended: takes the rest, then closes
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "sim/device/line_splitter.h"

namespace otasim::device {

class Console : public std::enable_shared_from_this<Console> {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;

  /// @param log_fd  takes the raw bytes; stays the caller's and must outlive the console's last byte
  [[nodiscard]] static std::shared_ptr<Console> create(Socket socket, int log_fd, LineSplitter::Sink on_line);

  void start();

  /// Takes what the socket holds, without waiting for more. @returns false at the socket's end, which is left
  /// to QEMU's process to report
  bool catch_up();

  /// As catch_up(); then hands on an unfinished last line and closes.
  void drain();

 private:
  Console(Socket socket, int log_fd, LineSplitter::Sink on_line)
      : socket_(std::move(socket)), log_fd_(log_fd), lines_(std::move(on_line)) {}

  void wait();
  void take(std::string_view bytes);

  Socket socket_;
  int log_fd_;
  LineSplitter lines_;
  bool closed_ = false;
};

}  // namespace otasim::device
