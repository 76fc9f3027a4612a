// The agent's operating system on POSIX threads: the model for a port to an RTOS.
//
//   ota::posix::OsPort os;
//   interfaces.os = os.bind();                          // the C interface's functions then mean this object
//   OTA_Init(&buffers, &interfaces, thing_name, callback);
//   std::thread agent(OTA_EventProcessingTask, nullptr);
//   OTA_SignalEvent(), OTA_Suspend(), OTA_Resume()      // from any thread
//   OTA_Shutdown(ticks, 1); agent.join();               // before the port goes
//
// The agent's thread blocks in the queue while there is nothing to do. Two parts do the work, each with its
// own lock: EventQueue and TimerThread. No lock is held while the agent's code runs.
//
// AWS's timer functions carry no context, so one port at a time can be bound. The port must outlive all use
// of the agent; after its end the functions that bind() gave away report failure.
#pragma once

#include <cstddef>

#include "agent/include/ota_os_interface.h"
#include "agent/posix/event_queue.h"
#include "agent/posix/timer_thread.h"

namespace ota::posix {

class OsPort {
 public:
  /// The depth AWS's port for FreeRTOS uses.
  static constexpr std::size_t kDefaultQueueDepth = 20;

  explicit OsPort(std::size_t queue_depth = kDefaultQueueDepth) : queue_(queue_depth) {}
  ~OsPort();
  OsPort(const OsPort&) = delete;
  OsPort& operator=(const OsPort&) = delete;

  [[nodiscard]] OtaOSInterface_t bind();

  [[nodiscard]] EventQueue& queue() { return queue_; }
  [[nodiscard]] TimerThread& timers() { return timers_; }

 private:
  EventQueue queue_;
  TimerThread timers_;  // after the queue: its callbacks send to it
};

}  // namespace ota::posix
