#include "agent/posix/os_port.h"

#include <atomic>
#include <chrono>
#include <cstdlib>

namespace ota::posix {
namespace {

using std::chrono::milliseconds;

/// What the timer functions, which carry no context, act on.
std::atomic<OsPort*> bound_port = nullptr;

/// The event functions' context is the port; the type AWS names for it is never defined.
EventQueue& queue_of(OtaEventContext_t* context) {
  return reinterpret_cast<OsPort*>(context)->queue();
}

OtaOsStatus_t event_init(OtaEventContext_t* context) {
  queue_of(context).open();
  return OtaOsSuccess;
}

OtaOsStatus_t event_send(OtaEventContext_t* context, const void* message, unsigned int timeout_ms) {
  const auto& event = *static_cast<const OtaEventMsg_t*>(message);
  return queue_of(context).send(event, milliseconds(timeout_ms)) ? OtaOsSuccess : OtaOsEventQueueSendFailed;
}

OtaOsStatus_t event_receive(OtaEventContext_t* context, void* message, std::uint32_t timeout_ms) {
  auto& event = *static_cast<OtaEventMsg_t*>(message);
  const bool is_received = queue_of(context).receive(event, milliseconds(timeout_ms));
  return is_received ? OtaOsSuccess : OtaOsEventQueueReceiveFailed;
}

OtaOsStatus_t event_deinit(OtaEventContext_t* context) {
  queue_of(context).close();
  return OtaOsSuccess;
}

OtaOsStatus_t timer_start(OtaTimerId_t id, const char* /*name*/, std::uint32_t timeout_ms,
                          OtaTimerCallback_t callback) {
  OsPort* port = bound_port;
  const bool is_started = port != nullptr && port->timers().start(id, milliseconds(timeout_ms), callback);
  return is_started ? OtaOsSuccess : OtaOsTimerStartFailed;
}

OtaOsStatus_t timer_stop(OtaTimerId_t id) {
  OsPort* port = bound_port;
  return port != nullptr && port->timers().stop(id) ? OtaOsSuccess : OtaOsTimerStopFailed;
}

/// Nothing was made for one timer alone, so deleting one is stopping it.
OtaOsStatus_t timer_delete(OtaTimerId_t id) {
  return timer_stop(id) == OtaOsSuccess ? OtaOsSuccess : OtaOsTimerDeleteFailed;
}

}  // namespace

OsPort::~OsPort() {
  OsPort* self = this;
  bound_port.compare_exchange_strong(self, nullptr);
}

OtaOSInterface_t OsPort::bind() {
  bound_port = this;
  OtaOSInterface_t interface {};
  interface.event = {event_init, event_send, event_receive, event_deinit,
                     reinterpret_cast<OtaEventContext_t*>(this)};
  interface.timer = {timer_start, timer_stop, timer_delete};
  interface.mem = {std::malloc, std::free};
  return interface;
}

}  // namespace ota::posix
