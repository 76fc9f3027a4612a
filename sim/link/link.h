// The virtual Ethernet between a device in QEMU and the lab on the host.
//
//   auto link = Link::start({.folder = run_folder, .allowed_tcp_ports = {mqtt_port},
//                            .host_names = {"otasim.localhost"}, .events = &log});
//   start QEMU with (*link)->qemu_arguments("lan9118"); kill and restart it as often as needed
//   link->arm(faults::Loss{...}), link->clear(id) at any time: see fault.h
//   link->reset();   // stops the thread, ends the capture, removes the sockets
//
// The device gets 10.0.2.15 by DHCP; the host is 10.0.2.2, where the allowed ports lead to the same ports of
// the host's loopback interface, and which tells the time (SNTP, UDP port 123; also in DHCP's option 42);
// 10.0.2.3 resolves the lab's names to 10.0.2.2. Nothing else is reachable.
// The link runs on its own thread and survives the device: without QEMU its frames are dropped, and TCP
// flows stay half-open, as they do when a real device loses power.
//
// Events, source "link": `dhcp_ack` {address, mac} once per lease; `dns_query` {name, answered}; `sntp_query`
// {time}, the epoch seconds that were given; `blocked` {port} once per TCP port that the device tried and may
// not reach; `capture_ended` {path} if the capture file is full or cannot be written; `fault` {fault, ...}
// for each strike of an armed fault, and `fault_cleared` {fault, struck}.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/halt.h"
#include "sim/base/result.h"
#include "sim/link/ethernet.h"
#include "sim/link/fault.h"
#include "sim/link/sntp_server.h"
#include "sim/link/statistics.h"

namespace otasim::report {
class EventLog;
}

namespace otasim::link {

inline constexpr std::chrono::seconds kMaxOneWayDelay{10};

struct Config {
  std::string device{};  ///< the device's name in the events, if a lab has several
  std::string folder{};  ///< for the sockets `link.sock` and `qemu.sock`; must exist
  std::vector<std::uint16_t> allowed_tcp_ports{};         ///< of the host's loopback interface
  std::vector<std::string> host_names{};                  ///< what the lab's DNS resolves to the host
  MacAddress mac = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};  ///< the device's
  std::string pcap_path{};                                ///< captures every frame if not empty
  std::uint64_t wire_rate_bits_per_second = 100'000'000;
  std::chrono::microseconds one_way_delay{
      0};            ///< of every frame in either direction; at most kMaxOneWayDelay
  EpochClock now{};  ///< what SNTP tells, asked on the link's thread; empty: the system's time
  report::EventLog* events = nullptr;  ///< must outlive the link; may be null
  const Halt* halt = nullptr;          ///< all times stand still with it; must outlive the link; may be null
};

class LinkLoop;

class Link {
 public:
  /// @returns kEnvironment  a socket or the capture file cannot be made
  ///          kUsage        the wire rate is zero, or the delay is negative or too long
  ///          kInternal     libslirp refuses its configuration
  [[nodiscard]] static Result<std::unique_ptr<Link>> start(Config config);

  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  /// `-netdev ... -net nic,...` for a QEMU that is to hang on this link.
  [[nodiscard]] std::vector<std::string> qemu_arguments(std::string_view nic_model = "lan9118") const;

  /// Pulls the device's end of the cable: what QEMU sends is lost until plug(). What it sent before is not.
  void unplug();
  void plug();

  /// Arms a fault. Thread-safe, and does not wait: the fault is in force for every frame that the device
  /// sends, and all that the host sends, after this returns.
  /// @returns kUsage if a member's value makes no sense
  [[nodiscard]] Result<FaultId> arm(const LinkFault& fault);
  /// Ends a fault, and no other one; what it holds back goes on its way. Thread-safe, and does not wait. A
  /// fault that strikes once (link.reset), or was cleared before, is ignored.
  void clear(FaultId id);

  /// A snapshot. Thread-safe. A frame is counted before its event is heard or its answer received.
  [[nodiscard]] Statistics statistics() const;

  /// Where the link receives, and where it expects QEMU to.
  [[nodiscard]] std::string link_socket_path() const;
  [[nodiscard]] std::string qemu_socket_path() const;

 private:
  explicit Link(Config config);
  [[nodiscard]] std::string pulled_socket_path() const { return link_socket_path() + ".off"; }

  Config config_;
  std::unique_ptr<LinkLoop> loop_;
  std::atomic<std::uint64_t> last_fault_ = 0;
};

}  // namespace otasim::link
