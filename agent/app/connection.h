// A connection to a server, opened by name and closed when it is done with; nothing here blocks.
//
//   connection.open("host.example", 443)            // then, turn by turn, until state() is kOpen or kFailed
//   connection.write(bytes), connection.read(buffer)
//   connection.close()                              // always, before the next open()
//
// What speaks a protocol (MQTT, HTTP) speaks it to this; connector.h is TCP and TLS behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace app {

/// Why a connection failed: words for the log, and mbedTLS's or lwIP's number.
struct ConnectionFailure {
  const char* what = "";
  int code = 0;
};

class Connection {
 public:
  enum class State { kClosed, kOpening, kOpen, kFailed };

  virtual ~Connection() = default;

  /// Starts to connect. What goes wrong, now or later, is seen as kFailed.
  virtual void open(std::string_view host, std::uint16_t port) = 0;

  /// Takes up to `out.size()` bytes. @returns how many; 0 if there are none now, or not open.
  [[nodiscard]] virtual std::size_t read(std::span<std::uint8_t> out) = 0;

  /// Sends from the front of `data`. @returns how many bytes were taken; after 0 the same bytes must be given
  /// again.
  [[nodiscard]] virtual std::size_t write(std::span<const std::uint8_t> data) = 0;

  /// Lets go out what was written, without waiting for more.
  virtual void push() = 0;

  /// Ends the connection, politely if it is open.
  virtual void close() = 0;

  [[nodiscard]] virtual State state() const = 0;
  /// Set when state() is kFailed.
  [[nodiscard]] virtual ConnectionFailure failure() const = 0;
};

}  // namespace app
