#include "sim/link/nat.h"

#include <slirp/libslirp.h>

#include <algorithm>
#include <utility>

#include "sim/link/lab_network.h"

namespace otasim::link {
namespace {

constexpr std::int64_t kNever = -1;

in_addr network_order(Ipv4Address address) {
  return {htonl(address.value)};
}

constexpr std::pair<int, short> kEventBits[] = {{SLIRP_POLL_IN, POLLIN},
                                                {SLIRP_POLL_OUT, POLLOUT},
                                                {SLIRP_POLL_PRI, POLLPRI},
                                                {SLIRP_POLL_ERR, POLLERR},
                                                {SLIRP_POLL_HUP, POLLHUP}};

short to_poll_events(int slirp_events) {
  int events = 0;
  for (const auto& [slirp, poll] : kEventBits) events |= (slirp_events & slirp) != 0 ? poll : 0;
  return static_cast<short>(events);
}

int to_slirp_events(short poll_events) {
  int events = 0;
  for (const auto& [slirp, poll] : kEventBits) events |= (poll_events & poll) != 0 ? slirp : 0;
  return events;
}

int add_poll(int fd, int events, void* opaque) {
  auto& fds = *static_cast<std::vector<pollfd>*>(opaque);
  fds.push_back({fd, to_poll_events(events), 0});
  return static_cast<int>(fds.size()) - 1;
}

int get_revents(int index, void* opaque) {
  const auto& fds = *static_cast<const std::vector<pollfd>*>(opaque);
  return to_slirp_events(fds[static_cast<std::size_t>(index)].revents);
}

}  // namespace

struct Nat::Timer {
  SlirpTimerCb callback;
  void* argument;
  std::int64_t due_ms = kNever;
};

// The functions libslirp calls; `opaque` is the Nat.
struct Nat::Callbacks {
  static Nat& self(void* opaque) { return *static_cast<Nat*>(opaque); }

  static ssize_t send_packet(const void* frame, size_t bytes, void* opaque) {
    self(opaque).to_device_({static_cast<const std::uint8_t*>(frame), bytes});
    return static_cast<ssize_t>(bytes);
  }
  static void guest_error(const char*, void* opaque) { ++self(opaque).complaints_; }
  static std::int64_t clock_get_ns(void* opaque) { return self(opaque).now_ns(); }

  static void* timer_new(SlirpTimerCb callback, void* argument, void* opaque) {
    return &self(opaque).timers_.emplace_back(Timer{callback, argument});
  }
  static void timer_free(void* timer, void* opaque) {
    self(opaque).timers_.remove_if([timer](const Timer& other) { return &other == timer; });
  }
  static void timer_mod(void* timer, std::int64_t due_ms, void*) {
    static_cast<Timer*>(timer)->due_ms = due_ms;
  }

  static void register_poll_fd(int, void* opaque) { ++self(opaque).open_flows_; }
  static void unregister_poll_fd(int, void* opaque) {
    if (self(opaque).open_flows_ > 0) --self(opaque).open_flows_;
  }
  // Everything runs on one thread, which looks again before it sleeps.
  static void notify(void*) {}

  static constexpr SlirpCb kTable = {.send_packet = send_packet,
                                     .guest_error = guest_error,
                                     .clock_get_ns = clock_get_ns,
                                     .timer_new = timer_new,
                                     .timer_free = timer_free,
                                     .timer_mod = timer_mod,
                                     .register_poll_fd = register_poll_fd,
                                     .unregister_poll_fd = unregister_poll_fd,
                                     .notify = notify,
                                     .init_completed = nullptr,
                                     .timer_new_opaque = nullptr};
};

Nat::Nat(SendFrame to_device, const Halt* halt) : to_device_(std::move(to_device)), halt_(halt) {}

std::int64_t Nat::now_ns() const {
  return std::chrono::nanoseconds(now_without_halts(halt_).time_since_epoch()).count();
}

Nat::~Nat() {
  if (slirp_ != nullptr) slirp_cleanup(slirp_);
}

Result<std::unique_ptr<Nat>> Nat::create(SendFrame to_device, const Halt* halt) {
  SlirpConfig config{};
  config.version = 4;
  config.restricted = 0;  // the frame filter restricts; libslirp's own way would block the host's ports too
  config.in_enabled = true;
  config.in6_enabled = false;
  config.vnetwork = network_order(kNetwork);
  config.vnetmask = network_order(kNetmask);
  config.vhost = network_order(kHostAddress);
  config.vdhcp_start = network_order(kDeviceAddress);
  config.vnameserver = network_order(kDnsAddress);
  config.disable_host_loopback = false;
  config.enable_emu = false;
  config.disable_dns = true;
  config.disable_dhcp = true;

  std::unique_ptr<Nat> nat(new Nat(std::move(to_device), halt));
  nat->slirp_ = slirp_new(&config, &Callbacks::kTable, nat.get());
  if (nat->slirp_ == nullptr) {
    return fail(ExitCode::kInternal,
                std::string("libslirp ") + slirp_version_string() + " refused the link's configuration",
                "The link needs libslirp 4.7 or newer.");
  }
  return nat;
}

void Nat::add_poll_fds(std::vector<pollfd>& fds, std::chrono::nanoseconds& timeout) {
  using std::chrono::milliseconds;
  constexpr milliseconds kLongest{UINT32_MAX};
  auto timeout_ms =
      static_cast<std::uint32_t>(std::min(std::chrono::ceil<milliseconds>(timeout), kLongest).count());
  const std::uint32_t asked_ms = timeout_ms;
  slirp_pollfds_fill(slirp_, &timeout_ms, add_poll, &fds);
  if (timeout_ms < asked_ms) timeout = milliseconds(timeout_ms);
  for (const Timer& timer : timers_) {
    if (timer.due_ms == kNever) continue;
    const std::chrono::nanoseconds left = milliseconds(timer.due_ms) - std::chrono::nanoseconds(now_ns());
    timeout = std::clamp(left, std::chrono::nanoseconds::zero(), timeout);
  }
}

void Nat::handle(const std::vector<pollfd>& fds, bool poll_failed) {
  run_timers();
  slirp_pollfds_poll(slirp_, poll_failed ? 1 : 0, get_revents, const_cast<std::vector<pollfd>*>(&fds));
}

void Nat::input(Bytes frame) {
  slirp_input(slirp_, frame.data(), static_cast<int>(frame.size()));
}

void Nat::run_timers() {
  const std::int64_t now_ms = now_ns() / 1'000'000;
  for (auto it = timers_.begin(); it != timers_.end();) {
    Timer& timer = *it++;  // the callback may free its timer
    if (timer.due_ms == kNever || timer.due_ms > now_ms) continue;
    timer.due_ms = kNever;
    timer.callback(timer.argument);
  }
}

}  // namespace otasim::link
