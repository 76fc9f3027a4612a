// Gets the device onto the broker: DHCP, DNS, TCP, TLS, MQTT; again after every loss.
//
// connect() returns when the MQTT session stands. Each attempt has a limit for each step; between attempts it
// waits, longer each time up to a cap, with some randomness so that a fleet does not return in step. It never
// gives up: an image on trial is ended by the bootloader's watchdog, any other has nothing better to do.
#pragma once

#include <lwip/ip_addr.h>

#include <cstdint>

#include "agent/app/device_settings.h"
#include "agent/app/mqtt_client.h"
#include "agent/app/netif_lan.h"
#include "agent/app/pump.h"
#include "agent/app/tls_stream.h"

namespace app {

class Network {
 public:
  Network(NetifLan& lan, TlsStream& stream, mqtt::Client& client, Pump& pump, const DeviceSettings& settings)
      : lan_(lan), stream_(stream), client_(client), pump_(pump), settings_(settings) {}

  void connect();

 private:
  [[nodiscard]] bool try_connect();
  [[nodiscard]] bool wait_for_address();
  [[nodiscard]] bool resolve();
  [[nodiscard]] bool open_stream();
  [[nodiscard]] bool open_session();
  void wait(std::uint32_t duration_ms);
  bool failed(const char* reason, int code = 0);

  static void on_resolved(const char* name, const ip_addr_t* address, void* self);

  enum class Lookup { kIdle, kPending, kDone, kFailed };

  NetifLan& lan_;
  TlsStream& stream_;
  mqtt::Client& client_;
  Pump& pump_;
  const DeviceSettings& settings_;
  bool announced_ = false;
  Lookup lookup_ = Lookup::kIdle;
  ip_addr_t server_{};
};

}  // namespace app
