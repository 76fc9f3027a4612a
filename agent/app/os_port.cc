#include "agent/app/os_port.h"

#include "agent/app/deadline.h"

namespace app {
namespace {

/// The timer functions of the C interface carry no context; bind() names the port they mean.
OsPort* bound_port = nullptr;

OtaOsStatus_t event_init(OtaEventContext_t*) {
  return OtaOsSuccess;
}

OtaOsStatus_t event_send(OtaEventContext_t* context, const void* message, unsigned int) {
  return context->port->send(*static_cast<const OtaEventMsg_t*>(message));
}

OtaOsStatus_t event_receive(OtaEventContext_t* context, void* message, std::uint32_t timeout_ms) {
  return context->port->receive(*static_cast<OtaEventMsg_t*>(message), timeout_ms);
}

OtaOsStatus_t event_deinit(OtaEventContext_t*) {
  return OtaOsSuccess;
}

OtaOsStatus_t timer_start(OtaTimerId_t id, const char*, std::uint32_t timeout_ms,
                          OtaTimerCallback_t callback) {
  return bound_port->start_timer(id, timeout_ms, callback);
}

OtaOsStatus_t timer_stop(OtaTimerId_t id) {
  return bound_port->stop_timer(id);
}

}  // namespace

OtaOSInterface_t OsPort::bind() {
  bound_port = this;
  OtaOSInterface_t interface {};
  interface.event = {event_init, event_send, event_receive, event_deinit, &context_};
  interface.timer = {timer_start, timer_stop, timer_stop};
  return interface;
}

OtaOsStatus_t OsPort::send(const OtaEventMsg_t& message) {
  if (count_ == queue_.size()) return OtaOsEventQueueSendFailed;
  queue_[(first_ + count_) % queue_.size()] = message;
  ++count_;
  return OtaOsSuccess;
}

bool OsPort::take(OtaEventMsg_t& message) {
  if (count_ == 0) return false;
  message = queue_[first_];
  first_ = (first_ + 1) % queue_.size();
  --count_;
  return true;
}

OtaOsStatus_t OsPort::receive(OtaEventMsg_t& message, std::uint32_t timeout_ms) {
  const Deadline deadline(timeout_ms);
  while (!take(message)) {
    if (wake_ || deadline.passed()) {
      wake_ = false;
      return OtaOsEventQueueReceiveFailed;
    }
    pump_.turn();
  }
  return OtaOsSuccess;
}

OtaOsStatus_t OsPort::start_timer(OtaTimerId_t id, std::uint32_t timeout_ms, OtaTimerCallback_t callback) {
  if (id >= OtaNumOfTimers || callback == nullptr) return OtaOsTimerStartFailed;
  timers_[id] = {true, board::millis(), timeout_ms, callback};
  return OtaOsSuccess;
}

OtaOsStatus_t OsPort::stop_timer(OtaTimerId_t id) {
  if (id >= OtaNumOfTimers) return OtaOsTimerStopFailed;
  timers_[id].running = false;
  return OtaOsSuccess;
}

bool OsPort::run_timers() {
  bool fired = false;
  for (std::size_t i = 0; i < timers_.size(); ++i) {
    Timer& timer = timers_[i];
    if (!timer.running || board::millis() - timer.started_ms < timer.timeout_ms) continue;
    timer.running = false;
    timer.callback(static_cast<OtaTimerId_t>(i));
    fired = true;
  }
  return fired;
}

}  // namespace app
