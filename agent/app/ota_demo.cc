#include "agent/app/ota_demo.h"

#include <algorithm>

#include "agent/app/console.h"
#include "agent/app/deadline.h"
#include "agent/app/halt.h"
#include "agent/app/job_id.h"
#include "agent/app/ota_http_port.h"
#include "agent/app/ota_mqtt_port.h"
#include "agent/app/self_test.h"
#include "agent/src/ota_c_api.h"
#include "pal_sim/pal/pal_binding.h"

namespace app {
namespace {

constexpr std::uint32_t kSuspendTimeoutMs = 10000;

/// Sixteen blocks of 4 KiB in one request: half of what AWS IoT sends in answer to one. Two requests are on
/// their way at once, so that the link is not idle while the next one is made.
constexpr std::uint32_t kBlocksPerRequest = 16;
constexpr std::uint32_t kBlocksInFlight = 32;
/// Each block on its way may come to wait in a buffer.
constexpr std::uint32_t kMostInFlight = EventBuffers::kCount - http::Client::kBuffersForOthers;
static_assert(kBlocksInFlight <= kMostInFlight);
static_assert(provisioning::kMinBlockSize <= OTA_FILE_BLOCK_SIZE);
static_assert(OTA_DATA_OVER_MQTT == provisioning::kProtocolMqtt);
static_assert(OTA_DATA_OVER_HTTP == provisioning::kProtocolHttp);
static_assert(OTA_STREAM_CBOR == static_cast<unsigned>(provisioning::StreamFormat::kCbor));
static_assert(OTA_STREAM_JSON == static_cast<unsigned>(provisioning::StreamFormat::kJson));

/// The agent's callback carries no context: this is the demo it means.
OtaDemo* running_demo = nullptr;

/// The provisioned settings, and this application's choice of what is not provisioned.
ota::Settings agent_settings(const provisioning::Settings& provisioned) {
  const provisioning::TransferSettings& transfer = provisioned.transfer;
  const provisioning::DataProtocols protocols = transfer.protocols.value_or(provisioning::DataProtocols{});
  ota::Settings agent;
  agent.request_wait_ms = provisioned.request_wait_ms;
  agent.self_test_wait_ms = provisioned.self_test_ms;
  agent.max_request_momentum = transfer.max_request_momentum.value_or(agent.max_request_momentum);
  agent.status_frequency = transfer.status_frequency.value_or(agent.status_frequency);
  // Agent, HTTP client and progress must count the same blocks: an agent built for smaller ones has its way.
  agent.block_size = std::min(transfer.block_size.value_or(agent.block_size), OTA_FILE_BLOCK_SIZE);
  agent.blocks_per_request =
      std::min<std::uint32_t>(transfer.blocks_per_request.value_or(kBlocksPerRequest), kMostInFlight);
  agent.blocks_per_http_request = agent.blocks_per_request;  // this HTTP client delivers block by block
  agent.blocks_in_flight =
      std::min<std::uint32_t>(transfer.blocks_in_flight.value_or(kBlocksInFlight), kMostInFlight);
  agent.data_protocols = protocols.enabled;
  agent.primary_data_protocol = protocols.primary;
  agent.stream_format =
      static_cast<std::uint32_t>(transfer.stream_format.value_or(provisioning::StreamFormat::kCbor));
  agent.use_start_next = transfer.start_next.value_or(agent.use_start_next);
  return agent;
}

void log_failure(const OtaJobDocument_t& job) {
  const auto status = static_cast<OtaPalMainStatus_t>(job.reason);
  console::log("update failed, job ", job_id_of(job), ": ", OTA_PalStatus_strerror(status), ' ',
               console::Hex{static_cast<std::uint32_t>(job.subReason)});
}

}  // namespace

OtaDemo::OtaDemo(const DeviceSettings& settings, const RunningImage& image)
    : settings_(settings),
      image_(image),
      agent_settings_(agent_settings(settings.provisioned())),
      time_floor_(board::flash()),
      sntp_transport_(lan_),
      sntp_(time_, sntp_transport_),
      mqtt_stream_(tls_),
      http_stream_(tls_),
      mqtt_connector_(mqtt_stream_),
      http_connector_(http_stream_),
      loop_(lan_, time_, sntp_, mqtt_connector_, http_connector_, client_, http_client_, os_),
      router_(buffers_, settings.thing_name()),
      client_(mqtt_connector_, loop_, router_),
      http_client_(http_connector_, buffers_, agent_settings_.block_size),
      os_(loop_),
      network_(lan_, sntp_, mqtt_connector_, client_, loop_, settings),
      progress_(agent_settings_.block_size),
      pal_({.flash = board::flash(),
            .updates = board::update_service(),
            .settings = settings.provisioned(),
            .boot_info = board::boot_info(),
            .code_signing_root = board::code_signing_root(),
            .load_region = {board::load_region().address, board::load_region().size},
            .reset = {reset_device, this}}) {
  interfaces_.os = os_.bind();
  interfaces_.mqtt = ota_mqtt_port::bind(client_, router_);
  interfaces_.http = ota_http_port::bind(http_client_);
  interfaces_.pal = pal::interface();
  pal::bind(&pal_);
  running_demo = this;
}

void OtaDemo::run() {
  start_devices();
  configure_agent();
  connect_first();
  keep_time();
  for (;;) {
    if (!start_agent()) halt("the agent cannot be started");
    run_agent();
    console::log("agent stopped; starting it again");
    http_client_.end();
    client_.disconnect();
    router_.reset();
    network_.connect();
    keep_time();
  }
}

/// The agent's own timer of the self test runs only once the agent does, so this is the same limit for the
/// way there.
void OtaDemo::connect_first() {
  if (image_.state != boot::ImageState::kTrial) return network_.connect();
  const std::uint32_t limit_ms = settings_.provisioned().self_test_ms;
  if (network_.connect_within(limit_ms)) return;
  console::log("no connection within ", limit_ms, " ms of a trial, going back");
  reset_device(this);
}

void OtaDemo::start_devices() {
  const provisioning::Settings& provisioned = settings_.provisioned();
  TlsCredentials credentials;
  credentials.root_ca = provisioned.root_ca;
  credentials.certificate = provisioned.device_certificate;
  credentials.signer = &board::identity();
  if (pal_.start() != flash::Status::kOk) halt("boot control cannot be read");
  time_.raise_floor(time_floor_.load());
  if (!tls_.init(credentials, time_)) halt(tls_.failure().what);
  if (!lan_.start(provisioned.mac)) halt("the network controller does not answer");
  if (!sntp_transport_.start(sntp_)) console::log("no socket for the time server");
}

void OtaDemo::configure_agent() {
  ota::configure(agent_settings_);
  ota::Extras extras;
  extras.is_committed_job = pal::is_committed_job;
  extras.on_note = [](ota::Note note) { running_demo->notes_.on_note(note); };
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
  notes_.end();
}

/// Comes back without having connected if the agent cannot be told now: because it stopped, or its queue is
/// full. run_agent() has it take an event then, which makes room, and calls again.
void OtaDemo::reconnect() {
  if (OTA_Suspend() != OtaErrNone) return;
  console::log("connection lost: ", client_.reason());
  const Deadline deadline(kSuspendTimeoutMs);
  while (OTA_GetState() != OtaAgentStateSuspended && !deadline.passed()) {
    if (OTA_EventProcess() == OtaAgentStateStopped) return;
  }
  if (OTA_GetState() != OtaAgentStateSuspended) {
    console::log("agent does not suspend; shutting it down");
    static_cast<void>(OTA_Shutdown(0, 0));  // run_agent() sees it stop
    return;
  }
  http_client_.end();  // the agent asks for its job, and with it for a URL, when it resumes
  client_.disconnect();
  router_.reset();
  notes_.end();
  network_.connect();
  keep_time();
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
      begin_download(*static_cast<const OtaJobDocument_t*>(data));
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

/// The one before may have ended without a word: its job was dropped.
void OtaDemo::begin_download(const OtaJobDocument_t& job) {
  notes_.end();
  progress_.begin(job);
}

void OtaDemo::end_download() {
  progress_.end();
  notes_.end();
  log_losses();
}

/// What went wrong on the way here and was made good: nothing, on a quiet network.
void OtaDemo::log_losses() const {
  if (router_.dropped() != 0) console::log("messages without a buffer ", router_.dropped());
  const std::uint32_t lost_frames = board::nic_dropped() + lan_.dropped();
  if (lost_frames != 0) console::log("frames lost ", lost_frames);
  const http::Statistics& http = http_client_.statistics();
  if (http.requests == 0) return;
  console::log("http requests ", http.requests, " blocks ", http.blocks, " connections ", http.connections);
}

void OtaDemo::activate() {
  end_download();
  console::log("image verified, restarting into it");
  const OtaErr_t error = OTA_ActivateNewImage();
  console::log("OTA_ActivateNewImage: ", OTA_Err_strerror(error));
}

/// For starts that find no time server. Only what a server's certificate vouches for, so that a forged answer
/// cannot lock the device out for good; and not by an image that was started on trial: the bootloader has
/// locked the calendar until the next start.
void OtaDemo::keep_time() {
  if (image_.state == boot::ImageState::kTrial) return;
  const flash::Status status = time_floor_.raise(tls_.vouched_time());
  if (status != flash::Status::kOk) console::log("the time cannot be stored: ", flash::to_string(status));
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
  board::end_trial();
  console::log("self test passed, image accepted");
  const boot::image::Version& version = image_.header.version;
  if (error == OtaErrNone) {
    console::log("update complete, running ", version.major, '.', version.minor, '.', version.revision);
  } else {
    console::log("image accepted but not reported: ", OTA_Err_strerror(error));
  }
}

}  // namespace app
