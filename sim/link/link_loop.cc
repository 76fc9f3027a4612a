#include "sim/link/link_loop.h"

#include <fmt/format.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "sim/base/worker_thread.h"
#include "sim/link/lab_network.h"

namespace otasim::link {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kLongestWait = std::chrono::hours(1);
/// How soon the link notices that the device runs again.
constexpr nanoseconds kWaitWhileHalted = std::chrono::milliseconds(10);

// Positions of the loop's own descriptors; the sending socket is watched only while QEMU does not read.
constexpr std::size_t kWakeAt = 0;
constexpr std::size_t kReceiveAt = 1;
constexpr std::size_t kSendAt = 2;

timespec to_timespec(nanoseconds time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  return {seconds.count(), static_cast<long>((time - seconds).count())};
}

/// One byte more than the largest frame, so that a longer one is seen to be longer.
using ReceiveBuffer = std::array<std::uint8_t, kMaxFrameBytes + 1>;

std::vector<std::uint8_t> dhcp_frame(const DhcpReply& reply, Ipv4Address server) {
  return build_udp_frame(
      {.source_mac = mac_of(server),
       .destination_mac = reply.destination == kBroadcastAddress ? kBroadcastMac : reply.client,
       .source = server,
       .destination = reply.destination,
       .source_port = kDhcpServerPort,
       .destination_port = kDhcpClientPort},
      reply.payload);
}

DhcpTerms terms_of(const faults::DhcpForged& forged) {
  return {.server = faults::kAttackerAddress,
          .address = forged.address,
          .router = forged.router,
          .name_server = forged.name_server,
          .time_server = forged.time_server};
}

std::optional<DnsForgery> forgery_of(const ServiceStrikes& strikes) {
  if (strikes.nxdomain) return DnsForgery{};
  if (!strikes.dns_forged) return std::nullopt;
  return DnsForgery{.address = strikes.dns_forged->address, .ttl_s = strikes.dns_forged->ttl_s};
}

}  // namespace

LinkLoop::LinkLoop(const Config& config, DeviceSocket socket, UniqueFd wake)
    : device_(config.device),
      mac_(config.mac),
      pcap_path_(config.pcap_path),
      events_(config.events),
      halt_(config.halt),
      socket_(std::move(socket)),
      wake_(std::move(wake)),
      filter_(config.allowed_tcp_ports),
      dns_(config.host_names),
      sntp_(config.now),
      frame_faults_({.pass =
                         [this](Direction direction, Bytes frame) {
                           direction == Direction::kFromDevice ? leave_device(frame) : reach_device(frame);
                         },
                     .lost = [this](DropReason reason) { drop(reason); },
                     .tell = [this](std::string_view event,
                                    nlohmann::json members) { emit(event, std::move(members)); }}),
      service_faults_(
          [this](std::string_view event, nlohmann::json members) { emit(event, std::move(members)); }),
      from_device_(config.one_way_delay, kMaxDelayedFrames),
      to_device_(config.one_way_delay, kMaxDelayedFrames),
      pacer_(config.wire_rate_bits_per_second, kBurstBytes) {}

Result<std::unique_ptr<LinkLoop>> LinkLoop::start(const Config& config, DeviceSocket socket) {
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) {
    return fail(ExitCode::kEnvironment,
                fmt::format("cannot make the link's eventfd: {}", std::strerror(errno)),
                "Raise the limit of open files (ulimit -n).");
  }
  std::unique_ptr<LinkLoop> loop(new LinkLoop(config, std::move(socket), std::move(wake)));
  auto nat = Nat::create([raw = loop.get()](Bytes frame) { raw->take_from_nat(frame); }, config.halt);
  if (!nat) return tl::unexpected(nat.error());
  loop->nat_ = std::move(*nat);
  if (!config.pcap_path.empty()) {
    auto pcap = PcapWriter::create(config.pcap_path);
    if (!pcap) return tl::unexpected(pcap.error());
    loop->pcap_.emplace(std::move(*pcap));
  }
  try {
    loop->thread_ = start_worker([raw = loop.get()] { raw->run(); });
  } catch (const std::system_error& error) {
    return fail(ExitCode::kEnvironment, fmt::format("cannot start the link's thread: {}", error.what()));
  }
  return loop;
}

