// The application's one loop: each turn gives the network, TLS, MQTT and the agent's timers what is theirs.
#pragma once

#include "agent/app/mqtt_client.h"
#include "agent/app/netif_lan.h"
#include "agent/app/os_port.h"
#include "agent/app/pump.h"
#include "agent/app/tls_stream.h"

namespace app {

class EventLoop final : public Pump {
 public:
  /// The parts may be constructed later than the loop; they must be by the first turn.
  EventLoop(NetifLan& lan, TlsStream& stream, mqtt::Client& client, OsPort& os)
      : lan_(lan), stream_(stream), client_(client), os_(os) {}

  void turn() override;

 private:
  void wake_if_connection_was_lost();

  NetifLan& lan_;
  TlsStream& stream_;
  mqtt::Client& client_;
  OsPort& os_;
  bool was_connected_ = false;
};

}  // namespace app
