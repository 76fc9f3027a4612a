// An environment for the agent that a test can read and steer: a queue, a recorder of messages, a PAL in
// memory.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/src/agent.h"

namespace ota_test {

using Bytes = std::vector<std::uint8_t>;

struct Published {
  std::string topic;
  Bytes payload;
  int qos;

  [[nodiscard]] std::string text() const { return {payload.begin(), payload.end()}; }
};

class FakeEnvironment : public ota::Environment {
 public:
  static constexpr std::uint32_t kVersion = 0x0100'0000;  // 1.0.0

  // What the outside answers; a test sets it.
  std::uint32_t version = kVersion;
  OtaPalImageState_t pal_state = OtaPalImageStateValid;
  std::string committed_job;
  OtaPalStatus_t create_result = 0;
  OtaPalStatus_t close_result = 0;
  OtaPalStatus_t activate_result = 0;
  std::map<OtaImageState_t, OtaPalStatus_t> set_state_results;
  bool write_fails = false;
  bool subscribe_fails = false;
  bool unsubscribe_fails = false;
  bool publish_fails = false;
  bool has_http_client = true;
  bool http_init_fails = false;
  bool http_request_fails = false;
  bool http_deinit_fails = false;
  std::size_t queue_capacity = 20;
  /// Called for StartTest, before anything else.
  std::function<void()> on_start_test;
  std::function<void()> on_activate;
  std::function<void(OtaJobDocument_t&)> on_custom_job;

  // What the agent did; a test reads it.
  std::vector<Published> published;
  std::vector<std::string> subscribed;
  std::vector<std::string> unsubscribed;
  std::vector<OtaJobEvent_t> events;
  std::vector<OtaImageState_t> image_states;
  std::vector<ota::Note> notes;
  std::vector<OtaErr_t> results;  ///< of the events handled, those without a row left out
  std::string http_url;           ///< empty: not initialised
  std::vector<std::pair<std::uint32_t, std::uint32_t>> http_ranges;  ///< asked for since then
  int http_inits = 0;
  int http_deinits = 0;
  std::map<OtaTimerId_t, std::uint32_t> timers;  ///< running ones
  std::size_t buffers_returned = 0;
  int resets = 0;
  int activations = 0;
  int aborts = 0;
  int creates = 0;
  std::optional<Bytes> file;
  Bytes written_signature;
  std::optional<OtaJobDocument_t> last_document;

  OtaOsStatus_t event_init() override { return OtaOsSuccess; }
  OtaOsStatus_t event_send(const OtaEventMsg_t& event) override;
  OtaOsStatus_t event_receive(OtaEventMsg_t& event, std::uint32_t timeout_ms) override;
  OtaOsStatus_t timer_start(OtaTimerId_t timer, std::uint32_t timeout_ms) override;
  OtaOsStatus_t timer_stop(OtaTimerId_t timer) override;
  OtaOsStatus_t timer_delete(OtaTimerId_t timer) override;
  OtaMqttStatus_t subscribe(std::string_view filter, std::uint8_t qos) override;
  OtaMqttStatus_t unsubscribe(std::string_view filter, std::uint8_t qos) override;
  OtaMqttStatus_t publish(std::string_view topic, std::span<const std::uint8_t> payload,
                          std::uint8_t qos) override;
  bool has_http() const override { return has_http_client; }
  OtaHttpStatus_t http_init(char* url) override;
  OtaHttpStatus_t http_request(std::uint32_t first_byte, std::uint32_t last_byte) override;
  OtaHttpStatus_t http_deinit() override;
  OtaPalStatus_t pal_abort(OtaFileContext_t& file_context) override;
  OtaPalStatus_t pal_create_file(OtaFileContext_t& file_context) override;
  OtaPalStatus_t pal_close_file(OtaFileContext_t& file_context) override;
  std::int16_t pal_write_block(OtaFileContext_t& file_context, std::uint32_t offset,
                               std::span<std::uint8_t> data) override;
  OtaPalStatus_t pal_activate(OtaFileContext_t& file_context) override;
  OtaPalStatus_t pal_reset(OtaFileContext_t& file_context) override;
  OtaPalStatus_t pal_set_image_state(OtaFileContext_t& file_context, OtaImageState_t state) override;
  OtaPalImageState_t pal_image_state(OtaFileContext_t& file_context) override;
  bool is_committed_job(std::string_view job_id) override { return job_id == committed_job; }
  std::uint32_t running_version() const override { return version; }
  const char* signature_key() const override { return "sig-sha256-ecdsa"; }
  void notify_application(OtaJobEvent_t event, void* data) override;
  void on_note(ota::Note note) override { notes.push_back(note); }
  void on_event(OtaState_t, OtaEvent_t, OtaErr_t result, OtaState_t) override { results.push_back(result); }

  [[nodiscard]] std::size_t queued() const { return queue_.size(); }

 private:
  std::deque<OtaEventMsg_t> queue_;
};

/// A download job for thing "t".
struct JobSpec {
  std::string id = "AFR_OTA-u1";
  std::string status = "QUEUED";
  std::string self_test = {};  ///< with updated_by
  std::string updated_by = {};
  std::uint64_t file_size = 10'000;
  std::uint32_t file_id = 0;
  std::uint32_t file_type = 0;
  std::string protocols = R"(["MQTT"])";
  std::string stream = "AFR_OTA-s1";
  std::string url = {};
  std::string client_token = {};  ///< empty: a notification
};

[[nodiscard]] std::string job_text(const JobSpec& spec);

/// One stream message.
[[nodiscard]] Bytes block_message(std::uint32_t file_id, std::uint32_t index, const Bytes& payload);

[[nodiscard]] std::string base64(const Bytes& bytes);

/// An agent with its environment, its event buffers, and the service's side of a transfer.
class AgentHarness {
 public:
  explicit AgentHarness(ota::Settings settings = {});

  FakeEnvironment environment;
  ota::Agent agent{environment};

  /// Start, up to the published job request.
  void start();
  void signal(OtaEvent_t event);
  /// Queues a message without handling it.
  void enqueue(OtaEvent_t event, const Bytes& bytes);
  void receive_job(const std::string& text) {
    receive(OtaAgentEventReceivedJobDocument, {text.begin(), text.end()});
  }
  void receive_block(const Bytes& message) { receive(OtaAgentEventReceivedFileBlock, message); }
  /// Handles queued events until there are none.
  void run();
  /// Lets the timer run out. @returns false if it was not running.
  bool expire(OtaTimerId_t timer);

  /// The content of block `index` of a file of `size` bytes.
  [[nodiscard]] static Bytes block_content(std::uint32_t size, std::uint32_t index);
  [[nodiscard]] static Bytes file_content(std::uint32_t size);
  void send_block(const JobSpec& job, std::uint32_t index);
  /// The stream requests published so far.
  [[nodiscard]] std::vector<Published> stream_requests() const;
  /// Job updates published so far, as texts.
  [[nodiscard]] std::vector<std::string> updates() const;

 private:
  void receive(OtaEvent_t event, const Bytes& bytes);

  std::vector<std::unique_ptr<OtaEventData_t>> buffers_;
};

}  // namespace ota_test
