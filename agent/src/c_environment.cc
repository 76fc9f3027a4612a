#include "agent/src/c_environment.h"

#include "agent/include/ota_appversion32.h"

namespace ota {
namespace {

/// How long a full event queue may block a sender.
constexpr unsigned int kSendTimeoutMs = 0;

std::uint16_t short_size(std::string_view text) {
  return static_cast<std::uint16_t>(text.size());
}

}  // namespace

OtaOsStatus_t CEnvironment::event_init() {
  return interfaces_->os.event.init(interfaces_->os.event.pEventContext);
}

OtaOsStatus_t CEnvironment::event_send(const OtaEventMsg_t& event) {
  return interfaces_->os.event.send(interfaces_->os.event.pEventContext, &event, kSendTimeoutMs);
}

OtaOsStatus_t CEnvironment::event_receive(OtaEventMsg_t& event, std::uint32_t timeout_ms) {
  return interfaces_->os.event.recv(interfaces_->os.event.pEventContext, &event, timeout_ms);
}

OtaOsStatus_t CEnvironment::timer_start(OtaTimerId_t timer, std::uint32_t timeout_ms) {
  const char* name = timer == OtaRequestTimer ? "OtaRequestTimer" : "OtaSelfTestTimer";
  return interfaces_->os.timer.start(timer, name, timeout_ms, on_timer_);
}

OtaOsStatus_t CEnvironment::timer_stop(OtaTimerId_t timer) {
  return interfaces_->os.timer.stop(timer);
}

OtaOsStatus_t CEnvironment::timer_delete(OtaTimerId_t timer) {
  return interfaces_->os.timer.deleteTimer(timer);
}

OtaMqttStatus_t CEnvironment::subscribe(std::string_view filter, std::uint8_t qos) {
  return interfaces_->mqtt.subscribe(filter.data(), short_size(filter), qos);
}

OtaMqttStatus_t CEnvironment::unsubscribe(std::string_view filter, std::uint8_t qos) {
  return interfaces_->mqtt.unsubscribe(filter.data(), short_size(filter), qos);
}

OtaMqttStatus_t CEnvironment::publish(std::string_view topic, std::span<const std::uint8_t> payload,
                                      std::uint8_t qos) {
  return interfaces_->mqtt.publish(topic.data(), short_size(topic),
                                   reinterpret_cast<const char*>(payload.data()),
                                   static_cast<std::uint32_t>(payload.size()), qos);
}

/// An application without HTTP leaves the interface empty.
bool CEnvironment::has_http() const {
  const OtaHttpInterface_t& http = interfaces_->http;
  return http.init != nullptr && http.request != nullptr && http.deinit != nullptr;
}

OtaHttpStatus_t CEnvironment::http_init(char* url) {
  return interfaces_->http.init(url);
}
OtaHttpStatus_t CEnvironment::http_request(std::uint32_t first_byte, std::uint32_t last_byte) {
  return interfaces_->http.request(first_byte, last_byte);
}
OtaHttpStatus_t CEnvironment::http_deinit() {
  return interfaces_->http.deinit();
}

OtaPalStatus_t CEnvironment::pal_abort(OtaFileContext_t& file) {
  return interfaces_->pal.abort(&file);
}
OtaPalStatus_t CEnvironment::pal_create_file(OtaFileContext_t& file) {
  return interfaces_->pal.createFile(&file);
}
OtaPalStatus_t CEnvironment::pal_close_file(OtaFileContext_t& file) {
  return interfaces_->pal.closeFile(&file);
}

std::int16_t CEnvironment::pal_write_block(OtaFileContext_t& file, std::uint32_t offset,
                                           std::span<std::uint8_t> data) {
  return interfaces_->pal.writeBlock(&file, offset, data.data(), static_cast<std::uint32_t>(data.size()));
}

OtaPalStatus_t CEnvironment::pal_activate(OtaFileContext_t& file) {
  return interfaces_->pal.activate(&file);
}
OtaPalStatus_t CEnvironment::pal_reset(OtaFileContext_t& file) {
  return interfaces_->pal.reset(&file);
}

OtaPalStatus_t CEnvironment::pal_set_image_state(OtaFileContext_t& file, OtaImageState_t state) {
  return interfaces_->pal.setPlatformImageState(&file, state);
}

OtaPalImageState_t CEnvironment::pal_image_state(OtaFileContext_t& file) {
  return interfaces_->pal.getPlatformImageState(&file);
}

bool CEnvironment::is_committed_job(std::string_view job_id) {
  return extras_.is_committed_job != nullptr && extras_.is_committed_job(job_id);
}

std::uint32_t CEnvironment::running_version() const {
  return appFirmwareVersion.u.unsignedVersion32;
}

/// A key of the full length has no NUL; it then finds nothing, as no key of a document is that long.
const char* CEnvironment::signature_key() const {
  constexpr std::size_t kLast = OTA_FILE_SIG_KEY_STR_MAX_LENGTH - 1;
  return OTA_JsonFileSignatureKey[kLast] == '\0' ? OTA_JsonFileSignatureKey : "";
}

void CEnvironment::notify_application(OtaJobEvent_t event, void* data) {
  if (callback_ != nullptr) callback_(event, data);
}

void CEnvironment::on_event(OtaState_t from, OtaEvent_t event, OtaErr_t result, OtaState_t to) {
  if (extras_.on_event != nullptr) extras_.on_event(from, event, result, to);
}

void CEnvironment::on_note(Note note) {
  if (extras_.on_note != nullptr) extras_.on_note(note);
}

}  // namespace ota