LinkLoop::~LinkLoop() {
  if (!thread_.joinable()) return;
  stop_ = true;
  eventfd_write(wake_.get(), 1);
  thread_.join();
}

Statistics LinkLoop::statistics() const {
  const std::lock_guard lock(statistics_mutex_);
  return statistics_;
}

void LinkLoop::arm(FaultId id, const LinkFault& fault) {
  give(ArmOrder{id, fault});
}
void LinkLoop::clear(FaultId id) {
  give(id);
}

void LinkLoop::give(Order order) {
  {
    const std::lock_guard lock(orders_mutex_);
    orders_.push_back(std::move(order));
    has_orders_ = true;
  }
  eventfd_write(wake_.get(), 1);
}

void LinkLoop::carry_out_orders() {
  if (!has_orders_) return;
  std::vector<Order> orders;
  {
    const std::lock_guard lock(orders_mutex_);
    orders.swap(orders_);
    has_orders_ = false;
  }
  for (const Order& order : orders) {
    std::visit([this](const auto& one) { carry_out(one); }, order);
  }
}

void LinkLoop::carry_out(const ArmOrder& order) {
  if (const auto* frame_fault = std::get_if<FrameFault>(&order.fault)) {
    frame_faults_.arm(order.id, *frame_fault);
  } else if (const auto* service_fault = std::get_if<ServiceFault>(&order.fault)) {
    service_faults_.arm(order.id, *service_fault);
  } else if (const auto* half_open = std::get_if<faults::HalfOpen>(&order.fault)) {
    frame_faults_.arm(order.id, flows_.flows_to(half_open->tcp_port));
  } else if (const auto* reset = std::get_if<faults::Reset>(&order.fault)) {
    reset_flows(*reset);
  }
}

void LinkLoop::carry_out(FaultId to_clear) {
  const Clock::time_point now = current_time();
  if (frame_faults_.clear(to_clear, now)) return;
  if (service_faults_.clear(to_clear, now)) end_delays();
}

/// Each end is told that the other one has reset the connection. libslirp closes the host's socket then, and
/// resets what the device sends later.
void LinkLoop::reset_flows(const faults::Reset& fault) {
  for (const Flow& flow : flows_.flows_to(fault.tcp_port)) {
    flows_.forget(flow.key);
    const Addressing from_device{.source_mac = mac_,
                                 .destination_mac = mac_of(kHostAddress),
                                 .source = kDeviceAddress,
                                 .destination = kHostAddress,
                                 .source_port = flow.key.device_port,
                                 .destination_port = flow.key.host_port};
    const Addressing to_device{.source_mac = from_device.destination_mac,
                               .destination_mac = from_device.source_mac,
                               .source = from_device.destination,
                               .destination = from_device.source,
                               .source_port = from_device.destination_port,
                               .destination_port = from_device.source_port};
    nat_->input(build_reset_frame(from_device, flow.device_next, flow.host_next));
    send_to_device(build_reset_frame(to_device, flow.host_next, flow.device_next));
    emit("fault", {{"fault", faults::Reset::kName},
                   {"device_port", flow.key.device_port},
                   {"host_port", flow.key.host_port}});
  }
}

void LinkLoop::run() {
  while (!stop_) poll_once();
}

