// The agent's environment over the C interfaces an application gives to OTA_Init().
#pragma once

#include "agent/src/environment.h"

namespace ota {

/// What a platform may add to AWS's interfaces. Any of it may be null.
struct Extras {
  /// Whether the running image is committed and was fetched by this job; see Environment::is_committed_job().
  bool (*is_committed_job)(std::string_view job_id) = nullptr;
  void (*on_event)(OtaState_t from, OtaEvent_t event, OtaErr_t result, OtaState_t to) = nullptr;
  void (*on_note)(Note note) = nullptr;
};

class CEnvironment : public Environment {
 public:
  /// @param on_timer  called when a timer runs out; must hand on to Agent::on_timer()
  explicit CEnvironment(OtaTimerCallback_t on_timer) : on_timer_(on_timer) {}

  /// `interfaces` must outlive this object.
  void bind(const OtaInterfaces_t& interfaces, OtaAppCallback_t callback) {
    interfaces_ = &interfaces;
    callback_ = callback;
  }
  void set_extras(const Extras& extras) { extras_ = extras; }

  OtaOsStatus_t event_init() override;
  OtaOsStatus_t event_send(const OtaEventMsg_t& event) override;
  OtaOsStatus_t event_receive(OtaEventMsg_t& event, std::uint32_t timeout_ms) override;
  OtaOsStatus_t timer_start(OtaTimerId_t timer, std::uint32_t timeout_ms) override;
  OtaOsStatus_t timer_stop(OtaTimerId_t timer) override;
  OtaOsStatus_t timer_delete(OtaTimerId_t timer) override;
  OtaMqttStatus_t subscribe(std::string_view filter, std::uint8_t qos) override;
  OtaMqttStatus_t unsubscribe(std::string_view filter, std::uint8_t qos) override;
  OtaMqttStatus_t publish(std::string_view topic, std::span<const std::uint8_t> payload,
                          std::uint8_t qos) override;
  bool has_http() const override;
  OtaHttpStatus_t http_init(char* url) override;
  OtaHttpStatus_t http_request(std::uint32_t first_byte, std::uint32_t last_byte) override;
  OtaHttpStatus_t http_deinit() override;
  OtaPalStatus_t pal_abort(OtaFileContext_t& file) override;
  OtaPalStatus_t pal_create_file(OtaFileContext_t& file) override;
  OtaPalStatus_t pal_close_file(OtaFileContext_t& file) override;
  std::int16_t pal_write_block(OtaFileContext_t& file, std::uint32_t offset,
                               std::span<std::uint8_t> data) override;
  OtaPalStatus_t pal_activate(OtaFileContext_t& file) override;
  OtaPalStatus_t pal_reset(OtaFileContext_t& file) override;
  OtaPalStatus_t pal_set_image_state(OtaFileContext_t& file, OtaImageState_t state) override;
  OtaPalImageState_t pal_image_state(OtaFileContext_t& file) override;
  bool is_committed_job(std::string_view job_id) override;
  std::uint32_t running_version() const override;
  const char* signature_key() const override;
  void notify_application(OtaJobEvent_t event, void* data) override;
  void on_event(OtaState_t from, OtaEvent_t event, OtaErr_t result, OtaState_t to) override;
  void on_note(Note note) override;

 private:
  OtaTimerCallback_t on_timer_;
  const OtaInterfaces_t* interfaces_ = nullptr;
  OtaAppCallback_t callback_ = nullptr;
  Extras extras_;
};

}  // namespace ota
