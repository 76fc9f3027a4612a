// The application's one loop: each turn gives the network, TLS, MQTT, HTTP and the agent's timers what is
// theirs.
#pragma once

#include "agent/app/calendar_time.h"
#include "agent/app/connector.h"
#include "agent/app/http_client.h"
#include "agent/app/mqtt_client.h"
#include "agent/app/netif_lan.h"
#include "agent/app/os_port.h"
#include "agent/app/pump.h"
#include "agent/app/sntp_client.h"

namespace app {

class EventLoop final : public Pump {
 public:
  /// The parts may be constructed later than the loop; they must be by the first turn.
  EventLoop(NetifLan& lan, CalendarTime& time, sntp::Client& sntp, Connector& mqtt_connector,
            Connector& http_connector, mqtt::Client& mqtt_client, http::Client& http_client, OsPort& os)
      : lan_(lan),
        time_(time),
        sntp_(sntp),
        mqtt_connector_(mqtt_connector),
        http_connector_(http_connector),
        mqtt_client_(mqtt_client),
        http_client_(http_client),
        os_(os) {}

  void turn() override;

 private:
  void wake_if_connection_was_lost();

  NetifLan& lan_;
  CalendarTime& time_;
  sntp::Client& sntp_;
  Connector& mqtt_connector_;
  Connector& http_connector_;
  mqtt::Client& mqtt_client_;
  http::Client& http_client_;
  OsPort& os_;
  bool was_connected_ = false;
};

}  // namespace app
