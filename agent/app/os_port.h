// The agent's operating system: an event queue and two one-shot timers for a super-loop.
//
//   OsPort os(pump);
//   interfaces.os = os.bind();          // once: the C interface's functions then mean this object
//   os.run_timers()                     // in every turn of the loop
//
// Receiving an event turns the loop until there is one: the network works while the agent waits. Timers fire
// from the loop, never from an interrupt, so nothing here needs a lock.
#pragma once

#include <array>
#include <cstdint>

#include "agent/app/event_buffers.h"
#include "agent/app/pump.h"
#include "agent/include/ota_os_interface.h"

namespace app {
class OsPort;
}

/// What the agent hands back to the event functions.
struct OtaEventContext {
  app::OsPort* port;
};

namespace app {

class OsPort {
 public:
  explicit OsPort(Pump& pump) : pump_(pump) {}
  OsPort(const OsPort&) = delete;
  OsPort& operator=(const OsPort&) = delete;

  [[nodiscard]] OtaOSInterface_t bind();

  /// Calls back the timers that are due. @returns true if there was one.
  bool run_timers();

  /// Makes a receive that waits return without an event: the application's loop is needed.
  void wake() { wake_ = true; }

  OtaOsStatus_t send(const OtaEventMsg_t& message);
  OtaOsStatus_t receive(OtaEventMsg_t& message, std::uint32_t timeout_ms);
  OtaOsStatus_t start_timer(OtaTimerId_t id, std::uint32_t timeout_ms, OtaTimerCallback_t callback);
  OtaOsStatus_t stop_timer(OtaTimerId_t id);

 private:
  /// Every buffer may be waiting with an event, and the agent's own events beside them.
  static constexpr std::size_t kQueueSize = EventBuffers::kCount + 16;

  struct Timer {
    bool running = false;
    std::uint32_t started_ms = 0;
    std::uint32_t timeout_ms = 0;
    OtaTimerCallback_t callback = nullptr;
  };

  [[nodiscard]] bool take(OtaEventMsg_t& message);

  Pump& pump_;
  OtaEventContext context_{this};
  std::array<OtaEventMsg_t, kQueueSize> queue_{};
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::array<Timer, OtaNumOfTimers> timers_{};
  bool wake_ = false;
};

}  // namespace app
