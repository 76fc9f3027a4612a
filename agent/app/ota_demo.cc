#include "agent/app/ota_demo.h"

#include "agent/app/console.h"
#include "agent/app/deadline.h"
#include "agent/app/halt.h"
#include "agent/app/job_id.h"
#include "agent/app/ota_mqtt_port.h"
#include "agent/app/self_test.h"
#include "agent/src/names.h"
#include "agent/src/ota_c_api.h"
#include "pal_sim/pal/pal_binding.h"

namespace app {
namespace {

constexpr std::uint32_t kSuspendTimeoutMs = 10000;

/// Sixteen blocks of 4 KiB in one request: half of what AWS IoT sends in answer to one. Each may wait in a
/// buffer.
constexpr std::uint32_t kBlocksPerRequest = 16;
static_assert(kBlocksPerRequest < EventBuffers::kCount);

/// The agent's callback carries no context: this is the demo it means.
OtaDemo* running_demo = nullptr;

void log_failure(const OtaJobDocument_t& job) {
  const auto status = static_cast<OtaPalMainStatus_t>(job.reason);
  console::log("update failed, job ", job_id_of(job), ": ", OTA_PalStatus_strerror(status), ' ',
               console::Hex{static_cast<std::uint32_t>(job.subReason)});
}

}  // namespace

OtaDemo::OtaDemo(const DeviceSettings& settings, const RunningImage& image)
    : settings_(settings),
      image_(image),
      loop_(lan_, stream_, client_, os_),
      router_(buffers_, settings.thing_name()),
      client_(stream_, loop_, router_),
      os_(loop_, buffers_),
      network_(lan_, stream_, client_, loop_, settings),
      pal_(board::flash(), settings.provisioned(), board::boot_info(), {reset_device, this}) {
  interfaces_.os = os_.bind();
  interfaces_.mqtt = ota_mqtt_port::bind(client_);
  interfaces_.pal = pal::interface();
  pal::bind(&pal_);
  running_demo = this;
}

void OtaDemo::run() {
  start_devices();
  configure_agent();
  network_.connect();
  for (;;) {
    if (!start_agent()) halt("the agent cannot be started");
    run_agent();
    console::log("agent stopped; starting it again");
    client_.disconnect();
    router_.reset();
    network_.connect();
  }
}

void OtaDemo::start_devices() {
  const provisioning::Settings& provisioned = settings_.provisioned();
  TlsCredentials credentials;
  credentials.root_ca = provisioned.root_ca;
  credentials.certificate = provisioned.device_certificate;
  credentials.private_key = provisioned.device_key;
  if (pal_.start() != flash::Status::kOk) halt("boot control cannot be read");
  if (!stream_.init(credentials)) halt(stream_.failure().what);
  if (!lan_.start(provisioned.mac)) halt("the network controller does not answer");
}

void OtaDemo::configure_agent() {
  ota::Settings agent;
  agent.request_wait_ms = settings_.provisioned().request_wait_ms;
  agent.self_test_wait_ms = settings_.provisioned().self_test_ms;
  agent.blocks_per_request = kBlocksPerRequest;
  ota::configure(agent);
  ota::Extras extras;
  extras.is_committed_job = pal::is_committed_job;
  extras.on_note = [](ota::Note note) { console::log("agent: ", ota::name_of(note)); };
  ota::set_extras(extras);
}

bool OtaDemo::start_agent() {
  const auto* thing = reinterpret_cast<const std::uint8_t*>(settings_.thing_name());
  const OtaErr_t error = OTA_Init(&agent_buffers_, &interfaces_, thing, job_event_callback);
  if (error != OtaErrNone) {
    console::log("OTA_Init: ", OTA_Err_strerror(error));
    return false;
  }
  OtaEventMsg_t start{};
  start.eventId = OtaAgentEventStart;
  return OTA_SignalEvent(&start);
}

void OtaDemo::run_agent() {
  while (OTA_EventProcess() != OtaAgentStateStopped) {
    progress_.update();
    if (!client_.is_connected()) reconnect();
  }
  progress_.end();
}

void OtaDemo::reconnect() {
  console::log("connection lost: ", client_.reason());
  if (OTA_Suspend() != OtaErrNone) return;  // it stopped meanwhile
  const Deadline deadline(kSuspendTimeoutMs);
  while (OTA_GetState() != OtaAgentStateSuspended && !deadline.passed()) {
    if (OTA_EventProcess() == OtaAgentStateStopped) return;
  }
  if (OTA_GetState() != OtaAgentStateSuspended) {
    console::log("agent does not suspend; shutting it down");
    static_cast<void>(OTA_Shutdown(0, 0));  // run_agent() sees it stop
    return;
  }
  client_.disconnect();
  router_.reset();
  network_.connect();
  const OtaErr_t error = OTA_Resume();
  if (error != OtaErrNone) console::log("OTA_Resume: ", OTA_Err_strerror(error));
}

/// Every reset the PAL or the agent asks for. The broker hears of it now, not when the keep-alive runs out.
void OtaDemo::reset_device(void* self) {
  static_cast<OtaDemo*>(self)->client_.disconnect();
  board::reset();
}

void OtaDemo::job_event_callback(OtaJobEvent_t event, void* data) {
  running_demo->on_job_event(event, data);
}

void OtaDemo::on_job_event(OtaJobEvent_t event, void* data) {
  switch (event) {
    case OtaJobEventProcessed:
      buffers_.release(static_cast<const OtaEventData_t*>(data));
      break;
    case OtaJobEventReceivedJob:
      progress_.begin(*static_cast<const OtaJobDocument_t*>(data));
      break;
    case OtaJobEventActivate:
      activate();
      break;
    case OtaJobEventStartTest:
      self_test();
      break;
    case OtaJobEventFail:
      log_failure(*static_cast<const OtaJobDocument_t*>(data));
      end_download();
      break;
    case OtaJobEventSelfTestFailed:
      console::log("this image is not newer than the one that fetched it, going back");
      break;
    case OtaJobEventUpdateComplete:
      console::log("file received, job ", job_id_of(*static_cast<const OtaJobDocument_t*>(data)));
      end_download();
      break;
    case OtaJobEventParseCustomJob:
      console::log("job ", job_id_of(*static_cast<const OtaJobDocument_t*>(data)),
                   " is not an OTA update, refused");
      break;
    case OtaJobEventNoActiveJob:
      console::log("no job waiting");
      break;
  }
}

void OtaDemo::end_download() {
  progress_.end();
  if (router_.dropped() != 0) console::log("messages without a buffer ", router_.dropped());
}

void OtaDemo::activate() {
  end_download();
  console::log("image verified, restarting into it");
  const OtaErr_t error = OTA_ActivateNewImage();
  console::log("OTA_ActivateNewImage: ", OTA_Err_strerror(error));
}

void OtaDemo::self_test() {
  const char* problem = run_self_test(client_, board::flash(), image_);
  if (problem != nullptr) {
    console::log("self test failed: ", problem);
    static_cast<void>(OTA_SetImageState(OtaImageStateRejected));  // whatever it says, the reset follows
    reset_device(this);
  }
  const OtaErr_t error = OTA_SetImageState(OtaImageStateAccepted);
  if (OTA_GetImageState() != OtaImageStateAccepted) {
    console::log("image not accepted by the platform");
    return;  // the watchdog ends the trial
  }
  board::watchdog_stop();
  console::log("self test passed, image accepted");
  const boot::image::Version& version = image_.header.version;
  if (error == OtaErrNone) {
    console::log("update complete, running ", version.major, '.', version.minor, '.', version.revision);
  } else {
    console::log("image accepted but not reported: ", OTA_Err_strerror(error));
  }
}

}  // namespace app
