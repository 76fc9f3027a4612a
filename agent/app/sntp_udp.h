// SNTP's datagrams over lwIP: to the time server that DHCP told of, from a port that is chosen by chance.
#pragma once

#include <lwip/udp.h>

#include "agent/app/netif_lan.h"
#include "agent/app/sntp_client.h"

namespace app::sntp {

class UdpTransport final : public Transport {
 public:
  explicit UdpTransport(const NetifLan& lan) : lan_(lan) {}
  UdpTransport(const UdpTransport&) = delete;
  UdpTransport& operator=(const UdpTransport&) = delete;

  /// Starts to listen, for `client`, which must outlive this. After NetifLan::start().
  /// @returns false if lwIP has no room for it: there is no time server then
  [[nodiscard]] bool start(Client& client);

  [[nodiscard]] bool has_server() const override;
  void send(std::span<const std::uint8_t> datagram) override;

 private:
  static void on_receive(void* self, udp_pcb* pcb, pbuf* datagram, const ip_addr_t* address, u16_t port);

  const NetifLan& lan_;
  Client* client_ = nullptr;
  udp_pcb* pcb_ = nullptr;
};

}  // namespace app::sntp
