#include "tests/agent/src/fake_environment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ota_test {

OtaOsStatus_t FakeEnvironment::event_send(const OtaEventMsg_t& event) {
  if (queue_.size() >= queue_capacity) return OtaOsEventQueueSendFailed;
  queue_.push_back(event);
  return OtaOsSuccess;
}

OtaOsStatus_t FakeEnvironment::event_receive(OtaEventMsg_t& event, std::uint32_t) {
  if (queue_.empty()) return OtaOsEventQueueReceiveFailed;
  event = queue_.front();
  queue_.pop_front();
  return OtaOsSuccess;
}

OtaOsStatus_t FakeEnvironment::timer_start(OtaTimerId_t timer, std::uint32_t timeout_ms) {
  timers[timer] = timeout_ms;
  return OtaOsSuccess;
}

OtaOsStatus_t FakeEnvironment::timer_stop(OtaTimerId_t timer) {
  timers.erase(timer);
  return OtaOsSuccess;
}

OtaOsStatus_t FakeEnvironment::timer_delete(OtaTimerId_t timer) {
  return timer_stop(timer);
}

OtaMqttStatus_t FakeEnvironment::subscribe(std::string_view filter, std::uint8_t qos) {
  if (subscribe_fails) return OtaMqttSubscribeFailed;
  subscribed.push_back(std::string(filter) + "@" + std::to_string(qos));
  return OtaMqttSuccess;
}

OtaMqttStatus_t FakeEnvironment::unsubscribe(std::string_view filter, std::uint8_t) {
  unsubscribed.emplace_back(filter);
  return unsubscribe_fails ? OtaMqttUnsubscribeFailed : OtaMqttSuccess;
}

OtaMqttStatus_t FakeEnvironment::publish(std::string_view topic, std::span<const std::uint8_t> payload,
                                         std::uint8_t qos) {
  if (publish_fails) return OtaMqttPublishFailed;
  published.push_back({std::string(topic), {payload.begin(), payload.end()}, qos});
  return OtaMqttSuccess;
}

OtaHttpStatus_t FakeEnvironment::http_init(char* url) {
  ++http_inits;
  http_ranges.clear();
  if (http_init_fails) return OtaHttpInitFailed;
  http_url = url;
  return OtaHttpSuccess;
}

OtaHttpStatus_t FakeEnvironment::http_request(std::uint32_t first_byte, std::uint32_t last_byte) {
  if (http_request_fails) return OtaHttpRequestFailed;
  http_ranges.emplace_back(first_byte, last_byte);
  return OtaHttpSuccess;
}

OtaHttpStatus_t FakeEnvironment::http_deinit() {
  ++http_deinits;
  http_url.clear();
  http_ranges.clear();
  return http_deinit_fails ? OtaHttpDeinitFailed : OtaHttpSuccess;
}

OtaPalStatus_t FakeEnvironment::pal_abort(OtaFileContext_t& file_context) {
  ++aborts;
  file_context.pFile = nullptr;
  return 0;
}

OtaPalStatus_t FakeEnvironment::pal_create_file(OtaFileContext_t& file_context) {
  ++creates;
  if (create_result != 0) return create_result;
  file = Bytes(file_context.fileSize, 0xFF);
  written_signature.assign(file_context.pSignature->data,
                           file_context.pSignature->data + file_context.pSignature->size);
  file_context.pFile = file->data();
  return 0;
}

OtaPalStatus_t FakeEnvironment::pal_close_file(OtaFileContext_t& file_context) {
  file_context.pFile = nullptr;
  return close_result;
}

std::int16_t FakeEnvironment::pal_write_block(OtaFileContext_t&, std::uint32_t offset,
                                              std::span<std::uint8_t> data) {
  if (write_fails || !file || offset + data.size() > file->size()) return -1;
  std::ranges::copy(data, file->begin() + offset);
  return static_cast<std::int16_t>(data.size());
}

OtaPalStatus_t FakeEnvironment::pal_activate(OtaFileContext_t&) {
  ++activations;
  return activate_result;
}

OtaPalStatus_t FakeEnvironment::pal_reset(OtaFileContext_t&) {
  ++resets;
  return 0;
}

OtaPalStatus_t FakeEnvironment::pal_set_image_state(OtaFileContext_t&, OtaImageState_t state) {
  image_states.push_back(state);
  const auto result = set_state_results.find(state);
  if (result != set_state_results.end()) return result->second;
  if (pal_state == OtaPalImageStatePendingCommit && state != OtaImageStateTesting) {
    pal_state = state == OtaImageStateAccepted ? OtaPalImageStateValid : OtaPalImageStateInvalid;
  }
  return 0;
}

OtaPalImageState_t FakeEnvironment::pal_image_state(OtaFileContext_t&) {
  return pal_state;
}

