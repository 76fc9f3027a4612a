// libslirp, wrapped: the host at 10.0.2.2 whose TCP ports are those of the host's loopback interface.
//
// Everything runs on the caller's thread, one round of its poll loop at a time: add_poll_fds(), poll,
// handle(), then input() for each frame from the device. Frames for the device come out of `to_device`,
// which is called from handle() and input() and must not call back in. libslirp ends TCP connections itself:
// each one has a socket of its own on the host's side, whose life is tied to the flow and not to the device's
// power, so that a power cut leaves the flow half-open.
#pragma once

#include <poll.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "sim/base/halt.h"
#include "sim/base/result.h"
#include "sim/link/ethernet.h"

struct Slirp;

namespace otasim::link {

class Nat {
 public:
  using SendFrame = std::function<void(Bytes frame)>;

  /// @param halt  its clock stands still with it; may be null
  /// @returns kInternal if libslirp refuses its configuration
  [[nodiscard]] static Result<std::unique_ptr<Nat>> create(SendFrame to_device, const Halt* halt = nullptr);
  ~Nat();
  Nat(const Nat&) = delete;
  Nat& operator=(const Nat&) = delete;

  /// Adds what libslirp waits for, and shortens `timeout` to when it next wants to run.
  void add_poll_fds(std::vector<pollfd>& fds, std::chrono::nanoseconds& timeout);
  /// Lets libslirp work on what poll found, and on what is due.
  void handle(const std::vector<pollfd>& fds, bool poll_failed);
  /// A frame from the device; must have passed the filter.
  void input(Bytes frame);

  /// Host-side sockets that are open.
  [[nodiscard]] std::size_t open_flows() const { return open_flows_; }
  /// Packets that libslirp found malformed.
  [[nodiscard]] std::uint64_t complaints() const { return complaints_; }

 private:
  struct Callbacks;
  struct Timer;

  Nat(SendFrame to_device, const Halt* halt);
  [[nodiscard]] std::int64_t now_ns() const;
  void run_timers();

  SendFrame to_device_;
  const Halt* halt_;
  Slirp* slirp_ = nullptr;
  std::list<Timer> timers_;
  std::size_t open_flows_ = 0;
  std::uint64_t complaints_ = 0;
};

}  // namespace otasim::link
