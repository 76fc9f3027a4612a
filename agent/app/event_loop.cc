#include "agent/app/event_loop.h"

namespace app {

void EventLoop::turn() {
  bool busy = lan_.poll();
  stream_.service();
  busy = client_.service() || busy;
  stream_.push();
  busy = os_.run_timers() || busy;
  wake_if_connection_was_lost();
  if (!busy) board::wait_for_interrupt();
}

void EventLoop::wake_if_connection_was_lost() {
  const bool connected = client_.is_connected();
  if (was_connected_ && !connected) os_.wake();
  was_connected_ = connected;
}

}  // namespace app
