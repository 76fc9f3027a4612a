// A TCP connection that counts what comes and throws it away: what lwIP and the network controller can do
// when nobody looks at the bytes.
#pragma once

#include <lwip/tcp.h>

#include <cstdint>

namespace bench {

class TcpSink {
 public:
  TcpSink() = default;
  TcpSink(const TcpSink&) = delete;
  TcpSink& operator=(const TcpSink&) = delete;

  /// Starts to connect. @returns false if lwIP has no memory for it
  [[nodiscard]] bool open(const ip_addr_t& address, std::uint16_t port);

  /// Acknowledges at once what came, as TlsStream::push() does. Call at the end of a turn of the loop.
  void push();
  void close();

  [[nodiscard]] std::uint32_t received() const { return received_; }
  /// The peer has closed the connection, or it broke.
  [[nodiscard]] bool is_over() const { return is_over_; }

 private:
  static err_t on_receive(void* self, tcp_pcb* pcb, pbuf* data, err_t error);
  static void on_error(void* self, err_t error);

  tcp_pcb* pcb_ = nullptr;
  std::uint32_t received_ = 0;
  bool is_over_ = false;
};

}  // namespace bench