void LinkLoop::poll_once() {
  nanoseconds timeout = add_own_fds();
  nat_->add_poll_fds(fds_, timeout);
  // What is due then is so only when time goes on.
  if (halt_ != nullptr && halt_->is_halted()) timeout = kWaitWhileHalted;
  const timespec limit = to_timespec(timeout);
  const int ready = ::ppoll(fds_.data(), fds_.size(), &limit, nullptr);
  if (ready < 0) {
    for (pollfd& fd : fds_) fd.revents = 0;
  }
  if (stop_) return;
  if (fds_[kWakeAt].revents != 0) {
    eventfd_t ignored = 0;
    eventfd_read(wake_.get(), &ignored);
  }
  carry_out_orders();  // before anything that they are to strike

  // Then libslirp: a frame from the device may close sockets whose results are still to be read.
  nat_->handle(fds_, ready < 0);
  if (fds_.size() > kSendAt && fds_[kSendAt].fd == socket_.send_fd() && fds_[kSendAt].revents != 0) {
    device_blocks_ = false;
  }
  end_delays();
  send_queued();  // makes room before more comes in
  if (fds_[kReceiveAt].revents != 0) receive_frames();
  send_queued();
  const std::lock_guard lock(statistics_mutex_);
  statistics_.nat_complaints = nat_->complaints();
}

nanoseconds LinkLoop::add_own_fds() {
  fds_.clear();
  fds_.push_back({wake_.get(), POLLIN, 0});
  fds_.push_back({socket_.receive_fd(), POLLIN, 0});
  static_assert(kWakeAt == 0 && kReceiveAt == 1 && kSendAt == 2);
  const Clock::time_point now = current_time();
  nanoseconds wait = kLongestWait;
  for (const DelayLine* line : {&from_device_, &to_device_})
    wait = std::min(wait, line->wait(now).value_or(wait));
  wait = std::min(wait, frame_faults_.wait(now).value_or(wait));
  wait = std::min(wait, service_faults_.wait(now).value_or(wait));
  if (device_blocks_) {
    fds_.push_back({socket_.send_fd(), POLLOUT, 0});
  } else if (!queue_.empty()) {
    wait = std::min(wait, wait_for_first(now));
  }
  return wait;
}

void LinkLoop::receive_frames() {
  ReceiveBuffer buffer;
  for (int i = 0; i < kMaxFramesPerRound; ++i) {
    const auto frame = socket_.receive(buffer);
    if (!frame) return;
    carry_out_orders();
    handle_frame(*frame);
  }
}

void LinkLoop::handle_frame(Bytes frame) {
  {
    const std::lock_guard lock(statistics_mutex_);
    ++statistics_.from_device.frames;
    statistics_.from_device.bytes += frame.size();
  }
  fifo_.device_spoke(socket_.unread_bytes());
  capture(frame);
  if (frame_faults_.is_empty()) {
    leave_device(frame);
  } else {
    frame_faults_.take(Direction::kFromDevice, frame, current_time());
  }
}

/// The device's end of the wire to the host.
void LinkLoop::leave_device(Bytes frame) {
  if (!from_device_.has_delay()) {
    pass_on(frame);
  } else if (!from_device_.push(frame, current_time())) {
    drop(DropReason::kQueueFull);
  }
}

/// Takes a frame that has come over the wire from the device.
void LinkLoop::pass_on(Bytes frame) {
  const Verdict verdict = filter_.judge(frame);
  switch (verdict.destination) {
    case Destination::kNat:
      handle_nat(verdict, frame);
      break;
    case Destination::kDhcp:
      handle_dhcp(verdict.datagram);
      break;
    case Destination::kDns:
      handle_dns(verdict.datagram);
      break;
    case Destination::kSntp:
      handle_sntp(verdict.datagram);
      break;
    case Destination::kDropped:
      drop(verdict.reason);
      report_blocked(verdict);
      break;
  }
}

void LinkLoop::handle_nat(const Verdict& verdict, Bytes frame) {
  if (verdict.opens_connection && nat_->open_flows() >= kMaxFlows) {
    drop(DropReason::kTooManyFlows);
    return;
  }
  flows_.from_device(inspect(frame, Direction::kFromDevice));
  nat_->input(frame);
}

