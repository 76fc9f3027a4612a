#include "tests/bench/device/tcp_sink.h"

#include <lwip/priv/tcp_priv.h>

namespace bench {

bool TcpSink::open(const ip_addr_t& address, std::uint16_t port) {
  pcb_ = tcp_new_ip_type(IPADDR_TYPE_V4);
  if (pcb_ == nullptr) return false;
  tcp_arg(pcb_, this);
  tcp_recv(pcb_, on_receive);
  tcp_err(pcb_, on_error);
  return tcp_connect(pcb_, &address, port, [](void*, tcp_pcb*, err_t) -> err_t { return ERR_OK; }) == ERR_OK;
}

err_t TcpSink::on_receive(void* self, tcp_pcb* pcb, pbuf* data, err_t) {
  auto& sink = *static_cast<TcpSink*>(self);
  if (data == nullptr) {
    sink.is_over_ = true;
    return ERR_OK;
  }
  sink.received_ += data->tot_len;
  tcp_recved(pcb, data->tot_len);
  pbuf_free(data);
  return ERR_OK;
}

void TcpSink::on_error(void* self, err_t) {
  auto& sink = *static_cast<TcpSink*>(self);
  sink.pcb_ = nullptr;  // lwIP has freed it
  sink.is_over_ = true;
}

void TcpSink::push() {
  if (pcb_ == nullptr) return;
  if ((pcb_->flags & TF_ACK_DELAY) != 0) tcp_ack_now(pcb_);
  static_cast<void>(tcp_output(pcb_));
}

void TcpSink::close() {
  if (pcb_ == nullptr) return;
  tcp_arg(pcb_, nullptr);
  tcp_recv(pcb_, nullptr);
  tcp_err(pcb_, nullptr);
  if (tcp_close(pcb_) != ERR_OK) tcp_abort(pcb_);
  pcb_ = nullptr;
}

}  // namespace bench