void FakeEnvironment::notify_application(OtaJobEvent_t event, void* data) {
  if (event == OtaJobEventProcessed) {
    ++buffers_returned;
    if (data != nullptr) static_cast<OtaEventData_t*>(data)->bufferUsed = false;
    return;
  }
  events.push_back(event);
  if (data != nullptr) last_document = *static_cast<OtaJobDocument_t*>(data);
  if (event == OtaJobEventStartTest && on_start_test) on_start_test();
  if (event == OtaJobEventActivate && on_activate) on_activate();
  if (event == OtaJobEventParseCustomJob && on_custom_job)
    on_custom_job(*static_cast<OtaJobDocument_t*>(data));
}

std::string job_text(const JobSpec& spec) {
  nlohmann::json execution = {{"jobId", spec.id},
                              {"status", spec.status},
                              {"queuedAt", 1700000000},
                              {"versionNumber", 1},
                              {"executionNumber", 1}};
  if (!spec.self_test.empty()) {
    execution["statusDetails"] = {{"self_test", spec.self_test}, {"updatedBy", spec.updated_by}};
  }
  nlohmann::json file = {{"filepath", "fw.bin"},       {"filesize", spec.file_size},
                         {"fileid", spec.file_id},     {"certfile", "signer"},
                         {"fileType", spec.file_type}, {"sig-sha256-ecdsa", "AQIDBA=="}};
  if (!spec.url.empty()) {
    file["update_data_url"] = spec.url;
    file["auth_scheme"] = "aws.s3.presigned";
  }
  execution["jobDocument"]["afr_ota"] = {{"protocols", nlohmann::json::parse(spec.protocols)},
                                         {"streamname", spec.stream},
                                         {"files", nlohmann::json::array({file})}};
  nlohmann::json document = {{"timestamp", 1700000000}, {"execution", execution}};
  if (!spec.client_token.empty()) document["clientToken"] = spec.client_token;
  return document.dump();
}

Bytes block_message(std::uint32_t file_id, std::uint32_t index, const Bytes& payload) {
  return nlohmann::json::to_cbor({{"c", "rdy"},
                                  {"f", file_id},
                                  {"i", index},
                                  {"l", payload.size()},
                                  {"p", nlohmann::json::binary(payload)}});
}

std::string base64(const Bytes& bytes) {
  constexpr const char* kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) group = group << 8 | (at + i < bytes.size() ? bytes[at + i] : 0U);
    for (std::size_t i = 0; i < 4; ++i) {
      text += at + i > bytes.size() ? '=' : kDigits[group >> (18 - 6 * i) & 63];
    }
  }
  return text;
}

AgentHarness::AgentHarness(ota::Settings settings) {
  agent.configure(settings);
  EXPECT_EQ(agent.init({}, "t"), OtaErrNone);
}

void AgentHarness::start() {
  agent.process_next_event();  // Init becomes Ready
  signal(OtaAgentEventStart);
}

void AgentHarness::signal(OtaEvent_t event) {
  ASSERT_TRUE(agent.signal({nullptr, event}));
  run();
}

void AgentHarness::run() {
  while (environment.queued() != 0 && agent.state() != OtaAgentStateStopped) agent.process_next_event();
}

bool AgentHarness::expire(OtaTimerId_t timer) {
  if (environment.timers.erase(timer) == 0) return false;
  agent.on_timer(timer);
  run();
  return true;
}

void AgentHarness::enqueue(OtaEvent_t event, const Bytes& bytes) {
  auto buffer = std::make_unique<OtaEventData_t>();
  ASSERT_LE(bytes.size(), sizeof buffer->data);
  std::ranges::copy(bytes, buffer->data);
  buffer->dataLength = static_cast<std::uint32_t>(bytes.size());
  buffer->bufferUsed = true;
  ASSERT_TRUE(agent.signal({buffer.get(), event}));
  buffers_.push_back(std::move(buffer));
}

void AgentHarness::receive(OtaEvent_t event, const Bytes& bytes) {
  enqueue(event, bytes);
  run();
}

Bytes AgentHarness::file_content(std::uint32_t size) {
  Bytes content(size);
  for (std::uint32_t i = 0; i < size; ++i) content[i] = static_cast<std::uint8_t>(i * 31 + i / 4096);
  return content;
}

Bytes AgentHarness::block_content(std::uint32_t size, std::uint32_t index) {
  const Bytes content = file_content(size);
  const std::uint32_t begin = index * OTA_FILE_BLOCK_SIZE;
  return {content.begin() + begin, content.begin() + std::min(size, begin + OTA_FILE_BLOCK_SIZE)};
}

void AgentHarness::send_block(const JobSpec& job, std::uint32_t index) {
  receive_block(
      block_message(job.file_id, index, block_content(static_cast<std::uint32_t>(job.file_size), index)));
}

std::vector<Published> AgentHarness::stream_requests() const {
  std::vector<Published> found;
  for (const Published& message : environment.published) {
    if (message.topic.ends_with("/get/cbor") || message.topic.ends_with("/get/json"))
      found.push_back(message);
  }
  return found;
}

std::vector<std::string> AgentHarness::updates() const {
  std::vector<std::string> found;
  for (const Published& message : environment.published) {
    if (message.topic.ends_with("/update")) found.push_back(message.text());
  }
  return found;
}

}  // namespace ota_test
