// One side of GDB's remote serial protocol: packets, acknowledgements and interrupts on a byte stream.
//
//   auto stream = PacketStream::create(std::move(socket), {.on_packet = ..., .on_interrupt = ..., .on_close =
//   ...}); stream->start(); stream->send("OK"); stream->interrupt(); stream->close();          // no handler
//   is called after this
//
// Bytes come in any pieces. A packet whose sum is wrong is asked for again; one that is too long, or has a
// sum that is no number, ends the connection, as its end does, and as a peer does that does not read what it
// is sent: on_close is called once, and never from within send().
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sim/device/gdb_packet.h"

namespace otasim::debug {

/// What waits for a peer to read it.
inline constexpr std::size_t kMaxUnreadBytes = std::size_t{4} * 1024 * 1024;

/// Cuts what a peer sends.
class PacketReader {
 public:
  enum class Kind { kPacket, kInterrupt, kResend, kBadSum };
  struct Item {
    Kind kind;
    std::string content = {};
  };

  void feed(std::string_view bytes) { bytes_ += bytes; }
  /// @returns nothing until more is fed
  [[nodiscard]] std::optional<Item> next();
  /// The peer sends what is no such stream.
  [[nodiscard]] bool is_broken() const { return is_broken_ || bytes_.size() > device::kMaxGdbPacketBytes; }

 private:
  [[nodiscard]] std::optional<Item> take_packet();

  std::string bytes_;
  bool is_broken_ = false;
};

class PacketStream : public std::enable_shared_from_this<PacketStream> {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;

  struct Handlers {
    std::function<void(const std::string& content)> on_packet;
    std::function<void()> on_interrupt = [] {};
    std::function<void()> on_close;
  };

  [[nodiscard]] static std::shared_ptr<PacketStream> create(Socket socket, Handlers handlers);

  void start() { read(); }
  void send(std::string_view content);
  void interrupt() { write("\x03"); }
  /// Drops what has not been sent.
  void close();

 private:
  PacketStream(Socket socket, Handlers handlers)
      : socket_(std::move(socket)), handlers_(std::move(handlers)) {}

  void read();
  void take_all();
  void take(const PacketReader::Item& item);
  void write(std::string bytes);
  void write_next();
  void end();

  Socket socket_;
  Handlers handlers_;
  PacketReader reader_;
  std::string input_ = std::string(4096, '\0');
  std::deque<std::string> output_;
  std::size_t output_bytes_ = 0;
  std::string last_packet_;  ///< to be sent again if it is asked for
  bool is_closed_ = false;
};

}  // namespace otasim::debug