void LinkLoop::handle_dhcp(const Datagram& datagram) {
  const auto reply = dhcp_.answer(datagram.payload);
  const ServiceStrikes strikes = strike_dhcp(datagram.payload, reply);
  if (strikes.dhcp_forged) send_forged(*strikes.dhcp_forged, datagram.payload);
  if (!reply) {
    drop(DropReason::kUnansweredDhcp);
  } else if (strikes.missing) {
    dhcp_.lost(*reply);
    drop(DropReason::kFault);
  } else {
    send_answer(dhcp_frame(*reply, kHostAddress), strikes);
    if (!reply->new_lease) return;
    emit("dhcp_ack", {{"address", to_string(kDeviceAddress)}, {"mac", to_string(reply->client)}});
  }
}

ServiceStrikes LinkLoop::strike_dhcp(Bytes request, const std::optional<DhcpReply>& reply) {
  if (!service_faults_.has_any(Service::kDhcp)) return {};
  const auto forgery = DhcpServer::forge(request, {});
  if (!reply && !forgery) return {};
  return service_faults_.strike(Service::kDhcp, {.answer = reply.has_value(), .forgery = forgery.has_value()},
                                {{"answer", reply ? reply->message : forgery->message}});
}

void LinkLoop::send_forged(const faults::DhcpForged& forged, Bytes request) {
  const auto reply = DhcpServer::forge(request, terms_of(forged));
  if (reply) send_to_device(dhcp_frame(*reply, faults::kAttackerAddress));
}

void LinkLoop::handle_dns(const Datagram& datagram) {
  auto reply = dns_.answer(datagram.payload);
  if (!reply) {
    drop(DropReason::kUnansweredDns);
    return;
  }
  const ServiceStrikes strikes = strike_dns(*reply);
  if (const auto forgery = forgery_of(strikes)) reply = dns_.answer(datagram.payload, forgery);
  if (strikes.missing) {
    drop(DropReason::kFault);
  } else {
    answer(datagram, kDnsPort, reply->payload, strikes);
  }
  if (!reply->name.empty() && dns_events_ < kMaxQueryEvents) {
    ++dns_events_;
    emit("dns_query", {{"name", reply->name}, {"answered", reply->answered && !strikes.missing}});
  }
}

/// Malformed queries are not what the faults are about.
ServiceStrikes LinkLoop::strike_dns(const DnsReply& reply) {
  if (reply.name.empty() || !service_faults_.has_any(Service::kDns)) return {};
  return service_faults_.strike(Service::kDns, {.answer = true, .forgery = reply.asked_for_address},
                                {{"name", reply.name}});
}

void LinkLoop::handle_sntp(const Datagram& datagram) {
  auto reply = sntp_.answer(datagram.payload);
  if (!reply) {
    drop(DropReason::kUnansweredSntp);
    return;
  }
  ServiceStrikes strikes;
  if (service_faults_.has_any(Service::kSntp)) {
    strikes = service_faults_.strike(Service::kSntp, {.answer = true}, nlohmann::json::object());
  }
  if (strikes.missing) {
    drop(DropReason::kFault);
    return;
  }
  if (strikes.offset_s != 0) reply = sntp_.answer(datagram.payload, strikes.offset_s);
  answer(datagram, kSntpPort, reply->payload, strikes);
  if (sntp_events_ < kMaxQueryEvents) {
    ++sntp_events_;
    emit("sntp_query", {{"time", reply->time}});
  }
}

/// Sends back to where a datagram came from, in the name of whom it was for.
void LinkLoop::answer(const Datagram& datagram, std::uint16_t port, Bytes payload,
                      const ServiceStrikes& strikes) {
  send_answer(build_udp_frame({.source_mac = mac_of(datagram.destination),
                               .destination_mac = datagram.source_mac,
                               .source = datagram.destination,
                               .destination = datagram.source,
                               .source_port = port,
                               .destination_port = datagram.source_port},
                              payload),
              strikes);
}

void LinkLoop::send_answer(Frame frame, const ServiceStrikes& strikes) {
  if (strikes.delay == strikes.delay.zero()) {
    send_to_device(frame);
  } else if (!service_faults_.hold(strikes, std::move(frame), current_time())) {
    drop(DropReason::kQueueFull);
  }
}

