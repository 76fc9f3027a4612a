#include "agent/app/tls_stream.h"

#include <lwip/priv/tcp_priv.h>
#include <mbedtls/net_sockets.h>

#include <algorithm>

namespace app {
namespace {

constexpr std::size_t kMaxWrite = 2048;      // plain bytes of one record
constexpr std::size_t kRecordOverhead = 64;  // header, explicit nonce and tag, rounded up

bool would_block(int status) {
  return status == MBEDTLS_ERR_SSL_WANT_READ || status == MBEDTLS_ERR_SSL_WANT_WRITE;
}

const char* tcp_failure(err_t error) {
  if (error == ERR_RST) return "the connection was refused or reset";
  if (error == ERR_ABRT) return "the connection timed out";
  return "the TCP connection failed";
}

/// The gravest of what is wrong with the server's certificate.
const char* certificate_failure(std::uint32_t problems) {
  if ((problems & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0) {
    return "the server's certificate is not signed by the provisioned root";
  }
  if ((problems & MBEDTLS_X509_BADCERT_CN_MISMATCH) != 0) {
    return "the server's certificate is not for this host";
  }
  if ((problems & MBEDTLS_X509_BADCERT_EXPIRED) != 0) return "the server's certificate has expired";
  if ((problems & MBEDTLS_X509_BADCERT_FUTURE) != 0) return "the server's certificate is not valid yet";
  return "the server's certificate may not be used for this";
}

const char* handshake_failure(int status, std::uint32_t certificate_problems) {
  switch (status) {
    case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED:
      return certificate_failure(certificate_problems);
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
      return "the server refused the TLS handshake (is the device's certificate known to it?)";
    case MBEDTLS_ERR_SSL_CONN_EOF:
      return "the server closed the connection during the TLS handshake";
    default:
      return "the TLS handshake failed";
  }
}

}  // namespace

bool TlsStream::open(const ip_addr_t& address, std::uint16_t port, const char* host) {
  failure_ = {};
  peer_closed_ = false;
  unfinished_write_ = 0;
  mbedtls_ssl_init(&ssl_);
  int status = mbedtls_ssl_setup(&ssl_, config_.get());
  if (status == 0) status = mbedtls_ssl_set_hostname(&ssl_, host);
  if (status != 0) return fail("TLS has no memory for a connection", status);
  mbedtls_ssl_set_bio(&ssl_, this, bio_send, bio_receive, nullptr);

  pcb_ = tcp_new_ip_type(IPADDR_TYPE_V4);
  if (pcb_ == nullptr) return fail("TCP has no memory for a connection", ERR_MEM);
  tcp_arg(pcb_, this);
  tcp_recv(pcb_, on_receive);
  tcp_err(pcb_, on_error);
  tcp_nagle_disable(pcb_);
  state_ = State::kConnecting;
  const err_t error = tcp_connect(pcb_, &address, port, on_connected);
  return error == ERR_OK || fail("the TCP connection could not be started", error);
}

err_t TlsStream::on_connected(void* self, tcp_pcb*, err_t) {
  static_cast<TlsStream*>(self)->state_ = State::kHandshaking;
  return ERR_OK;
}

err_t TlsStream::on_receive(void* self, tcp_pcb*, pbuf* data, err_t) {
  auto& stream = *static_cast<TlsStream*>(self);
  if (data == nullptr) {
    stream.peer_closed_ = true;
  } else if (stream.received_ == nullptr) {
    stream.received_ = data;
  } else {
    pbuf_cat(stream.received_, data);  // bounded by the receive window
  }
  return ERR_OK;
}

void TlsStream::on_error(void* self, err_t error) {
  auto& stream = *static_cast<TlsStream*>(self);
  stream.pcb_ = nullptr;  // lwIP has freed it
  stream.fail(tcp_failure(error), error);
}

int TlsStream::bio_send(void* self, const unsigned char* data, std::size_t size) {
  auto& stream = *static_cast<TlsStream*>(self);
  if (stream.pcb_ == nullptr) return MBEDTLS_ERR_NET_CONN_RESET;
  const auto count = static_cast<u16_t>(std::min<std::size_t>(size, tcp_sndbuf(stream.pcb_)));
  if (count == 0) return MBEDTLS_ERR_SSL_WANT_WRITE;
  const err_t error = tcp_write(stream.pcb_, data, count, TCP_WRITE_FLAG_COPY);
  if (error == ERR_MEM) return MBEDTLS_ERR_SSL_WANT_WRITE;
  if (error != ERR_OK) return MBEDTLS_ERR_NET_SEND_FAILED;
  return count;
}

int TlsStream::bio_receive(void* self, unsigned char* out, std::size_t size) {
  auto& stream = *static_cast<TlsStream*>(self);
  if (stream.received_ == nullptr) return stream.peer_closed_ ? 0 : MBEDTLS_ERR_SSL_WANT_READ;
  const auto wanted = static_cast<u16_t>(std::min<std::size_t>(size, stream.received_->tot_len));
  const u16_t count = pbuf_copy_partial(stream.received_, out, wanted, 0);
  stream.received_ = pbuf_free_header(stream.received_, count);
  if (stream.pcb_ != nullptr) tcp_recved(stream.pcb_, count);
  return count;
}

void TlsStream::service() {
  if (state_ != State::kHandshaking) return;
  const int status = mbedtls_ssl_handshake(&ssl_);
  if (status == 0) {
    state_ = State::kOpen;
  } else if (!would_block(status)) {
    fail(handshake_failure(status, mbedtls_ssl_get_verify_result(&ssl_)), status);
  }
}

std::size_t TlsStream::read(std::span<std::uint8_t> out) {
  if (state_ != State::kOpen || out.empty()) return 0;
  const int status = mbedtls_ssl_read(&ssl_, out.data(), out.size());
  if (status > 0) return static_cast<std::size_t>(status);
  if (would_block(status)) return 0;
  if (status == 0 || status == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY || status == MBEDTLS_ERR_SSL_CONN_EOF) {
    fail("the server closed the connection", status);
  } else {
    fail("the TLS connection broke", status);
  }
  return 0;
}

std::size_t TlsStream::write(std::span<const std::uint8_t> data) {
  if (state_ != State::kOpen || data.empty()) return 0;
  std::size_t length = unfinished_write_;
  if (length == 0) {
    length = std::min(data.size(), kMaxWrite);
    if (tcp_sndbuf(pcb_) < length + kRecordOverhead) return 0;
  }
  const int status = mbedtls_ssl_write(&ssl_, data.data(), length);
  if (status >= 0) {
    unfinished_write_ = 0;
    return static_cast<std::size_t>(status);
  }
  if (would_block(status)) {
    unfinished_write_ = length;
  } else {
    fail("the TLS connection broke while sending", status);
  }
  return 0;
}

void TlsStream::push() {
  if (pcb_ == nullptr) return;
  if ((pcb_->flags & TF_ACK_DELAY) != 0) tcp_ack_now(pcb_);
  static_cast<void>(tcp_output(pcb_));  // what does not go out now is sent by lwIP's timers
}

void TlsStream::close() {
  if (state_ == State::kClosed) return;
  const bool politely = state_ == State::kOpen;
  if (politely) static_cast<void>(mbedtls_ssl_close_notify(&ssl_));
  release_tcp(politely);
  if (received_ != nullptr) pbuf_free(received_);
  received_ = nullptr;
  mbedtls_ssl_free(&ssl_);
  state_ = State::kClosed;
}

void TlsStream::release_tcp(bool politely) {
  if (pcb_ == nullptr) return;
  tcp_arg(pcb_, nullptr);
  tcp_recv(pcb_, nullptr);
  tcp_err(pcb_, nullptr);
  if (!politely || tcp_close(pcb_) != ERR_OK) tcp_abort(pcb_);
  pcb_ = nullptr;
}

bool TlsStream::fail(const char* what, int code) {
  state_ = State::kFailed;
  failure_ = {what, code};
  return false;
}

}  // namespace app
