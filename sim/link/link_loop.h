// The link's thread: one poll loop around the sockets to QEMU, the frame filter, the link's own servers,
// libslirp and the pacer.
//
// Everything but statistics(), arm() and clear() happens on that thread; nothing on it waits but the poll
// itself. Faults are armed and cleared by orders, which it carries out before the next frame. Every queue
// and every round of work is bounded, so that a device that floods the link cannot stop it from ending.
#pragma once

#include <poll.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <variant>
#include <vector>

#include "sim/base/result.h"
#include "sim/base/unique_fd.h"
#include "sim/link/delay_line.h"
#include "sim/link/device_socket.h"
#include "sim/link/dhcp_server.h"
#include "sim/link/dns_server.h"
#include "sim/link/fault.h"
#include "sim/link/fifo_guard.h"
#include "sim/link/flow_table.h"
#include "sim/link/frame_faults.h"
#include "sim/link/frame_filter.h"
#include "sim/link/link.h"
#include "sim/link/nat.h"
#include "sim/link/pacer.h"
#include "sim/link/pcap_writer.h"
#include "sim/link/service_faults.h"
#include "sim/link/sntp_server.h"
#include "sim/link/statistics.h"
#include "sim/report/event_log.h"

namespace otasim::link {

class LinkLoop {
 public:
  /// Frames for the device that may wait: for the wire, and for a QEMU that does not read.
  static constexpr std::size_t kMaxQueuedFrames = 1024;
  /// Frames on their way in one direction of a wire with delay; new ones are dropped then.
  static constexpr std::size_t kMaxDelayedFrames = 8192;
  /// What may arrive at the device at once.
  static constexpr std::size_t kBurstBytes = 8 * 1024;
  /// What the LAN9118's receive FIFO holds.
  static constexpr std::size_t kFifoBytes = 10'560;
  /// Frames from the device handled before the other descriptors get their turn.
  static constexpr int kMaxFramesPerRound = 64;
  /// TCP connections of the device, half-open ones of earlier power cuts included.
  static constexpr std::size_t kMaxFlows = 256;
  /// A device that asks for names, or the time, in a loop does not fill the event log.
  static constexpr std::uint32_t kMaxQueryEvents = 10'000;

  [[nodiscard]] static Result<std::unique_ptr<LinkLoop>> start(const Config& config, DeviceSocket socket);
  /// Stops the thread.
  ~LinkLoop();
  LinkLoop(const LinkLoop&) = delete;
  LinkLoop& operator=(const LinkLoop&) = delete;

  [[nodiscard]] Statistics statistics() const;

  void arm(FaultId id, const LinkFault& fault);
  void clear(FaultId id);

 private:
  struct ArmOrder {
    FaultId id;
    LinkFault fault;
  };
  using Order = std::variant<ArmOrder, FaultId>;  // the latter: clear it

  using Clock = Pacer::Clock;
  using Frame = std::vector<std::uint8_t>;

  LinkLoop(const Config& config, DeviceSocket socket, UniqueFd wake);
  /// The clock of all that is timed here.
  [[nodiscard]] Clock::time_point current_time() const { return now_without_halts(halt_); }
  void run();
  void poll_once();
  [[nodiscard]] std::chrono::nanoseconds add_own_fds();

  void give(Order order);
  void carry_out_orders();
  void carry_out(const ArmOrder& order);
  void carry_out(FaultId to_clear);
  void reset_flows(const faults::Reset& fault);

  void receive_frames();
  void handle_frame(Bytes frame);
  void leave_device(Bytes frame);
  void pass_on(Bytes frame);
  void handle_nat(const Verdict& verdict, Bytes frame);
  void handle_dhcp(const Datagram& datagram);
  void handle_dns(const Datagram& datagram);
  void handle_sntp(const Datagram& datagram);
  [[nodiscard]] ServiceStrikes strike_dhcp(Bytes request, const std::optional<DhcpReply>& reply);
  [[nodiscard]] ServiceStrikes strike_dns(const DnsReply& reply);
  void send_forged(const faults::DhcpForged& forged, Bytes request);
  void answer(const Datagram& datagram, std::uint16_t port, Bytes payload, const ServiceStrikes& strikes);
  void send_answer(Frame frame, const ServiceStrikes& strikes);
  void drop(DropReason reason);
  void report_blocked(const Verdict& verdict);

  void take_from_nat(Bytes frame);
  void send_to_device(Bytes frame);
  void reach_device(Bytes frame);
  void enqueue(Bytes frame);
  void end_delays();
  void send_queued();
  /// Until the first frame may go: for the wire, and for the FIFO.
  [[nodiscard]] std::chrono::nanoseconds wait_for_first(Clock::time_point now) const;
  /// @returns false if the frame has to stay in the queue
  [[nodiscard]] bool send_first(Clock::time_point now);
  [[nodiscard]] DeviceSocket::Sent send_and_count(const Frame& frame);

  void capture(Bytes frame);
  void emit(std::string_view event, nlohmann::json fields);

  const std::string device_;
  const MacAddress mac_;
  const std::string pcap_path_;
  report::EventLog* const events_;
  const Halt* const halt_;
  DeviceSocket socket_;
  const UniqueFd wake_;
  const FrameFilter filter_;
  DhcpServer dhcp_;
  const DnsServer dns_;
  const SntpServer sntp_;
  FlowTable flows_;
  FrameFaults frame_faults_;
  ServiceFaults service_faults_;
  DelayLine from_device_;
  DelayLine to_device_;
  Pacer pacer_;
  FifoGuard fifo_{kFifoBytes};
  std::unique_ptr<Nat> nat_;
  std::optional<PcapWriter> pcap_;

  std::vector<pollfd> fds_;
  std::deque<Frame> queue_;
  bool device_blocks_ = false;
  std::set<std::uint16_t> blocked_ports_;
  std::uint32_t dns_events_ = 0;
  std::uint32_t sntp_events_ = 0;

  mutable std::mutex statistics_mutex_;
  Statistics statistics_;

  std::mutex orders_mutex_;
  std::vector<Order> orders_;
  std::atomic<bool> has_orders_ = false;

  std::atomic<bool> stop_ = false;
  std::thread thread_;  // last: everything it uses is there before it and after it
};

}  // namespace otasim::link
