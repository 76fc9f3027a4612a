// The board's Ethernet controller as an lwIP interface, with DHCP.
//
//   NetifLan lan;
//   if (!lan.start(mac)) ...          // no controller
//   for (;;) { lan.poll(); ... }      // moves frames and runs lwIP's timers
//
// The board's interrupt queues received frames; poll() takes them from there. Nothing is lost as long as the
// peers keep to TCP's window, which the queue is larger than.
#pragma once

#include <lwip/netif.h>

#include <cstdint>

#include "qemu_boards/common/board.h"

namespace app {

class NetifLan {
 public:
  /// Starts the controller, lwIP and the DHCP client. Call once. @returns false if the controller does not
  /// answer or the interface cannot be added.
  [[nodiscard]] bool start(const board::MacAddress& mac);

  /// Takes received frames and runs the timers that are due. @returns true if there was a frame.
  bool poll();

  /// @returns true once DHCP gave an address.
  [[nodiscard]] bool is_up() const;

  /// Gives the address back and asks for one anew, as after a power-on: is_up() is false until then. What was
  /// leased may have been an attacker's word.
  void renew_address();

  /// IPv4 address in network byte order; 0 before is_up().
  [[nodiscard]] std::uint32_t address() const;
  /// What DHCP told of (option 42), in network byte order; 0 for none.
  [[nodiscard]] std::uint32_t time_server() const;

  /// Frames for which there was no buffer.
  [[nodiscard]] std::uint32_t dropped() const { return dropped_; }

 private:
  netif netif_{};
  std::uint32_t dropped_ = 0;
};

}  // namespace app
