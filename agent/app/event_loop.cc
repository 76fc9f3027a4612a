#include "agent/app/event_loop.h"

namespace app {

void EventLoop::turn() {
  bool busy = lan_.poll();
  time_.tick();
  sntp_.service();
  mqtt_connector_.service();
  http_connector_.service();
  busy = mqtt_client_.service() || busy;
  busy = http_client_.service() || busy;
  mqtt_connector_.push();
  http_connector_.push();
  busy = os_.run_timers() || busy;
  wake_if_connection_was_lost();
  if (!busy) board::wait_for_interrupt();
}

void EventLoop::wake_if_connection_was_lost() {
  const bool connected = mqtt_client_.is_connected();
  if (was_connected_ && !connected) os_.wake();
  was_connected_ = connected;
}

}  // namespace app
