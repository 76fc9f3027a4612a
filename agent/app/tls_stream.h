// A byte stream over TCP and TLS 1.2: lwIP's raw API below, mbedTLS above. connector.h adds the name look-up.
//
//   TlsStream stream(config);                       // config.init() was called
//   stream.open(address, port, "host.example")      // then service() until state() is kOpen or kFailed
//   stream.write(bytes), stream.read(buffer)        // never block
//   stream.close()                                  // always, before the next open()
//
// lwIP's callbacks only note what happened; all TLS work is done in service(), read() and write(), called
// from the application's loop, so nothing here is entered twice. The receive window opens as TLS takes bytes,
// which is what holds back a peer that sends faster than the application reads.
//
// Whom the stream trusts stands in the TlsConfig; the host's name is checked and sent as SNI. Any failure,
// TLS alerts and a closed connection included, leads to kFailed with a reason; the stream then stays silent
// until close().
#pragma once

#include <lwip/tcp.h>
#include <mbedtls/ssl.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "agent/app/connection.h"
#include "agent/app/tls_config.h"

namespace app {

class TlsStream {
 public:
  enum class State { kClosed, kConnecting, kHandshaking, kOpen, kFailed };

  /// `config` must outlive the stream.
  explicit TlsStream(const TlsConfig& config) : config_(config) {}
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  /// Starts to connect. @returns false with failure() set if lwIP or mbedTLS has no memory for it.
  [[nodiscard]] bool open(const ip_addr_t& address, std::uint16_t port, const char* host);

  /// Drives the handshake. Call in every turn of the loop.
  void service();

  /// Takes up to `out.size()` decrypted bytes. @returns how many; 0 if there are none now, or not open.
  [[nodiscard]] std::size_t read(std::span<std::uint8_t> out);

  /// Sends from the front of `data`. @returns how many bytes were taken; after 0 the same bytes must be given
  /// again, because the record that holds them may already be under way.
  [[nodiscard]] std::size_t write(std::span<const std::uint8_t> data);

  /// Hands what is waiting to the network and acknowledges what came, without the usual delay: a peer with
  /// Nagle's algorithm would wait for it. Call at the end of a turn of the loop.
  void push();

  /// Ends the connection, politely if it is open, and frees its memory.
  void close();

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const ConnectionFailure& failure() const { return failure_; }

 private:
  static err_t on_connected(void* self, tcp_pcb* pcb, err_t error);
  static err_t on_receive(void* self, tcp_pcb* pcb, pbuf* data, err_t error);
  static void on_error(void* self, err_t error);
  static int bio_send(void* self, const unsigned char* data, std::size_t size);
  static int bio_receive(void* self, unsigned char* out, std::size_t size);

  bool fail(const char* what, int code);
  void release_tcp(bool politely);

  const TlsConfig& config_;
  mbedtls_ssl_context ssl_{};
  tcp_pcb* pcb_ = nullptr;
  pbuf* received_ = nullptr;  ///< from the peer, not yet taken by TLS
  std::size_t unfinished_write_ = 0;
  State state_ = State::kClosed;
  ConnectionFailure failure_;
  bool peer_closed_ = false;
};

}  // namespace app
