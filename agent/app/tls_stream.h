// A byte stream over TCP and TLS 1.2 with mutual authentication: lwIP's raw API below, mbedTLS above.
//
//   TlsStream stream;
//   stream.init(credentials)                        // once
//   stream.open(address, port, "host.example")      // then service() until state() is kOpen or kFailed
//   stream.write(bytes), stream.read(buffer)        // never block
//   stream.close()                                  // always, before the next open()
//
// lwIP's callbacks only note what happened; all TLS work is done in service(), read() and write(), called
// from the application's loop, so nothing here is entered twice. The receive window opens as TLS takes bytes,
// which is what holds back a peer that sends faster than the application reads.
//
// The server's chain must end in the given root and its certificate must carry the host's name, which is also
// sent as SNI. Validity dates are not checked (the device has no calendar clock). Any failure, TLS alerts and
// a closed connection included, leads to kFailed with a reason; the stream then stays silent until close().
#pragma once

#include <lwip/tcp.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace app {

/// DER; must outlive the stream.
struct TlsCredentials {
  std::span<const std::uint8_t> root_ca;
  std::span<const std::uint8_t> certificate;
  std::span<const std::uint8_t> private_key;
};

/// Why a stream failed: words for the log, and mbedTLS's or lwIP's number.
struct TlsFailure {
  const char* what = "";
  int code = 0;
};

class TlsStream {
 public:
  enum class State { kClosed, kConnecting, kHandshaking, kOpen, kFailed };

  TlsStream() = default;
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  /// Parses the credentials. Call once. @returns false with failure() set if one of them is malformed.
  [[nodiscard]] bool init(const TlsCredentials& credentials);

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
  [[nodiscard]] const TlsFailure& failure() const { return failure_; }

 private:
  static err_t on_connected(void* self, tcp_pcb* pcb, err_t error);
  static err_t on_receive(void* self, tcp_pcb* pcb, pbuf* data, err_t error);
  static void on_error(void* self, err_t error);
  static int bio_send(void* self, const unsigned char* data, std::size_t size);
  static int bio_receive(void* self, unsigned char* out, std::size_t size);

  bool fail(const char* what, int code);
  void release_tcp(bool politely);

  mbedtls_ssl_config config_{};
  mbedtls_x509_crt root_ca_{};
  mbedtls_x509_crt certificate_{};
  mbedtls_pk_context key_{};
  mbedtls_ssl_context ssl_{};
  tcp_pcb* pcb_ = nullptr;
  pbuf* received_ = nullptr;  ///< from the peer, not yet taken by TLS
  std::size_t unfinished_write_ = 0;
  State state_ = State::kClosed;
  TlsFailure failure_;
  bool peer_closed_ = false;
};

}  // namespace app
