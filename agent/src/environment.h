// All that the agent needs from the outside, as one interface: events, timers, MQTT, HTTP, the PAL, the
// application.
//
// The agent itself holds no globals and starts no threads. The C API implements this interface over
// OtaInterfaces_t (c_environment.h); tests implement it with fakes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "agent/include/ota.h"
#include "agent/src/note.h"

namespace ota {

class Environment {
 public:
  virtual ~Environment() = default;

  // Events: a queue of copies. send() comes from any task, receive() only from the one that runs the agent.
  [[nodiscard]] virtual OtaOsStatus_t event_init() = 0;
  [[nodiscard]] virtual OtaOsStatus_t event_send(const OtaEventMsg_t& event) = 0;
  [[nodiscard]] virtual OtaOsStatus_t event_receive(OtaEventMsg_t& event, std::uint32_t timeout_ms) = 0;

  // One-shot timers. When one runs out, Agent::on_timer() must be called, from any task.
  virtual OtaOsStatus_t timer_start(OtaTimerId_t timer, std::uint32_t timeout_ms) = 0;
  virtual OtaOsStatus_t timer_stop(OtaTimerId_t timer) = 0;
  virtual OtaOsStatus_t timer_delete(OtaTimerId_t timer) = 0;

  // MQTT.
  [[nodiscard]] virtual OtaMqttStatus_t subscribe(std::string_view filter, std::uint8_t qos) = 0;
  virtual OtaMqttStatus_t unsubscribe(std::string_view filter, std::uint8_t qos) = 0;
  [[nodiscard]] virtual OtaMqttStatus_t publish(std::string_view topic, std::span<const std::uint8_t> payload,
                                                std::uint8_t qos) = 0;

  // HTTP; contracts as in ota_http_interface.h. `url` ends with a NUL.
  [[nodiscard]] virtual bool has_http() const { return false; }
  [[nodiscard]] virtual OtaHttpStatus_t http_init(char* /*url*/) { return OtaHttpInitFailed; }
  [[nodiscard]] virtual OtaHttpStatus_t http_request(std::uint32_t /*first_byte*/,
                                                     std::uint32_t /*last_byte*/) {
    return OtaHttpRequestFailed;
  }
  virtual OtaHttpStatus_t http_deinit() { return OtaHttpSuccess; }

  // The PAL; contracts as in ota_platform_interface.h.
  virtual OtaPalStatus_t pal_abort(OtaFileContext_t& file) = 0;
  [[nodiscard]] virtual OtaPalStatus_t pal_create_file(OtaFileContext_t& file) = 0;
  [[nodiscard]] virtual OtaPalStatus_t pal_close_file(OtaFileContext_t& file) = 0;
  [[nodiscard]] virtual std::int16_t pal_write_block(OtaFileContext_t& file, std::uint32_t offset,
                                                     std::span<std::uint8_t> data) = 0;
  [[nodiscard]] virtual OtaPalStatus_t pal_activate(OtaFileContext_t& file) = 0;
  virtual OtaPalStatus_t pal_reset(OtaFileContext_t& file) = 0;
  [[nodiscard]] virtual OtaPalStatus_t pal_set_image_state(OtaFileContext_t& file, OtaImageState_t state) = 0;
  [[nodiscard]] virtual OtaPalImageState_t pal_image_state(OtaFileContext_t& file) = 0;

  /// Whether the running image is committed, and was fetched by this very job. A platform that keeps no such
  /// record says false; the agent then behaves as AWS's does.
  [[nodiscard]] virtual bool is_committed_job(std::string_view) { return false; }

  // The application.
  [[nodiscard]] virtual std::uint32_t running_version() const = 0;
  [[nodiscard]] virtual const char* signature_key() const = 0;
  virtual void notify_application(OtaJobEvent_t event, void* data) = 0;

  // For a log; both may be left alone.
  virtual void on_event(OtaState_t /*from*/, OtaEvent_t /*event*/, OtaErr_t /*result*/, OtaState_t /*to*/) {}
  virtual void on_note(Note /*note*/) {}
};

}  // namespace ota
