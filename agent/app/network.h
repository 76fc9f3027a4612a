// Gets the device onto the broker: DHCP, DNS, TCP, TLS, MQTT; again after every loss.
//
// connect() returns when the MQTT session stands. Each attempt has a limit for each step; between attempts it
// waits, longer each time up to a cap, with some randomness so that a fleet does not return in step. It never
// gives up, but connect_within() does: an image on trial that reaches nobody has failed its trial.
#pragma once

#include <cstdint>

#include "agent/app/connection.h"
#include "agent/app/device_settings.h"
#include "agent/app/mqtt_client.h"
#include "agent/app/netif_lan.h"
#include "agent/app/pump.h"
#include "agent/app/sntp_client.h"

namespace app {

class Network {
 public:
  Network(NetifLan& lan, sntp::Client& sntp, Connection& connection, mqtt::Client& client, Pump& pump,
          const DeviceSettings& settings)
      : lan_(lan), sntp_(sntp), connection_(connection), client_(client), pump_(pump), settings_(settings) {}

  void connect();
  /// @returns false if there is no session after `limit_ms`; an attempt under way may take it longer by the
  ///          limit of one step
  [[nodiscard]] bool connect_within(std::uint32_t limit_ms);

 private:
  /// Cleans up after an attempt that failed, and waits.
  void back_off(std::uint32_t& backoff_ms);
  void renew_address_if_due();
  [[nodiscard]] bool try_connect();
  [[nodiscard]] bool wait_for_address();
  void wait_for_time();
  [[nodiscard]] bool open_connection();
  [[nodiscard]] bool open_session();
  void wait(std::uint32_t duration_ms);
  bool failed(const char* reason, int code = 0);

  NetifLan& lan_;
  sntp::Client& sntp_;
  Connection& connection_;
  mqtt::Client& client_;
  Pump& pump_;
  const DeviceSettings& settings_;
  bool announced_ = false;
  std::uint32_t failures_ = 0;  ///< attempts in a row that failed
  bool has_asked_for_time_ = false;
};

}  // namespace app
