// The host's end of one of the device's UARTs: a socket, and the bytes that come out of it.
//
//   auto line = SerialLine::create(std::move(socket), on_bytes);
//   line->start();
//   line->catch_up();   // while the machine stands still: takes all it has sent so far
//   line->drain();      // after QEMU has ended: takes the rest, then closes
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <functional>
#include <memory>
#include <string_view>

namespace otasim::device {

class SerialLine : public std::enable_shared_from_this<SerialLine> {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;
  using Sink = std::function<void(std::string_view bytes)>;

  [[nodiscard]] static std::shared_ptr<SerialLine> create(Socket socket, Sink on_bytes);

  void start();

  /// Takes what the socket holds, without waiting for more. @returns false at the socket's end, which is left
  /// to QEMU's process to report
  bool catch_up();

  /// As catch_up(); then closes. @returns false if it was closed before
  bool drain();

 private:
  SerialLine(Socket socket, Sink on_bytes) : socket_(std::move(socket)), on_bytes_(std::move(on_bytes)) {}

  void wait();

  Socket socket_;
  Sink on_bytes_;
  bool closed_ = false;
};

}  // namespace otasim::device
