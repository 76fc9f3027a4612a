// The OTA demo application: AWS's six steps of porting it, on a super-loop.
//
//   1. initialise the agent (OTA_Init with the interfaces)      start_agent()
//   2. the application callback                                 on_job_event()
//   3. the event processing loop (instead of a task)            run_agent()
//   4. start the agent (OtaAgentEventStart)                     start_agent()
//   5. monitor its statistics                                   UpdateProgress
//   6. shut it down                                             reconnect(), if it does not suspend; it is
//                                                               started again when it has stopped
//
// run() never returns. A device that cannot start (no provisioning, no network controller, no entropy) says
// why and stops: on trial, the bootloader's watchdog then brings the previous image back. The watchdog is
// never fed; end_trial() stops it once this image is accepted.
#pragma once

#include "agent/app/agent_notes.h"
#include "agent/app/build_time.h"
#include "agent/app/calendar_time.h"
#include "agent/app/connector.h"
#include "agent/app/device_settings.h"
#include "agent/app/event_buffers.h"
#include "agent/app/event_loop.h"
#include "agent/app/http_client.h"
#include "agent/app/message_router.h"
#include "agent/app/mqtt_client.h"
#include "agent/app/netif_lan.h"
#include "agent/app/network.h"
#include "agent/app/os_port.h"
#include "agent/app/running_image.h"
#include "agent/app/sntp_client.h"
#include "agent/app/sntp_udp.h"
#include "agent/app/time_floor.h"
#include "agent/app/tls_config.h"
#include "agent/app/tls_stream.h"
#include "agent/app/update_progress.h"
#include "agent/include/ota.h"
#include "agent/src/settings.h"
#include "pal_sim/pal/pal.h"

namespace app {

class OtaDemo {
 public:
  /// `settings` must be loaded. Both must outlive the demo.
  OtaDemo(const DeviceSettings& settings, const RunningImage& image);

  [[noreturn]] void run();

 private:
  static void job_event_callback(OtaJobEvent_t event, void* data);
  static void reset_device(void* self);

  void start_devices();
  void connect_first();
  void configure_agent();
  [[nodiscard]] bool start_agent();
  void run_agent();
  void reconnect();
  void begin_download(const OtaJobDocument_t& job);
  void on_job_event(OtaJobEvent_t event, void* data);
  void end_download();
  void log_losses() const;
  void activate();
  void self_test();
  void keep_time();

  const DeviceSettings& settings_;
  const RunningImage& image_;
  const ota::Settings agent_settings_;
  EventBuffers buffers_;
  NetifLan lan_;
  CalendarTime time_{kBuildTime};
  TimeFloor time_floor_;
  sntp::UdpTransport sntp_transport_;
  sntp::Client sntp_;
  TlsConfig tls_;
  TlsStream mqtt_stream_;
  TlsStream http_stream_;
  Connector mqtt_connector_;
  Connector http_connector_;
  EventLoop loop_;
  MessageRouter router_;
  mqtt::Client client_;
  http::Client http_client_;
  OsPort os_;
  Network network_;
  UpdateProgress progress_;
  AgentNotes notes_;
  pal::Pal pal_;
  OtaInterfaces_t interfaces_{};
  OtaAppBuffer_t agent_buffers_{};
};

}  // namespace app
