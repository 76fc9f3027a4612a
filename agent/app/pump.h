// One turn of the application's loop. What waits for something turns the loop until it is there.
#pragma once

namespace app {

class Pump {
 public:
  virtual ~Pump() = default;

  /// Moves frames, TLS and MQTT, fires timers that are due, and sleeps until the next interrupt if none of
  /// them had anything to do.
  virtual void turn() = 0;
};

}  // namespace app
