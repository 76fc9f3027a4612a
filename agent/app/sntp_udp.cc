#include "agent/app/sntp_udp.h"

#include <array>

#include "agent/app/random.h"

namespace app::sntp {
namespace {

// RFC 6335: ports for such use.
constexpr u16_t kFirstPort = 49'152;
constexpr u16_t kPorts = 16'384;
constexpr int kMostTries = 8;  // to find one that is free

ip_addr_t address_of(std::uint32_t address) {
  ip_addr_t result{};
  ip_addr_set_ip4_u32(&result, address);
  return result;
}

}  // namespace

bool UdpTransport::start(Client& client) {
  client_ = &client;
  pcb_ = udp_new();
  if (pcb_ == nullptr) return false;
  err_t error = ERR_USE;
  for (int i = 0; i < kMostTries && error == ERR_USE; ++i) {
    error = udp_bind(pcb_, IP4_ADDR_ANY, static_cast<u16_t>(kFirstPort + random::next_u32() % kPorts));
  }
  if (error != ERR_OK) {
    udp_remove(pcb_);
    pcb_ = nullptr;
    return false;
  }
  udp_recv(pcb_, on_receive, this);
  return true;
}

bool UdpTransport::has_server() const {
  return pcb_ != nullptr && lan_.is_up() && lan_.time_server() != 0;
}

void UdpTransport::send(std::span<const std::uint8_t> datagram) {
  pbuf* const packet = pbuf_alloc(PBUF_TRANSPORT, static_cast<u16_t>(datagram.size()), PBUF_RAM);
  if (packet == nullptr) return;
  pbuf_take(packet, datagram.data(), static_cast<u16_t>(datagram.size()));
  const ip_addr_t server = address_of(lan_.time_server());
  static_cast<void>(udp_sendto(pcb_, packet, &server, kPort));
  pbuf_free(packet);
}

void UdpTransport::on_receive(void* self, udp_pcb*, pbuf* datagram, const ip_addr_t* address, u16_t port) {
  auto& transport = *static_cast<UdpTransport*>(self);
  const bool is_from_server = ip_addr_get_ip4_u32(address) == transport.lan_.time_server() && port == kPort;
  std::array<std::uint8_t, kMessageSize> bytes{};
  const u16_t count = pbuf_copy_partial(datagram, bytes.data(), kMessageSize, 0);
  pbuf_free(datagram);
  if (is_from_server) transport.client_->on_datagram({bytes.data(), count});
}

}  // namespace app::sntp
