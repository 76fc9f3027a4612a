#include "sim/cloud/mqtt_front_end.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace otasim::cloud {
namespace {

/// Of a payload so much is told; it may be anybody's.
constexpr std::size_t kMostPayload = 1024;

/// JSON as text, anything else in hexadecimal digits; `payload_bytes` if it is more than what is told.
void tell_payload(nlohmann::json& event, std::string_view payload) {
  if (payload.size() > kMostPayload) event["payload_bytes"] = payload.size();
  const std::string_view told = payload.substr(0, kMostPayload);
  const bool is_text = std::ranges::all_of(told, [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7F;
  });
  if (is_text) {
    event["payload"] = told;
    return;
  }
  std::string digits;
  for (const char c : told) digits += fmt::format("{:02x}", static_cast<std::uint8_t>(c));
  event["payload_hex"] = std::move(digits);
}

}  // namespace

void MqttFrontEnd::handle_request(const ClientAddress& client, const std::string& topic,
                                  std::string_view payload) {
  const auto request = parse_device_topic(topic);
  if (!request) {
    log_.emit("cloud", "mqtt_request",
              {{"client", client.client_id}, {"topic", topic}, {"result", "ignored"}});
    return;
  }
  if (const auto* stream = std::get_if<StreamsTopic>(&request->service)) {
    log_stream(client, *stream, streams_.handle(client, request->thing, *stream, payload), payload);
    return;
  }
  const auto& jobs = std::get<JobsTopic>(request->service);
  const std::string_view result = jobs_.handle(client, topic, request->thing, jobs, payload);
  nlohmann::json event{{"client", client.client_id}, {"topic", topic}, {"result", result}};
  tell_payload(event, payload);
  log_.emit("cloud", "mqtt_request", std::move(event));
}

void MqttFrontEnd::log_stream(const ClientAddress& client, const StreamsTopic& request,
                              const StreamOutcome& outcome, std::string_view payload) {
  nlohmann::json event{{"client", client.client_id},
                       {"stream", request.stream},
                       {"encoding", to_string(request.encoding)},
                       {"result", outcome.result},
                       {"first_block", outcome.first_block},
                       {"blocks", outcome.blocks},
                       {"bytes", outcome.bytes}};
  tell_payload(event, payload);
  log_.emit("cloud", "stream_request", std::move(event));
}

}  // namespace otasim::cloud
