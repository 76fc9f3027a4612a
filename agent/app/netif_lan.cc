#include "agent/app/netif_lan.h"

#include <lwip/dhcp.h>
#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>
#include <netif/ethernet.h>

#include <algorithm>
#include <array>
#include <span>

namespace app {
namespace {

constexpr std::size_t kMinFrameSize = 60;  // without the frame check sequence
constexpr int kMaxFramesPerPoll = 16;      // then timers get their turn
constexpr int kMaxSendTries = 1000;
constexpr u16_t kMtu = 1500;

alignas(4) std::array<std::uint8_t, board::kMaxFrameSize> transmit_frame;
alignas(4) std::array<std::uint8_t, board::kMaxFrameSize> receive_frame;

/// More than a full TCP window: what a peer may send while TLS decrypts a record.
constexpr std::size_t kQueuedFrames = 64;
static_assert(kQueuedFrames * TCP_MSS > TCP_WND);
std::array<board::ReceivedFrame, kQueuedFrames> received_frames;

/// lwIP tells of it without saying which interface is meant: there is one.
std::uint32_t dhcp_time_server = 0;

err_t send_frame(netif*, pbuf* packet) {
  if (packet->tot_len > transmit_frame.size()) return ERR_BUF;
  std::size_t length = pbuf_copy_partial(packet, transmit_frame.data(), packet->tot_len, 0);
  if (length < kMinFrameSize) {
    std::fill(transmit_frame.begin() + static_cast<std::ptrdiff_t>(length),
              transmit_frame.begin() + kMinFrameSize, std::uint8_t{0});
    length = kMinFrameSize;
  }
  for (int i = 0; i < kMaxSendTries; ++i) {
    if (board::nic_send({transmit_frame.data(), length})) return ERR_OK;
  }
  return ERR_IF;
}

err_t init_interface(netif* interface) {
  const auto& mac = *static_cast<const board::MacAddress*>(interface->state);
  interface->name[0] = 'e';
  interface->name[1] = 'n';
  interface->mtu = kMtu;
  interface->hwaddr_len = static_cast<u8_t>(mac.size());
  std::copy(mac.begin(), mac.end(), interface->hwaddr);
  interface->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
  interface->output = etharp_output;
  interface->linkoutput = send_frame;
  return ERR_OK;
}

}  // namespace

bool NetifLan::start(const board::MacAddress& mac) {
  if (!board::nic_init(mac, received_frames)) return false;
  lwip_init();
  board::MacAddress address = mac;
  if (netif_add_noaddr(&netif_, &address, init_interface, ethernet_input) == nullptr) return false;
  netif_.state = nullptr;
  netif_set_default(&netif_);
  netif_set_up(&netif_);
  return dhcp_start(&netif_) == ERR_OK;
}

bool NetifLan::poll() {
  bool moved = false;
  for (int i = 0; i < kMaxFramesPerPoll; ++i) {
    const std::size_t length = board::nic_receive(receive_frame);
    if (length == 0) break;
    moved = true;
    pbuf* packet = pbuf_alloc(PBUF_RAW, static_cast<u16_t>(length), PBUF_POOL);
    if (packet == nullptr) {  // the pool is empty: the frame is lost, as on a full wire
      ++dropped_;
      break;
    }
    pbuf_take(packet, receive_frame.data(), static_cast<u16_t>(length));
    if (netif_.input(packet, &netif_) != ERR_OK) pbuf_free(packet);
  }
  sys_check_timeouts();
  return moved;
}

void NetifLan::renew_address() {
  dhcp_release_and_stop(&netif_);
  static_cast<void>(
      dhcp_start(&netif_));  // it can fail for want of memory only, which it has from the first time
}

bool NetifLan::is_up() const {
  return dhcp_supplied_address(&netif_) != 0;
}

std::uint32_t NetifLan::address() const {
  return ip4_addr_get_u32(netif_ip4_addr(&netif_));
}

std::uint32_t NetifLan::time_server() const {
  return dhcp_time_server;
}

}  // namespace app

/// lwIP, at each lease.
extern "C" void dhcp_set_ntp_servers(u8_t count, const ip4_addr_t* servers) {
  app::dhcp_time_server = count == 0 ? 0 : ip4_addr_get_u32(servers);
}