void LinkLoop::drop(DropReason reason) {
  const std::lock_guard lock(statistics_mutex_);
  ++statistics_.dropped[static_cast<std::size_t>(reason)];
}

void LinkLoop::report_blocked(const Verdict& verdict) {
  if (verdict.reason != DropReason::kBlockedTcpPort || !verdict.opens_connection) return;
  if (blocked_ports_.insert(verdict.tcp_port).second) emit("blocked", {{"port", verdict.tcp_port}});
}

void LinkLoop::take_from_nat(Bytes frame) {
  flows_.to_device(inspect(frame, Direction::kToDevice));
  send_to_device(frame);
}

void LinkLoop::send_to_device(Bytes frame) {
  if (frame_faults_.is_empty()) {
    reach_device(frame);
  } else {
    frame_faults_.take(Direction::kToDevice, frame, current_time());
  }
}

/// The host's end of the wire to the device.
void LinkLoop::reach_device(Bytes frame) {
  if (!to_device_.has_delay()) {
    enqueue(frame);
  } else if (!to_device_.push(frame, current_time())) {
    drop(DropReason::kQueueFull);
  }
}

/// Takes out what has arrived at either end of the wire.
void LinkLoop::end_delays() {
  const Clock::time_point now = current_time();
  while (const auto late = service_faults_.pop(now)) send_to_device(*late);
  frame_faults_.release(now);
  for (int i = 0; i < kMaxFramesPerRound; ++i) {
    const auto arrived = from_device_.pop(now);
    if (!arrived) break;
    pass_on(*arrived);
  }
  while (const auto arrived = to_device_.pop(now)) enqueue(*arrived);
}

/// The device's end: from here frames go out at wire rate.
void LinkLoop::enqueue(Bytes frame) {
  if (queue_.size() >= kMaxQueuedFrames) {
    drop(DropReason::kQueueFull);
    return;
  }
  queue_.emplace_back(frame.begin(), frame.end());
}

void LinkLoop::send_queued() {
  while (!queue_.empty() && !device_blocks_) {
    const Clock::time_point now = current_time();
    if (wait_for_first(now) > nanoseconds::zero()) return;
    if (!send_first(now)) return;
    queue_.pop_front();
  }
}

nanoseconds LinkLoop::wait_for_first(Clock::time_point now) const {
  const std::size_t size = queue_.front().size();
  return std::max(pacer_.wait_for(size, now), fifo_.wait_for(size, now));
}

bool LinkLoop::send_first(Clock::time_point now) {
  const Frame& frame = queue_.front();
  switch (send_and_count(frame)) {
    case DeviceSocket::Sent::kYes:
      pacer_.sent(frame.size(), now);
      fifo_.sent(frame.size(), now);
      capture(frame);
      return true;
    case DeviceSocket::Sent::kWouldBlock:
      device_blocks_ = true;
      return false;
    case DeviceSocket::Sent::kDeviceOff:
      drop(DropReason::kDeviceOff);
      return true;
    case DeviceSocket::Sent::kFailed:
      break;
  }
  drop(DropReason::kSendFailed);
  return true;
}

DeviceSocket::Sent LinkLoop::send_and_count(const Frame& frame) {
  // Locked around both: whoever got the frame finds it counted.
  const std::lock_guard lock(statistics_mutex_);
  const DeviceSocket::Sent sent = socket_.send(frame);
  if (sent == DeviceSocket::Sent::kYes) {
    ++statistics_.to_device.frames;
    statistics_.to_device.bytes += frame.size();
  }
  return sent;
}

void LinkLoop::capture(Bytes frame) {
  if (!pcap_ || pcap_->write(frame, std::chrono::system_clock::now())) return;
  pcap_.reset();
  emit("capture_ended", {{"path", pcap_path_}});
}

void LinkLoop::emit(std::string_view event, nlohmann::json fields) {
  if (events_ == nullptr) return;
  if (!device_.empty()) fields["device"] = device_;
  events_->emit("link", event, std::move(fields));
}

}  // namespace otasim::link
